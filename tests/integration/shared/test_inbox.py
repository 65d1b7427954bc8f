"""Each record has its effects once, in order, whatever fails, races or comes twice; poison goes its own way."""

import asyncio
import contextlib
import json
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import cast

import pytest
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from shared.broker import Producer, kafka_broker
from shared.consuming import Batch, Consumer, Record, decode_all
from shared.contracts.generate import DEAD_LETTER_HEADERS
from shared.dead_letters import DeadLetters, dead_letter_topic
from shared.errors import Rejected, Unavailable
from shared.inbox import OFFSETS, Inbox
from shared.mongo import Mongo, Session
from shared.settings import ServiceSettings
from tests.integration.shared.conftest import MakeTopic, ReadTopic, until

REMOVED = ("ce_type", b"PartnerPostingRemoved")
Headers = Sequence[tuple[str, bytes | None]]


@dataclass
class Ledger:
    """A handler whose effects are rows; `trouble` may fail it, after its effects were written."""

    mongo: Mongo
    trouble: Callable[[Batch], Awaitable[object]] | None = None
    calls: int = 0
    rejects: set[str] = field(default_factory=set)
    """Posting ids that it refuses."""

    async def __call__(self, batch: Batch, session: Session) -> list[tuple[Record, Rejected]]:
        self.calls += 1
        if batch.events:
            rows = [{"record": event.record.id, "at": time.time()} for event in batch.events]
            await self.mongo.db["effects"].insert_many(rows, session=session)
        if self.trouble is not None:
            await self.trouble(batch)
        return [
            (event.record, Rejected("refused", code="refused"))
            for event in batch.events
            if event.model is not None and event.model.model_dump()["id"] in self.rejects
        ]

    async def effects(self) -> list[str]:
        """Ids of records, in the order of their effects."""
        return [row["record"] async for row in self.mongo.db["effects"].find().sort("_id", 1)]

    async def count(self) -> int:
        return await self.mongo.db["effects"].count_documents({})

    async def offsets(self) -> dict[str, int]:
        return {row["_id"]: row["next"] async for row in self.mongo.db[OFFSETS].find()}


class NoLetters:
    """Keeps what would be written; fails as often as it is told."""

    def __init__(self, failures: int = 0) -> None:
        self.failures = failures
        self.letters: list[str] = []

    async def write(self, rejected: Sequence[tuple[Record, Rejected]]) -> None:
        if rejected and self.failures:
            self.failures -= 1
            raise Unavailable("no dead letters now")
        self.letters += [record.id for record, _ in rejected]


def inbox_of(
    ledger: Ledger, letters: NoLetters | None = None, ends: Mapping[TopicPartition, int] | None = None
) -> Inbox:
    async def end_offsets(_: Sequence[TopicPartition]) -> dict[TopicPartition, int]:
        return dict(ends or {TopicPartition(TOPIC, number): 10_000 for number in range(9)})

    return Inbox(ledger.mongo, "test.group", ledger, cast("DeadLetters", letters or NoLetters()), end_offsets)


TOPIC = "partner.made-up.postings.v1"


def records(first: int, last: int, partition: int = 0, bad: Sequence[int] = ()) -> list[Record]:
    return [
        Record(
            TOPIC,
            partition,
            offset,
            b"k",
            b"{" if offset in bad else json.dumps({"id": str(offset)}).encode(),
            (REMOVED,),
            datetime(2026, 11, 23, tzinfo=UTC),
        )
        for offset in range(first, last + 1)
    ]


def ids(first: int, last: int, partition: int = 0) -> list[str]:
    return [f"{TOPIC}/{partition}/{offset}" for offset in range(first, last + 1)]


# The inbox itself, on MongoDB.


async def test_what_is_delivered_again_is_skipped_and_what_is_new_is_handled(mongo: Mongo):
    ledger, letters = Ledger(mongo), NoLetters()
    inbox = inbox_of(ledger, letters)
    await inbox.process(decode_all(records(0, 9, bad=[3])))
    await inbox.process(decode_all(records(0, 9, bad=[3])))
    await inbox.process(decode_all([*records(5, 12), *records(0, 1, partition=1)]))
    everything = [*ids(0, 2), *ids(4, 12), *ids(0, 1, partition=1)]
    assert await ledger.effects() == everything
    assert letters.letters == ids(3, 3)
    assert await ledger.offsets() == {f"test.group|{TOPIC}|0": 13, f"test.group|{TOPIC}|1": 2}


async def test_groups_do_not_share_offsets(mongo: Mongo):
    ledger = Ledger(mongo)
    await inbox_of(ledger).process(decode_all(records(0, 1)))
    other = inbox_of(ledger)
    other._group = "other.group"
    await other.process(decode_all(records(0, 1)))
    assert await ledger.effects() == [*ids(0, 1), *ids(0, 1)]


async def test_a_handler_that_fails_leaves_nothing_behind(mongo: Mongo):
    async def fails(_: Batch) -> None:
        raise ValueError("a fault of the handler")

    ledger = Ledger(mongo, fails)
    with pytest.raises(ValueError, match="a fault"):
        await inbox_of(ledger).process(decode_all(records(0, 4)))
    assert await ledger.effects() == []
    assert await ledger.offsets() == {}
    ledger.trouble = None
    await inbox_of(ledger).process(decode_all(records(0, 4)))
    assert await ledger.effects() == ids(0, 4)


async def test_a_transaction_that_is_tried_again_has_its_effects_and_letters_once(mongo: Mongo):
    """Somebody else changes what the handler changes, so MongoDB aborts the first attempt."""
    await mongo.db["shared"].insert_one({"_id": 1, "n": 0})
    ledger, letters = Ledger(mongo), NoLetters()

    async def handler(batch: Batch, session: Session) -> list[tuple[Record, Rejected]]:
        rejected = await ledger(batch, session)
        if ledger.calls == 1:
            await mongo.db["shared"].update_one({"_id": 1}, {"$inc": {"n": 1}})
        await mongo.db["shared"].update_one({"_id": 1}, {"$inc": {"n": 1}}, session=session)
        return rejected

    inbox = inbox_of(ledger, letters)
    inbox._handler = handler
    await inbox.process(decode_all(records(0, 4, bad=[2])))
    assert ledger.calls == 2
    assert await ledger.effects() == [*ids(0, 1), *ids(3, 4)]
    assert letters.letters == ids(2, 2)


async def test_a_commit_that_is_aborted_after_the_letters_writes_them_once(mongo: Mongo):
    """The offset is taken by another member while the letters are written."""
    ledger, letters = Ledger(mongo), NoLetters()
    inbox = inbox_of(ledger, letters)
    await inbox.process(decode_all(records(0, 0)))
    written = letters.write

    async def overtaken(rejected: Sequence[tuple[Record, Rejected]]) -> None:
        await written(rejected)
        await mongo.db[OFFSETS].update_one({"next": 1}, {"$set": {"next": 3}})

    letters.write = overtaken  # type: ignore[method-assign]
    await inbox.process(decode_all(records(1, 4, bad=[1, 4])))
    assert await ledger.effects() == [*ids(0, 0), *ids(3, 3)]
    assert letters.letters == [*ids(1, 1), *ids(4, 4)]
    assert set((await ledger.offsets()).values()) == {5}


async def test_of_two_members_with_the_same_records_one_has_effects(mongo: Mongo):
    async def takes_its_time(_: Batch) -> None:
        await asyncio.sleep(random.uniform(0, 0.01))

    ledger = Ledger(mongo, takes_its_time)
    members = [inbox_of(ledger), inbox_of(ledger)]
    for turn in range(15):
        first = turn * 4
        batches = [decode_all(records(first, first + 3)), decode_all(records(first, first + 3 + turn % 2))]
        ended = await asyncio.gather(
            *(member.process(batch) for member, batch in zip(members, batches, strict=True)),
            return_exceptions=True,
        )
        assert all(end is None or isinstance(end, Unavailable) for end in ended), ended
    for member in members:
        await member.process(decode_all(records(0, 59)))
    assert sorted(await ledger.effects()) == sorted(ids(0, 59))


async def test_the_offset_is_held_while_dead_letters_cannot_be_written(mongo: Mongo):
    ledger, letters = Ledger(mongo, rejects={"2"}), NoLetters(failures=1)
    inbox = inbox_of(ledger, letters)
    with pytest.raises(Unavailable):
        await inbox.process(decode_all(records(0, 3, bad=[1])))
    assert await ledger.offsets() == {}
    assert await ledger.effects() == []
    await inbox.process(decode_all(records(0, 3, bad=[1])))
    assert sorted(letters.letters) == ids(1, 2)
    assert await ledger.effects() == [*ids(0, 0), *ids(2, 3)]


async def test_a_topic_that_was_made_anew_halts_its_partition_and_no_other(mongo: Mongo):
    ends = {TopicPartition(TOPIC, 0): 3, TopicPartition(TOPIC, 1): 10}
    ledger = Ledger(mongo)
    inbox = inbox_of(ledger, ends=ends)
    await inbox.process(decode_all([*records(0, 9), *records(0, 4, partition=1)]))
    before = await ledger.effects()
    with pytest.raises(Unavailable, match="halted"):
        await inbox.process(decode_all(records(0, 2)))
    await inbox.process(decode_all(records(3, 5, partition=1)))
    assert await ledger.effects() == [*before, *ids(5, 5, partition=1)]


# The consumer with its inbox, on Kafka and MongoDB.


@contextlib.asynccontextmanager
async def member(
    settings: ServiceSettings, group: str, ledger: Ledger, producer: Producer, *topics: str
) -> AsyncIterator[Consumer]:
    """A member of a group, put together as `shared.service` does it."""
    consumer: Consumer

    async def ends(wheres: Sequence[TopicPartition]) -> dict[TopicPartition, int]:
        return await consumer.end_offsets(wheres)

    inbox = Inbox(ledger.mongo, group, ledger, DeadLetters(producer, group), ends)
    consumer = Consumer(settings, group, inbox.process, topics=topics)
    broker = kafka_broker(settings, "test")
    consumer.attach(broker)
    await broker.start()
    try:
        yield consumer
    finally:
        await broker.stop()
        await consumer.close()


async def send(
    client: AIOKafkaProducer,
    topic: str,
    value: bytes | None = b'{"id": "1"}',
    headers: Headers = (REMOVED,),
    partition: int = 0,
) -> None:
    await client.send_and_wait(topic, value, key=b"k", headers=list(headers), partition=partition)


async def send_many(client: AIOKafkaProducer, topic: str, count: int, partitions: int) -> None:
    sent = [
        await client.send(
            topic, json.dumps({"id": str(number)}).encode(), headers=[REMOVED], partition=number % partitions
        )
        for number in range(count)
    ]
    await asyncio.gather(*sent)


POISON: dict[str, tuple[bytes | None, Headers, str]] = {
    "bad JSON": (b"{", [REMOVED], "json_invalid"),
    "a header that is not UTF-8": (b'{"id": "1"}', [("ce_type", b"\xff")], "invalid_header"),
    "a null header": (b'{"id": "1"}', [("ce_type", None)], "unknown_type"),
    "a null body": (None, [REMOVED], "null_body"),
    "an unknown type": (b'{"id": "1"}', [("ce_type", b"Nonsense")], "unknown_type"),
    "an unknown schema": (b'{"id": "1"}', [REMOVED, ("ce_dataschema", b"urn:x:2")], "unknown_schema_version"),
    "2 MB": (b'{"id": "' + b"x" * 2_000_000 + b'"}', [REMOVED], "string_too_long"),
    "4 MB": (b"\xfe" * (4 * 1024 * 1024 - 1024), [REMOVED, ("note", b"x" * 200)], "json_invalid"),
    "what the handler refuses": (b'{"id": "refused"}', [REMOVED, ("odd", b"\xff"), ("none", None)], "refused"),
}


async def test_poison_ends_in_the_dead_letters_and_what_is_behind_it_is_not_delayed(
    settings: ServiceSettings,
    mongo: Mongo,
    producer: Producer,
    client: AIOKafkaProducer,
    make_topic: MakeTopic,
    read_topic: ReadTopic,
):
    topic = await make_topic(max_message_bytes=str(4 * 1024 * 1024))
    group = f"group-{topic[8:20]}"
    dead = await make_topic(name=dead_letter_topic(group), max_message_bytes=str(5 * 1024 * 1024))
    answers = await make_topic(name=f"answers-{group}")
    ledger = Ledger(mongo, rejects={"refused"})
    async with member(settings, group, ledger, producer, topic):
        await send(client, topic)
        await until(lambda: has_effects(ledger, 1))
        for value, headers, _ in POISON.values():
            await send(client, topic, value, headers)
        await send(client, topic, headers=[REMOVED, ("reply_to", answers.encode()), ("correlation_id", b"1")])
        sent = time.time()
        await until(lambda: has_effects(ledger, 3))
    rows = await mongo.db["effects"].find({"record": f"{topic}/0/{len(POISON) + 1}"}).to_list(None)
    assert len(rows) == 1
    assert rows[0]["at"] - sent < 1

    letters = await read_topic(dead, len(POISON))
    for number, (letter, (name, (value, headers, code))) in enumerate(
        zip(sorted(letters, key=origin), POISON.items(), strict=True), start=1
    ):
        assert (letter.key, letter.value) == (b"k", value), name
        assert list(letter.headers[: len(headers)]) == list(headers), name
        added = dict(letter.headers[len(headers) :])
        assert tuple(added) == DEAD_LETTER_HEADERS
        text = {header.removeprefix("__connect.errors."): (v or b"").decode() for header, v in added.items()}
        assert (text["topic"], text["partition"], text["offset"]) == (topic, "0", str(number))
        assert text["exception.class.name"] == f"Rejected.{code}"
        assert text["exception.message"].startswith(code)
    assert await read_topic(answers, 0) == []


async def test_what_cannot_be_kept_as_it_came_is_named_and_holds_up_nothing(
    settings: ServiceSettings,
    mongo: Mongo,
    producer: Producer,
    make_topic: MakeTopic,
    read_topic: ReadTopic,
):
    """Ten megabytes that came compressed below the topic's limit, and a record with nothing but a header."""
    topic = await make_topic(max_message_bytes=str(4 * 1024 * 1024))
    group = f"group-{topic[8:20]}"
    dead = await make_topic(name=dead_letter_topic(group), max_message_bytes=str(5 * 1024 * 1024))
    ledger = Ledger(mongo)
    size = 10_000_000
    compressing = AIOKafkaProducer(
        bootstrap_servers=settings.kafka_bootstrap, max_request_size=2 * size, compression_type="gzip"
    )
    async with member(settings, group, ledger, producer, topic), compressing:
        await send(compressing, topic, b"{" * size)
        bare = compressing.create_batch()
        bare.append(key=None, value=None, timestamp=None, headers=[("ce_type", b"Nonsense")])
        await (await compressing.send_batch(bare, topic, partition=0))
        await send(compressing, topic)
        await until(lambda: has_effects(ledger, 1))
    large, empty = await read_topic(dead, 2)
    assert large.value is None
    assert b"left out: 100000" in (dict(large.headers)["__connect.errors.exception.message"] or b"")
    assert not empty.key
    assert empty.value is None
    assert ("ce_type", b"Nonsense") in empty.headers


def origin(letter: Record) -> int:
    return int(dict(letter.headers)["__connect.errors.offset"] or b"-1")


async def has_effects(ledger: Ledger, count: int) -> bool:
    return await ledger.count() >= count


async def test_fillers_are_passed_without_effect(
    settings: ServiceSettings, mongo: Mongo, producer: Producer, client: AIOKafkaProducer, make_topic: MakeTopic
):
    topic = await make_topic()
    ledger = Ledger(mongo)
    async with member(settings, f"group-{topic[8:20]}", ledger, producer, topic):
        await send(client, topic, None, [("ce_filler", b"1")])
        await send(client, topic)
        await send(client, topic, None, [("ce_filler", b"1")])
        await until(lambda: all_saved(ledger, 3))
    assert await ledger.effects() == [f"{topic}/0/1"]


async def all_saved(ledger: Ledger, count: int) -> bool:
    return sum((await ledger.offsets()).values()) == count


async def test_a_failing_partition_waits_while_the_other_goes_on_and_then_catches_up(
    settings: ServiceSettings, mongo: Mongo, producer: Producer, client: AIOKafkaProducer, make_topic: MakeTopic
):
    topic = await make_topic(partitions=2)
    ill = True

    async def one_is_ill(batch: Batch) -> None:
        if ill and any(record.partition == 0 for record in batch.records):
            raise Unavailable("a server that only partition 0 needs")

    ledger = Ledger(mongo, one_is_ill)
    async with member(settings, f"group-{topic[8:20]}", ledger, producer, topic) as consumer:
        await send_many(client, topic, 100, 2)
        await until(lambda: has_effects(ledger, 50))
        await send_many(client, topic, 100, 2)
        await until(lambda: has_effects(ledger, 100))
        assert all(record.split("/")[1] == "1" for record in await ledger.effects())
        assert not await consumer.stuck()
        ill = False
        await until(lambda: has_effects(ledger, 200))
    done = await ledger.effects()
    for partition in (0, 1):
        own = [record for record in done if record.split("/")[1] == str(partition)]
        assert own == [f"{topic}/{partition}/{offset}" for offset in range(100)]


async def test_failures_at_random_lose_nothing_and_repeat_nothing(
    settings: ServiceSettings, mongo: Mongo, producer: Producer, client: AIOKafkaProducer, make_topic: MakeTopic
):
    """And members come and go meanwhile, so that partitions change hands in mid-batch."""
    topic = await make_topic(partitions=4)
    group = f"group-{topic[8:20]}"
    dice = random.Random(5)

    async def now_and_then(_: Batch) -> None:
        await asyncio.sleep(dice.uniform(0, 0.05))
        if dice.random() < 0.2:
            raise dice.choice([Unavailable("away"), ValueError("a fault")])

    ledger = Ledger(mongo, now_and_then)
    small = settings.model_copy(update={"batch_records": 20})
    async with member(small, group, ledger, producer, topic):
        sending = asyncio.create_task(send_many(client, topic, 600, 4))
        for _ in range(2):
            async with member(small, group, ledger, producer, topic):
                await asyncio.sleep(1)
        await sending
        ledger.trouble = None
        await until(lambda: all_saved(ledger, 600), within_s=30)
    done = await ledger.effects()
    assert sorted(done) == sorted(f"{topic}/{number % 4}/{number // 4}" for number in range(600))


async def test_a_topic_made_anew_on_kafka_is_not_silently_skipped(
    settings: ServiceSettings,
    mongo: Mongo,
    producer: Producer,
    client: AIOKafkaProducer,
    admin: AIOKafkaAdminClient,
    make_topic: MakeTopic,
):
    topic = await make_topic()
    group = f"group-{topic[8:20]}"
    ledger = Ledger(mongo)
    async with member(settings, group, ledger, producer, topic):
        await send_many(client, topic, 10, 1)
        await until(lambda: all_saved(ledger, 10))
    await admin.delete_topics([topic])
    await until(lambda: is_gone(admin, topic))
    await make_topic(name=topic)
    async with member(settings, group, ledger, producer, topic):
        await send_many(client, topic, 3, 1)
        calls = ledger.calls
        await asyncio.sleep(3)
    assert ledger.calls == calls
    assert await ledger.count() == 10
    assert await all_saved(ledger, 10)


async def is_gone(admin: AIOKafkaAdminClient, topic: str) -> bool:
    return topic not in await admin.list_topics()
