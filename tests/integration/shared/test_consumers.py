"""A consumer on Kafka: each record has its effects once and in order, and poison goes its own way."""

import asyncio
import contextlib
import json
import random
import time
from collections.abc import AsyncIterator, Sequence

from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from shared.broker import Producer, kafka_broker
from shared.consuming import Batch, Consumer, Record
from shared.contracts.generate import DEAD_LETTER_HEADERS
from shared.dead_letters import DeadLetters, dead_letter_topic
from shared.errors import Unavailable
from shared.inbox import Inbox
from shared.mongo import Mongo
from shared.settings import ServiceSettings
from tests.integration.shared.conftest import MakeTopic, ReadTopic, until
from tests.integration.shared.ledger import Ledger

REMOVED = ("ce_type", b"PartnerPostingRemoved")
Headers = Sequence[tuple[str, bytes | None]]


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
