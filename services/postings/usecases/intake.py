"""Partners' records: a constant number of round trips for a batch, one receipt for each record."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from services.postings.domain.faults import Faults, undecoded
from services.postings.domain.intake import decide
from services.postings.domain.linked import ad, as_said, found_before, with_found
from services.postings.domain.posting import cleaned, partner_posting_id
from services.postings.domain.submission import Removal, Submission
from services.postings.store import Store
from services.postings.usecases.context import SOURCE, posting_row
from shared import outbox
from shared.contracts.partners import Outcome, PostingReceipt
from shared.contracts.registry import PARTNER_RECEIPTS
from shared.errors import Rejected

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Sequence
    from datetime import datetime

    from services.postings.domain.ordering import Order
    from shared.contracts.postings import Posting, PostingTerms
    from shared.linking.reader import Reader
    from shared.linking.reading import Found
    from shared.mongo import Document, Session


@dataclass(frozen=True, slots=True)
class Incoming:
    """One record of a partner, as far as it could be read."""

    record_id: str
    """`topic/partition/offset`."""
    partner: str
    offset: int
    posting: str | None
    """The partner's posting id, as far as known."""
    content: Submission | Removal | Faults
    received_at: datetime
    traceparent: str | None = None


@dataclass(slots=True)
class _Books:
    """Everything that a batch reads and writes, kept in memory between its records."""

    postings: dict[str, Posting]
    orders: dict[str, Order]
    changed: set[str] = field(default_factory=set)
    moved: dict[str, Order] = field(default_factory=dict)
    rests: dict[str, str | None] = field(default_factory=dict)
    """What of the newest submissions has no place in a posting, by our posting id."""
    rows: list[Document] = field(default_factory=list)


async def take(
    store: Store, reader: Reader, session: Session, incoming: Sequence[Incoming], now: datetime
) -> dict[str, Rejected]:
    """Take records in, in the order given; what may not be taken at all, by record id.

    Every record gets a receipt, which is kept once it is published (`keep_receipts`). A record of a partner that is
    not registered is given back as Rejected; its receipt is kept at once and not published, for nobody reads it and
    its topic need not be there.
    """
    registered = await store.registered({record.partner for record in incoming}, session)
    ids = {
        partner_posting_id(record.partner, record.content.id)
        for record in incoming
        if not isinstance(record.content, tuple)
    }
    books = _Books(*await store.with_orders(ids, session))
    incoming = await _read(reader, books, incoming, registered)
    unknown: dict[str, Rejected] = {}
    unpublished: list[PostingReceipt] = []
    for record in incoming:
        if record.partner in registered:
            books.rows.append(_receipt_row(record, _take_one(books, record, now)))
        else:
            unknown[record.record_id] = Rejected(
                "this partner is not registered", code="unknown_partner", stage="TOPIC"
            )
            unpublished.append(_rejected(record, (undecoded(unknown[record.record_id]),)))
    await store.save_postings(
        [books.postings[changed] for changed in sorted(books.changed)], session, books.moved, books.rests
    )
    await store.add_receipts(unpublished, now, session)
    await outbox.add(store.db, session, books.rows)
    return unknown


async def _read(
    reader: Reader, books: _Books, incoming: Sequence[Incoming], registered: Container[str]
) -> list[Incoming]:
    """The records with what their words name; words that are those of the version before are not read again."""
    said: dict[str, PostingTerms] = {}
    found: dict[str, Found] = {}
    for record in incoming:
        if isinstance(record.content, Submission) and record.partner in registered:
            terms = said[record.record_id] = as_said(cleaned(record.content.terms))
            before = books.postings.get(partner_posting_id(record.partner, record.content.id))
            if (known := found_before(terms, before, reader.version)) is not None:
                found[record.record_id] = known
    new = [record for record in said if record not in found]
    found |= zip(new, await reader.ads([ad(said[record]) for record in new]), strict=True)

    def linked(record: Incoming) -> Incoming:
        if record.record_id not in said or not isinstance(record.content, Submission):
            return record
        terms = with_found(said[record.record_id], found[record.record_id])
        return replace(record, content=replace(record.content, terms=terms, linker=reader.version))

    return [linked(record) for record in incoming]


async def keep_receipts(store: Store, clock: Callable[[], datetime], rows: Sequence[Document]) -> None:
    """Keep the receipts among these rows of the outbox, which are published: no event waits for it."""
    receipts = [
        PostingReceipt.model_validate_json(row["payload"]) for row in rows if row["type"] == PostingReceipt.__name__
    ]
    await store.add_receipts(receipts, clock())


def _take_one(books: _Books, record: Incoming, now: datetime) -> PostingReceipt:
    if isinstance(record.content, tuple):
        return _rejected(record, record.content)
    posting_id = partner_posting_id(record.partner, record.content.id)
    before = books.postings.get(posting_id)
    decision = decide(record.partner, record.content, books.orders.get(posting_id), before, now)
    books.orders[posting_id] = decision.order
    if decision.outcome is not Outcome.STALE:
        books.moved[posting_id] = decision.order
        if isinstance(record.content, Submission):
            books.rests[posting_id] = record.content.rest
    if decision.outcome is Outcome.ACCEPTED and decision.posting is not None:
        books.postings[posting_id] = decision.posting
        books.changed.add(posting_id)
        books.rows.append(posting_row(before, decision.posting, record.traceparent))
    after = decision.posting
    taken = record.content if isinstance(record.content, Submission) else None
    notes, unmapped = (taken.notes, taken.unmapped) if taken else ((), ())
    return PostingReceipt(
        id=record.record_id,
        partner_posting_id=record.posting,
        outcome=decision.outcome,
        posting_id=after and after.id,
        version=after and after.version,
        faults=decision.faults,
        notes=notes,
        unmapped=unmapped,
        received_at=record.received_at,
    )


def _rejected(record: Incoming, faults: Faults) -> PostingReceipt:
    return PostingReceipt(
        id=record.record_id,
        partner_posting_id=record.posting,
        outcome=Outcome.REJECTED,
        faults=faults,
        received_at=record.received_at,
    )


def _receipt_row(record: Incoming, receipt: PostingReceipt) -> Document:
    return outbox.outbox_row(
        channel_topic=PARTNER_RECEIPTS,
        topic=PARTNER_RECEIPTS.format(partner=record.partner),
        key=record.posting or "",
        event_type=PostingReceipt.__name__,
        body=receipt,
        version=None,
        source=SOURCE,
        event_id=receipt.id,
        traceparent=record.traceparent,
    )
