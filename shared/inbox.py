"""Effects and the next offsets in one Mongo transaction: a repeated delivery is skipped, so effects happen once.

The stored offset is compared and set: of two members that handle the same records around a rebalance, or of a
paused one that wakes up, only one can commit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog
from aiokafka import TopicPartition

from shared import metrics
from shared.consuming import Batch
from shared.errors import Unavailable
from shared.mongo import BulkWriteError, DuplicateKey, InsertOne, UpdateOne

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from shared.consuming import Record
    from shared.dead_letters import DeadLetters
    from shared.errors import Rejected
    from shared.mongo import Mongo, Session, Write

    Handler = Callable[[Batch, Session], Awaitable[Sequence[tuple[Record, Rejected]]]]
    EndOffsets = Callable[[Sequence[TopicPartition]], Awaitable[dict[TopicPartition, int]]]

log = structlog.get_logger()

OFFSETS = "offsets"
_TAKEN = 11000
"""MongoDB's code for a duplicate key."""


class Superseded(Unavailable):
    """Another member saved these offsets meanwhile: look again."""


class Inbox:
    """Runs a handler once for each record, whatever is killed, paused or delivered twice."""

    def __init__(self, mongo: Mongo, group: str, handler: Handler, dead_letters: DeadLetters, ends: EndOffsets) -> None:
        self._mongo = mongo
        self._group = group
        self._handler = handler
        self._dead_letters = dead_letters
        self._ends = ends
        self._halted: set[TopicPartition] = set()
        self._saved: dict[TopicPartition, int] = {}
        """What this process stored last. If another member has stored more since, saving finds it out."""

    async def process(self, batch: Batch) -> None:
        """Handle what was not handled before, and save it with the offsets. Raises Unavailable."""
        written: set[str] = set()
        saved, self._saved = self._saved, {}
        trusted = dict(saved)

        async def work(session: Session) -> None:
            stored = await self._stored(batch, trusted, session)
            trusted.clear()  # if it has to be done again, somebody else has come in between
            await self._refuse_lost_topic(batch, stored)
            fresh = _from(batch, stored)
            rejected = [*fresh.undecodable, *await self._handler(fresh, session)] if fresh.records else []
            # before the transaction ends: once the offset is saved nobody comes back for them
            await self._dead_letters.write([(r, why) for r, why in rejected if r.id not in written])
            written.update(record.id for record, _ in rejected)
            await self._save(stored, fresh, session)
            saved.update(stored | fresh.next_offsets())

        try:
            await self._mongo.transaction(work)
        except DuplicateKey as error:
            raise Superseded(str(error)) from error
        self._saved = saved

    def _id(self, where: TopicPartition) -> str:
        return f"{self._group}|{where.topic}|{where.partition}"

    async def _stored(
        self, batch: Batch, known: Mapping[TopicPartition, int], session: Session
    ) -> dict[TopicPartition, int]:
        stored = {where: known[where] for where in batch.next_offsets() if where in known}
        wheres = {self._id(where): where for where in batch.next_offsets() if where not in known}
        if wheres:
            found = self._mongo.db[OFFSETS].find({"_id": {"$in": list(wheres)}}, session=session)
            stored |= {wheres[row["_id"]]: int(row["next"]) async for row in found}
        return stored

    async def _refuse_lost_topic(self, batch: Batch, stored: dict[TopicPartition, int]) -> None:
        """A record below the stored offset is a repetition, or its topic was made anew and lost what we know."""
        suspects = [record.where for record in batch.records if record.offset < stored.get(record.where, 0)]
        if not suspects:
            return
        ends = await self._ends(suspects)
        lost = {where for where in suspects if ends.get(where, 0) < stored[where]}
        self._halted |= lost
        metrics.HALTED.labels(self._group).set(len(self._halted))
        if lost:
            message = f"stored offset beyond the end of {sorted(lost)}: the topic was made anew; halted"
            raise Unavailable(message)

    async def _save(self, stored: dict[TopicPartition, int], fresh: Batch, session: Session) -> None:
        """Compare and set each partition's offset, in one round trip."""
        writes: list[Write] = []
        for where, following in fresh.next_offsets().items():
            before = stored.get(where)
            if before is None:
                writes.append(InsertOne({"_id": self._id(where), "next": following}))
            else:
                writes.append(UpdateOne({"_id": self._id(where), "next": before}, {"$set": {"next": following}}))
        if not writes:
            return
        message = f"offsets of {sorted(fresh.next_offsets())} were saved by another member"
        try:
            saved = await self._mongo.db[OFFSETS].bulk_write(writes, ordered=False, session=session)
        except BulkWriteError as error:
            if any(one["code"] == _TAKEN for one in error.details["writeErrors"]):
                raise Superseded(message) from error
            raise
        if saved.matched_count + saved.inserted_count != len(writes):
            raise Superseded(message)


def _from(batch: Batch, stored: dict[TopicPartition, int]) -> Batch:
    """The part of a batch that lies at or above the stored offsets."""
    if not stored:
        return batch

    def fresh(record: Record) -> bool:
        return record.offset >= stored.get(record.where, 0)

    return Batch(
        [event for event in batch.events if fresh(event.record)],
        [(record, why) for record, why in batch.undecodable if fresh(record)],
        [record for record in batch.records if fresh(record)],
    )
