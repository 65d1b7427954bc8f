"""The database of feeds that are fetched: `pulls` has a document for each partner, with how far its feed has come."""

from __future__ import annotations

from typing import TYPE_CHECKING

from services.postings.domain.employer import Partner, PartnerState
from services.postings.domain.pulling import PullState

if TYPE_CHECKING:
    from datetime import datetime

    from shared.mongo import Collection, Database, Session


class Pulls:
    """Reads and writes."""

    def __init__(self, db: Database) -> None:
        self._pulls: Collection = db["pulls"]
        self._partners: Collection = db["partners"]

    async def pulled(self) -> list[Partner]:
        """The partners whose feeds are fetched now: none that may not write."""
        query = {"body.pull": {"$type": "object"}, "body.state": PartnerState.ACTIVE.value}
        return [Partner.model_validate(row["body"]) async for row in self._partners.find(query)]

    async def states(self) -> dict[str, PullState]:
        """How far each feed has come, by partner."""
        return {row["_id"]: PullState.model_validate(row) async for row in self._pulls.find({}, {"known": 0})}

    async def state(self, partner: str) -> PullState | None:
        """How far a partner's feed has come; None if it was never fetched."""
        row = await self._pulls.find_one({"_id": partner})
        return None if row is None else PullState.model_validate(row)

    async def save(self, partner: str, now: PullState) -> None:
        """Write how far it has come. Whatever was written there before, Kafka has all records up to what this says."""
        await self._pulls.replace_one({"_id": partner}, {"_id": partner, **now.model_dump()}, upsert=True)

    async def ask_again(self, partner: str, now: datetime, session: Session) -> None:
        """Have it fetched at once, also where that was stopped."""
        again = {"$set": {"next_at": now, "stopped": False, "failures": 0}}
        await self._pulls.update_one({"_id": partner}, again, session=session)
