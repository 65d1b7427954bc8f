"""The database of replays: a partner's document has the field `replay` while its receipts are published once more."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from shared.contracts.partners import PostingReceipt, SnapshotReceipt

if TYPE_CHECKING:
    from datetime import datetime

    from shared.contracts.partners import Receipt
    from shared.mongo import Collection, Database, Document, Session


class Span(NamedTuple):
    """Receipts of a partner, by the offsets of their records."""

    first: int
    last: int
    number: int


def receipt_of(row: Document) -> Receipt:
    """The receipt that a document of `receipts` holds."""
    return (SnapshotReceipt if "epoch" in row["body"] else PostingReceipt).model_validate(row["body"])


class Replays:
    """Reads and writes."""

    def __init__(self, db: Database) -> None:
        self._partners: Collection = db["partners"]
        self._receipts: Collection = db["receipts"]

    async def span_since(self, partner: str, since: datetime) -> Span | None:
        """The kept receipts from the first on that was given at that time or later; None: there is none."""
        answered = {"partner": partner, "stored_at": {"$gte": since}}
        first = await self._receipts.find_one(answered, {"offset": 1}, sort=[("offset", 1)])
        last = await self._receipts.find_one({"partner": partner}, {"offset": 1}, sort=[("offset", -1)])
        if first is None or last is None:
            return None
        within = {"partner": partner, "offset": {"$gte": first["offset"], "$lte": last["offset"]}}
        return Span(first["offset"], last["offset"], await self._receipts.count_documents(within))

    async def begin(self, partner: str, span: Span) -> None:
        """Have these published, in the place of others that still wait."""
        replay = {"after": span.first - 1, "last": span.last}
        await self._partners.update_one({"_id": partner}, {"$set": {"replay": replay}})

    async def replaying(self) -> list[str]:
        """The partners of which receipts wait to be published once more."""
        return [row["_id"] async for row in self._partners.find({"replay": {"$exists": True}}, {"_id": 1})]

    async def take(self, partner: str, limit: int, session: Session) -> list[Receipt]:
        """The next ones, at most `limit`; with the transaction they wait no more."""
        row = await self._partners.find_one({"_id": partner}, {"replay": 1}, session=session)
        replay = row.get("replay") if row else None
        if replay is None:
            return []
        within = {"partner": partner, "offset": {"$gt": replay["after"], "$lte": replay["last"]}}
        rows = await self._receipts.find(within, session=session).sort("offset", 1).limit(limit).to_list(None)
        moved = {"$set": {"replay.after": rows[-1]["offset"]}} if len(rows) == limit else {"$unset": {"replay": ""}}
        await self._partners.update_one({"_id": partner}, moved, session=session)
        return [receipt_of(row) for row in rows]
