"""The relay: each row is published, an aggregate's in the order of their versions, whatever fails meanwhile."""

import asyncio
import contextlib
import itertools
import random
from collections.abc import AsyncIterator, Sequence
from typing import cast

import pytest
from bson import ObjectId

from deploy.servers import Servers
from shared import outbox
from shared.broker import Outgoing, Producer
from shared.consuming import Record
from shared.contracts.envelope import EPOCH_HEADER, FILLER_HEADER, TOMBSTONE, VERSION_HEADER
from shared.contracts.partners import PartnerPostingRemoved
from shared.errors import Unavailable
from shared.mongo import Document, Mongo
from shared.outbox import OUTBOX, outbox_row
from shared.redis import Redis
from shared.relay import Relay
from shared.settings import ServiceSettings
from tests.integration.shared.conftest import MakeTopic, ReadTopic, until


class Failing:
    """A producer that fails before or half way through writing, as often as it is told."""

    def __init__(self, producer: Producer, before: int = 0, half_way: int = 0) -> None:
        self._producer = producer
        self._before = before
        self._half_way = half_way

    async def send_all(self, records: Sequence[Outgoing]) -> None:
        if self._before:
            self._before -= 1
            raise Unavailable("before")
        if self._half_way:
            self._half_way -= 1
            await self._producer.send_all(records[: len(records) // 2])
            raise Unavailable("half way")
        await self._producer.send_all(records)


def row(topic: str, key: str, version: int | None) -> Document:
    return outbox_row(
        channel_topic="partner.{partner}.postings.v1",
        topic=topic,
        key=key,
        event_type="PartnerPostingRemoved",
        body=PartnerPostingRemoved(id=f"{key}-{version}"),
        version=version,
        source="urn:service:test",
    )


def relaying(settings: ServiceSettings, mongo: Mongo, producer: Producer | Failing) -> Relay:
    redis = Redis(settings.redis_url)
    return Relay(settings, "test", mongo, redis, cast("Producer", producer))


@contextlib.asynccontextmanager
async def running(*relays: Relay) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(relay.run()) for relay in relays]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        ended = await asyncio.gather(*tasks, return_exceptions=True)
        assert all(isinstance(end, asyncio.CancelledError) for end in ended), ended


async def emptied(mongo: Mongo, within_s: float = 15) -> None:
    async def empty() -> bool:
        return await mongo.db[OUTBOX].find_one() is None

    await until(empty, within_s)


def versions(records: Sequence[Record]) -> dict[str, list[int]]:
    """Of each key, in the order on the topic."""
    found: dict[str, list[int]] = {}
    for record in records:
        assert record.key is not None
        found.setdefault(record.key.decode(), []).append(int(header(record, VERSION_HEADER)))
    return found


def header(record: Record, name: str) -> str:
    return (dict(record.headers)[name] or b"").decode()


async def test_versions_are_published_in_order_however_they_lie_in_the_outbox(
    settings: ServiceSettings, mongo: Mongo, producer: Producer, make_topic: MakeTopic, read_topic: ReadTopic
):
    """Also where the limit of rows cuts through an aggregate: here it is 7."""
    topic = await make_topic(partitions=4)
    rows = [row(topic, f"k{key}", version) for key, version in itertools.product(range(10), range(1, 6))]
    random.Random(3).shuffle(rows)
    await mongo.db[OUTBOX].insert_many(rows)
    async with running(relaying(settings.model_copy(update={"relay_rows": 7}), mongo, producer)):
        await emptied(mongo)
    assert versions(await read_topic(topic, 50)) == {f"k{key}": [1, 2, 3, 4, 5] for key in range(10)}


async def test_a_row_becomes_the_record_it_describes(
    settings: ServiceSettings, mongo: Mongo, producer: Producer, make_topic: MakeTopic, read_topic: ReadTopic
):
    topic = await make_topic()
    tombstone = outbox_row(
        channel_topic="postings.v1",
        topic=topic,
        key="p-1",
        event_type="",
        body=None,
        version=8,
        source="urn:service:test",
    )
    await mongo.transaction(
        lambda session: outbox.add(mongo.db, session, [row(topic, "p-1", 7), tombstone, row(topic, "r", None)])
    )
    async with running(relaying(settings, mongo, producer)):
        await emptied(mongo)
    written, erased, receipt = await read_topic(topic, 3)
    assert (written.key, written.value) == (b"p-1", b'{"id":"p-1-7"}')
    assert header(written, VERSION_HEADER) == "7"
    assert header(written, EPOCH_HEADER) == "1"
    assert (erased.key, erased.value, header(erased, "ce_type")) == (b"p-1", None, TOMBSTONE)
    assert header(erased, VERSION_HEADER) == "8"
    assert VERSION_HEADER not in dict(receipt.headers)


@pytest.mark.parametrize("failures", [{"before": 1}, {"half_way": 1}])
async def test_a_failed_publication_is_repeated_under_a_new_number(
    settings: ServiceSettings,
    mongo: Mongo,
    producer: Producer,
    make_topic: MakeTopic,
    read_topic: ReadTopic,
    failures: dict[str, int],
):
    """What got no answer may still be written late: only its lower number tells it from what came after."""
    topic = await make_topic()
    await mongo.db[OUTBOX].insert_many([row(topic, "k", version) for version in range(1, 5)])
    relay = relaying(settings, mongo, Failing(producer, **failures))
    async with running(relay):
        await until(lambda: relay.delayed)
        await emptied(mongo)
        await until(lambda: not relay.delayed)
    records = await read_topic(topic, 4)
    assert versions(records)["k"][-4:] == [1, 2, 3, 4]
    assert {header(record, EPOCH_HEADER) for record in records[-4:]} == {"2"}


@pytest.mark.slow
async def test_rows_wait_while_kafka_is_away(
    servers: Servers,
    settings: ServiceSettings,
    mongo: Mongo,
    producer: Producer,
    make_topic: MakeTopic,
    read_topic: ReadTopic,
):
    topic = await make_topic()
    relay = relaying(settings.model_copy(update={"publish_timeout_s": 1.0}), mongo, producer)
    async with running(relay):
        await mongo.db[OUTBOX].insert_one(row(topic, "k", 1))
        await emptied(mongo)
        await asyncio.to_thread(servers.kafka.kill)
        try:
            await mongo.db[OUTBOX].insert_many([row(topic, "k", version) for version in (2, 3)])
            await until(lambda: relay.delayed)
        finally:
            await asyncio.to_thread(servers.kafka.start)
        await emptied(mongo, within_s=30)
    assert list(dict.fromkeys(versions(await read_topic(topic, 3))["k"])) == [1, 2, 3]


async def test_one_of_two_relays_publishes_and_the_other_takes_over(
    settings: ServiceSettings, mongo: Mongo, producer: Producer, make_topic: MakeTopic, read_topic: ReadTopic
):
    topic = await make_topic()
    first, second = (relaying(settings, mongo, producer) for _ in range(2))
    async with running(second):
        async with running(first):
            await mongo.db[OUTBOX].insert_many([row(topic, f"k{number}", 1) for number in range(20)])
            await emptied(mongo)
            assert [first.lease.held, second.lease.held].count(True) == 1
            if second.lease.held:
                await second.lease.release()
                await first.lease.acquire()
        await mongo.db[OUTBOX].insert_one(row(topic, "k0", 2))
        await emptied(mongo)
    records = await read_topic(topic, 21)
    assert len(records) == 21
    assert int(header(records[-1], EPOCH_HEADER)) > int(header(records[0], EPOCH_HEADER))


async def test_a_relay_without_the_lease_publishes_nothing(
    settings: ServiceSettings, mongo: Mongo, producer: Producer, make_topic: MakeTopic
):
    await mongo.db[OUTBOX].insert_one(row(await make_topic(), "k", 1))
    relay = relaying(settings, mongo, producer)
    await relay.publish_once()
    assert await mongo.db[OUTBOX].count_documents({}) == 1


async def test_a_version_is_never_seen_without_the_ones_before_it(
    settings: ServiceSettings, mongo: Mongo, producer: Producer
):
    """Rows are committed while the relay reads, the first behind the place where it is and the second before it."""
    relay = relaying(settings, mongo, producer)
    ids = [ObjectId() for _ in range(402)]
    long = {"payload": "x" * 60_000}  # MongoDB hands over 16 MB at a time
    filling = [row("postings.v1", f"f{number}", 1) | long | {"_id": ids[number + 1]} for number in range(400)]
    await mongo.db[OUTBOX].insert_many(filling)
    overtaken = 0
    for turn in range(10):

        async def commit_two(delay: float) -> None:
            await asyncio.sleep(delay)
            await mongo.db[OUTBOX].insert_one(row("postings.v1", "k", 1) | {"_id": ids[0]})
            await mongo.db[OUTBOX].insert_one(row("postings.v1", "k", 2) | {"_id": ids[-1]})

        rows, _ = await asyncio.gather(relay._oldest(), commit_two(0.01 * turn))
        seen = [item["version"] for item in rows if item["aggregateid"] == "k"]
        overtaken += seen == [2]
        await mongo.db[OUTBOX].delete_many({"aggregateid": "k"})
    assert overtaken == 0


async def test_each_partition_gets_a_filler_when_it_is_time(
    settings: ServiceSettings, mongo: Mongo, producer: Producer, make_topic: MakeTopic, read_topic: ReadTopic
):
    topic = await make_topic(partitions=3)
    relay = relaying(settings.model_copy(update={"filler_every_s": 0.3}), mongo, producer)
    await relay.fill([topic])
    assert await relay.lease.acquire()
    await relay.fill([topic])
    await relay.fill([topic])
    assert [(r.partition, r.value) for r in await read_topic(topic, 3)] == [(0, None), (1, None), (2, None)]
    await asyncio.sleep(0.35)
    await relay.fill([topic])
    records = await read_topic(topic, 6)
    assert len(records) == 6
    assert all(header(record, FILLER_HEADER) == "1" for record in records)


class SlowToDelete:
    """Lets other rows be acknowledged while some are deleted."""

    def __init__(self, relay: Relay) -> None:
        self._delete = relay.delete
        self.meanwhile = asyncio.Event()

    async def __call__(self) -> None:
        await self._delete()
        self.meanwhile.set()
        await asyncio.sleep(0.3)


async def test_what_is_acknowledged_while_others_are_deleted_is_deleted_after_them(
    settings: ServiceSettings, mongo: Mongo, producer: Producer, make_topic: MakeTopic
):
    topic = await make_topic()
    relay = relaying(settings, mongo, producer)
    slow = SlowToDelete(relay)
    relay.delete = slow  # type: ignore[method-assign]
    await mongo.db[OUTBOX].insert_one(row(topic, "first", 1))
    async with running(relay):
        await slow.meanwhile.wait()
        await mongo.db[OUTBOX].insert_one(row(topic, "second", 1))
        await emptied(mongo)


async def test_what_another_process_left_goes_before_what_this_one_was_told(
    settings: ServiceSettings, mongo: Mongo, producer: Producer, make_topic: MakeTopic, read_topic: ReadTopic
):
    topic, relay = await make_topic(), relaying(settings, mongo, producer)
    assert await relay.lease.acquire()
    for _ in range(2):  # the first time in its term it reads the outbox
        await relay.publish_once()

    async def add(version: int) -> None:
        await mongo.transaction(lambda session: outbox.add(mongo.db, session, [row(topic, "k", version)]))

    await add(1)
    await mongo.db[OUTBOX].insert_one(row(topic, "k", 2))
    await add(3)
    while await relay.publish_once():
        pass
    assert versions(await read_topic(topic, 3)) == {"k": [1, 2, 3]}
