"""A handler for tests of the plumbing, and what it did."""

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from shared.consuming import Batch, Record
from shared.contracts.common import Contract
from shared.errors import Rejected
from shared.inbox import OFFSETS
from shared.mongo import Mongo, Session


@dataclass
class Ledger:
    """A handler whose effects are rows; `trouble` may fail it, after its effects were written."""

    mongo: Mongo
    trouble: Callable[[Batch], Awaitable[object]] | None = None
    calls: int = 0
    rejects: set[str] = field(default_factory=set)
    """Posting ids that it refuses."""

    async def __call__(self, batch: Batch, session: Session | None) -> list[tuple[Record, Rejected]]:
        self.calls += 1
        if batch.events:
            rows = [{"record": event.record.id, "at": time.time()} for event in batch.events]
            await self.mongo.db["effects"].insert_many(rows, session=session)
        if self.trouble is not None:
            await self.trouble(batch)
        return [
            (event.record, Rejected("refused", code="refused"))
            for event in batch.events
            if isinstance(event.model, Contract) and event.model.model_dump()["id"] in self.rejects
        ]

    async def effects(self) -> list[str]:
        """Ids of records, in the order of their effects."""
        return [row["record"] async for row in self.mongo.db["effects"].find().sort("_id", 1)]

    async def count(self) -> int:
        return await self.mongo.db["effects"].count_documents({})

    async def offsets(self) -> dict[str, int]:
        return {row["_id"]: row["next"] async for row in self.mongo.db[OFFSETS].find()}
