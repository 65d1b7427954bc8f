"""Which of two records about one posting of a partner is the newer one.

A record's order is its kind and its value, compared in that order:

1. `SEQUENCE` by the partner's sequence number, when the record has one;
2. `TIME` by the partner's time of change in microseconds, when it has no sequence;
3. `ARRIVAL`, when it has neither: all such records are equal.

Of two records that compare equal, the one that arrived later is the newer. So the end state does not depend
on the order of arrival as long as all orders differ, and a partner who has used a sequence (or a time) for a
posting must go on using it: what comes without is older than everything that has one.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime


class Basis(IntEnum):
    """What a record is ordered by; the greater basis wins."""

    ARRIVAL = 0
    TIME = 1
    SEQUENCE = 2


@dataclass(frozen=True, slots=True, order=True)
class Order:
    """Where a record stands among those about the same posting."""

    basis: Basis
    value: int = 0
    """The sequence number, or microseconds since 1970 UTC; 0 for arrival."""


def order_of(sequence: int | None, changed_at: datetime | None) -> Order:
    """The order of a record; `changed_at` is aware."""
    if sequence is not None:
        return Order(Basis.SEQUENCE, sequence)
    if changed_at is not None:
        return Order(Basis.TIME, round(changed_at.timestamp() * 1_000_000))
    return Order(Basis.ARRIVAL)
