"""A batch of partners' records, one after the other, on what was known before: no database, no clock."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from services.postings.domain import snapshots
from services.postings.domain.intake import decide
from services.postings.domain.posting import close, partner_posting_id
from services.postings.domain.snapshots import NEVER, Judgement, closing_below, collecting
from services.postings.domain.submission import Removal, Submission
from shared.contracts.partners import (
    Outcome,
    PartnerSnapshotBegun,
    PartnerSnapshotEnded,
    PostingReceipt,
    Receipt,
    SnapshotReceipt,
)
from shared.contracts.postings import CloseReason, Posting, PostingStatus

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from services.postings.domain.faults import Faults
    from services.postings.domain.ordering import Order
    from services.postings.domain.snapshots import History, Limits

Control = PartnerSnapshotBegun | PartnerSnapshotEnded


@dataclass(frozen=True, slots=True)
class Incoming:
    """One record of a partner, as far as it could be read."""

    record_id: str
    """`topic/partition/offset`."""
    partner: str
    offset: int
    posting: str | None
    """The partner's posting id, as far as known."""
    content: Submission | Removal | Control | Faults
    received_at: datetime
    traceparent: str | None = None

    @property
    def posting_id(self) -> str | None:
        """Our id of the posting that it names, also where it is rejected."""
        named = self.content.id if isinstance(self.content, Submission | Removal) else self.posting
        return None if named is None else partner_posting_id(self.partner, named)


@dataclass(slots=True)
class Standing:
    """How many open postings a partner has that no closing snapshot will close."""

    open: int = 0
    unseen: int = 0
    """Of these, those that were not seen since the begin of the snapshot that is being sent."""


Step = tuple[Posting | None, Posting]
"""A posting before and after an event."""


@dataclass(slots=True)
class Books:
    """Everything that a batch reads and writes, kept in memory between its records. Keys are our posting ids."""

    postings: dict[str, Posting]
    orders: dict[str, Order]
    seen: dict[str, int]
    """The offset of the last record that named each posting, whatever became of it."""
    histories: dict[str, History]
    """The snapshots of each registered partner."""
    limits: Limits
    there: set[str] = field(default_factory=set)
    """Of which anything was kept before."""
    standings: dict[str, Standing] = field(default_factory=dict)
    """Of each partner that begins or ends a snapshot here; postings that are in these books are not counted."""
    changed: set[str] = field(default_factory=set)
    moved: dict[str, Order] = field(default_factory=dict)
    rests: dict[str, str | None] = field(default_factory=dict)
    """What of the newest submissions has no place in a posting."""
    named: dict[str, int] = field(default_factory=dict)
    """What of `seen` is new."""
    judged: dict[str, History] = field(default_factory=dict)
    """What of `histories` is new."""
    held: list[tuple[str, snapshots.Snapshot]] = field(default_factory=list)
    """Partners and their snapshots that are held from now on."""

    def count(self, standings: Mapping[str, Standing]) -> None:
        """Take in how many postings stand open at partners, before the first record."""
        for partner, all_of_it in standings.items():
            mine = self._standing(partner)
            self.standings[partner] = Standing(all_of_it.open - mine.open, all_of_it.unseen - mine.unseen)

    def take(self, record: Incoming, now: datetime) -> tuple[Receipt, list[Step]]:
        """The answer to a registered partner's record, and the events that it causes, in their order."""
        if isinstance(record.content, Control):
            return self._control(record, record.content, now), []
        steps: list[Step] = []
        posting_id = record.posting_id
        if posting_id is not None:
            self._close_unseen(record.partner, posting_id, steps, now)
        self._see(record, posting_id)
        if isinstance(record.content, tuple):
            return rejected(record, record.content), steps
        return self._decide(record, record.content, steps, now), steps

    def _close_unseen(self, partner: str, posting_id: str, steps: list[Step], now: datetime) -> None:
        """What a snapshot closes and the job has not come to yet is closed before anything else becomes of it."""
        before = self.postings.get(posting_id)
        unseen = self.seen.get(posting_id, NEVER) < closing_below(self.histories[partner])
        if before is not None and before.status is PostingStatus.OPEN and unseen:
            self._step(before, close(before, CloseReason.REMOVED_BY_PARTNER, now), steps)

    def _see(self, record: Incoming, posting_id: str | None) -> None:
        snapshot = collecting(self.histories[record.partner])
        if snapshot is not None and (posting_id is None or self.seen.get(posting_id, NEVER) < snapshot.begin):
            self._judge(record.partner, snapshots.with_named(self.histories[record.partner], 1))
        if posting_id is not None:
            self.seen[posting_id] = self.named[posting_id] = record.offset

    def _decide(
        self, record: Incoming, content: Submission | Removal, steps: list[Step], now: datetime
    ) -> PostingReceipt:
        posting_id = partner_posting_id(record.partner, content.id)
        before = self.postings.get(posting_id)
        decision = decide(record.partner, content, self.orders.get(posting_id), before, now)
        self.orders[posting_id] = decision.order
        taken = content if isinstance(content, Submission) else None
        if decision.outcome is not Outcome.STALE:
            self.moved[posting_id] = decision.order
            if taken:
                self.rests[posting_id] = taken.rest
        after = decision.posting
        if decision.outcome is Outcome.ACCEPTED and after is not None:
            self._step(before, after, steps)
        return PostingReceipt(
            id=record.record_id,
            partner_posting_id=record.posting,
            outcome=decision.outcome,
            posting_id=after and after.id,
            version=after and after.version,
            faults=decision.faults,
            notes=taken.notes if taken else (),
            unmapped=taken.unmapped if taken else (),
            received_at=record.received_at,
        )

    def _step(self, before: Posting | None, after: Posting, steps: list[Step]) -> None:
        self.postings[after.id] = after
        self.changed.add(after.id)
        steps.append((before, after))

    # ----------------------------------------------------------------------------------- snapshots

    def _control(self, record: Incoming, content: Control, now: datetime) -> SnapshotReceipt:
        partner = record.partner
        history, others, mine = self.histories[partner], self.standings[partner], self._standing(partner)
        if isinstance(content, PartnerSnapshotBegun):
            judged = snapshots.begin(history, content, record.offset, others.open + mine.open, now)
            if judged.history is not history:
                others.unseen = others.open
        else:
            judged = snapshots.end(history, content, others.unseen + mine.unseen, self.limits, now)
            if closing_below(judged.history) != closing_below(history):
                others.open, others.unseen = others.open - others.unseen, 0
        if judged.history is not history:
            self._judge(partner, judged.history)
            if judged.snapshot is not None and judged.snapshot.state is snapshots.State.HELD:
                self.held.append((partner, judged.snapshot))
        return _snapshot_receipt(record, content, judged)

    def _judge(self, partner: str, history: History) -> None:
        self.histories[partner] = self.judged[partner] = history

    def _standing(self, partner: str) -> Standing:
        """Of the postings that are in these books."""
        history = self.histories[partner]
        below, snapshot = closing_below(history), collecting(history)
        seen = [
            self.seen.get(posting_id, NEVER)
            for posting_id, posting in self.postings.items()
            if posting.source.partner == partner and posting.status is PostingStatus.OPEN
        ]
        stays = [offset for offset in seen if offset >= below]
        return Standing(len(stays), sum(offset < snapshot.begin for offset in stays) if snapshot else 0)


def rejected(record: Incoming, faults: Faults) -> PostingReceipt:
    """The answer to a record that is not taken."""
    return PostingReceipt(
        id=record.record_id,
        partner_posting_id=record.posting,
        outcome=Outcome.REJECTED,
        faults=faults,
        received_at=record.received_at,
    )


def _snapshot_receipt(record: Incoming, content: Control, judged: Judgement) -> SnapshotReceipt:
    meant = judged.snapshot
    return SnapshotReceipt(
        id=record.record_id,
        epoch=content.epoch,
        outcome=judged.outcome,
        count=meant and meant.count,
        named=meant and meant.named,
        closes=meant and meant.closes,
        faults=judged.faults,
        received_at=record.received_at,
    )
