"""A relay that was paused and wakes up cannot leave an old version as the last one on the topic."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from uuid import uuid4

import pytest
from aiokafka import ConsumerRecord

from shared.broker import Outgoing, Producer
from shared.consuming import Record
from shared.contracts.envelope import EPOCH_HEADER, VERSION_HEADER
from shared.contracts.partners import PartnerPostingRemoved
from shared.errors import Unavailable
from shared.guard import TAILS, Guard
from shared.mongo import Document, Mongo, Session
from shared.outbox import OUTBOX, outbox_row
from shared.redis import Redis
from shared.relay import Relay, fillers
from shared.settings import ServiceSettings
from tests.integration.shared.conftest import MakeTopic, ReadTopic, until


@dataclass
class World:
    """A service: the present versions of its aggregates by id, and what its relays and guards need."""

    settings: ServiceSettings
    mongo: Mongo
    producer: Producer
    topic: str
    present: dict[str, int] = field(default_factory=dict)
    restated: list[str] = field(default_factory=list)

    async def change(self, *keys: str) -> None:
        """A new version of each."""
        for key in keys:
            self.present[key] = self.present.get(key, 0) + 1
            await self.mongo.db[OUTBOX].insert_one(self.row(key))

    def row(self, key: str) -> Document:
        """The present state; of what is not known, a tombstone."""
        version = self.present.get(key)
        return outbox_row(
            channel_topic="postings.v1",
            topic=self.topic,
            key=key,
            event_type="PartnerPostingRemoved",
            body=None if version is None else PartnerPostingRemoved(id=key),
            version=version or 99,
            source="urn:service:test",
        )

    async def restate(self, keys: Sequence[str], _: Session) -> list[Document]:
        self.restated += keys
        return [self.row(key) for key in keys]

    async def leading(self) -> Relay:
        """A new relay that took over."""
        relay = Relay(self.settings, "test", self.mongo, Redis(self.settings.redis_url), self.producer)
        assert await relay.lease.acquire()
        return relay

    async def publish(self) -> None:
        """A relay takes over, publishes what waits, and leaves."""
        relay = await self.leading()
        await relay.publish_once()
        await relay.lease.release()

    async def paused(self) -> list[Outgoing]:
        """A relay takes over, reads the outbox and falls asleep; what it writes when it wakes up."""
        relay = await self.leading()
        records = [relay._record(row) for row in await relay._oldest()]
        await relay.lease.release()
        return records

    @contextlib.asynccontextmanager
    async def guarded(self) -> AsyncIterator[Relay]:
        """A relay takes over and runs, with its guard."""
        relay = await self.leading()
        guard = Guard(self.settings, self.topic, self.mongo, relay, self.restate)
        tasks = [asyncio.create_task(guard.run()), asyncio.create_task(relay.run())]
        try:
            yield relay
        finally:
            for task in tasks:
                task.cancel()
            ended = await asyncio.gather(*tasks, return_exceptions=True)
            await relay.lease.release()
        assert all(isinstance(end, asyncio.CancelledError) for end in ended), ended


@pytest.fixture
async def world(settings: ServiceSettings, mongo: Mongo, producer: Producer, make_topic: MakeTopic) -> World:
    return World(settings, mongo, producer, await make_topic(partitions=2))


def last_versions(records: Sequence[Record]) -> dict[str, tuple[int, bool]]:
    """By key: the version of its last record, and whether that is a tombstone."""
    found: dict[str, tuple[int, bool]] = {}
    for record in records:
        headers = dict(record.headers)
        if record.key is not None and VERSION_HEADER in headers:
            found[record.key.decode()] = (int(headers[VERSION_HEADER] or b"0"), record.value is None)
    return found


async def test_a_late_old_version_is_answered_with_the_present_one(world: World, read_topic: ReadTopic):
    await world.change("a", "b", "c")
    late = await world.paused()
    await world.change("a", "b", "c")
    async with world.guarded():
        await until(lambda: outbox_is_empty(world))
        await world.producer.send_all(late)
        assert len(await read_topic(world.topic, 9)) == 9
        await until(lambda: len(world.restated) == 3)
        records = await read_topic(world.topic, 12)
    assert last_versions(records) == {"a": (2, False), "b": (2, False), "c": (2, False)}


async def outbox_is_empty(world: World) -> bool:
    return await world.mongo.db[OUTBOX].find_one() is None


async def test_what_is_no_more_is_answered_with_a_tombstone(world: World, read_topic: ReadTopic):
    await world.change("gone", "kept")
    late = await world.paused()
    del world.present["gone"]
    await world.mongo.db[OUTBOX].insert_one(world.row("gone"))
    async with world.guarded():
        await until(lambda: outbox_is_empty(world))
        await world.producer.send_all(late)
        records = await read_topic(world.topic, 7)
    assert last_versions(records) == {"gone": (99, True), "kept": (1, False)}


async def test_what_came_late_while_nobody_watched_is_found_by_the_next(world: World, read_topic: ReadTopic):
    await world.change("a")
    late = await world.paused()
    await world.change("a")
    async with world.guarded():
        await until(lambda: outbox_is_empty(world))
        await until(lambda: positions_are_saved(world))
    await world.producer.send_all(late)
    async with world.guarded():
        records = await read_topic(world.topic, 4)
    assert last_versions(records) == {"a": (2, False)}


async def positions_are_saved(world: World) -> bool:
    return await world.mongo.db[TAILS].find_one({"next": {"$gt": 0}}) is not None


async def test_each_is_answered_once_and_what_is_in_order_not_at_all(world: World, read_topic: ReadTopic):
    await world.change("a")
    late = await world.paused()
    await world.publish()
    await world.change("a", "b")
    await world.publish()
    await world.producer.send_all([*late, *fillers(world.topic, [0, 1])])
    for _ in range(2):
        async with world.guarded():
            await read_topic(world.topic, 7)
            await until(lambda: outbox_is_empty(world))
            await asyncio.sleep(1.5)
    assert world.restated == ["a"]


async def test_the_guard_outlives_a_time_without_mongo(
    world: World, read_topic: ReadTopic, monkeypatch: pytest.MonkeyPatch
):
    await world.change("a")
    late = await world.paused()
    await world.change("a")
    real, failures = world.mongo.transaction, iter([Unavailable("away"), Unavailable("away")])

    async def sometimes_away(work):  # noqa: ANN001, ANN202 - as the real one
        for failure in failures:
            raise failure
        return await real(work)

    monkeypatch.setattr(world.mongo, "transaction", sometimes_away)
    async with world.guarded():
        await until(lambda: outbox_is_empty(world))
        await world.producer.send_all(late)
        records = await read_topic(world.topic, 4)
    assert last_versions(records) == {"a": (2, False)}
    assert next(failures, None) is None


async def test_the_guard_waits_for_a_topic_that_is_made_after_it_started(
    world: World, make_topic: MakeTopic, read_topic: ReadTopic
):
    world.topic = f"guarded-{uuid4().hex[:8]}"
    await world.change("a")
    late = await world.paused()
    await world.change("a")
    async with world.guarded():
        await asyncio.sleep(1)
        await make_topic(name=world.topic)
        await until(lambda: outbox_is_empty(world), within_s=30)
        await world.producer.send_all(late)
        records = await read_topic(world.topic, 4)
    assert last_versions(records) == {"a": (2, False)}


def written(key: str | None, epoch: str | None) -> ConsumerRecord[bytes, bytes]:
    headers = [] if epoch is None else [(EPOCH_HEADER, epoch.encode())]
    record: ConsumerRecord[bytes, bytes] = SimpleNamespace(key=key and key.encode(), headers=headers)
    return record


def test_only_records_of_a_former_relay_behind_a_newer_ones_are_suspect(world_of_none: Guard):
    guard = world_of_none
    log = [("a", "1"), ("b", "2"), ("c", "1"), ("d", None), ("e", "x"), (None, "1"), ("f", "2"), ("g", "3")]
    assert guard.examine(0, [written(*item) for item in log]) == ["c"]
    assert guard.examine(0, [written("h", "2"), written("i", "3")]) == ["h"]
    assert guard.examine(1, [written("j", "1")]) == [], "another partition"


@pytest.fixture
def world_of_none() -> Guard:
    nothing = SimpleNamespace()
    return Guard(ServiceSettings(), "t", nothing, nothing, nothing)  # type: ignore[arg-type]
