"""Postings and records to start from."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from services.postings.domain.ordering import Basis, Order
from services.postings.domain.submission import Removal, Submission
from shared.contracts.postings import Posting, PostingSource, PostingStatus, PostingTerms

NOW = datetime(2026, 3, 1, 8, tzinfo=UTC)
BEFORE = datetime(2026, 2, 1, tzinfo=UTC)
LATER = datetime(2026, 4, 1, tzinfo=UTC)


def terms(title: str = "Welder", **more: object) -> PostingTerms:
    return PostingTerms.model_validate({"title": {"en": title}, **more})


def posting(**more: object) -> Posting:
    facts: dict[str, Any] = {
        "title": {"en": "Welder"},
        "id": "p-1",
        "version": 3,
        "status": PostingStatus.OPEN,
        "employer_id": "e-1",
        "source": PostingSource(),
        "published_at": BEFORE,
        "changed_at": BEFORE,
    }
    return Posting.model_validate(facts | more)


def at(sequence: int) -> Order:
    return Order(Basis.SEQUENCE, sequence)


def submitted(order: Order, title: str = "Welder", **more: object) -> Submission:
    return Submission("A1", order, terms(title, **more), employer_reference="91500000")


def removed(order: Order) -> Removal:
    return Removal("A1", order)
