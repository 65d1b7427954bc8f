"""The database of postings: employers, partners, postings with the order of what a partner sent last, receipts."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from pydantic_core import from_json

from services.postings.domain.books import Books, Standing
from services.postings.domain.employer import Employer, Partner
from services.postings.domain.ordering import Basis, Order
from services.postings.domain.snapshots import NEVER, History, Snapshot, State, closing_below, collecting
from services.postings.domain.sources import SANDBOX
from services.postings.store.exchanges import Exchanges
from services.postings.store.pairs import Pairs
from services.postings.store.pulls import Pulls
from services.postings.store.replays import Replays, receipt_of
from services.postings.store.scorecards import Scorecards
from shared.contracts.partners import Receipt
from shared.contracts.postings import Posting, PostingStatus
from shared.contracts.registry import partner_of
from shared.mongo import (
    BulkWriteError,
    Collection,
    Database,
    Document,
    DuplicateKey,
    InsertOne,
    Session,
    UpdateOne,
    Write,
    only_duplicates,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

_DAY_S: Final = 86_400
_BY_SEEN: Final = [("partner", 1), ("status", 1), ("seen", 1)]
_SEEN: Final = {"$ifNull": ["$seen", NEVER]}
_BY_CHANGE: Final = [("partner", 1), ("status", 1), ("valid_through", 1), ("changed_at", 1)]


class Store:
    """Reads and writes; every write belongs to a session's transaction."""

    def __init__(self, db: Database, *, receipts_kept_days: int = 30, removals_kept_days: int = 90) -> None:
        self.db = db
        self._removals_kept = timedelta(days=removals_kept_days)
        self._receipts_kept_s = receipts_kept_days * _DAY_S
        self._employers: Collection = db["employers"]
        self._partners: Collection = db["partners"]
        self._postings: Collection = db["postings"]
        self._receipts: Collection = db["receipts"]
        self._uploads: Collection = db["uploads"]
        self.pairs = Pairs(db)
        self.exchanges = Exchanges(db)
        self.pulls = Pulls(db)
        self.replays = Replays(db)
        self.scorecards = Scorecards(db, self._receipts_kept_s)

    async def create_indexes(self) -> None:
        """To be called before anything is read; harmless when they are there."""
        await self._postings.create_index([("status", 1), ("_id", 1)])
        await self._postings.create_index([("employer_id", 1), ("status", 1), ("_id", 1)])
        await self._postings.create_index([("partner", 1), ("status", 1), ("_id", 1)])
        await self._postings.create_index([("status", 1), ("valid_through", 1)])
        await self._postings.create_index(_BY_SEEN)
        await self._postings.create_index(_BY_CHANGE)
        await self._postings.create_index(  # partial: postings themselves need no entry in it
            "forget_at", expireAfterSeconds=0, partialFilterExpression={"forget_at": {"$exists": True}}
        )
        await self._receipts.create_index([("partner", 1), ("offset", 1)])
        await self._receipts.create_index("stored_at", expireAfterSeconds=self._receipts_kept_s)
        await self._uploads.create_index([("partner", 1), ("key", 1), ("behind", 1)], unique=True)
        await self._uploads.create_index("begun_at", expireAfterSeconds=_DAY_S)
        await self.pairs.create_indexes()
        await self.exchanges.create_indexes()
        await self.scorecards.create_indexes()

    # ------------------------------------------------------------------------------------ postings

    async def posting(self, posting_id: str, session: Session | None = None) -> Posting | None:
        """One posting, whatever its status."""
        row = await self._postings.find_one({"_id": posting_id, "body": {"$exists": True}}, session=session)
        return None if row is None else Posting.model_validate(row["body"])

    async def postings(self, ids: Iterable[str], session: Session) -> dict[str, Posting]:
        """Those of these postings that there are, by id."""
        return (await self.taken(ids, session))[0]

    async def taken(
        self, ids: Iterable[str], session: Session
    ) -> tuple[dict[str, Posting], dict[str, Order], dict[str, int], set[str]]:
        """What partners' records made of these postings, by our id.

        Those that there are; the order of the newest record taken of each; the offset of the last record that named
        it; all of which anything is kept. Order and offset are kept also of a posting that was never there
        (`save_books`).
        """
        rows = await self._postings.find({"_id": {"$in": list(ids)}}, session=session).to_list(None)
        return (
            {row["_id"]: Posting.model_validate(row["body"]) for row in rows if "body" in row},
            {row["_id"]: Order(Basis(row["order"][0]), row["order"][1]) for row in rows if "order" in row},
            {row["_id"]: row["seen"] for row in rows if "seen" in row},
            {row["_id"] for row in rows},
        )

    async def page(
        self,
        *,
        status: PostingStatus,
        employer: str | None,
        partner: str | None,
        after: str,
        limit: int,
        everything: bool = True,
    ) -> list[Posting]:
        """At most `limit` postings of a status with ids above `after`, in the order of their ids.

        `everything`: also those of sandbox partners, and those that are merged into another posting.
        """
        query: Document = {"status": status.value, "_id": {"$gt": after}}
        if not everything:
            query["merged_into"] = None
        if employer is not None:
            query["employer_id"] = employer
        if partner is not None:
            query["partner"] = partner
        elif not everything:
            query["partner"] = {"$not": {"$regex": f"^{SANDBOX}"}}
        rows = self._postings.find(query).sort("_id", 1).limit(limit)
        return [Posting.model_validate(row["body"]) async for row in rows]

    async def due(self, now: datetime, limit: int, session: Session) -> list[Posting]:
        """At most `limit` open postings whose `valid_through` has passed, the longest past first."""
        query = {"status": PostingStatus.OPEN.value, "valid_through": {"$lte": now}}
        rows = self._postings.find(query, session=session).sort("valid_through", 1).limit(limit)
        return [Posting.model_validate(row["body"]) async for row in rows]

    async def unseen(self, partner: str, below: int, limit: int, session: Session) -> list[Posting]:
        """At most `limit` open postings of a partner that were last seen below this offset, or never."""
        query = {"partner": partner, "status": PostingStatus.OPEN.value, "seen": {"$not": {"$gte": below}}}
        rows = self._postings.find(query, session=session).hint(_BY_SEEN).sort("seen", 1).limit(limit)
        return [Posting.model_validate(row["body"]) async for row in rows]

    async def count_unseen(self, partner: str, above: int, below: int, session: Session) -> int:
        """Open postings of a partner that were last seen between these offsets: at or above, and below."""
        seen = {"$lt": below, "$gte": above} if above > NEVER else {"$not": {"$gte": below}}
        query = {"partner": partner, "status": PostingStatus.OPEN.value, "seen": seen}
        return await self._postings.count_documents(query, hint=_BY_SEEN, session=session)

    async def not_renewed(self, partner: str, since: datetime, limit: int, session: Session) -> list[Posting]:
        """At most `limit` open postings of a partner that no record named since then."""
        query = {"partner": partner, "status": PostingStatus.OPEN.value}
        # in the order in which they were seen: those behind the first that was seen since then were, too
        rows = self._postings.find(query, session=session).hint(_BY_SEEN).sort("seen", 1).limit(limit)
        found = []
        async for row in rows:
            posting = Posting.model_validate(row["body"])
            if row.get("seen_at", posting.changed_at) > since:
                break
            found.append(posting)
        return found

    async def unchanged(self, partner: str, since: datetime, limit: int, session: Session) -> list[Posting]:
        """At most `limit` open postings of a partner that have no end and have not changed since then."""
        query = {
            "partner": partner,
            "status": PostingStatus.OPEN.value,
            "valid_through": None,
            "changed_at": {"$lte": since},
        }
        rows = self._postings.find(query, session=session).hint(_BY_CHANGE).limit(limit)
        return [Posting.model_validate(row["body"]) async for row in rows]

    async def save_postings(self, postings: Iterable[Posting], session: Session) -> None:
        """Write each posting as it is now, new or known, in one round trip."""
        await self._write({posting.id: {"$set": _posting_row(posting)} for posting in postings}, session)

    async def save_books(self, books: Books, now: datetime, session: Session) -> None:
        """Write what a batch changed: a round trip for postings, and one for snapshots, if there are any.

        Raises DuplicateKey if another has written a posting meanwhile that was not there when the books were read.

        A rest is what of a partner's record has no place in the posting, as JSON. It lies in the posting's document,
        and goes with it. What only says that a posting was removed, or named, that was never there, is forgotten.
        """
        changes: dict[str, Document] = {posting_id: {} for posting_id in books.named}
        for posting_id in books.changed:
            changes[posting_id] = _posting_row(books.postings[posting_id])
        for posting_id, order in books.moved.items():
            changes[posting_id]["order"] = [order.basis.value, order.value]
        for posting_id, rest in books.rests.items():
            changes[posting_id]["rest"] = rest
        for posting_id, offset in books.named.items():
            changes[posting_id] |= {"seen": offset, "seen_at": now}
            if posting_id not in books.postings:
                changes[posting_id]["forget_at"] = now + self._removals_kept
        # the server plans each update by itself; what is new is inserted, all of it at half the price of one of these
        new = changes.keys() - books.there
        await self._write(
            {
                one: {"$set": row, "$unset": {"forget_at": ""}} if one in books.changed else {"$set": row}
                for one, row in changes.items()
                if one not in new
            },
            session,
            [changes[one] | {"_id": one} for one in changes if one in new],
        )
        await self.save_histories(books.judged, session)

    async def _write(self, changes: Mapping[str, Document], session: Session, new: Sequence[Document] = ()) -> None:
        writes: list[Write] = [InsertOne(row) for row in new]
        writes += [UpdateOne({"_id": one}, change, upsert=True) for one, change in changes.items()]
        if writes:
            try:
                await self._postings.bulk_write(writes, ordered=False, session=session)
            except BulkWriteError as error:
                if not only_duplicates(error):
                    raise
                message = "another has written a posting that was not there"
                raise DuplicateKey(message) from error

    # ----------------------------------------------------------------------------------- employers

    async def employer(self, employer_id: str, session: Session | None = None) -> Employer | None:
        """One employer."""
        row = await self._employers.find_one({"_id": employer_id}, session=session)
        return None if row is None else Employer.model_validate(row["body"])

    async def save_employer(self, employer: Employer, session: Session) -> None:
        """Write an employer as it is now, new or known."""
        row: Document = {"_id": employer.id, "body": employer.model_dump(mode="json")}
        await self._employers.replace_one({"_id": employer.id}, row, upsert=True, session=session)

    # ------------------------------------------------------------------------------------ partners

    async def partner(self, partner_id: str, session: Session | None = None) -> Partner | None:
        """One registered partner."""
        row = await self._partners.find_one({"_id": partner_id}, session=session)
        return None if row is None else Partner.model_validate(row["body"])

    async def partners(self) -> list[Partner]:
        """All registered partners, by id. A province has tens of them."""
        return [Partner.model_validate(row["body"]) async for row in self._partners.find().sort("_id", 1)]

    async def save_partner(self, partner: Partner, session: Session) -> None:
        """Write a partner as it is now, new or known."""
        row: Document = {"body": partner.model_dump(mode="json")}
        await self._partners.update_one({"_id": partner.id}, {"$set": row}, upsert=True, session=session)

    # ----------------------------------------------------------------------------------- snapshots

    async def histories(self, partner_ids: Iterable[str], session: Session | None = None) -> dict[str, History]:
        """The snapshots of those of these partners that are registered."""
        rows = self._partners.find({"_id": {"$in": list(partner_ids)}}, {"snapshots": 1}, session=session)
        return {row["_id"]: _history(row) async for row in rows}

    async def with_state(self, state: State) -> dict[str, History]:
        """The partners that have a snapshot in this state, and all their snapshots."""
        rows = self._partners.find({"snapshots.state": state.value}, {"snapshots": 1})
        return {row["_id"]: _history(row) async for row in rows}

    async def standings(self, histories: Mapping[str, History], session: Session) -> dict[str, Standing]:
        """How many open postings these partners have, in one round trip."""
        query = {"partner": {"$in": list(histories)}, "status": PostingStatus.OPEN.value}
        stays, unseen = [], []
        for partner, history in histories.items():
            here = {"$eq": ["$partner", partner]}
            open_one = {"$and": [here, {"$gte": [_SEEN, closing_below(history)]}]}
            stays.append(open_one)
            if snapshot := collecting(history):
                unseen.append({"$and": [open_one, {"$lt": [_SEEN, snapshot.begin]}]})
        count = {"_id": "$partner", "open": _number({"$or": stays}), "unseen": _number({"$or": unseen})}
        found = {partner: Standing() for partner in histories}
        cursor = await self._postings.aggregate(
            [{"$match": query}, {"$group": count}], hint=dict(_BY_SEEN), session=session
        )
        async for row in cursor:
            found[row["_id"]] = Standing(row["open"], row["unseen"])
        return found

    async def save_histories(self, histories: Mapping[str, History], session: Session) -> None:
        """Write the snapshots of registered partners, in one round trip."""
        writes: list[Write] = [
            UpdateOne({"_id": partner}, {"$set": {"snapshots": [one.model_dump() for one in history]}})
            for partner, history in histories.items()
        ]
        if writes:
            await self._partners.bulk_write(writes, ordered=False, session=session)

    # ------------------------------------------------------------------------------------ receipts

    async def add_receipts(self, receipts: Sequence[str], now: datetime, session: Session | None = None) -> None:
        """Keep these receipts, each as JSON, in one round trip; one that is kept already is the same, and stays."""
        rows: list[Document] = []
        for receipt in receipts:
            body = from_json(receipt)
            topic, _, offset = body["id"].split("/")
            rows.append(
                {
                    "_id": body["id"],
                    "partner": partner_of(topic),
                    "offset": int(offset),
                    "stored_at": now,
                    "body": body,
                }
            )
        if rows:
            try:
                await self._receipts.insert_many(rows, ordered=False, session=session)
            except BulkWriteError as error:
                if not only_duplicates(error):
                    raise

    async def receipts(self, partner: str, after: int, limit: int) -> list[Receipt]:
        """At most `limit` receipts of a partner for records above an offset, in the order of offsets."""
        rows = self._receipts.find({"partner": partner, "offset": {"$gt": after}}).sort("offset", 1).limit(limit)
        return [receipt_of(row) async for row in rows]

    # ------------------------------------------------------------------------------------- uploads

    async def upload_chunks(self, partner: str, key: str) -> list[Document]:
        """What an upload over HTTP has come to, in the order of its lines; each begins `behind` the one before."""
        rows = self._uploads.find({"partner": partner, "key": key}).sort("behind", 1)
        chunks: list[Document] = []
        async for row in rows:
            if row["behind"] != (chunks[-1]["last"] if chunks else 0):
                break  # older ones are being forgotten
            chunks.append(row)
        return chunks

    async def add_upload_chunk(self, chunk: Document) -> None:
        """Remember lines that are written, for a day from when the upload began.

        Raises DuplicateKey if lines behind the same one are remembered already.
        """
        await self._uploads.insert_one(chunk)


def _posting_row(posting: Posting) -> Document:
    """The posting whole, and beside it what it is looked up by."""
    return {
        "status": posting.status.value,
        "employer_id": posting.employer_id,
        "partner": posting.source.partner,
        "valid_through": posting.valid_through,
        "changed_at": posting.changed_at,
        "closed_at": posting.closed_at,
        "merged_into": posting.merged_into,
        "examined": None,
        "body": posting.model_dump(mode="json", exclude_defaults=True),
    }


def _history(row: Document) -> History:
    return tuple(Snapshot.model_validate(one) for one in row.get("snapshots", ()))


def _number(condition: Document) -> Document:
    """In a group: how many documents meet this."""
    return {"$sum": {"$cond": [condition, 1, 0]}}
