"""Records that will never work, kept for operators as they came, with Kafka Connect's error headers.

Source of the header names: Apache Kafka Connect, `DeadLetterQueueReporter`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from shared import metrics
from shared.broker import MAX_RECORD_BYTES, Outgoing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shared.broker import Producer
    from shared.consuming import Record
    from shared.errors import Rejected

_PREFIX: Final = "__connect.errors."
TIMESTAMP: Final = "__connect.errors.record.timestamp"
"""Ours: when the record was written. The letter's own time is when it was given up, which retention counts from."""


def dead_letter_topic(group: str) -> str:
    """Where the dead letters of a consumer group go."""
    return f"{group}.dead"


class DeadLetters:
    """Writes the dead letters of one consumer group."""

    def __init__(self, producer: Producer, group: str) -> None:
        self._producer = producer
        self._group = group

    async def write(self, rejected: Sequence[tuple[Record, Rejected]]) -> None:
        """Write and wait for the acknowledgement.

        Raises Unavailable when they cannot be written: the caller holds its offsets.
        """
        if not rejected:
            return
        try:
            await self._producer.send_all([self._letter(record, reason) for record, reason in rejected])
        except BaseException:
            metrics.DEAD_LETTERS_BLOCKED.labels(self._group).set(1)
            raise
        metrics.DEAD_LETTERS_BLOCKED.labels(self._group).set(0)
        for _, reason in rejected:
            metrics.DEAD_LETTERS.labels(self._group, reason.code).inc()

    def _letter(self, record: Record, reason: Rejected) -> Outgoing:
        errors = {
            "topic": record.topic,
            "partition": str(record.partition),
            "offset": str(record.offset),
            "stage": reason.stage,
            "exception.class.name": f"Rejected.{reason.code}",
            "exception.message": str(reason),
        }
        key, value, headers = record.key, record.value, record.headers
        size = sum(len(part or b"") for part in (key, value, *(held for _, held in headers)))
        if size > MAX_RECORD_BYTES:
            # its producer had compressed it: no topic of ours takes it, and it must not hold up the next ones
            errors["exception.message"] += f" (left out: {size} bytes, too large to be kept)"
            key, value, headers = None, None, ()
        if key is None and value is None:
            key = b""  # aiokafka writes no record that has neither
        return Outgoing(
            dead_letter_topic(self._group),
            key,
            value,
            [*headers, *((_PREFIX + name, text.encode()) for name, text in errors.items())],
            timestamp_ms=int(record.timestamp.timestamp() * 1000),
        )
