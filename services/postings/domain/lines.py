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


class LineCutter:
    """Gives each line that is not blank, and counts them all."""

    def __init__(self, most: int, number: int = 1) -> None:
        """`most` bytes a line, its end included; `number` is the first line's."""
        self.number = number
        """Of the line that has not ended."""
        self._most = most
        self._begun = bytearray()
        self._too_large = False

    def cut(self, piece: bytes) -> Iterator[Line]:
        """The lines that end in this piece."""
        at = 0
        while (end := piece.find(b"\n", at)) >= 0:
            self._take(piece[at : end + 1])
            at = end + 1
            yield from self.rest()
        self._take(piece[at:])

    def rest(self) -> Iterator[Line]:
        """The line as far as it has come, if it is not blank."""
        line, too_large, number = bytes(self._begun), self._too_large, self.number
        self._begun.clear()
        self._too_large = False
        self.number += 1
        if too_large:
            yield Line(number, None)
        elif line.strip():
            yield Line(number, line)

    def _take(self, part: bytes) -> None:
        if len(self._begun) + len(part) > self._most:
            self._too_large = True
            self._begun.clear()
        elif not self._too_large:
            self._begun += part
