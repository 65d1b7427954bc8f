"""Partners' records: a constant number of round trips for a batch, one receipt for each record."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import structlog

from services.postings.domain.books import Books, Control, Incoming, rejected
from services.postings.domain.faults import undecoded
from services.postings.domain.linked import ad, as_said, found_before, with_found
from services.postings.domain.posting import cleaned, partner_posting_id
from services.postings.domain.submission import Submission
from services.postings.store import Store
from services.postings.usecases.context import posting_rows, receipt_row
from shared import outbox
from shared.contracts.partners import PostingReceipt, SnapshotReceipt
from shared.errors import Rejected
from shared.mongo import after_commit

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Sequence
    from datetime import datetime

    from services.postings.domain.snapshots import Limits, Snapshot
    from shared.contracts.postings import PostingTerms
    from shared.linking.reader import Reader
    from shared.linking.reading import Found
    from shared.mongo import Document, Session

log = structlog.get_logger()

_RECEIPTS = {model.__name__ for model in (PostingReceipt, SnapshotReceipt)}


async def take(
    store: Store, reader: Reader, limits: Limits, session: Session, incoming: Sequence[Incoming], now: datetime
) -> dict[str, Rejected]:
    """Take records in, in the order given; what may not be taken at all, by record id.

    Every record gets a receipt, which is kept once it is published (`keep_receipts`). A record of a partner that is
    not registered is given back as Rejected; its receipt is kept at once and not published, for nobody reads it and
    its topic need not be there.
    """
    histories = await store.histories({record.partner for record in incoming}, session)
    ids = {record.posting_id for record in incoming if record.posting_id is not None}
    postings, orders, seen, there = await store.taken(ids, session)
    books = Books(postings, orders, seen, histories, limits, there)
    controls = {record.partner for record in incoming if isinstance(record.content, Control)}
    if controls := controls & histories.keys():
        books.count(await store.standings({partner: histories[partner] for partner in controls}, session))
    incoming = await _read(reader, books, incoming, histories)
    rows: list[Document] = []
    unknown: dict[str, Rejected] = {}
    unpublished: list[str] = []
    for record in incoming:
        if record.partner in histories:
            receipt, steps = books.take(record, now)
            rows += posting_rows(steps, record.traceparent)
            rows.append(receipt_row(record.partner, record.posting, receipt, record.traceparent))
        else:
            unknown[record.record_id] = Rejected(
                "this partner is not registered", code="unknown_partner", stage="TOPIC"
            )
            receipt = rejected(record, (undecoded(unknown[record.record_id]),))
            unpublished.append(receipt.model_dump_json(exclude_defaults=True))
    await store.save_books(books, now, session)
    await store.add_receipts(unpublished, now, session)
    await outbox.add(store.db, session, rows)
    for partner, snapshot in books.held:
        after_commit(session, partial(_tell_held, partner, snapshot))
    return unknown


def _tell_held(partner: str, snapshot: Snapshot) -> None:
    log.warning(
        "closures of a snapshot are held",
        partner=partner,
        **snapshot.model_dump(mode="json", include={"epoch", "count", "named", "open", "closes"}),
    )


async def _read(
    reader: Reader, books: Books, incoming: Sequence[Incoming], registered: Container[str]
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
    await store.add_receipts([row["payload"] for row in rows if row["type"] in _RECEIPTS], clock())
