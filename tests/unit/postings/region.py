"""A partner region that sends snapshots, as the code takes it, and as it should be, one record at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from services.postings.domain.books import Books, Incoming, Standing
from services.postings.domain.faults import fault
from services.postings.domain.ordering import Order
from services.postings.domain.posting import close
from services.postings.domain.snapshots import (
    NEVER,
    History,
    Limits,
    all_closed,
    closing_below,
    collecting,
    released,
)
from services.postings.domain.submission import Removal, Submission
from shared.contracts.partners import PartnerSnapshotBegun, PartnerSnapshotEnded, Receipt
from shared.contracts.postings import CloseReason, Posting
from tests.unit.postings.examples import NOW, at, terms

PARTNER = "north"


# ------------------------------------------------------------------------------------------ records


@dataclass(frozen=True)
class Begin:
    epoch: int
    count: int


@dataclass(frozen=True)
class End:
    epoch: int


@dataclass(frozen=True)
class Submit:
    id: str
    sequence: int
    title: str = "A"


@dataclass(frozen=True)
class Remove:
    id: str
    sequence: int


@dataclass(frozen=True)
class Reject:
    id: str | None


@dataclass(frozen=True)
class Job:
    """Not a record: the closing job takes a chunk."""

    chunk: int


@dataclass(frozen=True)
class Cut:
    """Not a record: a batch ends here, and is saved."""


@dataclass(frozen=True)
class Release:
    """Not a record: an operator says yes."""

    epoch: int


Happening = Begin | End | Submit | Remove | Reject | Job | Cut | Release


# ------------------------------------------------------------------- the code, on a database of dicts


@dataclass
class Region:
    """A partner's postings as the service keeps them, with the batches, jobs and operators that change them."""

    limits: Limits
    postings: dict[str, Posting] = field(default_factory=dict)
    orders: dict[str, Order] = field(default_factory=dict)
    seen: dict[str, int] = field(default_factory=dict)
    history: History = ()
    receipts: list[Receipt] = field(default_factory=list)
    offset: int = 0
    versions: dict[str, list[int]] = field(default_factory=dict)

    def run(self, happenings: Sequence[Happening]) -> None:
        batch: list[Incoming] = []
        for one in happenings:
            if isinstance(one, Cut | Job | Release):
                self.take(batch)
                batch = []
            if isinstance(one, Job):
                self.close_chunk(one.chunk)
            elif isinstance(one, Release):
                unseen = sum(
                    len(self.unseen(s.begin)) - len(self.unseen(closing_below(self.history)))
                    for s in self.history
                    if s.epoch == one.epoch
                )
                self.history = released(self.history, one.epoch, unseen, "op", NOW) or self.history
            elif not isinstance(one, Cut):
                batch.append(incoming(one, self.offset))
                self.offset += 1
        self.take(batch)
        while self.close_chunk(3) == 3:
            pass

    def take(self, batch: Sequence[Incoming]) -> None:
        ids = {record.posting_id for record in batch if record.posting_id}
        books = Books(
            {one: self.postings[one] for one in ids if one in self.postings},
            {one: self.orders[one] for one in ids if one in self.orders},
            {one: self.seen[one] for one in ids if one in self.seen},
            {PARTNER: self.history},
            self.limits,
        )
        below, snapshot = closing_below(self.history), collecting(self.history)
        pending = self.unseen(below)
        books.count(
            {
                PARTNER: Standing(
                    sum(posting.status == "open" for posting in self.postings.values()) - len(pending),
                    len(set(self.unseen(snapshot.begin)) - set(pending)) if snapshot else 0,
                )
            }
        )
        for record in batch:
            receipt, steps = books.take(record, NOW)
            self.receipts.append(receipt)
            for _, after in steps:
                self.versions.setdefault(after.id, []).append(after.version)
        assert books.changed <= books.named.keys(), "what is not named is not changed"
        self.postings |= {one: books.postings[one] for one in books.changed}
        self.orders |= books.moved
        self.seen |= books.named
        self.history = books.judged.get(PARTNER, self.history)

    def unseen(self, below: int) -> list[str]:
        return [
            one
            for one, posting in self.postings.items()
            if posting.status == "open" and self.seen.get(one, NEVER) < below
        ]

    def close_chunk(self, chunk: int) -> int:
        found = self.unseen(closing_below(self.history))[:chunk]
        for one in found:
            self.postings[one] = close(self.postings[one], CloseReason.REMOVED_BY_PARTNER, NOW)
            self.versions.setdefault(one, []).append(self.postings[one].version)
        if len(found) < chunk:
            self.history = all_closed(self.history)
        return len(found)

    @property
    def open(self) -> dict[str, str]:
        return {one.source.id or "": one.title["en"] for one in self.postings.values() if one.status == "open"}


def incoming(one: Happening, offset: int) -> Incoming:
    match one:
        case Begin(epoch, count):
            return record(offset, None, PartnerSnapshotBegun(epoch=epoch, count=count))
        case End(epoch):
            return record(offset, None, PartnerSnapshotEnded(epoch=epoch))
        case Submit(named, sequence, title):
            return record(offset, named, Submission(named, at(sequence), terms(title)))
        case Remove(named, sequence):
            return record(offset, named, Removal(named, at(sequence)))
        case Reject(id_or_none):
            return record(offset, id_or_none, (fault("too_deep"),))
    raise AssertionError(one)


def record(offset: int, named: str | None, content: object) -> Incoming:
    return Incoming(f"partner.{PARTNER}.postings.v1/0/{offset}", PARTNER, offset, named, content, NOW)  # type: ignore[arg-type]


# ------------------------------------------------------------- what should be, one record at a time


@dataclass
class Row:
    sequence: int = -1
    title: str | None = None
    open: bool = False
    version: int = 0
    seen: int = -1


@dataclass
class Said:
    """The same without batches, books or chunks: a snapshot closes all that it closes at its end, at once."""

    limits: Limits
    rows: dict[str, Row] = field(default_factory=dict)
    outcomes: list[str] = field(default_factory=list)
    epoch: int = -1
    state: str = "none"
    start: int = 0
    count: int = 0
    named: int = 0
    stood: int = 0
    clock: int = 0

    def run(self, happenings: Sequence[Happening]) -> None:
        for one in happenings:
            match one:
                case Release(epoch):
                    if epoch == self.epoch and self.state == "held":
                        self.close_unseen()
                case Job() | Cut():
                    pass
                case _:
                    self.outcomes.append(self.take(one))
                    self.clock += 1

    def take(self, one: Happening) -> str:
        match one:
            case Begin(epoch, count):
                return self.begin(epoch, count)
            case End(epoch):
                return self.end(epoch)
            case Reject(named):
                self.see(named)
                return "rejected"
            case Submit(named, sequence, _) | Remove(named, sequence):
                row = self.see(named)
                if sequence < row.sequence:
                    return "stale"
                row.sequence = sequence
                return self.submit(row, one.title) if isinstance(one, Submit) else self.remove(row)
        raise AssertionError(one)

    def see(self, named: str | None) -> Row:
        row = Row() if named is None else self.rows.setdefault(named, Row())
        if self.state == "begun" and row.seen < self.start:
            self.named += 1
        row.seen = self.clock
        return row

    def submit(self, row: Row, title: str) -> str:
        if row.open and row.title == title:
            return "unchanged"
        row.open, row.title, row.version = True, title, row.version + 1
        return "accepted"

    def remove(self, row: Row) -> str:
        if not row.open:
            return "unchanged"
        row.open, row.version = False, row.version + 1
        return "accepted"

    def begin(self, epoch: int, count: int) -> str:
        if epoch == self.epoch and self.state == "begun":
            return "unchanged" if count == self.count else "rejected"
        if epoch <= self.epoch:
            return "stale"
        self.epoch, self.count, self.state, self.start, self.named = epoch, count, "begun", self.clock, 0
        self.stood = sum(row.open for row in self.rows.values())
        return "accepted"

    def end(self, epoch: int) -> str:
        if epoch > self.epoch:
            return "rejected"
        if epoch < self.epoch:
            return "stale"
        if self.state != "begun":
            return "held" if self.state == "held" else "unchanged"
        gone = len([row for row in self.rows.values() if row.open and row.seen < self.start])
        many = gone > self.limits.number and gone > self.limits.share * self.stood
        if gone and (many or self.named != self.count):
            self.state = "held"
            return "held"
        self.close_unseen()
        return "accepted"

    def close_unseen(self) -> None:
        self.state = "over"
        for row in self.rows.values():
            if row.open and row.seen < self.start:
                row.open, row.version = False, row.version + 1
