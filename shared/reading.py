"""Records without a group: who reads whole topics, and keeps the positions itself."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Final

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from shared.asking import Asking
from shared.broker import reader
from shared.consuming import Record, record_of
from shared.topics import partitions

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence

    from shared.settings import ServiceSettings

POLL_MS: Final = 100
"""Longest that a reader waits for the next records."""
_TOGETHER: Final = 1_000


@asynccontextmanager
async def reading(settings: ServiceSettings, name: str, *, prompt: bool = False) -> AsyncIterator[AIOKafkaConsumer]:
    """A reader without a group (`shared.broker.reader`), started."""
    consumer = reader(settings, name, prompt=prompt)
    try:
        await consumer.start()
        if prompt:
            Asking(settings).attend(consumer)
        yield consumer
    finally:
        await consumer.stop()


def records_of(batches: Mapping[TopicPartition, Sequence[ConsumerRecord[Any, Any]]]) -> list[Record]:
    """Ours of aiokafka's, in the order of offsets by partition."""
    return [record_of(raw) for part in batches.values() for raw in part]


async def whole(settings: ServiceSettings, name: str, *topics: str) -> AsyncGenerator[list[Record], None]:
    """Everything on these topics up to their ends as they are now, in parts. Raises KafkaError and OSError."""
    wheres = [TopicPartition(topic, number) for topic in topics for number in range(partitions(settings, topic))]
    async with reading(settings, name, prompt=True) as consumer:
        consumer.assign(wheres)
        ends = await consumer.end_offsets(wheres)
        left = wheres
        while left := [where for where in left if await consumer.position(where) < ends[where]]:
            yield records_of(await consumer.getmany(timeout_ms=POLL_MS, max_records=_TOGETHER))
