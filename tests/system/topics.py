"""Kafka as the tests see it: records written as they are, topics read whole."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.structs import RecordMetadata

from shared import header_names
from shared.contracts.envelope import event_headers
from shared.contracts.registry import channel

Headers = Sequence[tuple[str, bytes | None]]
_REQUEST = 32 * 1024 * 1024


@dataclass(frozen=True)
class Raw:
    """One record as it lies on its topic."""

    topic: str
    partition: int
    offset: int
    key: bytes
    """Empty also for none."""
    value: bytes | None
    headers: Headers
    timestamp: int
    """Kafka's, in milliseconds."""

    @property
    def body(self) -> dict[str, Any]:
        """Its JSON body."""
        body: dict[str, Any] = json.loads(self.value or b"{}")
        return body


def raw_of(record: ConsumerRecord[Any, Any]) -> Raw:
    """Our form of one of aiokafka's."""
    return Raw(
        record.topic,
        record.partition,
        record.offset,
        record.key or b"",
        record.value,
        record.headers,
        record.timestamp,
    )


def headers_of(event_type: str, topic: str, version: int | None = None) -> list[tuple[str, bytes | None]]:
    """The headers of a good event on this topic."""
    headers = event_headers(
        source="test", event_type=event_type, subject="s", topic_family=channel(topic).topic, version=version
    )
    return [(name, value.encode()) for name, value in headers.items()]


def has(record: Raw, *traces: str) -> bool:
    """Whether one of these texts stands in the record's key, body or headers."""
    values = (value or b"" for _, value in record.headers)
    whole = b"\n".join([record.key, record.value or b"", *values])
    return any(trace.encode() in whole for trace in traces)


@dataclass
class Topics:
    """All topics of one Kafka."""

    bootstrap: str
    producer: AIOKafkaProducer

    async def write(
        self,
        topic: str,
        key: bytes | None,
        value: bytes | None,
        headers: Headers,
        *,
        timestamp_ms: int | None = None,
        partition: int | None = None,
    ) -> RecordMetadata:
        """Write one record and wait for Kafka; gives back where it lies and when it was written."""
        found: RecordMetadata = await self.producer.send_and_wait(
            topic, value, key, partition=partition, timestamp_ms=timestamp_ms, headers=list(headers)
        )
        return found

    async def names(self) -> set[str]:
        """Every topic but Kafka's own."""
        async with self._admin() as admin:
            return {name for name in await admin.list_topics() if not name.startswith("__")}

    async def create(self, topic: str) -> None:
        """A topic of one partition."""
        async with self._admin() as admin:
            await admin.create_topics([NewTopic(topic, 1, 1)])

    async def read(self, *topics: str) -> list[Raw]:
        """Everything on these topics, from their beginnings to their present ends."""
        async with self.reader() as consumer:
            wheres = await self._partitions(consumer, topics)
            consumer.assign(wheres)
            ends = await consumer.end_offsets(wheres)
            found: list[Raw] = []
            while any([await consumer.position(where) < ends[where] for where in wheres]):
                for records in (await consumer.getmany(timeout_ms=50)).values():
                    found += map(raw_of, records)
            return found

    async def _partitions(self, consumer: AIOKafkaConsumer, topics: Sequence[str]) -> list[TopicPartition]:
        await consumer._client.set_topics(topics)
        while any(consumer.partitions_for_topic(topic) is None for topic in topics):  # noqa: ASYNC110 - no event
            await asyncio.sleep(0.05)
        return [
            TopicPartition(topic, number)
            for topic in topics
            for number in sorted(consumer.partitions_for_topic(topic) or ())
        ]

    @asynccontextmanager
    async def reader(self) -> AsyncIterator[AIOKafkaConsumer]:
        """A consumer without a group."""
        header_names.tolerate()
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self.bootstrap,
            auto_offset_reset="earliest",
            max_partition_fetch_bytes=_REQUEST,
            fetch_max_wait_ms=50,
        )
        await consumer.start()
        try:
            yield consumer
        finally:
            await consumer.stop()

    @asynccontextmanager
    async def _admin(self) -> AsyncIterator[AIOKafkaAdminClient]:
        admin = AIOKafkaAdminClient(bootstrap_servers=self.bootstrap)
        await admin.start()
        try:
            yield admin
        finally:
            await admin.close()


@asynccontextmanager
async def topics_of(bootstrap: str, compression: str | None = None) -> AsyncIterator[Topics]:
    """The topics of the Kafka at this address."""
    producer = AIOKafkaProducer(
        bootstrap_servers=bootstrap,
        acks="all",
        max_request_size=_REQUEST,
        max_batch_size=16 * 1024,  # only small records share a batch: a topic's limit is one for batches
        compression_type=compression,
        metadata_max_age_ms=1000,
    )
    await producer.start()
    try:
        yield Topics(bootstrap, producer)
    finally:
        await producer.stop()
