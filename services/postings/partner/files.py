"""The records of a file: JSON lines, a JSON list, or one JSON object, gzipped or not, in constant memory."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from gzip import GzipFile
from io import BufferedReader
from pathlib import Path
from typing import Final, cast

from pydantic_core import from_json

from services.postings.domain.lines import Line, LineCutter

MAX_RECORD: Final = 4 * 1024 * 1024
"""Bytes, of a partner's topic."""
_GZIP: Final = b"\x1f\x8b"
_BOM: Final = b"\xef\xbb\xbf"
_CHUNK: Final = 1 << 16
_OUTSIDE: Final = re.compile(rb'["{}\[\],]')
_INSIDE: Final = re.compile(rb'(?:[^"\\]++|\\.)*+', re.DOTALL)
_TOP: Final = 1
"""The depth between the elements of a list."""


@contextmanager
def opened(name: str) -> Iterator[BufferedReader]:
    """A file to read, or `-` for standard input; unpacked if it is gzipped. Raises OSError."""
    with ExitStack() as stack:
        plain = sys.stdin.buffer if name == "-" else stack.enter_context(Path(name).open("rb"))
        stream = cast("BufferedReader", plain)
        if stream.peek(len(_GZIP))[: len(_GZIP)] == _GZIP:
            stream = stack.enter_context(BufferedReader(GzipFile(fileobj=stream)))
        yield stream


def records(stream: BufferedReader) -> Iterator[Line]:
    """The records of a stream, whatever its shape. Raises OSError or EOFError for a broken gzip file."""
    if stream.peek(len(_BOM))[: len(_BOM)] == _BOM:
        stream.read(len(_BOM))
    number = 1
    while (head := stream.peek(1)[:1]).isspace():
        number += stream.read(1) == b"\n"
    if head == b"[":
        yield from _elements(stream, number)
        return
    start = stream.readline(MAX_RECORD)
    if not _is_json(start):
        start += stream.read(MAX_RECORD)
        if len(start) <= MAX_RECORD and _is_json(start):
            yield Line(number, start)
            return
    yield from _lines(start, stream, number)


def _is_json(text: bytes) -> bool:
    try:
        from_json(text)
    except ValueError:
        return False
    return True


def _lines(start: bytes, stream: BufferedReader, number: int) -> Iterator[Line]:
    """Each line that is not blank. `start` was read already."""
    cutter = LineCutter(MAX_RECORD, number)
    yield from cutter.cut(start)
    while chunk := stream.read(_CHUNK):
        yield from cutter.cut(chunk)
    yield from cutter.rest()


def _elements(stream: BufferedReader, number: int) -> Iterator[Line]:
    """Each element of a JSON list, cut at its brackets: one that is broken inside does not end the list."""
    cutter = _Cutter(number)
    while chunk := stream.read(_CHUNK):
        yield from cutter.cut(chunk)
    yield from cutter.rest()


class _Cutter:
    """Cuts a JSON list, which comes in pieces, into its elements."""

    def __init__(self, number: int) -> None:
        self._number = number
        self._begin = number
        self._depth = 0
        self._in_string = False
        self._escaped = False
        self._too_large = False
        self._element = bytearray()

    def cut(self, chunk: bytes) -> Iterator[Line]:
        """The elements that end in this piece."""
        at = 0
        while at < len(chunk):
            if self._in_string:
                end = self._string_to(chunk, at)
                self._take(chunk[at:end])
                at = end
                continue
            match = _OUTSIDE.search(chunk, at)
            end, found = (match.end(), match.group()) if match else (len(chunk), b"")
            edge = (found == b"[" and not self._depth) or (self._depth == _TOP and found in {b",", b"]"})
            self._take(chunk[at : end - 1] if edge else chunk[at:end])
            at = end
            self._in_string = found == b'"'
            self._depth += (found in {b"[", b"{"}) - (found in {b"]", b"}"})
            if edge:
                yield from self.rest()

    def _string_to(self, chunk: bytes, at: int) -> int:
        """Where the text ends in which we are, its quote included; or the end of the piece."""
        if self._escaped:
            self._escaped = False
            return at + 1
        match = _INSIDE.match(chunk, at)
        end = match.end() if match else at
        if end == len(chunk):
            return end
        self._escaped = chunk[end : end + 1] == b"\\"
        self._in_string = self._escaped
        return end + 1

    def rest(self) -> Iterator[Line]:
        """The element as far as it has come, if it is not blank."""
        element, too_large = bytes(self._element), self._too_large
        blank = element[: len(element) - len(element.lstrip())].count(b"\n")
        number, self._begin = self._begin + blank, self._number
        self._element.clear()
        self._too_large = False
        if too_large or element.strip():
            yield Line(number, None if too_large else element)

    def _take(self, part: bytes) -> None:
        self._number += part.count(b"\n")
        if len(self._element) + len(part) > MAX_RECORD:
            self._too_large = True
            self._element.clear()
        if not self._too_large:
            self._element += part
