"""How a partner's feed stands: what waits, what became of its records, why, and how far its last snapshot is off."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

from services.postings.domain.days import Day
from services.postings.domain.employer import PartnerState
from services.postings.domain.pulling import PullStatus
from services.postings.domain.snapshots import Snapshot, State
from shared.contracts.common import Instant, Texts
from shared.contracts.partners import DailyCounts, Outcome

if TYPE_CHECKING:
    from collections.abc import Sequence

    from services.postings.domain.employer import Partner
    from services.postings.domain.snapshots import History


class _Told(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True, use_attribute_docstrings=True)


class Reason(_Told):
    """A fault that records had, and the newest of them as an example."""

    code: str
    records: int
    example: str
    """`topic/partition/offset` of that record."""
    pointer: str
    """Where in it, as a JSON pointer; empty: the record as a whole."""
    reason: Texts
    """What is wrong and how to mend it."""


class Drift(_Told):
    """The last snapshot that has ended, and how far what is open is from it."""

    epoch: int
    state: State
    begun_at: Instant
    named: int
    """Different postings that it named."""
    open_now: int
    """Postings of the partner that are open now; not the same number where records came since, or were rejected."""


class Scorecard(_Told):
    """A partner's feed at a moment, over the days of which receipts are kept."""

    partner: str
    name: str
    state: PartnerState
    sandbox: bool
    at: Instant
    waiting: int | None
    """Records on its topic that are not answered yet; null while Kafka is away."""
    answered_at: Instant | None
    """When the newest record that is answered came to Kafka; null if there is none."""
    records: int
    """How many were answered, but for snapshots' begins and ends."""
    accepted_share: float | None
    """Of these; null if there are none, like the next ones."""
    rejected_share: float | None
    unchanged_share: float | None
    """Sent again with nothing new."""
    reasons: list[Reason]
    """The most frequent faults, the most frequent first."""
    drift: Drift | None
    """Null where no snapshot has ended."""
    days: list[Day]
    """The newest first."""
    became: list[DailyCounts] = []
    """What became of its postings, the newest day first."""
    pull: PullStatus | None = None
    """Null where no feed is fetched."""


def scorecard(  # noqa: PLR0913 - one source each
    partner: Partner,
    at: Instant,
    *,
    waiting: int | None,
    answered_at: Instant | None,
    days: Sequence[Day],
    reasons: Sequence[Reason],
    history: History,
    open_now: int,
    became: Sequence[DailyCounts] = (),
    pull: PullStatus | None = None,
) -> Scorecard:
    """All of it in one."""
    records = sum(sum(day.outcomes.values()) for day in days)

    def share(outcome: Outcome) -> float | None:
        return round(sum(day.outcomes.get(outcome, 0) for day in days) / records, 4) if records else None

    ended = max((one for one in history if one.ended_at is not None), key=lambda one: one.epoch, default=None)
    return Scorecard(
        partner=partner.id,
        name=partner.name,
        state=partner.state,
        sandbox=partner.sandbox,
        at=at,
        waiting=waiting,
        answered_at=answered_at,
        records=records,
        accepted_share=share(Outcome.ACCEPTED),
        rejected_share=share(Outcome.REJECTED),
        unchanged_share=share(Outcome.UNCHANGED),
        reasons=list(reasons),
        drift=None if ended is None else _drift(ended, open_now),
        days=list(days),
        became=list(became),
        pull=pull,
    )


def _drift(ended: Snapshot, open_now: int) -> Drift:
    return Drift(epoch=ended.epoch, state=ended.state, begun_at=ended.begun_at, named=ended.named, open_now=open_now)
