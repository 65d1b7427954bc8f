"""The database of replays: a partner's document has the field `replay` while its receipts are published once more."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from shared.contracts.partners import PostingReceipt, SnapshotReceipt

if TYPE_CHECKING:
    from datetime import datetime

    from shared.contracts.partners import Receipt
    from shared.mongo import Database, Session


class Span(NamedTuple):
    """Receipts of a partner, by the offsets of their records."""

    first: int
    last: int
    number: int


async def span_since(db: Database, partner: str, since: datetime) -> Span | None:
    """The kept receipts from the first on that was given at that time or later; None: there is none."""
    answered = {"partner": partner, "stored_at": {"$gte": since}}
    first = await db["receipts"].find_one(answered, {"offset": 1}, sort=[("offset", 1)])
    last = await db["receipts"].find_one({"partner": partner}, {"offset": 1}, sort=[("offset", -1)])
    if first is None or last is None:
        return None
    within = {"partner": partner, "offset": {"$gte": first["offset"], "$lte": last["offset"]}}
    return Span(first["offset"], last["offset"], await db["receipts"].count_documents(within))


async def begin(db: Database, partner: str, span: Span) -> None:
    """Have these published, in the place of others that still wait."""
    replay = {"after": span.first - 1, "last": span.last}
    await db["partners"].update_one({"_id": partner}, {"$set": {"replay": replay}})


async def replaying(db: Database) -> list[str]:
    """The partners of which receipts wait to be published once more."""
    return [row["_id"] async for row in db["partners"].find({"replay": {"$exists": True}}, {"_id": 1})]


async def take(db: Database, partner: str, limit: int, session: Session) -> list[Receipt]:
    """The next ones, at most `limit`; with the transaction they wait no more."""
    row = await db["partners"].find_one({"_id": partner}, {"replay": 1}, session=session)
    replay = row.get("replay") if row else None
    if replay is None:
        return []
    within = {"partner": partner, "offset": {"$gt": replay["after"], "$lte": replay["last"]}}
    rows = await db["receipts"].find(within, session=session).sort("offset", 1).limit(limit).to_list(None)
    moved = {"$set": {"replay.after": rows[-1]["offset"]}} if len(rows) == limit else {"$unset": {"replay": ""}}
    await db["partners"].update_one({"_id": partner}, moved, session=session)
    return [(SnapshotReceipt if "epoch" in one["body"] else PostingReceipt).model_validate(one["body"]) for one in rows]
