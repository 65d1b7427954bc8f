"""Lists and postings as the matcher and postings would publish them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from shared.contracts.common import Code, Pay
from shared.contracts.lists import AsOfBody, ComponentsBody, EntryBody, ListBody
from shared.contracts.postings import PostingPublished, PostingStatus
from shared.contracts.recommendations import AnchorKind

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def an_entry(other: str, employer: str | None = None) -> EntryBody:
    return EntryBody(
        id=other,
        version=1,
        points=500,
        components=ComponentsBody(occupation=500),
        matched=("esco:weld",),
        missing=("esco:drive",),
        employer_id=employer,
    )


def posting_list(posting: str, revision: int, seekers: Iterable[str]) -> ListBody:
    return _list(AnchorKind.POSTING, posting, revision, [an_entry(seeker) for seeker in seekers], "acme")


def seeker_list(seeker: str, revision: int, postings: Iterable[str]) -> ListBody:
    entries = [an_entry(posting, "acme") for posting in postings]
    return _list(AnchorKind.SEEKER, seeker, revision, entries, None)


def _list(kind: AnchorKind, anchor: str, revision: int, entries: list[EntryBody], employer: str | None) -> ListBody:
    return ListBody(
        kind=kind,
        anchor=anchor,
        revision=revision,
        anchor_version=1,
        as_of=AsOfBody(postings=(0,), profiles=(0,)),
        now=NOW,
        policy="test",
        employer_id=employer,
        entries=tuple(entries),
    )


def a_posting(id_: str, version: int = 1, title: str = "Welder") -> PostingPublished:
    return PostingPublished(
        id=id_,
        version=version,
        status=PostingStatus.OPEN,
        employer_id="acme",
        employer_name="Acme",
        title={"en": title},
        required_skills=(Code(scheme="esco", code="weld", label={"en": "welding", "zh": "焊接"}),),
        regions=(Code(scheme="gbt2260", code="370102"),),
        pay=Pay(min=5000, currency="CNY"),
        published_at=NOW,
        changed_at=NOW,
    )
