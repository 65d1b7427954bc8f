"""What every use case works with, and who may do what."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from services.postings.domain.posting import step
from services.postings.domain.sources import is_sandbox
from shared import outbox
from shared.contracts.envelope import TOMBSTONE
from shared.contracts.postings import PostingStatus
from shared.contracts.registry import PARTNER_RECEIPTS, POSTINGS
from shared.http import Problem, forbidden, not_found

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Sequence
    from datetime import datetime

    from services.postings.domain.books import Step
    from services.postings.domain.employer import Partner
    from services.postings.store import Store
    from shared.auth import Principal
    from shared.broker import Outgoing
    from shared.contracts.partners import DailyCounts, MergeReceipt, Receipt
    from shared.contracts.postings import Posting
    from shared.linking.reader import Reader
    from shared.mongo import Document, Mongo, Session

SOURCE: Final = "urn:service:postings"
"""The `ce_source` of every event of this service."""

LAST_VERSION: Final = 2**31 - 1
"""The version of a tombstone for an id that was never ours: nothing is newer."""


@dataclass(frozen=True, slots=True)
class Context:
    """The outer world of the use cases, made by `app.py`."""

    mongo: Mongo
    store: Store
    now: Callable[[], datetime]
    """The time, aware."""
    wake_relay: Callable[[], Awaitable[None]]
    """To be called after a transaction that emitted something."""
    reader: Reader
    """Reads titles and descriptions."""
    create_partner_topics: Callable[[str], Awaitable[None]]
    """Makes a partner's topics if they are absent. Raises Unavailable."""
    write: Callable[[Sequence[Outgoing]], Awaitable[Sequence[int]]]
    """Writes partners' records into their own topics, and nothing else; gives back their offsets. Raises Unavailable.
    """
    waiting: Callable[[str], Awaitable[int]]
    """How many records of a partner's topic are not answered yet. Raises Unavailable."""
    check_url: Callable[[str], None]
    """Raises FetchError for an address that nothing may be fetched from."""
    exchange_name: str = ""
    """What this deployment is called by those with which it exchanges postings."""


def posting_row(before: Posting | None, after: Posting, traceparent: str | None = None) -> Document:
    """The outbox row that tells of a posting's step from one version to the next."""
    return _row(after.id, step(before, after).__name__, after, after.version, traceparent)


def posting_rows(steps: Iterable[Step], traceparent: str | None = None) -> list[Document]:
    """The outbox rows that tell of these steps. Of what a sandbox partner has, nothing is told."""
    return [posting_row(before, after, traceparent) for before, after in steps if not is_sandbox(after.source.partner)]


async def restate(ids: Sequence[str], session: Session, *, store: Store) -> Sequence[Document]:
    """Rows with the version of each posting that holds now, for a topic where an old one stands last.

    What such a row is called matters little: whoever has that version ignores it. An id that is not ours,
    or a sandbox partner's, gets a tombstone.
    """
    known = await store.postings(ids, session)
    rows = []
    for posting_id in ids:
        posting = known.get(posting_id)
        if posting is None or is_sandbox(posting.source.partner):
            rows.append(_row(posting_id, TOMBSTONE, None, LAST_VERSION))
        else:
            name = step(posting if posting.version > 1 else None, posting).__name__
            rows.append(_row(posting_id, name, posting, posting.version))
    return rows


def _row(posting_id: str, name: str, body: Posting | None, version: int, traceparent: str | None = None) -> Document:
    return outbox.outbox_row(
        channel_topic=POSTINGS,
        key=posting_id,
        event_type=name,
        body=body,  # an event is the whole posting under the name of what happened
        version=version,
        source=SOURCE,
        traceparent=traceparent,
    )


def receipt_row(
    partner: str, key: str | None, receipt: Receipt | MergeReceipt | DailyCounts, traceparent: str | None = None
) -> Document:
    """The outbox row that tells a partner this. `key`: its own posting id, if it is known."""
    return outbox.outbox_row(
        channel_topic=PARTNER_RECEIPTS,
        topic=PARTNER_RECEIPTS.format(partner=partner),
        key=key or "",
        event_type=type(receipt).__name__,
        body=receipt,
        version=None,
        source=SOURCE,
        event_id=receipt.id,
        traceparent=traceparent,
    )


def must_be_own(caller: Principal, partner_id: str) -> None:
    """For the partner itself and for operators. Raises Problem 404 for others, who need not know that it is there."""
    if caller.role != "operator" and caller.partner != partner_id:
        raise not_found()


async def own_partner(context: Context, caller: Principal, partner_id: str) -> Partner:
    """The same, and the partner. Raises Problem 404 also if it is not registered."""
    must_be_own(caller, partner_id)
    partner = await context.store.partner(partner_id)
    if partner is None:
        raise not_found()
    return partner


def own_employer(caller: Principal, employer_id: str | None) -> str:
    """The employer for whom the caller acts: an employer for itself, an operator for the one that it names.

    Raises Problem 403, or 422 when an operator names none.
    """
    if caller.role == "employer" and caller.employer and employer_id in {None, caller.employer}:
        return caller.employer
    if caller.role != "operator":
        raise forbidden()
    if employer_id is None:
        en, zh = "Name the employer.", "请指明用人单位。"
        raise Problem(422, "missing", en, zh, "/employer_id")
    return employer_id


def may_change(caller: Principal, posting: Posting) -> bool:
    """True for the posting's employer and for operators."""
    return caller.role == "operator" or (caller.employer is not None and caller.employer == posting.employer_id)


def is_public(posting: Posting) -> bool:
    """True for what everybody may read: open, and no sandbox partner's."""
    return posting.status is PostingStatus.OPEN and not is_sandbox(posting.source.partner)


def may_see_closed(caller: Principal, posting: Posting) -> bool:
    """True for whom a posting that is not open any more still concerns: owner, source and operators."""
    from_here = caller.partner is not None and caller.partner == posting.source.partner
    return from_here or may_change(caller, posting)
