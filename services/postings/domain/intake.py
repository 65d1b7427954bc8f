"""What becomes of a partner's record: accepted, unchanged or stale."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from services.postings.domain.faults import Faults, fault
from services.postings.domain.posting import (
    cleaned,
    close,
    partner_employer_id,
    partner_posting_id,
    publish,
    reopen,
    revise,
)
from services.postings.domain.submission import Removal, Submission
from shared.contracts.partners import Outcome
from shared.contracts.postings import CloseReason, Posting, PostingSource

if TYPE_CHECKING:
    from datetime import datetime

    from services.postings.domain.ordering import Order


FIRST_YEAR: Final = 2000
LAST_YEAR: Final = 2100
"""The years of an `Instant`."""


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer to one record, and what holds after it."""

    outcome: Outcome
    order: Order
    """The order of the newest record so far; a stale record does not move it."""
    posting: Posting | None
    """None: the posting was removed before it was ever submitted."""
    faults: Faults = ()
    """Why a record counts as stale, where that is not plain from its order."""


def decide(
    partner: str, record: Submission | Removal, known: Order | None, posting: Posting | None, now: datetime
) -> Decision:
    """Take one record in.

    `known` is the order of the newest record taken so far (also a removal; None is the first), `posting` our
    posting as it stands. A version is made only when something differs, and then `outcome` is accepted.
    """
    if known is not None and record.order < known:
        foreign = record.order.basis is not known.basis
        return Decision(Outcome.STALE, known, posting, (fault("order_missing"),) if foreign else ())
    after = _removed(record, posting, now) if isinstance(record, Removal) else _submitted(partner, record, posting, now)
    outcome = Outcome.UNCHANGED if after is posting else Outcome.ACCEPTED
    return Decision(outcome, record.order, after)


def received(timestamp: datetime, now: datetime) -> datetime:
    """When a record came in: Kafka's time stamp, which a producer sets, or `now` where that is no time."""
    return timestamp if FIRST_YEAR <= timestamp.year <= LAST_YEAR else now


def _removed(record: Removal, posting: Posting | None, now: datetime) -> Posting | None:
    return posting and close(posting, CloseReason.REMOVED_BY_PARTNER, now, filled=record.filled)


def _submitted(partner: str, record: Submission, posting: Posting | None, now: datetime) -> Posting:
    """New, changed, or open again.

    What was filled, withdrawn or expired opens again only when the partner changes it; what the partner
    itself removed opens again when the partner submits it again.
    """
    terms = record.terms if record.linker is not None else cleaned(record.terms)
    employer = partner_employer_id(partner, record.employer_reference, terms.employer_name)
    if posting is None:
        return publish(
            terms,
            posting_id=partner_posting_id(partner, record.id),
            employer_id=employer,
            source=PostingSource(partner=partner, id=record.id, url=record.url, origin=record.origin),
            now=now,
            linker=record.linker,
        )
    source = posting.source.model_copy(update={"url": record.url, "origin": record.origin})
    after = revise(posting, terms, now, employer_id=employer, source=source, linker=record.linker)
    if after is posting and posting.close_reason is CloseReason.REMOVED_BY_PARTNER:
        return reopen(posting, now)
    return after
