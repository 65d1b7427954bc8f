"""Records taken in turn from partitions: whoever floods one holds up nobody else's by more than a short batch.

aiokafka gives out all that it has buffered of one partition before the next one's, and that are megabytes.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

from aiokafka.errors import KafkaError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

    Records = tuple[ConsumerRecord[Any, Any], ...]

FEW: Final = 20
"""Most records of a flood in one batch while others send single ones: those wait for a batch that has begun."""
SHARE: Final = 0.4
"""Most of the time for which a flood is handled then: what it causes further on takes as much again there."""
LATELY_S: Final = 2.0
"""For so long after its last full batch a partition counts as flooded, and after its last record as in use."""
_LONGEST_REST_S: Final = 0.5


class Turns:
    """Takes batches from a consumer, at most `each` records a partition in one; who had least lately comes first.

    While some partitions give single records, those that give more than fits get `FEW` and `SHARE`. A flood that is
    alone, or among floods, is taken as fast as it can be handled.
    """

    def __init__(self, each: int, most: int, wait_ms: int, clock: Callable[[], float] = time.monotonic) -> None:
        """`most` records a batch; `wait_ms` is how long to wait where there are none."""
        self._each = each
        self._most = most
        self._wait_ms = wait_ms
        self._clock = clock
        self._served: dict[TopicPartition, float] = {}
        """Partitions that had records, the latest at the end, and when."""
        self._full: dict[TopicPartition, float] = {}
        """When there was last more than could be taken."""
        self._begun: float | None = None
        """When a batch with a part of a flood was given out."""
        self._rests_until = 0.0

    async def take(self, consumer: AIOKafkaConsumer) -> Records:
        """The next batch; empty if none came in time. Raises KafkaError."""
        now = self._clock()
        order = self._order(consumer.assignment())
        floods = self._floods(now)
        if self._begun is not None:
            rest = (now - self._begun) * (1 / SHARE - 1)
            self._rests_until, self._begun = now + min(rest, _LONGEST_REST_S), None
        resting = floods if now < self._rests_until else set()
        taken: list[ConsumerRecord[Any, Any]] = []
        for where in order:
            room = min(FEW if where in floods else self._each, self._most - len(taken))
            if room <= 0:
                break
            if where in resting:
                continue
            try:
                found = await consumer.getmany(where, timeout_ms=0, max_records=room)
            except KafkaError:
                if not taken:
                    raise
                break  # what is taken would be passed over; the fault comes again
            taken += self._noted(found, room)
        if not taken:
            others = [where for where in order if where not in resting] if resting else []
            wait_ms = min(self._wait_ms, max(1, int(1000 * (self._rests_until - now)))) if resting else self._wait_ms
            most = FEW if floods else self._each
            taken += self._noted(await consumer.getmany(*others, timeout_ms=wait_ms, max_records=most), most)
        return tuple(taken)

    def _floods(self, now: float) -> set[TopicPartition]:
        """Partitions that are flooded while others are in use."""
        lately = {where for where, at in self._served.items() if now - at < LATELY_S}
        floods = {where for where in lately if now - self._full.get(where, float("-inf")) < LATELY_S}
        return floods if lately - floods else set()

    def _order(self, assigned: Iterable[TopicPartition]) -> list[TopicPartition]:
        assigned = set(assigned)
        self._served = {where: at for where, at in self._served.items() if where in assigned}
        return [*sorted(assigned - self._served.keys()), *self._served]

    def _noted(self, found: dict[TopicPartition, list[ConsumerRecord[Any, Any]]], room: int) -> Records:
        now = self._clock()
        for where, records in found.items():
            self._served.pop(where, None)
            self._served[where] = now
            if len(records) == room:
                self._full[where] = self._begun = now
        return tuple(record for records in found.values() for record in records)
