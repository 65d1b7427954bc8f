"""How a batch of records is handled, once for every consumer group.

1. Each record is decoded by itself; what is no event goes to the dead letters, the rest go on.
2. `process` handles the batch; its effects and the next offsets are saved together (`shared.inbox`).
3. Then the offsets are committed. A partition that fails is sought back and paused with growing waits while the
   others go on, and polling never stops.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import chain
from typing import TYPE_CHECKING, Any, Final

import structlog
from aiokafka import TopicPartition
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaError
from faststream import AckPolicy
from faststream.kafka import KafkaMessage

from shared import metrics, telemetry
from shared.asking import Asking
from shared.broker import MAX_RECORD_BYTES, PATIENT_BYTES
from shared.contracts.envelope import FILLER_HEADER, TRACEPARENT, Decoded, decode
from shared.contracts.registry import channel
from shared.errors import Rejected, Unavailable
from shared.soon import Soon
from shared.turns import Turns

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from aiokafka import AIOKafkaConsumer, ConsumerRecord
    from aiokafka.abc import ConsumerRebalanceListener
    from faststream.kafka import KafkaBroker

    from shared.contracts.common import Contract
    from shared.contracts.lists import ListBody
    from shared.settings import ServiceSettings

log = structlog.get_logger()

_FIRST_WAIT_S: Final = 0.2
_LONGEST_WAIT_S: Final = 30.0
_COMMIT_EVERY_S: Final = 0.5
_EARLIEST_MS: Final = int(datetime(2000, 1, 1, tzinfo=UTC).timestamp() * 1000)
_LATEST_MS: Final = int(datetime(2100, 1, 1, tzinfo=UTC).timestamp() * 1000)


@dataclass(frozen=True, slots=True)
class Record:
    """One Kafka record as it came."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...]
    timestamp: datetime
    """Kafka's, UTC."""

    @property
    def id(self) -> str:
        """`topic/partition/offset`: stable, and never given twice."""
        return f"{self.topic}/{self.partition}/{self.offset}"

    @property
    def where(self) -> TopicPartition:
        """Its topic and partition."""
        return TopicPartition(self.topic, self.partition)


@dataclass(frozen=True, slots=True)
class Event:
    """One record that could be decoded."""

    record: Record
    type: str
    model: Contract | ListBody | None
    """None: a tombstone."""
    version: int
    """Of the aggregate (or a list's revision); 0 on topics without state."""
    headers: Mapping[str, str]
    traceparent: str | None
    """What is caused by this event goes on from here."""
    data: bytes | None = None
    """The event's own body as JSON; None: a tombstone."""

    @property
    def key(self) -> str:
        """The record's key as text: the aggregate's id."""
        return (self.record.key or b"").decode(errors="replace")


@dataclass(frozen=True, slots=True)
class Batch:
    """What is handled together: records in offset order by partition, none of them handled before."""

    events: list[Event] = field(default_factory=list)
    undecodable: list[tuple[Record, Rejected]] = field(default_factory=list)
    records: list[Record] = field(default_factory=list)
    """All of them, also fillers."""

    def next_offsets(self) -> dict[TopicPartition, int]:
        """Where to go on after this batch."""
        return {record.where: record.offset + 1 for record in self.records}


def record_of(raw: ConsumerRecord[Any, Any]) -> Record:
    """Our form of an aiokafka record."""
    return Record(
        raw.topic,
        raw.partition,
        raw.offset,
        raw.key,
        raw.value,
        tuple(raw.headers),
        time_of(raw.timestamp),
    )


def time_of(milliseconds: int) -> datetime:
    """Kafka's time stamp. A producer may have set any number: it is moved into the years that contracts know."""
    return datetime.fromtimestamp(min(max(milliseconds, _EARLIEST_MS), _LATEST_MS) / 1000, UTC)


def is_filler(record: Record) -> bool:
    """True for the record that only makes an idle partition's last segment roll."""
    return any(name == FILLER_HEADER for name, _ in record.headers)


def decode_all(records: Sequence[Record]) -> Batch:
    """Decode each record by itself."""
    batch = Batch(records=list(records))
    for record in records:
        if is_filler(record):
            continue
        try:
            decoded = decode(channel(record.topic), record.headers, record.value)
            if record.key is not None:
                record.key.decode()
        except Rejected as reason:
            batch.undecodable.append((record, reason))
        except UnicodeDecodeError:
            wrong = Rejected("the key is not UTF-8", code="invalid_key", stage="KEY_CONVERTER")
            batch.undecodable.append((record, wrong))
        else:
            batch.events.append(_event(record, decoded))
    return batch


def _event(record: Record, decoded: Decoded) -> Event:
    traceparent = decoded.headers.get(TRACEPARENT)
    return Event(record, decoded.type, decoded.model, decoded.version, decoded.headers, traceparent, decoded.data)


class Consumer:
    """One consumer group's member: takes batches from FastStream and sees each partition through."""

    def __init__(  # noqa: PLR0913 - all named
        self,
        settings: ServiceSettings,
        group: str,
        process: Callable[[Batch], Awaitable[None]],
        *,
        topics: Sequence[str] = (),
        pattern: str | None = None,
        listener: ConsumerRebalanceListener | None = None,
        records: int | None = None,
        each: int | None = None,
        patient_ms: int | None = None,
    ) -> None:
        """`each`: most records of one partition in a batch, which are then taken in turn."""
        self.group = group
        self.topics = tuple(topics)
        self.pattern = pattern
        self._settings = settings
        self._process = process
        self._listener = listener
        self._records = records or settings.batch_records
        self._patient_ms = patient_ms
        self._asking = Asking(settings)
        self._turns = Turns(each, self._records, settings.poll_ms) if each else None
        self._failures: dict[TopicPartition, int] = {}
        self._held: set[TopicPartition] = set()
        self._resumes: set[asyncio.Task[None]] = set()
        self._uncommitted: dict[TopicPartition, int] = {}
        self._committing = Soon(_COMMIT_EVERY_S, self._commit)
        self._consumer: Callable[[], AIOKafkaConsumer | None] = lambda: None
        self._seen: dict[TopicPartition, tuple[int, float]] = {}
        """Partitions with lag: where their position stood, and since when."""

    def attach(self, broker: KafkaBroker) -> None:
        """Subscribe on this broker, which is not started yet."""
        subscriber = broker.subscriber(
            *self.topics,
            pattern=self.pattern,
            group_id=self.group,
            batch=True,
            max_records=self._records,
            ack_policy=AckPolicy.MANUAL,
            no_reply=True,
            auto_offset_reset="earliest",
            partition_assignment_strategy=[RangePartitionAssignor],
            session_timeout_ms=self._settings.session_timeout_ms,
            heartbeat_interval_ms=max(300, self._settings.session_timeout_ms // 3),
            max_partition_fetch_bytes=MAX_RECORD_BYTES,
            fetch_max_wait_ms=self._patient_ms or self._settings.fetch_busy_ms,
            fetch_min_bytes=PATIENT_BYTES if self._patient_ms else 1,
            listener=self._listener,
            parser=self._parse,
            decoder=_undecoded,
        )
        # FastStream's own sleeps between two looks, and takes as aiokafka gives
        subscriber.get_msg = self._take  # type: ignore[method-assign]
        self._consumer = lambda: subscriber.consumer
        self._failures.clear()
        self._held.clear()
        subscriber(self._on_batch)

    async def _take(self, consumer: AIOKafkaConsumer) -> tuple[ConsumerRecord[Any, Any], ...]:
        """The next batch; empty if none came in time. Raises KafkaError."""
        if not self._patient_ms:
            self._asking.attend(consumer)
        if self._turns is not None:
            records = await self._turns.take(consumer)
        else:
            found = await consumer.getmany(timeout_ms=self._settings.poll_ms, max_records=self._records)
            records = tuple(chain.from_iterable(found.values()))
        self._asking.came(len(records))
        return records

    async def _parse(self, raw: tuple[ConsumerRecord[Any, Any], ...]) -> KafkaMessage:
        """Leave headers and bodies alone: FastStream's own parser raises on a null or non-UTF-8 header."""
        consumer = self._consumer()
        if consumer is None:
            raise asyncio.CancelledError
        return KafkaMessage(body=b"", raw_message=raw, consumer=consumer)

    async def _on_batch(self, raw: tuple[ConsumerRecord[Any, Any], ...]) -> None:
        consumer = self._consumer()
        if consumer is None:
            return
        records = [record_of(item) for item in raw]
        try:
            await self._handle(records)
        except Exception as error:  # noqa: BLE001 - whatever failed, its partition waits and the others go on
            by_partition: dict[TopicPartition, list[Record]] = {}
            for record in records:
                by_partition.setdefault(record.where, []).append(record)
            if len(by_partition) == 1:
                self._hold(consumer, records[0], error)
                return
            for part in by_partition.values():
                try:
                    await self._handle(part)
                except Exception as own:  # noqa: BLE001 - as above
                    self._hold(consumer, part[0], own)

    async def _handle(self, records: list[Record]) -> None:
        started = time.perf_counter()
        batch = decode_all(records)
        with telemetry.batch_span(f"handle {self.group}", (event.traceparent for event in batch.events)) as span:
            span.set_attribute("messaging.batch.message_count", len(records))
            spans = [
                None  # not on the event's way
                if self._patient_ms
                else telemetry.begin_message(f"{self.group} {event.type}", event.traceparent, {"subject": event.key})
                for event in batch.events
            ]
            traced = [
                event if own is None else _continued(event, telemetry.traceparent_of(own))
                for event, own in zip(batch.events, spans, strict=True)
            ]
            try:
                await self._process(Batch(traced, batch.undecodable, batch.records))
            finally:
                for own in spans:
                    if own is not None:
                        own.end()
        # a commit costs the broker as much as a record, and a lost one loses nothing: what is repeated is known by
        # its stored offset or its version
        self._uncommitted |= batch.next_offsets()
        self._committing.ask()
        for where in batch.next_offsets():
            self._failures.pop(where, None)
        metrics.RECORDS.labels(self.group, "handled").inc(len(batch.events))
        metrics.RECORDS.labels(self.group, "undecodable").inc(len(batch.undecodable))
        metrics.BATCH_RECORDS.labels(self.group).observe(len(records))
        metrics.BATCH_SECONDS.labels(self.group).observe(time.perf_counter() - started)

    async def _commit(self) -> None:
        """Commit what was handled since the last time."""
        consumer = self._consumer()
        if consumer is None:
            return
        ours = consumer.assignment()
        offsets = {where: following for where, following in self._uncommitted.items() if where in ours}
        self._uncommitted = {}
        if not offsets:
            return
        try:
            await consumer.commit(offsets)
        except (CommitFailedError, IllegalStateError):
            metrics.RECORDS.labels(self.group, "commit_superseded").inc()
        except KafkaError as error:
            log.warning("offsets were not committed", group=self.group, error=repr(error))
            self._uncommitted = offsets | self._uncommitted
            self._committing.ask()

    def _hold(self, consumer: AIOKafkaConsumer, first: Record, error: Exception) -> None:
        """Seek back to the first record that is not handled and let the partition wait."""
        where = first.where
        if where not in consumer.assignment():
            return
        failures = self._failures.get(where, 0) + 1
        self._failures[where] = failures
        wait = min(_LONGEST_WAIT_S, _FIRST_WAIT_S * 2 ** (failures - 1))
        log.warning(
            "partition waits",
            group=self.group,
            topic=where.topic,
            partition=where.partition,
            offset=first.offset,
            failures=failures,
            wait_s=wait,
            exc_info=error,
        )
        consumer.seek(where, first.offset)
        consumer.pause(where)
        self._held.add(where)
        metrics.HELD.labels(self.group).set(len(self._held))
        task = asyncio.get_running_loop().create_task(self._resume_later(consumer, where, wait))
        self._resumes.add(task)
        task.add_done_callback(self._resumes.discard)

    async def _resume_later(self, consumer: AIOKafkaConsumer, where: TopicPartition, wait: float) -> None:
        await asyncio.sleep(wait)
        self._held.discard(where)
        metrics.HELD.labels(self.group).set(len(self._held))
        if where in consumer.assignment():
            consumer.resume(where)

    async def stuck(self) -> bool:
        """True if there is lag on a partition that is not held, and its position has not moved for too long."""
        consumer = self._consumer()
        if consumer is None:
            return False
        now, lag, stuck = time.monotonic(), 0, False
        seen: dict[TopicPartition, tuple[int, float]] = {}
        for where in consumer.assignment():
            end = consumer.highwater(where)
            position = await consumer.position(where) if end is not None else 0
            behind = max(0, (end or 0) - position)
            lag += behind
            if not behind or where in self._failures:
                continue
            stood, since = self._seen.get(where, (position, now))
            seen[where] = (position, since if stood == position else now)
            stuck = stuck or now - seen[where][1] > self._settings.stuck_after_s
        self._seen = seen
        metrics.LAG.labels(self.group).set(lag)
        return stuck

    async def end_offsets(self, wheres: Sequence[TopicPartition]) -> dict[TopicPartition, int]:
        """Kafka's present end of these partitions. Raises Unavailable if it is away."""
        consumer = self._consumer()
        if consumer is None:
            message = "not consuming"
            raise Unavailable(message)
        try:
            return dict(await consumer.end_offsets(list(wheres)))
        except KafkaError as error:
            raise Unavailable(repr(error)) from error

    async def close(self) -> None:
        """Forget what is pending; the broker stops the consumer itself."""
        for task in self._resumes:
            task.cancel()
        self._committing.cancel()


def _continued(event: Event, traceparent: str) -> Event:
    return replace(event, traceparent=traceparent)


async def _undecoded(message: KafkaMessage) -> object:
    """The handler takes the raw records."""
    return message.raw_message
