"""Text that comes in pieces, cut into its lines: in constant memory, however long a line is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Line:
    """One record of a file."""

    number: int
    """The line on which it begins, from 1."""
    value: bytes | None
    """With its line end, where it has one. None: it is larger than it may be."""


class Held:
    """Bytes that come in pieces, never more of them than may be."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._begun = bytearray()
        self._too_large = False

    def add(self, part: bytes) -> None:
        """One more piece."""
        if len(self._begun) + len(part) > self._most:
            self._too_large = True
            self._begun.clear()
        elif not self._too_large:
            self._begun += part

    def take(self) -> bytes | None:
        """All pieces since the last time, perhaps none; None: they are more than they may be."""
        taken = None if self._too_large else bytes(self._begun)
        self._begun.clear()
        self._too_large = False
        return taken


class LineCutter:
    """Gives each line that is not blank, and counts them all."""

    def __init__(self, most: int, number: int = 1) -> None:
        """`most` bytes a line, its end included; `number` is the first line's."""
        self.number = number
        """Of the line that has not ended."""
        self._held = Held(most)

    def cut(self, piece: bytes) -> Iterator[Line]:
        """The lines that end in this piece."""
        at = 0
        while (end := piece.find(b"\n", at)) >= 0:
            self._held.add(piece[at : end + 1])
            at = end + 1
            yield from self.rest()
        self._held.add(piece[at:])

    def rest(self) -> Iterator[Line]:
        """The line as far as it has come, if it is not blank."""
        line, number = self._held.take(), self.number
        self.number += 1
        if line is None or line.strip():
            yield Line(number, line)
