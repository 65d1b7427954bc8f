"""A partner's record, whatever its form, as one of two things: a posting submitted, or one removed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from services.postings.domain.faults import Faults, fault
from services.postings.domain.ordering import Order, order_of
from services.postings.domain.posting import is_too_large

if TYPE_CHECKING:
    from shared.contracts.partners import PartnerPostingRemoved, PartnerPostingSubmitted
    from shared.contracts.postings import PostingTerms


@dataclass(frozen=True, slots=True)
class Submission:
    """A posting that is new or changed at the partner."""

    id: str
    """The partner's posting id."""
    order: Order
    terms: PostingTerms
    employer_reference: str | None = None
    url: str | None = None
    linker: str | None = None
    """What read the words of the terms; None: nothing did."""


@dataclass(frozen=True, slots=True)
class Removal:
    """A posting that is not to be had any more at the partner."""

    id: str
    order: Order


def read_submitted(record: PartnerPostingSubmitted) -> Submission | Faults:
    """Our own form. Its fields were checked when it was decoded; these rules are not in the schema."""
    faults = [fault("blank", f"/title/{language}") for language, text in record.title.items() if not text.strip()]
    if is_too_large(record):
        faults.append(fault("posting_too_large"))
    if faults:
        return tuple(faults)
    order = order_of(record.sequence, record.changed_at)
    return Submission(record.id, order, record, record.employer_reference, record.url)


def read_removed(record: PartnerPostingRemoved) -> Removal:
    """Our own form of a removal."""
    return Removal(record.id, order_of(record.sequence, record.changed_at))
