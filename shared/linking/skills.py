"""Text to skills, required or preferred by their context; a seeker's words to skills and wanted occupations.

Pure and lexical: the labels of the taxonomy in the text's own words. A skill that the text only mentions, for example
among the tasks, counts as preferred: a demand that is read where there is none keeps fit people away from a posting,
while a demand that is missed only lets a few more of them see it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Final, NamedTuple

from shared.linking.automaton import Automaton, Hit, longest
from shared.linking.contexts import Role, Sentence, denied, role, sentences
from shared.linking.cues import Cue, phrases
from shared.linking.kept import kept_labels
from shared.linking.labels import Labels, Need, Pattern, labels_of, phrase, pieces_of
from shared.linking.words import Words, language, singular, words
from shared.taxonomy import Taxonomy

VERSION: Final = "lexical-2"
"""Of the rules and lists here; what they find also hangs on the taxonomy's version."""
MOST: Final = 20
"""Skills of one text that are kept, the surest and most specific: an ad with more names what a trade has in common."""
LEAST: Final = 0.55
"""Confidence below which nothing is kept."""
IN_TITLE: Final = 0.65
"""Sureness of a label from which a title that has it demands it. A shortened one is mostly part of a job's name."""
LONGEST: Final = 20_000
"""Characters of a text that are read: more than the contracts let through."""

_BY_ROLE: Final = {Role.REQUIRED: 1.0, Role.PREFERRED: 1.0, Role.MENTIONED: 0.85}
_AGAIN: Final = 0.03
"""Confidence that another mention adds."""
_SURE: Final = 0.99
_BY_REUSE: Final = {"transversal": 0.7, "cross-sector": 0.95}
"""For ranking only: what every trade asks says less about a posting."""


class Found(NamedTuple):
    """A skill that a text names."""

    key: str
    """Of the taxonomy's concept."""
    required: bool
    confidence: float
    """0 to 1."""
    span: tuple[int, int]
    """Where it is named best: characters of the text, end exclusive."""


class Wanted(NamedTuple):
    """An occupation whose label a seeker used."""

    key: str
    confidence: float
    span: tuple[int, int]


class SeekerWords(NamedTuple):
    """What a seeker's own words name."""

    skills: list[Found]
    """`required` is never set."""
    occupations: list[Wanted]


_Payload = Pattern | Cue


class Linker:
    """Finds a taxonomy's skills in texts. Made once a process, by `load`; only reads."""

    def __init__(self, taxonomy: Taxonomy, labels: Labels) -> None:
        self.rules = VERSION
        self.version = f"{VERSION}/{taxonomy.version}"
        cues = [(cue, phrase(pieces_of(said))) for cue in Cue for said in phrases(cue)]
        payloads: list[_Payload] = [*labels.patterns, *(cue for cue, _ in cues)]
        self._automaton: Automaton[_Payload] = Automaton(chain(labels.phrases, (said for _, said in cues)), payloads)
        self._rank = {skill.key: _BY_REUSE.get(skill.reuse or "", 1.0) for skill in taxonomy.skills}

    def posting(self, title: str, text: str) -> list[Found]:
        """Skills of a posting, best first, at most `MOST`. Spans are in `joined(title, text)`."""
        reading = self._read(joined(title, text))
        mentions: dict[str, list[tuple[float, Role, Hit[Pattern]]]] = {}
        for hit, sentence in reading.skills:
            in_title = reading.words.places[hit.first].end() <= len(title)
            said = role(sentence, reading.symbols, hit.first, hit.end)
            if said is not Role.DENIED and not (in_title and hit.payload.weight < IN_TITLE):
                said = Role.REQUIRED if in_title else said
                mentions.setdefault(hit.payload.key, []).append((hit.payload.weight * _BY_ROLE[said], said, hit))
        found = [_merged(key, each, reading.words) for key, each in mentions.items()]
        return self._best(found)

    def seeker(self, text: str) -> SeekerWords:
        """What a seeker's words name, without what they deny ("no weekends", 不会开车)."""
        reading = self._read(text, everything=True)
        mentions: dict[str, list[tuple[float, Role, Hit[Pattern]]]] = {}
        for hit, sentence in reading.skills:
            if not denied(sentence, reading.symbols, hit.first, hit.end):
                mentions.setdefault(hit.payload.key, []).append((hit.payload.weight, Role.MENTIONED, hit))
        skills = self._best([_merged(key, each, reading.words) for key, each in mentions.items()])
        occupations: dict[str, Wanted] = {}
        for occupation, sentence in reading.occupations:
            pattern = occupation.payload
            if not denied(sentence, reading.symbols, occupation.first, occupation.end):
                span = reading.words.span(occupation.first, occupation.end)
                occupations.setdefault(pattern.key, Wanted(pattern.key, round(pattern.weight, 2), span))
        return SeekerWords(skills, list(occupations.values()))

    def _best(self, found: Iterable[Found]) -> list[Found]:
        kept = [each for each in found if each.confidence >= LEAST]
        kept.sort(key=lambda each: (-each.confidence * self._rank[each.key] - 0.1 * each.required, each.key))
        return kept[:MOST]

    def _read(self, text: str, *, everything: bool = False) -> _Reading:
        """Every usable hit with its sentence; with `everything` sections and boilerplate are read too."""
        read = words(text[:LONGEST])
        pieces = read.pieces
        symbols = self._automaton.symbols(pieces)
        cues: list[Hit[Cue]] = []
        labels: list[Hit[Pattern]] = []
        occupations: list[Hit[Pattern]] = []
        for hit in self._automaton.hits(symbols):
            payload = hit.payload
            if isinstance(payload, Cue):
                if hit.end - hit.first > 1 or _same_word(pieces[hit.first], payload):
                    cues.append(Hit(hit.first, hit.end, payload))
            elif (everything or not payload.occupation) and _fits(payload, pieces, hit):
                (occupations if payload.occupation else labels).append(Hit(hit.first, hit.end, payload))
        split = sentences(pieces, symbols, cues)
        main = _main_language(pieces, split)
        skills = list(_usable(labels, split, pieces, main, everything=everything))
        best = {(hit.first, hit.end) for hit in longest(occupations)}
        occupations = sorted((hit for hit in occupations if (hit.first, hit.end) in best), key=lambda hit: hit.first)
        wanted = list(_placed(occupations, split))
        return _Reading(read, symbols, skills, wanted)


class _Reading(NamedTuple):
    words: Words
    symbols: str
    skills: list[tuple[Hit[Pattern], Sentence]]
    occupations: list[tuple[Hit[Pattern], Sentence]]


def load(taxonomy: Taxonomy, folder: Path | None = None) -> Linker:
    """A linker for this taxonomy.

    Working out the patterns takes some seconds. With a `folder` they are kept there, in a file named after the
    taxonomy and this code, so that only the first process does it.
    """
    return Linker(taxonomy, kept_labels(taxonomy, folder) if folder is not None else labels_of(taxonomy))


def joined(title: str, text: str) -> str:
    """Title and text as they are read together."""
    return f"{title}\n{text}"


_DEMANDS: Final = frozenset({Cue.REQUIRED, Cue.PREFERRED})
_SHORT_DEMAND: Final = 8
"""Words of a sentence that asks for a language without saying what for: Svenska är ett krav."""
_NOUNS: Final = ("ing", "ion", "ions", "ment", "ance")
_CUE_WORDS: Final = {
    cue: frozenset(singular(pieces[0]) for said in phrases(cue) if len(pieces := pieces_of(said)) == 1) for cue in Cue
}


def _same_word(text: str, cue: Cue) -> bool:
    return singular(text) in _CUE_WORDS[cue]


def _fits(pattern: Pattern, pieces: Sequence[str], hit: Hit[_Payload]) -> bool:
    """Whether a label of one word is there as that word, and in its capitals where they matter."""
    if pattern.noun:
        return pieces[hit.end - 1].lower().endswith(_NOUNS)
    if not pattern.word:
        return True
    text = pieces[hit.first]
    if pattern.shapes:
        return text in pattern.shapes
    lower = text.lower()
    # A Swedish s behind a verb is a passive, and the company's doing: rekryteras.
    return pattern.word == lower or (pattern.language != "sv" and pattern.word == singular(lower))


def _main_language(pieces: Sequence[str], split: Sequence[Sentence]) -> str:
    """Of the sentences that are read, so that boilerplate in another language changes nothing."""
    return language(word.lower() for each in split if each.is_read for word in pieces[each.first : each.end])


def _placed(hits: Sequence[Hit[Pattern]], split: Sequence[Sentence]) -> Iterator[tuple[Hit[Pattern], Sentence]]:
    """Each hit with its sentence. Hits come by their first words."""
    position = 0
    for hit in hits:
        while split[position].end < hit.end:
            position += 1
        yield hit, split[position]


def _usable(
    labels: list[Hit[Pattern]], split: Sequence[Sentence], pieces: Sequence[str], main: str, *, everything: bool
) -> Iterator[tuple[Hit[Pattern], Sentence]]:
    """The labels that count: in a sentence that is read, in its language, with the support that they need."""
    groups: list[tuple[Sentence, list[Hit[Pattern]]]] = []
    labels.sort(key=lambda hit: (hit.first, hit.end))
    for hit, sentence in _placed(labels, split):
        if everything or sentence.is_read:
            if not groups or groups[-1][0] is not sentence:
                groups.append((sentence, []))
            groups[-1][1].append(hit)
    for sentence, hits in groups:
        spoken = language(word.lower() for word in pieces[sentence.first : sentence.end]) or main
        names = {hit.first for hit in hits if hit.payload.name}
        kept = [
            hit
            for hit in hits
            if (not hit.payload.language or not spoken or hit.payload.language == spoken)
            and _supported(hit.payload, sentence, names, spoken, lenient=everything)
        ]
        for hit in longest(kept):
            yield hit, sentence


def _supported(pattern: Pattern, sentence: Sentence, names: set[int], spoken: str, *, lenient: bool) -> bool:
    if pattern.need is Need.SUPPORT or (pattern.need is Need.ENGLISH_WORD and spoken == "en"):
        return len(names) > 1 or Cue.SUPPORT in sentence.said
    if lenient:
        return True
    asked = sentence.section in {Role.REQUIRED, Role.PREFERRED}
    if pattern.need is Need.SPOKEN:
        short = sentence.end - sentence.first <= _SHORT_DEMAND
        return Cue.SPOKEN in sentence.said or (short and (asked or not sentence.said.isdisjoint(_DEMANDS)))
    if pattern.need is Need.PERSON:
        return asked or Cue.PERSON in sentence.said or not sentence.said.isdisjoint(_DEMANDS)
    return True


def _merged(key: str, mentions: list[tuple[float, Role, Hit[Pattern]]], read: Words) -> Found:
    """One skill of all its mentions: required if any demands it, placed where it is surest."""
    confidence, _, hit = max(mentions, key=lambda mention: (mention[0], -mention[2].first))
    confidence = min(_SURE, confidence + _AGAIN * (len(mentions) - 1))
    required = any(said is Role.REQUIRED for _, said, _ in mentions)
    return Found(key, required, round(confidence, 2), read.span(hit.first, hit.end))
