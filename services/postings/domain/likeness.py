"""Whether two postings of different sources offer the same vacancy, as a score and what speaks against it.

What was learnt from real ads (`tests/data/duplicates`): one employer's ads for different vacancies often differ in a
word or a number only (the ward, the shift, the programming language), and in the same place their whole text may be
equal under another title. So two postings agree only if their titles have the same words and one's text has all words
of the other in their order; whatever is nearly so is for a person to say.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from hashlib import blake2b
from typing import TYPE_CHECKING, Final

from rapidfuzz import fuzz
from rapidfuzz.distance import LCSseq

from shared.regions import Relation, ancestors, canonical, relation

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from shared.contracts.common import Code, Pay
    from shared.contracts.postings import Posting

AGREES: Final = 0.95
"""From this score on two postings are merged."""
DOUBTFUL: Final = 0.85
"""From this one on they are shown to the operator."""
_TITLE: Final = 0.4
"""The title's part of the score; the rest is the text's."""
_AGAINST: Final = 0.1
"""What each contradiction takes: one makes a doubt of what agrees, two make it another vacancy."""
_COVERS: Final = 0.9
"""The shorter text has at least this share of the longer one's words: siblings differ in what a cut text lacks."""
_FEW: Final = 30
"""With fewer words a text tells nothing of one vacancy."""
_SAME_NAME: Final = 80
"""Of 100, for two names under one reference."""
_ENDS_APART: Final = timedelta(days=45)
_GROUP_DIGITS: Final = 3
"""ISCO-08 minor groups; SSYK 2012 is built on them."""
_BY_DIGITS: Final = frozenset({"isco-08", "ssyk-2012"})

_WORD: Final = re.compile(r"[\u3400-\u9fff]|[^\W_\u3400-\u9fff]+")
"""A word, or a Chinese character."""
_LEGAL: Final = frozenset(
    ("ab", "publ", "aktiebolag", "hb", "kb", "ltd", "limited", "inc", "llc", "plc", "corp", "gmbh", "ag", "oy", "as")
)
_LEGAL_ZH: Final = re.compile(r"(?:股份)?有限(?:责任)?公司$")
_REFERENCE: Final = re.compile(r"\.([0-9a-f]{20})$")
"""In an employer's id that derives from a partner's reference or name (`posting.partner_employer_id`)."""


@dataclass(frozen=True, slots=True)
class Likeness:
    """How alike two postings are. The same, whichever is named first."""

    score: float
    """0 to 1."""
    against: tuple[str, ...] = ()
    """What contradicts, by name; each is taken off the score already."""

    @property
    def agrees(self) -> bool:
        """They are one vacancy."""
        return self.score >= AGREES

    @property
    def doubtful(self) -> bool:
        """They may be one: for a person to say."""
        return DOUBTFUL <= self.score < AGREES


NOTHING: Final = Likeness(0.0)


def likeness(one: Posting, other: Posting) -> Likeness:
    """How alike they are, whatever their sources and states are."""
    if not may_be_alike(one.title, other.title):
        return NOTHING
    employer, places = _employer(one, other), _places(one, other)
    if employer is None or places is None:
        return NOTHING
    title, same_title = _title(one, other)
    against = (
        *employer,
        *places,
        *(() if same_title else ("title",)),
        *(("title numbers",) if _numbers(one.title) != _numbers(other.title) else ()),
        *_facts(one, other),
    )
    if _score(title, 1.0, against) < DOUBTFUL:  # whatever the texts say: they are what takes time to compare
        return NOTHING
    text, of_text = _text(one.description, other.description)
    against += of_text
    return Likeness(_score(title, text, against), against)


def may_be_alike(one: Mapping[str, str], other: Mapping[str, str]) -> bool:
    """False if titles, in these languages, are so different already that the rest need not be looked at.

    Of an employer's vacancies in one place most are.
    """
    found = _versions(one, other)
    return bool(found) and all(_included(a, b) or _score(_ratio(a, b), 1.0, ("title",)) >= DOUBTFUL for a, b in found)


def blocks(posting: Posting) -> tuple[str, ...]:
    """Keys of which two postings share one if they may be one vacancy: employer by name or reference, and region.

    Of a region, the province or county that it lies in. 16 hexadecimal digits each.
    """
    regions = {_province(region.key) for region in posting.regions} or {""}
    return tuple(
        sorted(
            blake2b(f"{employer}\0{region}".encode(), digest_size=8).hexdigest()
            for employer in _names(posting)
            for region in regions
        )
    )


def digest(*postings: Posting) -> str:
    """What is compared of these postings, as 32 hexadecimal digits: an operator's yes holds as long as it stands."""
    compared = blake2b(digest_size=16)
    for one in postings:
        facts = (one.title, one.description, one.employer_name, one.occupation and one.occupation.key)
        places = sorted(canonical(region.key) for region in one.regions)
        rest = (places, one.remote, one.pay, one.openings, one.employment_type)
        compared.update(repr((facts, rest)).encode())
    return compared.hexdigest()


def _score(title: float, text: float, against: tuple[str, ...]) -> float:
    return round(max(_TITLE * title + (1 - _TITLE) * text - _AGAINST * len(against), 0.0), 4)


def _names(posting: Posting) -> Iterator[str]:
    """What the employer is known by."""
    if name := _name(posting.employer_name):
        yield name
    if reference := _reference(posting):
        yield f"#{reference}"


@lru_cache(maxsize=8192)
def _name(name: str | None) -> str:
    """A company's name without its legal form."""
    words = _words(_LEGAL_ZH.sub("", (name or "").strip()))
    return " ".join([word for word in words if word not in _LEGAL] or words)


def _reference(posting: Posting) -> str | None:
    found = _REFERENCE.search(posting.employer_id) if posting.source.partner else None
    return found and found[1]


def _employer(one: Posting, other: Posting) -> tuple[str, ...] | None:
    """None: another employer. One that is known by a reference alone is doubtful: many partners count from 1."""
    names = _name(one.employer_name), _name(other.employer_name)
    if names[0] and names[0] == names[1]:
        return ()
    reference = _reference(one)
    if reference is None or reference != _reference(other):
        return None
    if not all(names):
        return ("employer",)
    return () if fuzz.token_set_ratio(*names) >= _SAME_NAME else None


def _places(one: Posting, other: Posting) -> tuple[str, ...] | None:
    """None: other places. A place and the region that it lies in may be the same one, said less closely."""
    if one.remote != other.remote:
        return None
    mine, theirs = ({canonical(region.key) for region in posting.regions} for posting in (one, other))
    if mine == theirs:
        return () if mine or one.remote else ("region",)
    met = [(a, b) for a in mine for b in theirs if relation(a, b) is not Relation.APART]
    apart = {a for a, _ in met} != mine or {b for _, b in met} != theirs
    return None if apart and mine and theirs else ("region",)


def _province(key: str) -> str:
    around = ancestors(key)
    return around[-2] if len(around) > 1 else canonical(key)


def _title(one: Posting, other: Posting) -> tuple[float, bool]:
    """How alike the titles are, and whether they have the same words. Languages that both have must all agree.

    One may say, too, what place and employer are, which some sources write into it.
    """
    found = []
    for a, b in _versions(one.title, other.title):
        same = _sorted(a) == _sorted(b) != "" or _is_more(a, b, one, other)
        found.append((1.0, True) if same else (_ratio(a, b), False))
    return min(found, default=(0.0, False))


def _is_more(mine: str, theirs: str, one: Posting, other: Posting) -> bool:
    """True if one title says what the other says and nothing more but what these postings say elsewhere."""
    if not (_included(mine, theirs) and _set(mine) & _set(theirs)):
        return False
    own, others = Counter(_sorted(mine).split()), Counter(_sorted(theirs).split())
    more, less = own - others, others - own
    return not (more and less) and (more | less).keys() <= _said_elsewhere(one) | _said_elsewhere(other)


def _said_elsewhere(posting: Posting) -> set[str]:
    """The words of place and employer."""
    labels = [label for region in posting.regions for label in (region.label or {}).values()]
    return {word for text in (posting.employer_name or "", *labels) for word in _words(text)}


def _text(one: Mapping[str, str], other: Mapping[str, str]) -> tuple[float, tuple[str, ...]]:
    """Which share of the shorter text's words the longer one has, in their order, and what contradicts."""
    worst: tuple[float, tuple[str, ...]] | None = None
    for a, b in _versions(one, other):
        mine, theirs = _words(a), _words(b)
        short, long = sorted((len(mine), len(theirs)))
        if not short:
            continue
        common = LCSseq.similarity(mine, theirs)
        lost, new = Counter(_digits(mine)), Counter(_digits(theirs))
        against = (
            *(("words",) if common < short else ()),
            *(("numbers",) if lost - new and new - lost else ()),
            *(("length",) if short < _COVERS * long else ()),
            *(("few words",) if short < _FEW else ()),
        )
        found = (common / short, against)
        if worst is None or (found[0], -len(against)) < (worst[0], -len(worst[1])):
            worst = found
    return (1.0, ("no text",)) if worst is None else worst


def _versions(one: Mapping[str, str], other: Mapping[str, str]) -> list[tuple[str, str]]:
    """The texts to compare: in each language that both have; else, as one source may have named it wrongly, all."""
    common = one.keys() & other.keys()
    if common:
        return [(one[language], other[language]) for language in sorted(common)]
    return [(a, b) for a in one.values() for b in other.values()][:1] if len(one) == len(other) == 1 else []


def _facts(one: Posting, other: Posting) -> Iterator[str]:
    """The fields that both know and that contradict each other."""
    if one.openings != other.openings and min(one.openings, other.openings) > 1:  # 1 is also what nobody has said
        yield "openings"
    if one.pay and other.pay and _apart(one.pay, other.pay):
        yield "pay"
    if one.occupation and other.occupation and _other_work(one.occupation, other.occupation):
        yield "occupation"
    if one.employment_type and other.employment_type and one.employment_type is not other.employment_type:
        yield "employment type"
    if one.valid_through and other.valid_through and abs(one.valid_through - other.valid_through) > _ENDS_APART:
        yield "end"


def _apart(one: Pay, other: Pay) -> bool:
    """True for ranges of one currency that have no amount in common."""
    if one.currency != other.currency:
        return False
    over = one.min is not None and other.max is not None and one.min > other.max
    return over or (other.min is not None and one.max is not None and other.min > one.max)


def _other_work(one: Code, other: Code) -> bool:
    """True for two codes that their sources gave, of one scheme and not of one group."""
    if one.scheme != other.scheme or one.confidence is not None or other.confidence is not None:
        return False
    digits = _GROUP_DIGITS if one.scheme in _BY_DIGITS else None
    return one.code[:digits] != other.code[:digits]


@lru_cache(maxsize=16_384)
def _sorted(title: str) -> str:
    """Its words in one order, whatever the order they had."""
    return " ".join(sorted(_words(title)))


def _ratio(mine: str, theirs: str) -> float:
    return fuzz.ratio(_sorted(mine), _sorted(theirs)) / 100


def _included(mine: str, theirs: str) -> bool:
    """True if one title has all words of the other."""
    return _set(mine) <= _set(theirs) or _set(theirs) <= _set(mine)


@lru_cache(maxsize=16_384)
def _set(title: str) -> frozenset[str]:
    return frozenset(_sorted(title).split())


def _words(text: str) -> list[str]:
    return _WORD.findall(unicodedata.normalize("NFKC", text).casefold())


def _digits(words: list[str]) -> list[str]:
    return [word for word in words if any(character.isdigit() for character in word)]


def _numbers(titles: Mapping[str, str]) -> list[str]:
    return sorted(word for title in titles.values() for word in _digits(_sorted(title).split()))
