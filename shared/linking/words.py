"""Texts as words: where they are, what they have in common with other forms, and in which language they are."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Final, NamedTuple

CJK: Final = "\u3400-\u4dbf\u4e00-\u9fff"
_HAN: Final = re.compile(f"[{CJK}]")
_WORD: Final = re.compile(
    rf"\.(?i:net)\b|\b[A-Za-z](?:\+\+|#)|[^\W_{CJK}]+(?:['\u2019][sS]\b)?"  # .NET, C++, C#, words
    rf"|[{CJK}]"  # a Chinese character is a word of its own: labels are sequences of them
    r"|[!?。！？；;\n\r•●▪∙|]|\.(?=\s*$)|\.(?=\s+[^\sa-zåäöéü])|:(?=\s)|："  # ends of sentences and headings
    r"|,|，|\s[-\u2013\u2014*](?=\s)|[()（）]",  # ends of clauses
)
STOP: Final = "\x00"
"""The symbol of what ends a sentence: no label reaches over it."""
UNKNOWN: Final = "\x01"
"""The symbol of a word that no label has."""
PAUSE: Final = "\x02"
"""The symbol of what ends a clause."""
_PAUSES: Final = frozenset(",，()（）")
ARTICLES: Final = frozenset({"a", "an", "the", "A", "An", "The", "THE"})
"""Passed over in texts and labels, unless a hyphen follows (A-körkort)."""


def word_set(text: str) -> frozenset[str]:
    """The words of a list in the source."""
    return frozenset(text.split())


_SHORTEST_STEM: Final = 4
_SHORTEST_PLURAL: Final = 4


class Words(NamedTuple):
    """The words of a text in order, with the marks that end clauses and sentences; articles are passed over."""

    pieces: list[str]
    """As they are written."""
    places: list[re.Match[str]]
    """Where each is."""

    def span(self, first: int, end: int) -> tuple[int, int]:
        """Characters from word `first` to before word `end`."""
        return self.places[first].start(), self.places[end - 1].end()


def words(text: str) -> Words:
    """A text as words."""
    places = list(_WORD.finditer(text))
    pieces = [place.group() for place in places]
    if not ARTICLES.isdisjoint(pieces):
        kept = [
            number
            for number, piece in enumerate(pieces)
            if piece not in ARTICLES or text[(end := places[number].end()) : end + 1] == "-"
        ]
        return Words([pieces[number] for number in kept], [places[number] for number in kept])
    return Words(pieces, places)


def is_stop(piece: str) -> bool:
    """Whether this piece ends a sentence, a line or a heading."""
    return (
        not piece.isalnum()
        and not is_pause(piece)
        and not (piece[0].isalnum() or piece[-1].isalnum() or piece[-1] in "+#")
    )


def is_pause(piece: str) -> bool:
    """Whether this piece ends a clause: a comma, a bracket, a dash between spaces."""
    return piece in _PAUSES or (len(piece) > 1 and piece[0].isspace())


def singular(word: str) -> str:
    """Lower case, without an English plural or possessive ending (also a Swedish genitive s)."""
    lower = word.lower()
    if lower.endswith(("'s", "\u2019s")):
        return lower[:-2]
    if len(lower) < _SHORTEST_PLURAL or not lower.endswith("s") or lower.endswith(("ss", "us", "is", "ics")):
        return lower
    if lower.endswith("ies"):
        return lower[:-3] + "y"
    if lower.endswith(("ches", "shes", "sses", "xes")):
        return lower[:-2]
    return lower[:-1]


_ENDINGS: Final = ("ation", "ating", "ated", "ate", "ments", "ment", "ing", "ed", "ion", "e")


def stem(word: str) -> str:
    """What the forms of an English word share: operate, operating, operation; manage, managing, management.

    Only compared inside labels of several words, where the neighbours keep apart what a stem puts together. Other
    languages pass through it as well; nothing is promised for them but that equal words have equal stems.
    """
    root = singular(word)
    for ending in _ENDINGS:
        if root.endswith(ending) and len(root) - len(ending) >= _SHORTEST_STEM:
            root = root[: -len(ending)]
            break
    root = root.removesuffix("e") if len(root) > _SHORTEST_STEM else root
    if len(root) > _SHORTEST_STEM and root[-1] == root[-2] and root[-1] not in "aeiouls":
        root = root[:-1]
    return root[:-1] + "i" if root.endswith("y") and len(root) >= _SHORTEST_STEM else root


@lru_cache(maxsize=1 << 16)
def cached_stem(word: str) -> str:
    """`stem`, remembered."""
    return stem(word)


def is_han(text: str) -> bool:
    """Whether there is a Chinese character in it."""
    return _HAN.search(text) is not None


_ENGLISH: Final = word_set("""
    the and of to in for with you your our we are is as at be have will an on or that this from who by it not can
    their us about what all more which when work experience skills must required
""")
_SWEDISH: Final = word_set("""
    och att som är du vi för av en ett på med till det den har i dig din ditt dina vår våra oss om kan ska eller inom
    från hos vid efter där så söker arbeta jobba erfarenhet krav även inte samt goda god kommer vara ingen inga är
    krävs meriterande
""")


def language(pieces: Iterable[str]) -> str:
    """`zh`, `sv`, `en`, or nothing when the words do not tell."""
    english = swedish = 0
    for piece in pieces:
        if piece in _SWEDISH:
            swedish += 1
        elif piece in _ENGLISH:
            english += 1
        elif len(piece) == 1 and piece > "㐀" and is_han(piece):
            return "zh"
    if english == swedish:
        return ""
    return "en" if english > swedish else "sv"
