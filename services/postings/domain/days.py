"""What became of a partner's records on each day, as its receipts say."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import date, datetime
from typing import TYPE_CHECKING, NamedTuple

from pydantic import BaseModel, ConfigDict

from shared.contracts.partners import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


class Day(BaseModel):
    """The records of a partner that were answered on one day; those of snapshots' begins and ends are not counted."""

    model_config = ConfigDict(extra="ignore", frozen=True, use_attribute_docstrings=True)

    day: date
    """In UTC, by the clock of the service when it answered."""
    outcomes: dict[Outcome, int] = {}
    """How many records had each outcome; one that is not named, none. `unchanged` is what was sent again."""
    reasons: dict[str, int] = {}
    """How many rejected or stale records had a fault with this code; a record may have several codes."""


class Counted(NamedTuple):
    """Receipts of one day that are alike, and how many."""

    day: datetime
    outcome: str
    reasons: Sequence[str]
    number: int


def by_day(counted: Iterable[Counted]) -> list[Day]:
    """Their days, the newest first."""
    outcomes: dict[date, Counter[Outcome]] = defaultdict(Counter)
    reasons: dict[date, Counter[str]] = defaultdict(Counter)
    for one in counted:
        day = one.day.date()
        outcomes[day][Outcome(one.outcome)] += one.number
        reasons[day].update(dict.fromkeys(one.reasons, one.number))
    return [Day(day=day, outcomes=outcomes[day], reasons=reasons[day]) for day in sorted(outcomes, reverse=True)]
