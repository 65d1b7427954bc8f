"""The plumbing on real Kafka and MongoDB: topics and databases of each test's own."""

import asyncio
import inspect
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from deploy.servers import Servers
from shared.broker import Producer
from shared.consuming import Record, record_of
from shared.mongo import Mongo
from shared.settings import ServiceSettings

MakeTopic = Callable[..., Awaitable[str]]
ReadTopic = Callable[[str, int], Awaitable[list[Record]]]


async def until(condition: Callable[[], bool | Awaitable[bool]], within_s: float = 15) -> None:
    """Wait until this is true; TimeoutError if that takes too long."""
    async with asyncio.timeout(within_s):
        # nothing tells of what is awaited here
        while not (await answer if inspect.isawaitable(answer := condition()) else answer):  # noqa: ASYNC110
            await asyncio.sleep(0.02)


@pytest.fixture
def settings(servers: Servers, tmp_path: Path) -> ServiceSettings:
    """Short waits."""
    return ServiceSettings(
        kafka_bootstrap=servers.addresses.kafka,
        mongo_url=servers.addresses.mongo,
        redis_url=servers.addresses.redis,
        service_state_dir=tmp_path,
        session_timeout_ms=3000,
        lease_s=1.5,
        publish_timeout_s=5,
    )


@pytest.fixture
async def mongo(settings: ServiceSettings) -> AsyncIterator[Mongo]:
    made = Mongo(settings.mongo_url, f"shared-{uuid4().hex}")
    yield made
    await made.db.client.drop_database(made.db.name)
    await made.close()


@pytest.fixture
async def producer(settings: ServiceSettings) -> AsyncIterator[Producer]:
    made = Producer(settings, "test")
    yield made
    await made.close()


@pytest.fixture
async def client(settings: ServiceSettings) -> AsyncIterator[AIOKafkaProducer]:
    """Somebody else's producer, which may send anything."""
    made = AIOKafkaProducer(bootstrap_servers=settings.kafka_bootstrap, max_request_size=5 * 1024 * 1024)
    await made.start()
    yield made
    await made.stop()


@pytest.fixture
async def admin(settings: ServiceSettings) -> AsyncIterator[AIOKafkaAdminClient]:
    made = AIOKafkaAdminClient(bootstrap_servers=settings.kafka_bootstrap)
    await made.start()
    yield made
    await made.close()


@pytest.fixture
async def make_topic(admin: AIOKafkaAdminClient) -> AsyncIterator[MakeTopic]:
    """Makes a topic, by default one that a partner could have; all are gone after the test."""
    made: list[str] = []

    async def make(partitions: int = 1, name: str = "", **config: str) -> str:
        topic = name or f"partner.{uuid4().hex[:12]}.postings.v1"
        topic_configs = {key.replace("_", "."): value for key, value in config.items()}
        answer = await admin.create_topics([NewTopic(topic, partitions, 1, topic_configs=topic_configs)])
        assert [code for _, code, *_ in answer.topic_errors] == [0]
        made.append(topic)
        return topic

    yield make
    await admin.delete_topics(made)


@pytest.fixture
def read_topic(settings: ServiceSettings) -> ReadTopic:
    """All records of a topic by partition and offset, once there are so many."""

    async def read(topic: str, count: int) -> list[Record]:
        consumer: AIOKafkaConsumer = AIOKafkaConsumer(bootstrap_servers=settings.kafka_bootstrap)
        await consumer.start()
        try:
            await consumer._client.set_topics([topic])
            wheres = [TopicPartition(topic, number) for number in consumer.partitions_for_topic(topic) or ()]
            consumer.assign(wheres)
            await consumer.seek_to_beginning(*wheres)
            found: list[Record] = []
            while len(found) < count:
                for records in (await consumer.getmany(timeout_ms=200)).values():
                    found += map(record_of, records)
            return sorted(found, key=lambda record: (record.partition, record.offset))
        finally:
            await consumer.stop()

    return read
