"""What became of a partner's records on each day."""

from __future__ import annotations

from collections import Counter
from datetime import date
from typing import TYPE_CHECKING, Final

from pydantic import BaseModel, ConfigDict

from shared.contracts.partners import Outcome, PostingReceipt

if TYPE_CHECKING:
    from collections.abc import Iterable

    from shared.contracts.partners import Receipt

OUTCOMES: Final = "outcomes"
REASONS: Final = "reasons"


class Day(BaseModel):
    """The records of a partner that were answered on one day; those of snapshots' begins and ends are not counted."""

    model_config = ConfigDict(extra="ignore", frozen=True, use_attribute_docstrings=True)

    day: date
    """In UTC, by the clock of the service when it answered."""
    outcomes: dict[Outcome, int] = {}
    """How many records had each outcome; one that is not named, none. `unchanged` is what was sent again."""
    reasons: dict[str, int] = {}
    """How many rejected or stale records had a fault with this code; a record may have several codes."""


def counts(receipts: Iterable[Receipt]) -> Counter[tuple[str, str]]:
    """How often each outcome, and each code of a fault, is among these: keys are (`outcomes` or `reasons`, name)."""
    found: Counter[tuple[str, str]] = Counter()
    for receipt in receipts:
        if isinstance(receipt, PostingReceipt):
            found[OUTCOMES, receipt.outcome.value] += 1
            found.update({(REASONS, code) for code in {fault.code for fault in receipt.faults}})
    return found
