"""What scorecards tell: the kept receipts, counted, and `counts`, with a document for each partner and day."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Final

from services.postings.domain.counts import Closed
from services.postings.domain.days import Counted, Day, by_day
from services.postings.domain.scorecard import Reason
from shared.contracts.partners import DailyCounts
from shared.contracts.postings import CloseReason, PostingStatus

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from shared.mongo import Collection, Database, Document, Session

BY_PARTNER: Final = [("partner", 1), ("status", 1), ("_id", 1)]
"""An index that has all that is asked of open postings."""
_TOGETHER: Final = 5_000
_EVER: Final = datetime(1, 1, 1, tzinfo=UTC)
_LEAST_KEPT_S: Final = 3 * 86_400
"""Less, and a day would be forgotten before the next one has ended, and counted again."""
_NOBODY: Final = ""
"""In the place of a partner: the day is counted."""


class Scorecards:
    """Reads and writes."""

    def __init__(self, db: Database, kept_s: int) -> None:
        """`kept_s`: seconds for which counts are kept."""
        self._receipts: Collection = db["receipts"]
        self._postings: Collection = db["postings"]
        self._counts: Collection = db["counts"]
        self._kept_s = kept_s

    async def create_indexes(self) -> None:
        """To be called before anything is read; harmless when they are there."""
        await self._counts.create_index([("partner", 1), ("day", -1)], unique=True)
        await self._counts.create_index("day", expireAfterSeconds=max(self._kept_s, _LEAST_KEPT_S))
        await self._postings.create_index("closed_at", partialFilterExpression={"closed_at": {"$gt": _EVER}})

    async def days(self, partner: str) -> list[Day]:
        """What the kept receipts of a partner say of each day, the newest first."""
        posting = {"partner": partner, "body.epoch": {"$exists": False}}
        of = {
            "day": {"$dateTrunc": {"date": "$stored_at", "unit": "day"}},
            "outcome": "$body.outcome",
            "reasons": {"$setUnion": [{"$ifNull": ["$body.faults.code", []]}]},
        }
        cursor = await self._receipts.aggregate([{"$match": posting}, {"$group": {"_id": of, "count": {"$sum": 1}}}])
        return by_day([Counted(number=row["count"], **row["_id"]) async for row in cursor])

    async def reasons(self, partner: str, most: int) -> list[Reason]:
        """The most frequent faults in the kept receipts of a partner, each with its newest record."""
        stages: list[Document] = [
            {"$match": {"partner": partner, "body.faults.0": {"$exists": True}}},
            {"$sort": {"offset": -1}},
            {"$unwind": "$body.faults"},
            {"$group": {"_id": "$body.faults.code", "of": {"$addToSet": "$_id"}, "newest": {"$first": "$body"}}},
            {"$project": {"records": {"$size": "$of"}, "newest": 1}},
            {"$sort": {"records": -1, "_id": 1}},
            {"$limit": most},
        ]
        return [
            Reason(records=row["records"], example=row["newest"]["id"], **row["newest"]["faults"])
            async for row in await self._receipts.aggregate(stages)
        ]

    async def answered_at(self, partner: str) -> datetime | None:
        """When the newest record came of which a receipt is kept."""
        row = await self._receipts.find_one({"partner": partner}, sort=[("offset", -1)])
        return None if row is None else datetime.fromisoformat(row["body"]["received_at"])

    async def count_open(self, partner: str) -> int:
        """Open postings of a partner."""
        return await self._postings.count_documents({"partner": partner, "status": PostingStatus.OPEN.value})

    # -------------------------------------------------------------------------------------- counts

    async def is_counted(self, day: date) -> bool:
        """Whether that day is counted, for all partners."""
        return await self._counts.find_one({"partner": _NOBODY, "day": _begin(day)}) is not None

    async def open_ids(self) -> AsyncIterator[tuple[str, str]]:
        """All open postings of partners: partner and our id."""
        query = {"partner": {"$gt": _NOBODY}, "status": PostingStatus.OPEN.value}
        rows = self._postings.find(query, {"partner": 1}).hint(BY_PARTNER).batch_size(_TOGETHER)
        async for row in rows:
            yield row["partner"], row["_id"]

    async def closed_on(self, day: date) -> dict[str, Closed]:
        """How many postings were closed on a day, by partner. Those that are open again are not counted."""
        within = {"$gte": _begin(day), "$lt": _begin(day + timedelta(days=1))}
        query = {"closed_at": within, "partner": {"$gt": _NOBODY}}
        filled = {"$or": ["$body.filled", {"$eq": ["$body.close_reason", CloseReason.FILLED.value]}]}
        of = {"_id": "$partner", "number": {"$sum": 1}, "filled": {"$sum": {"$cond": [filled, 1, 0]}}}
        cursor = await self._postings.aggregate([{"$match": query}, {"$group": of}], hint={"closed_at": 1})
        return {row["_id"]: Closed(row["number"], row["filled"]) async for row in cursor}

    async def save_counts(self, day: date, counts: Mapping[str, DailyCounts], session: Session) -> None:
        """Write what was counted, by partner, and that the day is counted. Raises DuplicateKey if it was."""
        await self._counts.insert_one({"partner": _NOBODY, "day": _begin(day)}, session=session)
        bodies = {partner: one.model_dump(mode="json") for partner, one in counts.items()}
        rows = [{"partner": partner, "day": _begin(day), "body": body} for partner, body in bodies.items()]
        if rows:
            await self._counts.insert_many(rows, session=session)

    async def counts(self, partner: str) -> list[DailyCounts]:
        """What was counted of a partner's postings, the newest day first."""
        rows = self._counts.find({"partner": partner}).sort("day", -1)
        return [DailyCounts.model_validate(row["body"]) async for row in rows]


def _begin(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
