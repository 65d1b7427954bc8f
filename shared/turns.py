"""Records taken in turn from partitions: whoever floods one holds up nobody else's by more than a batch.

aiokafka gives out all that it has buffered of one partition before the next one's, and that are megabytes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aiokafka.errors import KafkaError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

    Records = tuple[ConsumerRecord[Any, Any], ...]


class Turns:
    """Takes batches from a consumer, at most `each` records a partition in one; who had least lately comes first."""

    def __init__(self, each: int, most: int, wait_ms: int) -> None:
        """`most` records a batch; `wait_ms` is how long to wait where there are none."""
        self._each = each
        self._most = most
        self._wait_ms = wait_ms
        self._served: dict[TopicPartition, None] = {}
        """Partitions that had records, the latest at the end."""

    async def take(self, consumer: AIOKafkaConsumer) -> Records:
        """The next batch; empty if none came in time. Raises KafkaError."""
        taken: list[ConsumerRecord[Any, Any]] = []
        for where in self._order(consumer.assignment()):
            room = self._most - len(taken)
            if not room:
                break
            try:
                found = await consumer.getmany(where, timeout_ms=0, max_records=min(self._each, room))
            except KafkaError:
                if not taken:
                    raise
                break  # what is taken would be passed over; the fault comes again
            taken += self._noted(found)
        if not taken:
            taken += self._noted(await consumer.getmany(timeout_ms=self._wait_ms, max_records=self._each))
        return tuple(taken)

    def _order(self, assigned: Iterable[TopicPartition]) -> list[TopicPartition]:
        assigned = set(assigned)
        self._served = {where: None for where in self._served if where in assigned}
        return [*sorted(assigned - self._served.keys()), *self._served]

    def _noted(self, found: dict[TopicPartition, list[ConsumerRecord[Any, Any]]]) -> Records:
        for where in found:
            self._served.pop(where, None)
            self._served[where] = None
        return tuple(record for records in found.values() for record in records)
