"""A feed that comes in pieces, cut into its records: one a line, or a JSON array; in constant memory."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from services.postings.domain.lines import Held, LineCutter

if TYPE_CHECKING:
    from collections.abc import Iterator

_LINES: Final = frozenset(
    {"application/x-ndjson", "application/ndjson", "application/jsonl", "application/x-jsonlines", "text/plain"}
)
_BLANK: Final = b" \t\r\n"
_BOM: Final = b"\xef\xbb\xbf"
_OUTSIDE: Final = re.compile(rb'["\[\]{},]')
_INSIDE: Final = re.compile(rb'["\\]')


class NoFeedError(ValueError):
    """What came is neither lines nor a JSON array."""


class FeedCutter:
    """Gives each record as it came; None for one that is larger than it may be.

    Which of the two a feed is, its first character says, and only where it is `{` its media type: a JSON document
    that is one object is no feed.
    """

    def __init__(self, most: int, content_type: str) -> None:
        """`most` bytes a record."""
        self._most = most
        self._lines = content_type.partition(";")[0].strip().lower() in _LINES
        self._head = b""
        self._cutter: LineCutter | ArrayCutter | None = None

    def cut(self, piece: bytes) -> Iterator[bytes | None]:
        """The records that end in this piece. Raises NoFeedError."""
        if self._cutter is None:
            self._head = (self._head + piece).lstrip(_BLANK).removeprefix(_BOM).lstrip(_BLANK)
            if _BOM.startswith(self._head):
                return  # too little to know
            piece = self._begin()
        yield from self._cut(piece)

    def rest(self) -> Iterator[bytes | None]:
        """What no line end ended. Raises NoFeedError, and EOFError if an array has no end."""
        if self._cutter is None and self._head:
            yield from self._cut(self._begin())
        if isinstance(self._cutter, LineCutter):
            yield from (line.value for line in self._cutter.rest())
        elif self._cutter is not None and not self._cutter.ended:
            raise EOFError("the array has no end")

    def _begin(self) -> bytes:
        head, self._head = self._head, b""
        if head.startswith(b"["):
            self._cutter = ArrayCutter(self._most)
        elif head.startswith(b"{") and self._lines:
            self._cutter = LineCutter(self._most)
        else:
            raise NoFeedError("neither lines nor an array")
        return head

    def _cut(self, piece: bytes) -> Iterator[bytes | None]:
        if isinstance(self._cutter, LineCutter):
            yield from (line.value for line in self._cutter.cut(piece))
        elif self._cutter is not None:
            yield from self._cutter.cut(piece)


class ArrayCutter:
    """Gives the elements of a JSON array. Whether each is JSON, who reads it says."""

    def __init__(self, most: int) -> None:
        self.ended = False
        """True behind the array's end; what follows there is ignored."""
        self._depth = 0
        self._in_string = False
        self._escaped = False
        self._held = Held(most)

    def cut(self, piece: bytes) -> Iterator[bytes | None]:
        """The elements that end in this piece."""
        at = begin = 0
        if self._escaped and piece:
            self._escaped, at = False, 1
        while not self.ended:
            found = (_INSIDE if self._in_string else _OUTSIDE).search(piece, at)
            if found is None:
                self._held.add(piece[begin:])
                return
            at, mark = found.end(), found.group()
            if mark == b"\\":
                self._escaped = at == len(piece)
                at += 1
            elif mark == b'"':
                self._in_string = not self._in_string
            elif mark in b"[{":
                self._depth += 1
                begin = at if self._depth == 1 else begin
            elif mark in b"]}" and self._depth > 1:
                self._depth -= 1
            elif self._depth == 1:
                self.ended = mark != b","
                self._held.add(piece[begin : at - 1])
                begin = at
                element = self._held.take()
                if element is None or element.strip():
                    yield element
