"""Consumers on Kafka ask seldom while nothing comes, and have at once what does."""

import asyncio
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from shared.broker import kafka_broker
from shared.consuming import Batch, Consumer
from shared.reading import reading
from shared.settings import ServiceSettings
from tests.integration.shared.conftest import MakeTopic, until
from tests.integration.shared.test_consumers import send

WAIT_MS = 10_000


def counted(consumer: AIOKafkaConsumer) -> list[int]:
    """Grows by the longest wait in ms of each fetch that is sent from now on."""
    fetcher, waits = consumer._fetcher, list[int]()
    fetch = fetcher._proc_fetch_request

    def sent(assignment: Any, node: Any, request: Any) -> Any:  # noqa: ANN401 - aiokafka's own
        waits.append(request._max_wait_ms)
        return fetch(assignment, node, request)

    fetcher._proc_fetch_request = sent
    return waits


async def test_a_reader_waits_with_one_fetch_and_is_woken_by_what_comes(
    settings: ServiceSettings, client: AIOKafkaProducer, make_topic: MakeTopic
):
    topic = await make_topic(partitions=2)
    settings = settings.model_copy(update={"fetch_wait_ms": WAIT_MS})
    async with reading(settings, "test", prompt=True) as consumer:
        waits = counted(consumer)
        consumer.assign([TopicPartition(topic, number) for number in range(2)])
        await consumer.seek_to_beginning()
        for number in range(6):
            await send(client, topic, partition=number % 2)
            async with asyncio.timeout(WAIT_MS / 2000):
                while not await consumer.getmany(timeout_ms=200):
                    pass
        assert waits
        assert set(waits) == {WAIT_MS}
        before = len(waits)
        await asyncio.sleep(1)
        assert len(waits) - before <= 1


async def test_a_member_of_a_group_has_each_record_long_before_its_fetch_would_end(
    settings: ServiceSettings, client: AIOKafkaProducer, make_topic: MakeTopic
):
    """Also of a partition that was left out of the fetch, because its records were not taken in time."""
    topic = await make_topic(partitions=2)
    settings = settings.model_copy(update={"fetch_wait_ms": WAIT_MS})
    handled: list[int] = []

    async def handle(batch: Batch) -> None:
        await asyncio.sleep(0.15)  # aiokafka leaves a partition out that is not emptied for 0.1 s
        handled.extend(record.offset for record in batch.records)

    consumer = Consumer(settings, f"group-{topic[8:20]}", handle, topics=[topic])
    broker = kafka_broker(settings, "test")
    consumer.attach(broker)
    await broker.start()
    try:
        await send(client, topic)
        await until(lambda: len(handled) == 1)
        for _ in range(12):
            await send(client, topic)
            await asyncio.sleep(0.05)
        await until(lambda: len(handled) == 13, within_s=WAIT_MS / 2000)
    finally:
        await broker.stop()
        await consumer.close()
