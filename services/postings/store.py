"""The database of postings: employers, partners, postings with the order of what a partner sent last, receipts."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Final

from services.postings.domain.employer import Employer, Partner
from services.postings.domain.ordering import Basis, Order
from shared.contracts.partners import PostingReceipt
from shared.contracts.postings import Posting, PostingStatus
from shared.contracts.registry import partner_of
from shared.mongo import BulkWriteError, Collection, Database, Document, Session, UpdateOne, Write, only_duplicates

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

_DAY_S: Final = 86_400


class Store:
    """Reads and writes; every write belongs to a session's transaction."""

    def __init__(self, db: Database, *, receipts_kept_days: int = 30) -> None:
        self.db = db
        self._receipts_kept_s = receipts_kept_days * _DAY_S
        self._employers: Collection = db["employers"]
        self._partners: Collection = db["partners"]
        self._postings: Collection = db["postings"]
        self._receipts: Collection = db["receipts"]
        self._uploads: Collection = db["uploads"]
        self._registered: set[str] = set()
        """Partners that were found registered: nobody ever ceases to be."""

    async def create_indexes(self) -> None:
        """To be called before anything is read; harmless when they are there."""
        await self._postings.create_index([("status", 1), ("_id", 1)])
        await self._postings.create_index([("employer_id", 1), ("status", 1), ("_id", 1)])
        await self._postings.create_index([("partner", 1), ("status", 1), ("_id", 1)])
        await self._postings.create_index([("status", 1), ("valid_through", 1)])
        await self._receipts.create_index([("partner", 1), ("offset", 1)])
        await self._receipts.create_index("stored_at", expireAfterSeconds=self._receipts_kept_s)
        await self._uploads.create_index([("partner", 1), ("key", 1), ("behind", 1)], unique=True)
        await self._uploads.create_index("begun_at", expireAfterSeconds=_DAY_S)

    # ------------------------------------------------------------------------------------ postings

    async def posting(self, posting_id: str, session: Session | None = None) -> Posting | None:
        """One posting, whatever its status."""
        row = await self._postings.find_one({"_id": posting_id, "body": {"$exists": True}}, session=session)
        return None if row is None else Posting.model_validate(row["body"])

    async def postings(self, ids: Iterable[str], session: Session) -> dict[str, Posting]:
        """Those of these postings that there are, by id."""
        return (await self.with_orders(ids, session))[0]

    async def with_orders(self, ids: Iterable[str], session: Session) -> tuple[dict[str, Posting], dict[str, Order]]:
        """Those of these postings that there are, and the order of the newest record taken of each, by our id.

        The order is kept also after a removal, even of a posting that was never there.
        """
        rows = await self._postings.find({"_id": {"$in": list(ids)}}, session=session).to_list(None)
        return (
            {row["_id"]: Posting.model_validate(row["body"]) for row in rows if "body" in row},
            {row["_id"]: Order(Basis(row["order"][0]), row["order"][1]) for row in rows if "order" in row},
        )

    async def page(
        self, *, status: PostingStatus, employer: str | None, partner: str | None, after: str, limit: int
    ) -> list[Posting]:
        """At most `limit` postings of a status with ids above `after`, in the order of their ids."""
        query: Document = {"status": status.value, "_id": {"$gt": after}}
        if employer is not None:
            query["employer_id"] = employer
        if partner is not None:
            query["partner"] = partner
        rows = self._postings.find(query).sort("_id", 1).limit(limit)
        return [Posting.model_validate(row["body"]) async for row in rows]

    async def due(self, now: datetime, limit: int, session: Session) -> list[Posting]:
        """At most `limit` open postings whose `valid_through` has passed, the longest past first."""
        query = {"status": PostingStatus.OPEN.value, "valid_through": {"$lte": now}}
        rows = self._postings.find(query, session=session).sort("valid_through", 1).limit(limit)
        return [Posting.model_validate(row["body"]) async for row in rows]

    async def save_postings(
        self,
        postings: Iterable[Posting],
        session: Session,
        orders: Mapping[str, Order] | None = None,
        rests: Mapping[str, str | None] | None = None,
    ) -> None:
        """Write each posting as it is now, new or known, with these orders and rests by our posting id.

        One round trip. A rest is what of a partner's record has no place in the posting, as JSON. It lies in the
        posting's document, and goes with it.
        """
        changes: dict[str, Document] = {posting.id: _posting_row(posting) for posting in postings}
        for posting_id, order in (orders or {}).items():
            changes.setdefault(posting_id, {})["order"] = [order.basis.value, order.value]
        for posting_id, rest in (rests or {}).items():
            changes.setdefault(posting_id, {})["rest"] = rest
        writes: list[Write] = [UpdateOne({"_id": one}, {"$set": row}, upsert=True) for one, row in changes.items()]
        if writes:
            await self._postings.bulk_write(writes, ordered=False, session=session)

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

    async def registered(self, partner_ids: Iterable[str], session: Session) -> set[str]:
        """Those of these ids that are registered partners."""
        wanted = set(partner_ids)
        if unknown := wanted - self._registered:
            found = self._partners.find({"_id": {"$in": list(unknown)}}, {"_id": 1}, session=session)
            self._registered |= {str(row["_id"]) async for row in found}
        return wanted & self._registered

    async def save_partner(self, partner: Partner, session: Session) -> None:
        """Write a partner as it is now, new or known."""
        row: Document = {"_id": partner.id, "body": partner.model_dump(mode="json")}
        await self._partners.replace_one({"_id": partner.id}, row, upsert=True, session=session)

    # ------------------------------------------------------------------------------------ receipts

    async def add_receipts(
        self, receipts: Sequence[PostingReceipt], now: datetime, session: Session | None = None
    ) -> None:
        """Keep these receipts, in one round trip; one that is kept already is the same, and stays."""
        rows: list[Document] = [
            {
                "_id": receipt.id,
                "partner": partner_of(receipt.topic),
                "offset": receipt.offset,
                "stored_at": now,
                "body": receipt.model_dump(mode="json"),
            }
            for receipt in receipts
        ]
        if rows:
            try:
                await self._receipts.insert_many(rows, ordered=False, session=session)
            except BulkWriteError as error:
                if not only_duplicates(error):
                    raise

    async def receipts(self, partner: str, after: int, limit: int) -> list[PostingReceipt]:
        """At most `limit` receipts of a partner for records above an offset, in the order of offsets."""
        rows = self._receipts.find({"partner": partner, "offset": {"$gt": after}}).sort("offset", 1).limit(limit)
        return [PostingReceipt.model_validate(row["body"]) async for row in rows]

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
        "body": posting.model_dump(mode="json", exclude_defaults=True),
    }
