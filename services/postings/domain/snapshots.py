"""A partner's snapshots, in the order of their epochs: what their begins and ends mean, and what they close.

A posting is seen with each record that names it, by that record's offset on the partner's topic. A snapshot that is
`closing` closes every posting that was last seen before its begin: what is left to do is always a question to the
postings themselves, so nothing has to be remembered between two chunks, and each posting is closed once.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from pydantic import BaseModel, ConfigDict

from services.postings.domain.faults import Faults, fault
from shared.contracts.common import Instant
from shared.contracts.partners import Count, Epoch, PartnerSnapshotBegun, PartnerSnapshotEnded, SnapshotOutcome

KEPT: Final = 50
"""Snapshots of a partner that are remembered."""
NEVER: Final = -1
"""Where a posting was seen last that nobody has seen since this is written down; no offset is as low."""


class State(StrEnum):
    """Where a snapshot stands."""

    BEGUN = "begun"
    HELD = "held"
    CLOSING = "closing"
    CLOSED = "closed"
    SUPERSEDED = "superseded"
    DISCARDED = "discarded"


class Snapshot(BaseModel):
    """One snapshot of a partner's postings."""

    model_config = ConfigDict(extra="ignore", frozen=True, use_attribute_docstrings=True)

    epoch: Epoch
    state: State
    count: Count
    """Different postings that its begin announced."""
    named: Count = 0
    """Different postings that were named since."""
    begin: int
    """The offset of its begin on the partner's topic."""
    open: Count
    """The partner's open postings when it began."""
    closes: Count | None = None
    """Of these, how many it closes because they were not named; None before its end."""
    begun_at: Instant
    ended_at: Instant | None = None
    decided_at: Instant | None = None
    decided_by: str | None = None
    """The operator's account who released or discarded it."""


History = tuple[Snapshot, ...]
"""A partner's snapshots, the newest last."""


@dataclass(frozen=True, slots=True)
class Limits:
    """A snapshot that closes more than both is held."""

    share: float
    """Of the postings that were open when it began, 0 to 1."""
    number: int


@dataclass(frozen=True, slots=True)
class Judgement:
    """The answer to a begin or an end, and what holds after it."""

    outcome: SnapshotOutcome
    history: History
    snapshot: Snapshot | None = None
    """The one that was meant, as it is now."""
    faults: Faults = ()


def collecting(history: History) -> Snapshot | None:
    """The snapshot that is being sent, if there is one."""
    return history[-1] if history and history[-1].state is State.BEGUN else None


def closing_below(history: History) -> int:
    """Open postings that were last seen below this offset are to be closed; NEVER: none are."""
    return max((one.begin for one in history if one.state is State.CLOSING), default=NEVER)


def with_named(history: History, more: int) -> History:
    """With so many more postings named in the snapshot that is being sent."""
    last = history[-1]
    return (*history[:-1], last.model_copy(update={"named": last.named + more}))


def begin(history: History, record: PartnerSnapshotBegun, offset: int, open_now: int, now: datetime) -> Judgement:
    """A snapshot begins; an unfinished or held older one is superseded. `open_now`: the partner's open postings."""
    newest = history[-1] if history else None
    if newest is not None and record.epoch <= newest.epoch:
        return _begun_before(history, newest, record)
    begun = Snapshot(
        epoch=record.epoch, state=State.BEGUN, count=record.count, begin=offset, open=open_now, begun_at=now
    )
    return Judgement(SnapshotOutcome.ACCEPTED, _trimmed((*map(_superseded, history), begun)), begun)


def _begun_before(history: History, newest: Snapshot, record: PartnerSnapshotBegun) -> Judgement:
    if record.epoch < newest.epoch:
        return Judgement(SnapshotOutcome.STALE, history, _find(history, record.epoch), (fault("epoch_old", "/epoch"),))
    if newest.state is not State.BEGUN:
        return Judgement(SnapshotOutcome.STALE, history, newest, (fault("epoch_used", "/epoch"),))
    if newest.count != record.count:
        return Judgement(SnapshotOutcome.REJECTED, history, newest, (fault("epoch_used", "/epoch"),))
    return Judgement(SnapshotOutcome.UNCHANGED, history, newest)


def end(history: History, record: PartnerSnapshotEnded, unseen: int, limits: Limits, now: datetime) -> Judgement:
    """A snapshot ends. `unseen`: the open postings that were not named since its begin."""
    newest = history[-1] if history else None
    if newest is None or record.epoch > newest.epoch:
        return Judgement(SnapshotOutcome.REJECTED, history, None, (fault("snapshot_not_begun", "/epoch"),))
    if record.epoch < newest.epoch:
        return Judgement(SnapshotOutcome.STALE, history, _find(history, record.epoch), (fault("epoch_old", "/epoch"),))
    if newest.state is not State.BEGUN:
        held = newest.state is State.HELD
        outcome = SnapshotOutcome.HELD if held else SnapshotOutcome.UNCHANGED
        return Judgement(outcome, history, newest, _doubts(newest, newest.closes or 0, limits) if held else ())
    doubts = _doubts(newest, unseen, limits)
    state = State.HELD if doubts else State.CLOSING if unseen else State.CLOSED
    ended = newest.model_copy(update={"state": state, "closes": unseen, "ended_at": now})
    outcome = SnapshotOutcome.HELD if doubts else SnapshotOutcome.ACCEPTED
    return Judgement(outcome, (*history[:-1], ended), ended, doubts)


def _doubts(snapshot: Snapshot, closes: int, limits: Limits) -> Faults:
    """Why its closures are to be looked at by somebody; where there are none, there is nothing to look at."""
    if not closes:
        return ()
    incomplete = snapshot.named != snapshot.count
    many = closes > limits.number and closes > limits.share * snapshot.open
    return (*((fault("snapshot_incomplete"),) if incomplete else ()), *((fault("closes_many"),) if many else ()))


def released(history: History, epoch: int, unseen: int, by: str, now: datetime) -> History | None:
    """A held snapshot goes on to close what was not seen since its begin; None: it is not there to be released.

    The same history: it was released, or never held.
    """
    found = _find(history, epoch)
    if found is None or found.state in {State.BEGUN, State.SUPERSEDED, State.DISCARDED}:
        return None
    if found.state is not State.HELD:
        return history
    state = State.CLOSING if unseen else State.CLOSED
    return _put(
        history, found.model_copy(update={"state": state, "closes": unseen, "decided_at": now, "decided_by": by})
    )


def discarded(history: History, epoch: int, by: str, now: datetime) -> History | None:
    """A held snapshot closes nothing; None: it is not there to be discarded. The same history: it was before."""
    found = _find(history, epoch)
    if found is None or found.state not in {State.HELD, State.DISCARDED}:
        return None
    if found.state is State.DISCARDED:
        return history
    return _put(history, found.model_copy(update={"state": State.DISCARDED, "decided_at": now, "decided_by": by}))


def all_closed(history: History) -> History:
    """When no posting is left that a closing snapshot closes."""
    return tuple(
        one.model_copy(update={"state": State.CLOSED}) if one.state is State.CLOSING else one for one in history
    )


def _find(history: History, epoch: int) -> Snapshot | None:
    return next((one for one in history if one.epoch == epoch), None)


def _put(history: History, changed: Snapshot) -> History:
    return tuple(changed if one.epoch == changed.epoch else one for one in history)


def _superseded(snapshot: Snapshot) -> Snapshot:
    if snapshot.state in {State.BEGUN, State.HELD}:
        return snapshot.model_copy(update={"state": State.SUPERSEDED})
    return snapshot


def _trimmed(history: History) -> History:
    """The last KEPT; and the last one that is closing, whose postings are those of all before it and more."""
    old, kept = history[:-KEPT], history[-KEPT:]
    closing = [one for one in old if one.state is State.CLOSING][-1:]
    return (*closing, *kept)
