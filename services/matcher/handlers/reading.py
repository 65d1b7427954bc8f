"""Records without a group: every process reads both state topics whole, and the list partitions that it owns."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from services.matcher.handlers.changes import changes
from services.matcher.usecases.lists import Lists
from services.matcher.usecases.matching import LISTS_OF
from services.matcher.usecases.waiting import Cause
from services.matcher.usecases.world import TOPIC_OF, Change, World
from shared.consuming import Record, decode_all, is_filler
from shared.contracts.envelope import WRITER_HEADER
from shared.contracts.lists import ListBody
from shared.contracts.recommendations import AnchorKind
from shared.errors import Unavailable
from shared.reading import POLL_MS, reading, records_of
from shared.settings import ServiceSettings

log = structlog.get_logger()

_TRY_AGAIN_S = 1.0
_KINDS = {topic: kind for kind, topic in TOPIC_OF.items()}
_LISTS_AT_ONCE = 100


class IndexReader:
    """Keeps the world up to date with postings.v1 and profiles.v1."""

    def __init__(self, settings: ServiceSettings, world: World, lists: Mapping[AnchorKind, Lists], most: int) -> None:
        self._settings = settings
        self._world = world
        self._lists = lists
        self._most = most
        self._asking: AIOKafkaConsumer | None = None
        """Asks for the ends. Of its own, because Kafka answers a connection's requests in turn, and a fetch that
        waits for records would hold up the question."""

    async def run(self) -> None:
        """Read, for ever; after a failure from where the world is."""
        while True:
            try:
                async with (
                    reading(self._settings, "matcher-index", prompt=True) as consumer,
                    reading(self._settings, "matcher-ends") as self._asking,
                ):
                    await self._read(consumer)
            except (KafkaError, OSError, Unavailable) as error:
                log.warning("the index waits for Kafka", error=repr(error))
                await asyncio.sleep(_TRY_AGAIN_S)
            finally:
                self._asking = None

    async def ends(self, wheres: Sequence[TopicPartition]) -> Mapping[TopicPartition, int]:
        """Kafka's present end of both topics. Raises Unavailable."""
        if self._asking is None:
            message = "the index is not connected"
            raise Unavailable(message)
        try:
            return dict(await self._asking.end_offsets(list(wheres)))
        except (KafkaError, OSError) as error:
            raise Unavailable(repr(error)) from error

    async def _read(self, consumer: AIOKafkaConsumer) -> None:
        world = self._world
        wheres = list(world.wheres())
        consumer.assign(wheres)
        ends = dict(await consumer.end_offsets(wheres))
        if any(end < world.positions[_KINDS[w.topic]][w.partition] for w, end in ends.items()):
            log.error("ALARM: the topics end before the snapshot; the index begins again")
            async with world.lock:
                world.begin_again()
        for kind, starts in world.positions.items():
            for number, start in enumerate(starts):
                consumer.seek(TopicPartition(TOPIC_OF[kind], number), start)
        while True:
            batches = await consumer.getmany(timeout_ms=POLL_MS, max_records=self._most)
            # also where compaction left no record to return, the position moves
            positions = {where: await consumer.position(where) for where in (batches or wheres)}
            await world.apply(changes(raw for part in batches.values() for raw in part), positions, self._changed)
            await asyncio.sleep(0)  # what is fetched already comes without a wait: let heartbeats through
            if not world.caught_up.is_set() and _reached(world, ends):
                world.caught_up.set()
                log.info("index is caught up", postings=len(world.index.postings.row_of))

    def _changed(self, change: Change) -> None:
        if self._lists[change.kind].owns(change.partition):
            cause = Cause(change.partition, change.at, change.version, change.traceparent)
            self._lists[change.kind].mark(change.key, cause)
        other = AnchorKind.SEEKER if change.kind is AnchorKind.POSTING else AnchorKind.POSTING
        self._lists[other].counterpart_changed(change.key, change.at)


def _reached(world: World, ends: Mapping[TopicPartition, int]) -> bool:
    return all(world.positions[_KINDS[w.topic]][w.partition] >= end for w, end in ends.items())


class ListTail:
    """Reads the list partitions that this process owns: first what was issued, then whoever else writes there."""

    def __init__(self, settings: ServiceSettings, kind: AnchorKind, lists: Lists, world: World, writer: str) -> None:
        self._settings = settings
        self._topic = LISTS_OF[kind]
        self._lists = lists
        self._world = world
        self._writer = writer.encode()
        self._assigned = asyncio.Event()
        self._positions: dict[int, int] = {}
        self._targets: dict[int, int] = {}

    def own(self, partitions: Iterable[int]) -> None:
        """The group gave us these partitions, and no others."""
        self._lists.own(partitions)
        self._positions = {n: p for n, p in self._positions.items() if n in self._lists.owned()}
        self._targets = {n: p for n, p in self._targets.items() if n in self._lists.owned()}
        self._assigned.set()

    async def run(self) -> None:
        """Read, for ever."""
        while True:
            try:
                async with reading(self._settings, f"matcher-{self._topic}") as consumer:
                    while True:
                        await self._assigned.wait()
                        self._assigned.clear()
                        await self._follow(consumer)
            except (KafkaError, OSError) as error:
                log.warning("list topic cannot be read", topic=self._topic, error=repr(error))
                self._assigned.set()
                await asyncio.sleep(_TRY_AGAIN_S)

    async def _follow(self, consumer: AIOKafkaConsumer) -> None:
        """Read the present share until the group changes it."""
        await self._world.caught_up.wait()
        wheres = [TopicPartition(self._topic, number) for number in sorted(self._lists.owned())]
        if not wheres:
            consumer.unsubscribe()
            return
        consumer.assign(wheres)
        ends = await consumer.end_offsets(wheres)
        # Each wait here may be the one in which the group changes our share: then nothing is taken in any more.
        if self._assigned.is_set():
            return
        for where in wheres:
            consumer.seek(where, self._positions.get(where.partition, 0))
            if not self._lists.owns(where.partition):
                self._targets[where.partition] = ends[where]
        while not self._assigned.is_set():
            await self._finish(consumer)
            batches = await consumer.getmany(timeout_ms=POLL_MS, max_records=_LISTS_AT_ONCE)
            if self._assigned.is_set():
                return
            for record in records_of(batches):
                self._take(record)
                self._positions[record.partition] = record.offset + 1
            await asyncio.sleep(0)  # what is fetched already comes without a wait: let heartbeats through

    async def _finish(self, consumer: AIOKafkaConsumer) -> None:
        """End the loading of what is read up to its target."""
        for number, target in list(self._targets.items()):
            if await consumer.position(TopicPartition(self._topic, number)) >= target:
                async with self._world.lock:
                    if self._assigned.is_set():
                        return
                    self._lists.finish_load(number)
                    del self._targets[number]

    def _take(self, record: Record) -> None:
        loading = record.partition in self._targets
        own = any(name == WRITER_HEADER and value == self._writer for name, value in record.headers)
        if is_filler(record) or (own and not loading):
            return
        batch = decode_all([record])
        for event in batch.events:
            body = event.model if isinstance(event.model, ListBody) else None
            if loading:
                self._lists.load(event.key, record.partition, body, event.version)
            else:
                self._lists.displaced(event.key, record.partition, event.version)
