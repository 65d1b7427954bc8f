"""Publishes outbox rows, an aggregate's rows in the order of their versions, and deletes them once acknowledged.

One relay a service, by a lease. What its own process commits it is told of, and need not read; the outbox has the
rows of other processes, and all that a crash left.

A relay that was paused and wakes up may still write an old version over a newer one; so each record carries the
relay's fencing number, the present relay tails the state topics that it writes, and a record with a lower number
behind one with a higher number has its aggregate's present state written again.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import OrderedDict
from typing import TYPE_CHECKING, Final

import structlog

from shared import metrics, outbox
from shared.broker import Outgoing
from shared.contracts.envelope import EPOCH_HEADER, FILLER_HEADER
from shared.errors import Unavailable
from shared.lease import Lease
from shared.mongo import SNAPSHOT, DriverError, away
from shared.outbox import OUTBOX
from shared.soon import Soon

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Sequence

    from shared.broker import Producer
    from shared.mongo import Document, Mongo
    from shared.redis import Redis
    from shared.settings import ServiceSettings

    Keep = Callable[[Sequence[Document]], Awaitable[None]]
    """Called with rows that are published, before they are deleted; after a crash perhaps once more."""

log = structlog.get_logger()

_IDLE_S: Final = 0.2
"""How often an idle relay looks without being woken."""
_LOOK_S: Final = 1.0
"""How often a busy relay looks: others call, so that is for calls that Redis has lost."""
_TRY_AGAIN_S: Final = 1.0
_REMEMBERED: Final = 200_000
_DELETE_EVERY_S: Final = 0.25
_DELETE_AT: Final = 500
"""Acknowledged rows: more of them would fill the window of the oldest rows."""


class Relay:
    """The outbox relay of one service; runs in every process of it, publishes in one."""

    def __init__(
        self,
        settings: ServiceSettings,
        service: str,
        mongo: Mongo,
        redis: Redis,
        producer: Producer,
        keep: Keep | None = None,
    ) -> None:
        self._keep = keep
        self._settings = settings
        self._service = service
        self._mongo = mongo
        self._redis = redis
        self._producer = producer
        self._woken = asyncio.Event()
        self._acknowledged: dict[object, Document] = {}
        """Rows that Kafka has and that are still to be deleted, by id."""
        self._deleting = Soon(_DELETE_EVERY_S, self._delete_acknowledged)
        self._told: list[Document] = []
        """Rows that this process has committed since the last publication."""
        self._newest: OrderedDict[tuple[str, str], int] = OrderedDict()
        """The version published last of each aggregate, in this term of leading."""
        self._term = 0
        self._read = 0.0
        self._others = False
        """True if another process has rows."""
        self._unanswered = False
        self._filled: dict[str, float] = {}
        self.lease = Lease(mongo.db, "relay", settings.lease_s)
        self.delayed = False
        """True while rows wait because Kafka is away."""
        outbox.listen(mongo.db, self._tell)

    @property
    def channel(self) -> str:
        """The Redis channel on which other processes wake the relay."""
        return f"{self._service}:outbox"

    def _tell(self, rows: Sequence[Document]) -> None:
        if self.lease.held:
            self._told += rows

    async def wake(self) -> None:
        """New rows are committed."""
        self._woken.set()
        if not self.lease.held:
            await self._redis.wake(self.channel)

    async def listen(self) -> None:
        """Pass on other processes' calls, for ever."""
        while True:
            async for _ in self._redis.listen(self.channel):
                self._others = True
                self._woken.set()
            await asyncio.sleep(_TRY_AGAIN_S)

    async def run(self) -> None:
        """Publish, for ever."""
        while True:
            try:
                if not await self._leading():
                    await asyncio.sleep(self._settings.lease_s / 3)
                elif await self.publish_once() < self._settings.relay_rows:
                    await self._wait()
            except Unavailable as error:
                self.delayed = self._unanswered = True
                log.warning("publishing waits", error=str(error))
                await asyncio.sleep(_TRY_AGAIN_S)
            except Exception as error:
                if not away(error):
                    raise
                log.warning("the outbox cannot be read", error=str(error))
                await asyncio.sleep(_TRY_AGAIN_S)

    async def _leading(self) -> bool:
        if self._unanswered:
            # it may still be written late: what comes now needs a higher number
            await self.lease.release()
            self._unanswered = False
        try:
            return await self.lease.keep()
        finally:
            metrics.RELAY_LEADER.labels(self._service).set(int(self.lease.held))

    async def _wait(self) -> None:
        # not wait_for: on Python 3.11 it can swallow a cancellation
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_IDLE_S):
                await self._woken.wait()
        self._woken.clear()

    async def publish_once(self) -> int:
        """Publish the oldest rows; how many. Raises Unavailable when Kafka is away."""
        rows = self._own() or await self._left()
        metrics.OUTBOX_ROWS.labels(self._service).set(len(rows))
        if rows and self.lease.held:
            await self._producer.send_all([self._record(row) for row in rows])
            self._acknowledged |= {row["_id"]: row for row in rows}
            self._remember(rows)
            for topic, count in _count(row["aggregatetype"] for row in rows):
                metrics.PUBLISHED.labels(self._service, topic).inc(count)
            if len(self._acknowledged) >= _DELETE_AT:
                await self.delete()
            else:
                self._deleting.ask()
        self.delayed = False
        return len(rows)

    def _own(self) -> list[Document] | None:
        """What this process has committed; None if the outbox must be read, because an earlier row may lie there."""
        told, self._told = self._told, []
        if self._term != self.lease.epoch:
            self._term = self.lease.epoch
            self._newest.clear()
            return None
        if not told or self._others or time.monotonic() - self._read > _LOOK_S:
            return None
        rows = _in_order([row for row in told if row["_id"] not in self._acknowledged])
        newest: dict[tuple[str, str], int] = {}
        for row in rows:
            aggregate = row["aggregatetype"], row["aggregateid"]
            if row["version"] is None:
                continue
            if row["version"] != newest.get(aggregate, self._newest.get(aggregate, 0)) + 1:
                return None
            newest[aggregate] = row["version"]
        return rows

    async def _left(self) -> list[Document]:
        """The oldest rows of the outbox that are not published yet."""
        # before reading: what is deleted meanwhile must not be taken for a new row
        already = set(self._acknowledged)
        self._others, self._read = False, time.monotonic()
        return [row for row in await self._oldest(already) if row["_id"] not in already]

    def _remember(self, rows: Sequence[Document]) -> None:
        for row in rows:
            if row["version"] is not None:
                aggregate = row["aggregatetype"], row["aggregateid"]
                self._newest[aggregate] = row["version"]
                self._newest.move_to_end(aggregate)
        while len(self._newest) > _REMEMBERED:
            self._newest.popitem(last=False)

    async def _delete_acknowledged(self) -> None:
        try:
            await self.delete()
        except DriverError as error:
            log.warning("published rows stay for now", error=str(error))
            self._deleting.ask()

    async def delete(self) -> None:
        """Delete what Kafka has acknowledged: seldom, for no event waits for it. Raises DriverError."""
        if rows := dict(self._acknowledged):
            if self._keep is not None:
                await self._keep(list(rows.values()))
            await self._mongo.db[OUTBOX].delete_many({"_id": {"$in": list(rows)}})
            for one in rows:
                self._acknowledged.pop(one, None)

    async def _oldest(self, already: Iterable[object] = ()) -> list[Document]:
        """Rows in order of insertion, and before each the earlier versions of its aggregate; few of those `already`.

        Insertion order is only known within one process; where the limit cuts, an earlier version that another
        process wrote may lie behind it.
        """
        # all at one moment: a cursor could miss a version that is committed behind it, and find the next one
        collection = self._mongo.db.get_collection(OUTBOX, read_concern=SNAPSHOT)
        limit = self._settings.relay_rows
        rows = await collection.find({"_id": {"$nin": list(already)}}).sort("_id", 1).limit(limit).to_list(limit)
        if len(rows) == limit:
            ids = {row["aggregateid"] for row in rows if row["version"] is not None}
            have = {row["_id"] for row in rows}
            same = collection.find({"aggregateid": {"$in": list(ids)}})
            rows += [row async for row in same if row["_id"] not in have]
        return _in_order(rows)

    def _record(self, row: Document) -> Outgoing:
        payload = row["payload"]
        return Outgoing(
            row["aggregatetype"],
            row["aggregateid"].encode(),
            None if payload is None else payload.encode(),
            {**row["headers"], EPOCH_HEADER: str(self.lease.epoch)},
        )

    async def fill(self, topics: Sequence[str]) -> None:
        """Write a filler into each partition of these topics if it is time; only while leading."""
        for topic in topics:
            due = time.monotonic() - self._filled.get(topic, float("-inf")) > self._settings.filler_every_s
            if due and self.lease.held:
                await self._producer.send_all(fillers(topic, await self._producer.partitions(topic)))
                self._filled[topic] = time.monotonic()
                metrics.FILLERS.labels(topic).inc()


def fillers(topic: str, partitions: Iterable[int]) -> list[Outgoing]:
    """One record a partition that no consumer takes for an event."""
    return [
        Outgoing(topic, f"~filler-{number}".encode(), None, {FILLER_HEADER: "1"}, partition=number)
        for number in partitions
    ]


def _in_order(rows: list[Document]) -> list[Document]:
    """Rows without a version keep their order; versions of one aggregate stand together, ascending."""
    place: dict[tuple[str, str], int] = {}
    for number, row in enumerate(rows):
        place.setdefault((row["aggregatetype"], row["aggregateid"]), number)
    return sorted(rows, key=lambda row: (place[row["aggregatetype"], row["aggregateid"]], row["version"] or 0))


def _count(topics: Iterable[str]) -> list[tuple[str, int]]:
    counts: dict[str, int] = {}
    for topic in topics:
        counts[topic] = counts.get(topic, 0) + 1
    return list(counts.items())
