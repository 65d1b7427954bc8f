"""A taxonomy's labels as patterns: which words, of which concept, and what must be near before they count."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from enum import IntEnum
from itertools import chain
from typing import Final, NamedTuple

import msgspec

from shared.linking.ambiguity import CASED, ENGLISH_WORDS, GENERIC, KEPT, NEEDS_SUPPORT, NEVER, SPECIFIC_OBJECTS, VAGUE
from shared.linking.words import ARTICLES, cached_stem, is_pause, is_stop, singular, word_set, words
from shared.taxonomy import Concept, Taxonomy


class Need(IntEnum):
    """What a pattern needs beside its words."""

    NOTHING = 0
    SUPPORT = 1
    """Another name of software, or a word such as programming, in the sentence."""
    SPOKEN = 2
    """A word that says that a language is spoken or written."""
    ENGLISH_WORD = 3
    """In an English sentence the same support: Excel, Teams."""
    PERSON = 4
    """A word that says that the sentence is about the person sought, or a heading or cue that asks for something."""


class Pattern(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One way to say a concept. There are many, so they are kept out of the garbage collector's way."""

    key: str
    weight: float
    """How sure the words alone make it, 0 to 1."""
    language: str = ""
    """The only language of text in which it counts; empty for names and for labels of several words."""
    word: str = ""
    """Of one word: its singular in small letters, because a stem alone says too little."""
    shapes: tuple[str, ...] = ()
    """As which it must be written, where capitals matter."""
    need: Need = Need.NOTHING
    noun: bool = False
    """Its last word is a verb that counts as a noun only: forklift operation, not forklifts operate."""
    name: bool = False
    """A name of software or the like: it supports others."""
    occupation: bool = False
    """Of an occupation; else of a skill."""


PREFERRED: Final = 0.95
ALTERNATIVE: Final = 0.85
ONE_WORD: Final = 0.75
DERIVED: Final = 0.6
SHARED: Final = 0.7
"""A label that several concepts have is taken for the one whose own label is nearest."""

_MOST_CONCEPTS: Final = 3
"""A label of more concepts than that says too little."""
_MOST_WORDS: Final = 8
"""Longer labels are definitions; nobody writes them."""
_COMMON: Final = 8
"""Concepts whose labels have a word; a word of more is too common to be a label alone."""
_VERBS_FROM: Final = 12
_SHORT_NAME: Final = 4
_SHORTEST_WORD: Final = 4
_LONGEST_OBJECT: Final = 4
_PREPOSITIONS: Final = word_set("""
    on in of to for with from at by as into about up out off over under and or between within against through
    according using
""")
_OBJECT_STOPS: Final = word_set("time team people work others activities issues needs information")


class _Told(NamedTuple):
    """One label of one concept."""

    key: str
    language: str
    preferred: bool
    text: str
    pieces: tuple[str, ...]


_PLAIN: Final = re.compile(r"[A-Za-z0-9 ]+")


def pieces_of(label: str) -> tuple[str, ...]:
    """The words of a label; an explanation in brackets is left out: Java (computer programming)."""
    if _PLAIN.fullmatch(label):
        return tuple(piece for piece in label.split() if piece not in ARTICLES)
    bare = label.split(" (", 1)[0] if not label.startswith("(") else label
    return tuple(piece for piece in words(bare).pieces if not is_stop(piece) and not is_pause(piece))


def _told(concepts: Iterable[Concept]) -> Iterator[_Told]:
    for concept in concepts:
        for language, label in concept.labels.items():
            seen: set[tuple[str, ...]] = set()
            for number, text in enumerate((label, *concept.alternatives.get(language, ()))):
                pieces = pieces_of(text)
                if pieces and pieces not in seen and (len(pieces) <= _MOST_WORDS or language == "zh"):
                    seen.add(pieces)
                    yield _Told(concept.key, language, number == 0, text, pieces)


def _is_name(piece: str) -> bool:
    if piece.islower() and piece.isalpha():
        return False
    return any(sign.isupper() or sign.isdigit() or sign in "+#." for sign in piece)


class _Counts(NamedTuple):
    """In how many concepts' labels each word is."""

    concepts: Counter[str]
    small: Counter[str]
    """Only where it is written in small letters beside other words."""


def _count(told: list[_Told]) -> _Counts:
    concepts: Counter[str] = Counter()
    small: Counter[str] = Counter()
    by_key: dict[str, list[_Told]] = defaultdict(list)
    for label in told:
        if label.language == "en":
            by_key[label.key].append(label)
    for labels in by_key.values():
        concepts.update({cached_stem(piece) for label in labels for piece in label.pieces})
        small.update({p for label in labels if len(label.pieces) > 1 for p in label.pieces if p.islower()})
    return _Counts(concepts, small)


def _of_one_word(label: _Told, counts: _Counts, need: Need) -> Pattern | None:
    """A pattern for a label of one word, or nothing if the word says too little."""
    piece, key = label.pieces[0], label.key
    lower = piece.lower()
    word = singular(piece)
    if need is Need.SPOKEN:
        return Pattern(key, PREFERRED, word=word, need=need)
    if _is_name(piece):
        unsure = (
            lower in ENGLISH_WORDS
            or lower in NEEDS_SUPPORT
            or (label.language == "en" and not label.preferred and len(piece) < _SHORT_NAME and piece.isalpha())
        )
        cased = unsure or lower in CASED or len(piece) < _SHORT_NAME or counts.small[lower] > 1
        shapes = frozenset({piece, piece.upper(), piece.capitalize()})
        shapes = frozenset({piece}) if len(piece) < _SHORT_NAME or piece.isupper() else shapes
        return Pattern(
            key,
            ALTERNATIVE if cased else PREFERRED,
            word=lower,
            shapes=tuple(sorted(shapes)) if cased else (),
            need=Need.ENGLISH_WORD if lower in ENGLISH_WORDS else Need.SUPPORT if unsure else Need.NOTHING,
            name=True,
        )
    if label.language == "en" and (
        word in GENERIC
        or lower in GENERIC
        or len(lower) < _SHORTEST_WORD
        or (not label.preferred and counts.concepts[cached_stem(piece)] > _COMMON and lower not in KEPT)
    ):
        return Pattern(key, ALTERNATIVE, "en", word, need=need) if lower in KEPT else None
    if label.language != "en":
        word = lower  # a Swedish s may be a passive: motivera, motiveras
    sure = label.preferred or lower in KEPT or label.language != "en"
    return Pattern(key, ALTERNATIVE if sure else ONE_WORD, label.language, word, need=need)


def _verbs(told: list[_Told]) -> frozenset[str]:
    """Words with which English labels begin, in the infinitive and in -ing as well."""
    first: dict[str, set[str]] = defaultdict(set)
    for label in told:
        if label.language == "en" and len(label.pieces) > 1 and label.pieces[0].islower():
            first[label.pieces[0]].add(label.key)
    return frozenset(
        verb
        for verb, keys in first.items()
        if len(keys) >= _VERBS_FROM
        and any(form in first for form in (verb + "ing", verb[:-1] + "ing", verb + verb[-1] + "ing"))
    )


def _derived(
    told: list[_Told], taken: set[tuple[str, ...]], counts: _Counts, spoken: set[str]
) -> Iterator[tuple[tuple[str, ...], Pattern]]:
    """Objects without their verbs and with the verb behind them: forklift, forklift operation.

    Only what one concept alone has, and what is no other concept's label. "Fluent in Swedish" is Swedish.
    """
    verbs = _verbs(told)
    languages = {label.pieces[0] for label in told if label.key in spoken and len(label.pieces) == 1}
    found: dict[tuple[str, ...], set[str]] = defaultdict(set)
    shown: dict[tuple[str, ...], tuple[str, ...]] = {}
    nouns: set[tuple[str, ...]] = set()
    for label in told:
        if label.language != "en" or len(label.pieces) == 1 or label.pieces[0] not in verbs:
            continue
        rest = label.pieces[1:]
        if len(rest) > _LONGEST_OBJECT or rest[-1] in languages or not _says_something(rest, counts):
            continue
        forms = [rest] if len(rest) > 1 or rest[0].lower() in SPECIFIC_OBJECTS else []
        if label.preferred and len(rest) < _LONGEST_OBJECT:
            forms.append((*rest, label.pieces[0]))
        for form in forms:
            stems = tuple(map(cached_stem, form))
            if form is not rest:
                nouns.add(stems)
            found[stems].add(label.key)
            shown[stems] = form
    for stems, keys in found.items():
        form = shown[stems]
        if (
            len(keys) == 1
            and stems not in taken
            and " ".join(form).lower() not in NEVER
            and form[0].lower() not in VAGUE
        ):
            one = len(form) == 1
            word = singular(form[0]) if one else ""
            yield form, Pattern(min(keys), DERIVED, "en" if one else "", word, noun=stems in nouns)


def _says_something(rest: tuple[str, ...], counts: _Counts) -> bool:
    ends = (rest[0], rest[-1])
    if any(piece in _PREPOSITIONS for piece in ends) or (len(rest) == 1 and rest[0] in _OBJECT_STOPS):
        return False
    rare = min(counts.concepts[cached_stem(piece)] for piece in rest)
    return rare <= (200 if len(rest) > 1 else _COMMON * 4)


class Labels(NamedTuple):
    """Every usable label."""

    phrases: list[str]
    """The stems of its words, with spaces between."""
    patterns: list[Pattern]
    """What each stands for; several may have the same phrase."""


def labels_of(taxonomy: Taxonomy) -> Labels:
    """The patterns of a taxonomy's skills and occupations; takes some seconds."""
    labels = Labels([], [])
    for pieces, pattern in chain(_skill_patterns(taxonomy), _occupation_patterns(taxonomy)):
        labels.phrases.append(phrase(pieces))
        labels.patterns.append(pattern)
    return labels


def phrase(pieces: Iterable[str]) -> str:
    """The stems of these words, with spaces between."""
    return " ".join(map(cached_stem, pieces))


def _skill_patterns(taxonomy: Taxonomy) -> Iterator[tuple[tuple[str, ...], Pattern]]:
    """Words and pattern of every usable label of the taxonomy's skills, each sequence of stems once."""
    concepts = {concept.key: concept for concept in taxonomy.skills}
    told = list(_told(concepts.values()))
    counts = _count(told)
    same: dict[tuple[str, ...], list[_Told]] = defaultdict(list)
    for label in told:
        same[_identity(label.pieces)].append(label)
    taken: set[tuple[str, ...]] = set()
    for labels in same.values():
        chosen = _choose(labels, concepts)
        if chosen is None or chosen[0].text.lower() in NEVER:
            continue
        label, weight = chosen
        if label.language == "en" and _PREPOSITIONS.intersection((label.pieces[0], label.pieces[-1])):
            continue
        need = _need(concepts[label.key])
        taken.add(tuple(map(cached_stem, label.pieces)))
        if len(label.pieces) == 1:
            pattern = _of_one_word(label, counts, need)
            if pattern is not None:
                far = _is_far(label, concepts[label.key])
                yield label.pieces, msgspec.structs.replace(pattern, weight=DERIVED) if far else pattern
        else:
            name = label.language != "zh" and any(map(_is_name, label.pieces))
            yield label.pieces, Pattern(label.key, weight, need=need, name=name)
    yield from _derived(told, taken, counts, {concept.key for concept in taxonomy.skills if concept.is_language})


def _is_far(label: _Told, concept: Concept) -> bool:
    """Whether a single word of the source's is nothing of its concept's own label: Avaya for network equipment."""
    own = set(map(cached_stem, pieces_of(concept.labels.get("en", ""))))
    return label.language == "en" and label.text.lower() not in KEPT and cached_stem(label.pieces[0]) not in own


def _need(concept: Concept) -> Need:
    if concept.is_language:
        return Need.SPOKEN
    return Need.PERSON if concept.reuse == "transversal" else Need.NOTHING


def _identity(pieces: tuple[str, ...]) -> tuple[str, ...]:
    """What makes two labels the same: all stems, or of one word the word."""
    return (singular(pieces[0]),) if len(pieces) == 1 else tuple(map(cached_stem, pieces))


def _choose(labels: list[_Told], concepts: Mapping[str, Concept]) -> tuple[_Told, float] | None:
    """Of the concepts that have this label, the one that means it most, and how sure that is."""
    first = [label for label in labels if label.preferred]
    if first:
        best = min(first, key=lambda label: label.key)
        return best, PREFERRED
    ours = [label for label in labels if label.language in {"zh", "sv"}]
    if ours:
        return min(ours, key=lambda label: label.key), ALTERNATIVE
    keys = {label.key for label in labels}
    if len(keys) == 1:
        return labels[0], ALTERNATIVE
    if len(keys) > _MOST_CONCEPTS:
        return None

    def nearness(label: _Told) -> tuple[float, str]:
        own = set(map(cached_stem, pieces_of(concepts[label.key].labels.get("en", ""))))
        mine = set(map(cached_stem, label.pieces))
        return (-len(own & mine) / max(1, len(own | mine)), label.key)

    return min(labels, key=nearness), SHARED


def _occupation_patterns(taxonomy: Taxonomy) -> Iterator[tuple[tuple[str, ...], Pattern]]:
    """Words and pattern of every label of occupations, and of groups where a language has labels only of groups.

    A label of two or three occupations stands for each of them, less surely.
    """
    concepts = taxonomy.concepts
    same: dict[tuple[str, ...], list[_Told]] = defaultdict(list)
    kept = (c for c in concepts.values() if c.kind == "occupation" or (c.kind == "group" and "zh" in c.labels))
    for label in _told(kept):
        if concepts[label.key].kind == "occupation" or label.language == "zh":
            same[_identity(label.pieces)].append(label)
    for labels in same.values():
        keys = {told.key for told in labels}
        if len(labels[0].text) == 1 or len(keys) > _MOST_CONCEPTS or singular(labels[0].text) in GENERIC:
            continue
        for key in sorted(keys):
            told = next(told for told in labels if told.key == key)
            weight = PREFERRED if told.preferred else ALTERNATIVE
            word = singular(told.pieces[0]) if len(told.pieces) == 1 else ""
            yield told.pieces, Pattern(key, weight / len(keys) ** 0.5, word=word, occupation=True)
