"""Reads words in batches, off the event loop, each text once."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from hashlib import blake2b
from threading import Lock
from typing import TYPE_CHECKING, Final, Generic, Protocol, TypeVar

import msgspec

from shared.errors import Unavailable
from shared.linking.reading import Ad, Found

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence

REMEMBERED: Final = 50_000

TextT = TypeVar("TextT", bound="Hashable")


class Linker(Protocol):
    """What reads words: `shared.linking.linker.load` makes it."""

    version: str

    def ads(self, ads: Sequence[Ad]) -> list[Found]:
        """What each posting's words name."""

    def seekers(self, texts: Sequence[str]) -> list[Found]:
        """What each seeker's words name."""


class Reader:
    """What every service reads words with.

    A batch is read in a thread, one at a time: readers share the processor with everything else.
    """

    def __init__(self, load: Callable[[], Linker], remembered: int = REMEMBERED) -> None:
        """`remembered`: so many texts are known again without being read. `load` takes seconds: see `start`."""
        self._load = load
        self._linker: Linker | None = None
        self._ads: _Known[Ad] = _Known(remembered)
        self._seekers: _Known[str] = _Known(remembered)

    async def start(self) -> None:
        """Load what reads. Until it is done, reading raises Unavailable."""
        self._linker = await asyncio.to_thread(self._load)

    @property
    def version(self) -> str:
        """Of all that decides what is found."""
        return self._started.version

    async def ads(self, ads: Sequence[Ad]) -> list[Found]:
        """What each posting's words name, in the same order."""
        return await self._ads.read(ads, self._started.ads)

    async def seekers(self, texts: Sequence[str]) -> list[Found]:
        """What each seeker's words name, in the same order."""
        return await self._seekers.read(texts, self._started.seekers)

    @property
    def _started(self) -> Linker:
        if self._linker is None:
            raise Unavailable("what reads words is being loaded")
        return self._linker


class _Known(Generic[TextT]):
    """What was found in the texts read last; of a text only its digest stays."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._found: OrderedDict[bytes, Found] = OrderedDict()
        self._one_at_a_time = Lock()

    async def read(self, texts: Sequence[TextT], read: Callable[[Sequence[TextT]], list[Found]]) -> list[Found]:
        digests = [_digest(text) for text in texts]
        found = {digest: known for digest in digests if (known := self._found.get(digest)) is not None}
        new = {digest: text for digest, text in zip(digests, texts, strict=True) if digest not in found}
        if new:
            found |= zip(new, await asyncio.to_thread(self._in_turn, read, list(new.values())), strict=True)
        for digest in found:
            self._found[digest] = found[digest]
            self._found.move_to_end(digest)
        while len(self._found) > self._most:
            self._found.popitem(last=False)
        return [found[digest] for digest in digests]

    def _in_turn(self, read: Callable[[Sequence[TextT]], list[Found]], texts: Sequence[TextT]) -> list[Found]:
        with self._one_at_a_time:
            return read(texts)


def _digest(text: Hashable) -> bytes:
    return blake2b(msgspec.msgpack.encode(text), digest_size=16).digest()
