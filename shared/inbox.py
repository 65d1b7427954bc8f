"""Each record's effects once, in one of two ways.

`Inbox`: effects and the next offsets in one Mongo transaction, so a repeated delivery is skipped. The stored offset
is compared and set: of two members that handle the same records around a rebalance, or of a paused one that wakes
up, only one can commit.

`VersionedInbox`: for effects that are guarded by versions of their own, so that a repetition changes nothing. It needs
no transaction; the offsets follow within half a second.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog
from aiokafka import TopicPartition

from shared import metrics
from shared.consuming import Batch
from shared.errors import Unavailable
from shared.mongo import BulkWriteError, DriverError, DuplicateKey, InsertOne, UpdateOne, only_duplicates
from shared.soon import Soon

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence

    from shared.consuming import Record
    from shared.dead_letters import DeadLetters
    from shared.errors import Rejected
    from shared.mongo import Mongo, Session, Write

    Handler = Callable[[Batch, Session], Awaitable[Sequence[tuple[Record, Rejected]]]]
    VersionedHandler = Callable[[Batch], Awaitable[Sequence[tuple[Record, Rejected]]]]
    EndOffsets = Callable[[Sequence[TopicPartition]], Awaitable[dict[TopicPartition, int]]]

log = structlog.get_logger()

OFFSETS = "offsets"
_SAVE_S = 0.5


async def waiting(mongo: Mongo, group: str, ends: EndOffsets, topic: str) -> int:
    """How many records of a topic's first partition the group has still to handle. Raises Unavailable."""
    where = TopicPartition(topic, 0)
    following = await _Offsets(mongo, group, ends).load([where], {}, None)
    return max(0, (await ends([where])).get(where, 0) - following.get(where, 0))


class Superseded(Unavailable):
    """Another member saved these offsets meanwhile: look again."""


class _Offsets:
    """The next offset of each input partition of a group, in Mongo."""

    def __init__(self, mongo: Mongo, group: str, ends: EndOffsets) -> None:
        self._rows = mongo.db[OFFSETS]
        self._group = group
        self._ends = ends
        self._halted: set[TopicPartition] = set()

    async def load(
        self, wheres: Iterable[TopicPartition], known: Mapping[TopicPartition, int], session: Session | None
    ) -> dict[TopicPartition, int]:
        """What is stored of these partitions; what is `known` is not asked for."""
        wheres = list(wheres)
        stored = {where: known[where] for where in wheres if where in known}
        ids = {self._id(where): where for where in wheres if where not in known}
        if ids:
            found = self._rows.find({"_id": {"$in": list(ids)}}, session=session)
            stored |= {ids[row["_id"]]: int(row["next"]) async for row in found}
        return stored

    async def refuse_lost_topic(self, batch: Batch, stored: Mapping[TopicPartition, int]) -> None:
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

    async def compare_and_set(
        self, stored: Mapping[TopicPartition, int], following: Mapping[TopicPartition, int], session: Session
    ) -> None:
        """Save each partition's offset if it is stored still, in one round trip. Raises Superseded."""
        writes: list[Write] = []
        for where, offset in following.items():
            before = stored.get(where)
            if before is None:
                writes.append(InsertOne({"_id": self._id(where), "next": offset}))
            else:
                writes.append(UpdateOne({"_id": self._id(where), "next": before}, {"$set": {"next": offset}}))
        if not writes:
            return
        message = f"offsets of {sorted(following)} were saved by another member"
        try:
            saved = await self._rows.bulk_write(writes, ordered=False, session=session)
        except BulkWriteError as error:
            if only_duplicates(error):
                raise Superseded(message) from error
            raise
        if saved.matched_count + saved.inserted_count != len(writes):
            raise Superseded(message)

    async def advance(self, following: Mapping[TopicPartition, int]) -> None:
        """Save offsets that may have been saved, or overtaken, before."""
        writes: list[Write] = [
            UpdateOne({"_id": self._id(where)}, {"$max": {"next": offset}}, upsert=True)
            for where, offset in following.items()
        ]
        if writes:
            await self._rows.bulk_write(writes, ordered=False)

    def _id(self, where: TopicPartition) -> str:
        return f"{self._group}|{where.topic}|{where.partition}"


class Inbox:
    """Runs a handler once for each record, whatever is killed, paused or delivered twice."""

    def __init__(self, mongo: Mongo, group: str, handler: Handler, dead_letters: DeadLetters, ends: EndOffsets) -> None:
        self._mongo = mongo
        self._handler = handler
        self._dead_letters = dead_letters
        self._offsets = _Offsets(mongo, group, ends)
        self._saved: dict[TopicPartition, int] = {}
        """What this process stored last. If another member has stored more since, saving finds it out."""

    async def process(self, batch: Batch) -> None:
        """Handle what was not handled before, and save it with the offsets. Raises Unavailable."""
        written: set[str] = set()
        saved, self._saved = self._saved, {}
        trusted = dict(saved)

        async def work(session: Session) -> None:
            stored = await self._offsets.load(batch.next_offsets(), trusted, session)
            trusted.clear()  # if it has to be done again, somebody else has come in between
            await self._offsets.refuse_lost_topic(batch, stored)
            fresh = _from(batch, stored)
            rejected = [*fresh.undecodable, *await self._handler(fresh, session)] if fresh.records else []
            # before the transaction ends: once the offset is saved nobody comes back for them
            await self._dead_letters.write([(r, why) for r, why in rejected if r.id not in written])
            written.update(record.id for record, _ in rejected)
            await self._offsets.compare_and_set(stored, fresh.next_offsets(), session)
            saved.update(stored | fresh.next_offsets())

        try:
            await self._mongo.transaction(work)
        except DuplicateKey as error:
            raise Superseded(str(error)) from error
        self._saved = saved


class VersionedInbox:
    """Runs a handler at least once for each record; its effects are guarded by versions, so they happen once."""

    def __init__(
        self, mongo: Mongo, group: str, handler: VersionedHandler, dead_letters: DeadLetters, ends: EndOffsets
    ) -> None:
        self._handler = handler
        self._dead_letters = dead_letters
        self._offsets = _Offsets(mongo, group, ends)
        self._next: dict[TopicPartition, int] = {}
        """As far as this process has come."""
        self._unsaved: dict[TopicPartition, int] = {}
        self._saving = Soon(_SAVE_S, self._save)

    async def process(self, batch: Batch) -> None:
        """Handle what this process, and at its start any other, has not handled before. Raises Unavailable."""
        stored = await self._offsets.load(batch.next_offsets(), self._next, None)
        await self._offsets.refuse_lost_topic(batch, stored)
        fresh = _from(batch, stored)
        if fresh.records:
            await self._dead_letters.write([*fresh.undecodable, *await self._handler(fresh)])
        self._next |= stored | fresh.next_offsets()
        self._unsaved |= fresh.next_offsets()
        self._saving.ask()

    async def _save(self) -> None:
        unsaved, self._unsaved = self._unsaved, {}
        try:
            await self._offsets.advance(unsaved)
        except DriverError as error:
            log.warning("offsets are not saved yet", error=str(error))
            self._unsaved = unsaved | self._unsaved
            self._saving.ask()

    async def close(self) -> None:
        """Save what is left."""
        await self._saving.close()


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
