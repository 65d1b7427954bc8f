"""Events in: partners' records."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from services.postings.domain.faults import Faults, undecoded
from services.postings.domain.intake import received
from services.postings.domain.jobtech import read as read_jobtech
from services.postings.domain.submission import Removal, Submission, read_removed, read_submitted
from services.postings.usecases.intake import Incoming, take
from shared.contracts.partners import JobTechAdPublished, PartnerPostingRemoved, PartnerPostingSubmitted
from shared.contracts.registry import partner_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from services.postings.store import Store
    from shared.consuming import Batch, Event, Record
    from shared.errors import Rejected
    from shared.linking.reader import Reader
    from shared.mongo import Session

_MAX_ID: Final = 256


async def partner_records(
    batch: Batch, session: Session, *, store: Store, reader: Reader, clock: Callable[[], datetime]
) -> Sequence[tuple[Record, Rejected]]:
    """A batch of partners' records, decoded or not; gives back those that nobody may send."""
    now = clock()
    records = {record.id: record for record in batch.records}
    incoming = [_decoded(event, now) for event in batch.events]
    incoming += [_undecoded(record, reason, now) for record, reason in batch.undecodable]
    incoming.sort(key=lambda one: (one.partner, one.offset))
    refused = await take(store, reader, session, incoming, now)
    return [(records[record_id], reason) for record_id, reason in refused.items()]


def _decoded(event: Event, now: datetime) -> Incoming:
    content: Submission | Removal | Faults
    match event.model:
        case JobTechAdPublished() as model:
            posting, content = model.id, read_jobtech(model)
        case PartnerPostingSubmitted() as model:
            posting, content = model.id, read_submitted(model)
        case PartnerPostingRemoved() as model:
            posting, content = model.id, read_removed(model)
        case _:
            message = f"{event.type} is no event of a partner's topic"
            raise TypeError(message)
    return _incoming(event.record, posting, content, now, event.traceparent)


def _undecoded(record: Record, reason: Rejected, now: datetime) -> Incoming:
    return _incoming(record, _posting_id(record), (undecoded(reason),), now)


def _incoming(
    record: Record,
    posting: str | None,
    content: Submission | Removal | Faults,
    now: datetime,
    traceparent: str | None = None,
) -> Incoming:
    return Incoming(
        record_id=record.id,
        partner=partner_of(record.topic),
        offset=record.offset,
        posting=posting,
        content=content,
        received_at=received(record.timestamp, now),
        traceparent=traceparent,
    )


def _posting_id(record: Record) -> str | None:
    """The partner's posting id in a record that could not be decoded: from the body, else from the key."""
    try:
        body: object = json.loads(record.value or b"")
    except (ValueError, RecursionError):
        body = None
    named = body.get("id") if isinstance(body, dict) else None
    if isinstance(named, str) and 1 <= len(named) <= _MAX_ID and named.isprintable():
        return named
    key = (record.key or b"").decode(errors="replace")
    return key[:_MAX_ID] or None
