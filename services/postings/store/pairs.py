"""Pairs of postings that are, or may be, the same vacancy, and what of the postings is read and written for them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, NamedTuple

from services.postings.domain.duplicates import Pair, PairState
from shared.contracts.postings import Posting, PostingStatus
from shared.mongo import DeleteOne, ReplaceOne, UpdateOne

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from shared.mongo import Collection, Database, Document, Session, Write

_EXAMINED: Final = [("examined", 1), ("changed_at", 1)]
_BY_BLOCK: Final = [("blocks", 1), ("partner", 1)]
_EVER: Final = datetime(1, 1, 1, tzinfo=UTC)
_TURN: Final = "duplicates"


class Lying(NamedTuple):
    """An open posting as far as it says who may be the same."""

    source: str | None
    blocks: set[str]
    title: Mapping[str, str]


class Pairs:
    """Reads and writes; every write belongs to a session's transaction.

    A posting's document has `examined`, which whoever writes the posting sets to None, and the `blocks` in which it was
    examined last.
    """

    def __init__(self, db: Database) -> None:
        self._postings: Collection = db["postings"]
        self._pairs: Collection = db["pairs"]
        self._turns: Collection = db["turns"]

    async def create_indexes(self) -> None:
        """To be called before anything is read; harmless when they are there."""
        await self._postings.create_index(_EXAMINED)
        await self._postings.create_index(_BY_BLOCK, partialFilterExpression={"blocks": {"$exists": True}})
        await self._pairs.create_index("ids")
        await self._pairs.create_index([("state", 1), ("_id", 1)])
        # here, for in a transaction two could not make it at once
        await self._turns.update_one({"_id": _TURN}, {"$setOnInsert": {"number": 0}}, upsert=True)

    async def take_turn(self, session: Session) -> None:
        """Of two transactions that do this at once, one begins anew when the other is done, whatever it has read.

        So of two postings that come at the same time the later one that is examined sees the other.
        """
        await self._turns.update_one({"_id": _TURN}, {"$inc": {"number": 1}}, session=session)

    async def unexamined(self, limit: int, session: Session) -> list[Posting]:
        """At most `limit` postings that changed since they were examined, those first that changed first."""
        query = {"examined": None, "changed_at": {"$gt": _EVER}}
        rows = self._postings.find(query, {"body": 1}, session=session).hint(_EXAMINED).sort(_EXAMINED).limit(limit)
        return [Posting.model_validate(row["body"]) async for row in rows]

    async def beside(self, blocks: Mapping[str | None, Iterable[str]], session: Session) -> dict[str, Lying]:
        """The open postings of other sources in any of each source's blocks, by id.

        A source's own ones are never read: one that sends all it has may have thousands in a block.
        """
        others = [{"blocks": {"$in": sorted(own)}, "partner": {"$ne": source}} for source, own in blocks.items()]
        if not others:
            return {}
        query = {"$or": others, "status": PostingStatus.OPEN.value}
        wanted = {"partner": 1, "blocks": 1, "body.title": 1}
        rows = self._postings.find(query, wanted, session=session).hint(_BY_BLOCK)
        return {row["_id"]: Lying(row["partner"], set(row["blocks"]), row["body"]["title"]) async for row in rows}

    async def of(self, ids: Iterable[str], session: Session | None = None) -> dict[str, Pair]:
        """The pairs that have any of these postings, by their ids."""
        rows = self._pairs.find({"ids": {"$in": list(ids)}}, session=session)
        return {row["_id"]: Pair.model_validate(row["body"]) async for row in rows}

    async def page(self, state: PairState, after: str, limit: int) -> list[Pair]:
        """At most `limit` pairs of a state with ids above `after`, in the order of their ids."""
        rows = self._pairs.find({"state": state.value, "_id": {"$gt": after}}).sort("_id", 1).limit(limit)
        return [Pair.model_validate(row["body"]) async for row in rows]

    async def count(self, state: PairState) -> int:
        """How many there are."""
        return await self._pairs.count_documents({"state": state.value})

    async def merged(self, partner: str, after: str, limit: int) -> list[Posting]:
        """At most `limit` open postings of a partner that are merged, with ids above `after`, in their order."""
        query = {
            "partner": partner,
            "status": PostingStatus.OPEN.value,
            "_id": {"$gt": after},
            "merged_into": {"$gt": ""},
        }
        rows = self._postings.find(query).sort("_id", 1).limit(limit)
        return [Posting.model_validate(row["body"]) async for row in rows]

    async def save(self, before: Mapping[str, Pair], after: Mapping[str, Pair], session: Session) -> None:
        """Write the pairs that are new or changed, and remove those that are gone."""
        writes: list[Write] = [DeleteOne({"_id": one}) for one in before.keys() - after.keys()]
        for one, pair in after.items():
            if before.get(one) != pair:
                row = {"ids": list(pair.ids), "state": pair.state.value, "body": pair.model_dump(mode="json")}
                writes.append(ReplaceOne({"_id": one}, row, upsert=True))
        if writes:
            await self._pairs.bulk_write(writes, ordered=False, session=session)

    async def save_postings(
        self, moved: Sequence[Posting], examined: Mapping[str, Sequence[str]], session: Session
    ) -> None:
        """Write postings that were merged or parted, and the blocks in which postings were examined, by id."""
        changes: dict[str, Document] = {
            posting.id: {
                "merged_into": posting.merged_into,
                "body": posting.model_dump(mode="json", exclude_defaults=True),
            }
            for posting in moved
        }
        for one, blocks in examined.items():
            changes.setdefault(one, {}).update(examined=True, blocks=list(blocks))
        writes: list[Write] = [UpdateOne({"_id": one}, {"$set": change}) for one, change in changes.items()]
        if writes:
            await self._postings.bulk_write(writes, ordered=False, session=session)
