"""Which sentences of a text are read, and what their cues and headings make of a skill in them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from shared.linking.automaton import Hit
from shared.linking.cues import Cue
from shared.linking.words import PAUSE, STOP


class Role(Enum):
    """What a text makes of a skill that it names."""

    REQUIRED = "required"
    PREFERRED = "preferred"
    MENTIONED = "mentioned"
    """Named without a word or heading that says what for."""
    DENIED = "denied"


_HEADINGS: Final = {
    Cue.HEAD_REQUIRED: Role.REQUIRED,
    Cue.HEAD_PREFERRED: Role.PREFERRED,
    Cue.HEAD_DUTIES: Role.MENTIONED,
    Cue.HEAD_OTHER: Role.DENIED,
}
_LONGEST_HEADING: Final = 9
"""Words, or Chinese characters."""
_LONGEST_ABOUT: Final = 4
_REACH_OF_NO: Final = 4
"""Words after "no" or "ingen" that it denies."""
_LINE_ENDS: Final = frozenset("\n\r")
_BULLETS: Final = frozenset("•●▪∙|")
_OPENERS: Final = frozenset(":：?？")
"""They end a heading that stands in a line with what it is about."""


@dataclass(slots=True)
class Sentence:
    """Words `first` to `end` (behind the last), what is said in it, and the heading above it."""

    first: int
    end: int
    starts_line: bool
    closed_by: str
    section: Role | None = None
    cues: list[Hit[Cue]] = field(default_factory=list)
    said: set[Cue] = field(default_factory=set)

    @property
    def is_read(self) -> bool:
        """Whether skills are looked for in it."""
        return self.section is not Role.DENIED and Cue.BOILERPLATE not in self.said


def sentences(pieces: Sequence[str], symbols: str, cues: Sequence[Hit[Cue]]) -> list[Sentence]:
    """The sentences of a text in order, with their cues and sections. `cues` come by their ends."""
    found = _split(pieces, symbols)
    position = 0
    for cue in cues:
        while position < len(found) and found[position].end < cue.end:
            position += 1
        if position == len(found):
            break
        sentence = found[position]
        if sentence.first <= cue.first:
            sentence.cues.append(cue)
            sentence.said.add(cue.payload)
    section: Role | None = None
    for sentence in found:
        heading = _heading(sentence)
        if heading is not None:
            section = heading
            # The line of a heading is not itself about pay or the company.
            sentence.said.discard(Cue.BOILERPLATE)
        elif section is Role.DENIED and _asks(sentence):
            section = None
        sentence.section = section
    return found


def _split(pieces: Sequence[str], symbols: str) -> list[Sentence]:
    found = []
    first, starts_line = 0, True
    for position, number in enumerate(symbols):
        if number == STOP:
            mark = pieces[position]
            if position > first:
                found.append(Sentence(first, position, starts_line, mark))
                starts_line = mark in _LINE_ENDS
            else:
                starts_line = starts_line or mark in _LINE_ENDS
            first = position + 1
    if len(symbols) > first:
        found.append(Sentence(first, len(symbols), starts_line, "\n"))
    return found


def _heading(sentence: Sentence) -> Role | None:
    """The section that a sentence opens, if it is a heading: short, alone in its line or before a colon."""
    size = sentence.end - sentence.first
    if size > _LONGEST_HEADING or not sentence.cues:
        return None
    ends_line = sentence.closed_by in _LINE_ENDS
    if not ends_line and sentence.closed_by not in _OPENERS:
        return None
    best: Hit[Cue] | None = None
    for cue in sentence.cues:
        if cue.payload in _HEADINGS and cue.first <= sentence.first + 2:  # an emoji, a number
            better = best is None or cue.end - cue.first > best.end - best.first
            best = cue if better else best
    if best is None and size <= _LONGEST_ABOUT and sentence.starts_line and ends_line:
        about = any(cue.payload is Cue.HEAD_ABOUT and cue.first == sentence.first for cue in sentence.cues)
        return Role.DENIED if about else None
    covered = best.end - best.first if best is not None else 0
    # In the middle of a line a heading is nothing but its words: "… hos oss. Dina arbetsuppgifter".
    if best is None or covered * 2 < size or (ends_line and not sentence.starts_line and covered < size):
        return None
    return _HEADINGS[best.payload]


def _asks(sentence: Sentence) -> bool:
    """Whether a longer sentence begins with what opens a list of wishes (Vi söker dig som)."""
    return any(cue.payload is Cue.HEAD_REQUIRED and cue.first == sentence.first for cue in sentence.cues) and (
        sentence.end - sentence.first > _LONGEST_HEADING // 2
    )


def role(sentence: Sentence, symbols: str, first: int, end: int) -> Role:
    """What the sentence makes of the skill in words `first` to `end`.

    Under a heading of wishes all are wishes ("experience with X" there too). Else a cue in the skill's own clause
    counts most, then the last one before it, then the first one behind (X, Y and Z are a plus), then the heading. A
    wish beats a demand in the same clause: "experience with X is a plus".
    """
    begin, stop = _clause(sentence, symbols, first, end)
    before: Role | None = None
    behind: Role | None = None
    own: set[Cue] = set()
    for cue in sentence.cues:
        inside = begin <= cue.first and cue.end <= stop
        if cue.payload is Cue.NOT and inside and cue.first < first < cue.end + _REACH_OF_NO:
            return Role.DENIED
        if cue.payload is Cue.DENIED and inside:
            return Role.DENIED
        if cue.payload not in {Cue.REQUIRED, Cue.PREFERRED} or (cue.first >= first and cue.end <= end):
            continue
        if inside:
            own.add(cue.payload)
        said = Role.REQUIRED if cue.payload is Cue.REQUIRED else Role.PREFERRED
        if cue.end <= first:
            before = said
        elif behind is None:
            behind = said
    if sentence.section is Role.PREFERRED:
        return Role.PREFERRED
    if own:
        return Role.PREFERRED if Cue.PREFERRED in own else Role.REQUIRED
    return before or behind or sentence.section or Role.MENTIONED


def denied(sentence: Sentence, symbols: str, first: int, end: int) -> bool:
    """Whether what is said in words `first` to `end` is said not to be so."""
    return role(sentence, symbols, first, end) is Role.DENIED


def _clause(sentence: Sentence, symbols: str, first: int, end: int) -> tuple[int, int]:
    turns = {cue.first for cue in sentence.cues if cue.payload is Cue.BUT}
    begin = first
    while begin > sentence.first and symbols[begin - 1] != PAUSE and begin not in turns:
        begin -= 1
    stop = end
    while stop < sentence.end and symbols[stop] != PAUSE and stop not in turns:
        stop += 1
    return begin, stop
