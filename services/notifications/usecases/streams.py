"""Streams: an inbox replayed from a number, then followed live.

A stream keeps nothing but the number up to which it has told; what it tells next is always read from the
stored inbox. So a slow reader costs no memory, and a lost wake-up call costs time and nothing else.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from zlib import crc32

from services.notifications import domain
from services.notifications.usecases.inbox import bring_up_to_date
from shared import metrics
from shared.errors import Unavailable
from shared.mongo import away, to_its_end

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterable, Iterator

    from services.notifications.domain import Gap, Item, Recipient
    from services.notifications.settings import NotificationsSettings
    from services.notifications.usecases.inbox import Inboxes
    from shared.redis import Redis

PAGE: Final = 100
_SHARDS: Final = 256
_CHANNEL: Final = "notifications:inboxes"
_REST: Final = 4
"""A stream rests this many times as long as its last look took: large inboxes cannot starve the others."""
_LISTEN_AGAIN_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class Told:
    """Items to tell, the oldest change first, to a reader who had seen the inbox up to `after`."""

    after: int
    items: list[Item]


class Calls:
    """Wake-up calls for inboxes that may have changed, through Redis, to the streams of every process."""

    def __init__(self, redis: Redis, settings: NotificationsSettings) -> None:
        self._redis = redis
        self._settings = settings
        self._waiting: dict[int, set[asyncio.Event]] = {}
        """By shard of recipients."""
        self._hearing = False
        self._closed = False

    @property
    def open_streams(self) -> int:
        """Streams of this process."""
        return sum(len(events) for events in self._waiting.values())

    @property
    def poll_s(self) -> float:
        """How often a stream looks without being called."""
        return self._settings.stream_poll_s if self._hearing else self._settings.stream_poll_deaf_s

    @property
    def closed(self) -> bool:
        """True once streams are to end."""
        return self._closed

    async def call(self, recipients: Iterable[Recipient]) -> None:
        """Wake the streams of these inboxes, in whichever process. To be called after the commit."""
        if shards := {_shard(recipient) for recipient in recipients}:
            # one call a batch, a byte a shard: every process hears all of them
            await self._redis.wake(_CHANNEL, bytes(shards))

    async def listen(self) -> None:
        """Hand calls to this process's streams, for as long as it lives."""
        while True:
            async for shards in self._redis.listen(_CHANNEL):
                self._hearing = True
                self._wake(self._waiting if shards is None else shards)
            self._hearing = False
            await asyncio.sleep(_LISTEN_AGAIN_S)

    async def close_when(self, stopping: asyncio.Event) -> None:
        """End all streams of this process when it is stopping."""
        await stopping.wait()
        self._closed = True
        self._wake(self._waiting)

    @contextmanager
    def waiting(self, recipient: Recipient) -> Iterator[asyncio.Event]:
        """An event that is set when this inbox may have changed."""
        called = asyncio.Event()
        shard = _shard(recipient)
        events = self._waiting.setdefault(shard, set())
        events.add(called)
        metrics.STREAMS.inc()
        try:
            yield called
        finally:
            metrics.STREAMS.dec()
            events.discard(called)
            if not events and self._waiting.get(shard) is events:
                del self._waiting[shard]

    def _wake(self, shards: Iterable[int]) -> None:
        for shard in shards:
            for called in self._waiting.get(shard, ()):
                called.set()


def _shard(recipient: Recipient) -> int:
    return crc32(recipient.encode()) % _SHARDS


async def follow(
    inboxes: Inboxes, calls: Calls, recipient: Recipient, after: int, *, keep_alive_s: float, lasts_s: float
) -> AsyncGenerator[Told | Gap | None, None]:
    """Tell everything after number `after`, then what comes; None when it was silent for `keep_alive_s`.

    Ends after `lasts_s`, when the process stops, and when the store is away: the reader comes back with the
    last number and misses nothing.
    """
    look_at = spoke_at = time.monotonic()
    until = look_at + lasts_s
    with calls.waiting(recipient) as called:
        try:
            while not calls.closed and time.monotonic() < until:
                if called.is_set() or time.monotonic() >= look_at:
                    called.clear()
                    began = time.monotonic()
                    inbox = await to_its_end(bring_up_to_date(inboxes, recipient))
                    rest = _REST * (time.monotonic() - began)
                    if missed := domain.gap(after, inbox):
                        yield missed
                        after = missed.end
                    seen = after
                    while after < inbox.seq:
                        items = await to_its_end(inboxes.store.after(recipient, after, PAGE))
                        if not items:
                            break
                        yield Told(seen, items)
                        after, spoke_at = items[-1].seq, time.monotonic()
                    await asyncio.sleep(min(rest, until - time.monotonic()))
                    look_at = time.monotonic() + calls.poll_s
                if time.monotonic() >= spoke_at + keep_alive_s:
                    yield None
                    spoke_at = time.monotonic()
                await _call(called, min(look_at, spoke_at + keep_alive_s, until) - time.monotonic())
        except Exception as error:
            if not (isinstance(error, Unavailable) or away(error)):
                raise


async def _call(called: asyncio.Event, seconds: float) -> None:
    """Wait for a call, but not longer than so many seconds."""
    # not wait_for: on Python 3.11 it can swallow a cancellation
    with suppress(TimeoutError):
        async with asyncio.timeout(max(seconds, 0)):
            await called.wait()
