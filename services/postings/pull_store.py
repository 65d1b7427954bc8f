"""The database of feeds that are fetched: `pulls` has a document for each partner, with how far its feed has come."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from services.postings.domain.employer import Partner, PartnerState
from services.postings.domain.pulling import PullState

if TYPE_CHECKING:
    from datetime import datetime

    from shared.mongo import Database, Session

PULLS: Final = "pulls"


async def pulled(db: Database) -> list[Partner]:
    """The partners whose feeds are fetched now: none that may not write."""
    query = {"body.pull": {"$type": "object"}, "body.state": PartnerState.ACTIVE.value}
    return [Partner.model_validate(row["body"]) async for row in db["partners"].find(query)]


async def states(db: Database) -> dict[str, PullState]:
    """How far each feed has come, by partner."""
    return {row["_id"]: PullState.model_validate(row) async for row in db[PULLS].find({}, {"known": 0})}


async def state(db: Database, partner: str) -> PullState | None:
    """How far a partner's feed has come; None if it was never fetched."""
    row = await db[PULLS].find_one({"_id": partner})
    return None if row is None else PullState.model_validate(row)


async def save(db: Database, partner: str, now: PullState) -> None:
    """Write how far it has come. Whatever was written there before, Kafka has all records up to what this says."""
    await db[PULLS].replace_one({"_id": partner}, {"_id": partner, **now.model_dump()}, upsert=True)


async def ask_again(db: Database, partner: str, now: datetime, session: Session) -> None:
    """Have it fetched at once, also where that was stopped."""
    again = {"$set": {"next_at": now, "stopped": False, "failures": 0}}
    await db[PULLS].update_one({"_id": partner}, again, session=session)
