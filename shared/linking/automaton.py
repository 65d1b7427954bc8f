"""Many phrases found in one pass: an Aho-Corasick automaton over words instead of letters.

Over words a phrase is whole by itself, forms of a word are one symbol, and a Chinese character is a word. The symbol
of a word is one character, so that the automaton sees a text as a string of symbols.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, Generic, NamedTuple, TypeVar

from ahocorasick_rs import AhoCorasick, Implementation, MatchKind

from shared.linking.words import PAUSE, STOP, UNKNOWN, cached_stem, is_pause, is_stop

_REMEMBERED: Final = 300_000
"""Words of texts whose symbols are remembered; then all are forgotten."""
_FIRST_SYMBOL: Final = 0x100
_SURROGATES: Final = range(0xD800, 0xE000)
"""Of UTF-16; they are no characters."""

Payload = TypeVar("Payload")


class Hit(NamedTuple, Generic[Payload]):
    """A phrase in a text: positions of its first and behind its last word, and what it stands for."""

    first: int
    end: int
    payload: Payload


class Automaton(Generic[Payload]):
    """Finds every occurrence of every phrase (stems with spaces between) and gives its payload.

    The same phrase may be there several times.
    """

    def __init__(self, phrases: Iterable[str], payloads: Sequence[Payload]) -> None:
        self._symbols: dict[str, str] = {}
        self._payloads = payloads
        patterns = ("".join(map(self._symbol, phrase.split(" "))) for phrase in phrases)
        self._automaton = AhoCorasick(
            patterns, matchkind=MatchKind.Standard, store_patterns=False, implementation=Implementation.ContiguousNFA
        )
        self._known: dict[str, str] = {}

    def _symbol(self, stem: str) -> str:
        symbol = self._symbols.get(stem)
        if symbol is None:
            number = len(self._symbols) + _FIRST_SYMBOL
            symbol = chr(number if number < _SURROGATES.start else number + len(_SURROGATES))
            self._symbols[stem] = symbol
        return symbol

    def symbols(self, pieces: Iterable[str]) -> str:
        """A character for each word: its own, or `STOP`, `PAUSE`, `UNKNOWN`."""
        known = self._known
        if len(known) > _REMEMBERED:
            known.clear()
        found = []
        for piece in pieces:
            symbol = known.get(piece)
            if symbol is None:
                symbol = known[piece] = self._look_up(piece)
            found.append(symbol)
        return "".join(found)

    def _look_up(self, piece: str) -> str:
        if is_pause(piece):
            return PAUSE
        return STOP if is_stop(piece) else self._symbols.get(cached_stem(piece), UNKNOWN)

    def hits(self, symbols: str) -> list[Hit[Payload]]:
        """All occurrences, overlapping ones too, by their ends."""
        payloads = self._payloads
        found = self._automaton.find_matches_as_indexes(symbols, overlapping=True)
        return [Hit(first, end, payloads[number]) for number, first, end in found]


def longest(hits: Iterable[Hit[Payload]]) -> list[Hit[Payload]]:
    """Of hits that overlap the longest, of equals the first; in the order of the text."""
    taken: set[int] = set()
    kept = []
    for hit in sorted(hits, key=lambda hit: (hit.first - hit.end, hit.first)):
        span = range(hit.first, hit.end)
        if taken.isdisjoint(span):
            taken.update(span)
            kept.append(hit)
    return sorted(kept, key=lambda hit: hit.first)
