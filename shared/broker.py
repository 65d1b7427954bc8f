"""Kafka clients with every unsafe default set, in one place.

Consumers: FastStream, never auto-commit, from the earliest, no replies, range assignment (which alone promises
the same partition numbers of co-partitioned topics to one member). Producers: idempotent, all replicas.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.errors import KafkaError
from faststream.kafka import KafkaBroker

from shared import header_names, metrics
from shared.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shared.settings import ServiceSettings

MAX_RECORD_BYTES: Final = 4 * 1024 * 1024
"""What a partner's record or a dead letter may hold."""
_REQUEST_BYTES: Final = MAX_RECORD_BYTES + 64 * 1024
PATIENT_MS: Final = 250
PATIENT_BYTES: Final = 256 * 1024
"""Without it every record that is written costs a fetch more, and the broker half of its time."""
_METADATA_MS: Final = 5_000
"""How late a new partner's topic is seen."""


def kafka_broker(settings: ServiceSettings, client_id: str) -> KafkaBroker:
    """The consuming side; publishes nothing."""
    header_names.tolerate()
    return KafkaBroker(
        settings.kafka_bootstrap.split(","),
        client_id=client_id,
        consumer_only=True,
        allow_auto_create_topics=False,
        metadata_max_age_ms=_METADATA_MS,
        apply_types=False,
        graceful_timeout=15.0,
        logger=logging.getLogger("faststream"),
    )


def reader(settings: ServiceSettings, client_id: str, *, prompt: bool = False) -> AIOKafkaConsumer:
    """A consumer without a group: the caller assigns partitions and keeps the positions.

    `prompt`: somebody waits for what it reads, so what comes is not gathered.
    """
    header_names.tolerate()
    return AIOKafkaConsumer(
        bootstrap_servers=settings.kafka_bootstrap.split(","),
        client_id=client_id,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        fetch_max_bytes=16 * 1024 * 1024,
        fetch_max_wait_ms=settings.fetch_busy_ms if prompt else PATIENT_MS,
        fetch_min_bytes=1 if prompt else PATIENT_BYTES,
        max_partition_fetch_bytes=MAX_RECORD_BYTES,
        metadata_max_age_ms=_METADATA_MS,
    )


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One record to be written."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: Mapping[str, str] | Sequence[tuple[str, bytes | None]]
    partition: int | None = None
    timestamp_ms: int | None = None

    def raw_headers(self) -> list[tuple[str, bytes | None]]:
        """As Kafka carries them."""
        if isinstance(self.headers, Mapping):
            return [(name, value.encode()) for name, value in self.headers.items()]
        return list(self.headers)


class Producer:
    """An idempotent producer that is made anew when it fails or hangs.

    A failed idempotent producer can stay out of sequence for ever, and its batches never expire
    (aiokafka #1017), hence the timeout around each publication and the new producer after a failure.
    """

    def __init__(self, settings: ServiceSettings, client_id: str) -> None:
        self._settings = settings
        self._client_id = client_id
        self._producer: AIOKafkaProducer | None = None
        self._starting = asyncio.Lock()

    async def _started(self) -> AIOKafkaProducer:
        async with self._starting:
            if self._producer is None:
                producer = AIOKafkaProducer(
                    bootstrap_servers=self._settings.kafka_bootstrap.split(","),
                    client_id=self._client_id,
                    acks="all",
                    enable_idempotence=True,
                    compression_type="zstd",
                    max_request_size=_REQUEST_BYTES,
                    max_batch_size=256 * 1024,
                    linger_ms=0,
                    metadata_max_age_ms=_METADATA_MS,
                )
                try:
                    await producer.start()
                except (KafkaError, OSError) as error:
                    await producer.stop()
                    message = f"Kafka cannot be reached: {error!r}"
                    raise Unavailable(message) from error
                self._producer = producer
            return self._producer

    async def send_all(self, records: Sequence[Outgoing]) -> list[int]:
        """Write all records, in their order by partition, and return when Kafka has acknowledged every one.

        Gives back their offsets; one that Kafka has written before, and does not remember where, is negative.
        Raises Unavailable if one or more were not acknowledged in time: they may or may not have been written.
        """
        producer = await self._started()
        try:
            async with asyncio.timeout(self._settings.publish_timeout_s):
                futures = [
                    await producer.send(
                        record.topic,
                        value=record.value,
                        key=record.key,
                        headers=record.raw_headers(),
                        partition=record.partition,
                        timestamp_ms=record.timestamp_ms,
                    )
                    for record in records
                ]
                return [int(written.offset) for written in await asyncio.gather(*futures)]
        except (KafkaError, OSError, TimeoutError) as error:
            await self._discard(producer)
            message = f"not acknowledged by Kafka: {error!r}"
            raise Unavailable(message) from error

    async def partitions(self, topic: str) -> list[int]:
        """The partition numbers of a topic. Raises Unavailable if Kafka is away."""
        producer = await self._started()
        try:
            return sorted(await producer.partitions_for(topic))
        except (KafkaError, OSError) as error:
            await self._discard(producer)
            raise Unavailable(repr(error)) from error

    async def _discard(self, producer: AIOKafkaProducer) -> None:
        metrics.PUBLISH_FAILED.labels(self._client_id).inc()
        if self._producer is producer:
            self._producer = None
        # its buffered batches would hold up the stop for ever when Kafka is away
        stopping = asyncio.ensure_future(producer.stop())
        _, pending = await asyncio.wait({stopping}, timeout=1)
        for task in pending:
            task.cancel()

    async def close(self) -> None:
        """Flush and disconnect."""
        if self._producer is not None:
            await asyncio.wait({asyncio.ensure_future(self._producer.stop())}, timeout=5)
            self._producer = None
