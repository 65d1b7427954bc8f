"""The database of the exchange: what each partner was sent of each posting, and what is still to be looked at.

`exchanges` has a document for each posting that a partner was ever sent, `exchange_due` one for each posting that
changed and was not looked at yet. A partner's document has the field `survey` while all postings are looked at for it:
the id behind which to go on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from services.postings.domain.employer import Partner
from services.postings.domain.exchange import Sent
from shared.contracts.postings import PostingStatus
from shared.mongo import UpdateOne, Write

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from shared.mongo import Collection, Database, Document, Session

    Key = tuple[str, str]
    """Partner and posting."""

_WATCHING: Final = {"body.exchange": {"$type": "object"}}


class Exchanges:
    """Reads and writes; every write belongs to a session's transaction, but for `note`."""

    def __init__(self, db: Database) -> None:
        self._exchanges: Collection = db["exchanges"]
        self._due: Collection = db["exchange_due"]
        self._partners: Collection = db["partners"]
        self._postings: Collection = db["postings"]

    async def create_indexes(self) -> None:
        """To be called before anything is read; harmless when they are there."""
        await self._exchanges.create_index([("partner", 1), ("open", 1), ("posting", 1)])

    async def is_watched(self) -> bool:
        """True if any partner gets postings of ours."""
        return await self._partners.find_one(_WATCHING, {"_id": 1}) is not None

    async def watching(self, session: Session) -> list[Partner]:
        """The partners that get postings of ours."""
        return [Partner.model_validate(row["body"]) async for row in self._partners.find(_WATCHING, session=session)]

    # --------------------------------------------------------------------------------------- what is due

    async def note(self, changed: Mapping[str, str | None]) -> None:
        """Remember postings that changed, each with the trace of its change."""
        # counted, so that a note is never the same as before: who is taking the former one in this moment must see it
        writes: list[Write] = [
            UpdateOne({"_id": posting}, {"$inc": {"times": 1}, "$set": {"traceparent": trace}}, upsert=True)
            for posting, trace in changed.items()
        ]
        await self._due.bulk_write(writes, ordered=False)

    async def take_due(self, limit: int, session: Session) -> dict[str, str | None]:
        """At most `limit` postings that are due, with their traces; with the transaction they are due no more."""
        rows = await self._due.find(session=session).limit(limit).to_list(None)
        if rows:
            await self._due.delete_many({"_id": {"$in": [row["_id"] for row in rows]}}, session=session)
        return {row["_id"]: row["traceparent"] for row in rows}

    # ------------------------------------------------------------------------------------------- surveys

    async def begin_survey(self, partner: str, session: Session) -> None:
        """Have all postings looked at for a partner, from the first."""
        await self._partners.update_one({"_id": partner}, {"$set": {"survey": ""}}, session=session)

    async def surveyed(self) -> list[str]:
        """The partners for whom all postings are being looked at."""
        return [row["_id"] async for row in self._partners.find({"survey": {"$exists": True}}, {"_id": 1})]

    async def survey(self, partner: str, session: Session) -> str | None:
        """The posting id behind which a partner's survey goes on; None: there is none."""
        row = await self._partners.find_one({"_id": partner}, {"survey": 1}, session=session)
        return None if row is None else row.get("survey")

    async def move_survey(self, partner: str, after: str | None, session: Session) -> None:
        """Go on behind this posting id; None: it is over."""
        change: Document = {"$unset": {"survey": ""}} if after is None else {"$set": {"survey": after}}
        await self._partners.update_one({"_id": partner}, change, session=session)

    async def page(self, partner: str, after: str, limit: int, session: Session, *, only_sent: bool) -> list[str]:
        """At most `limit` ids above `after`, ascending: of open postings, and of those that the partner still has.

        `only_sent`: of the latter alone.
        """
        query = {"partner": partner, "open": True, "posting": {"$gt": after}}
        rows = self._exchanges.find(query, {"posting": 1}, session=session).sort("posting", 1).limit(limit)
        ids = {row["posting"] async for row in rows}
        if not only_sent:
            query = {"status": PostingStatus.OPEN.value, "_id": {"$gt": after}}
            found = self._postings.find(query, {"_id": 1}, session=session).sort("_id", 1).limit(limit)
            ids |= {row["_id"] async for row in found}
        return sorted(ids)[:limit]

    # ------------------------------------------------------------------------------------- what was sent

    async def sent(self, partners: Iterable[str], postings: Iterable[str], session: Session) -> dict[Key, Sent]:
        """What these partners were sent last of these postings."""
        keys = [_key(partner, posting) for partner in partners for posting in postings]
        rows = self._exchanges.find({"_id": {"$in": keys}}, session=session)
        return {
            (row["partner"], row["posting"]): Sent(row["sequence"], row["version"], row["open"]) async for row in rows
        }

    async def save_sent(self, news: Mapping[Key, Sent], session: Session) -> None:
        """Write what partners are sent now, in one round trip."""
        writes: Sequence[Write] = [
            UpdateOne(
                {"_id": _key(partner, posting)},
                {
                    "$set": {
                        "partner": partner,
                        "posting": posting,
                        "sequence": one.sequence,
                        "version": one.version,
                        "open": one.open,
                    }
                },
                upsert=True,
            )
            for (partner, posting), one in news.items()
        ]
        if writes:
            await self._exchanges.bulk_write(writes, ordered=False, session=session)


def _key(partner: str, posting: str) -> str:
    """`/` is in no partner's id."""
    return f"{partner}/{posting}"
