"""What a demo runs on: one partner's records and the seekers who come with them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple

from deploy.demo.season import PartnerPosting, make_season

Change = Callable[[PartnerPosting], PartnerPosting]


class Size(NamedTuple):
    """How much of a season."""

    postings: int
    seekers: int


SCALES: Final = {"small": Size(300, 200), "medium": Size(2_000, 2_000), "full": Size(79_000, 47_000)}


@dataclass(frozen=True, slots=True)
class Material:
    """Streams that are read once."""

    partner: str
    """Its id."""
    partner_name: str
    postings: Iterator[PartnerPosting]
    seekers: Iterator[bytes]
    """Lines as `POST /seekers:import` takes them; more than `size.seekers`, for later arrivals."""
    size: Size
    """How many records and seekers there are."""
    changed: Change
    """The same posting with one opening more, as the partner would send it."""
    notes: tuple[str, ...] = ()
    """What people should know of it."""
    by_http: bool = False
    """Through the partner's HTTP door; else by Kafka."""
    named: int | None = None
    """How many different postings the records name; None: as many as there are records."""
    closed: frozenset[str] = frozenset()
    """The partner's ids of those that are closed in the end: nobody may be recommended for them."""


def season_material(size: Size, seed: int, more_seekers: int, at: datetime) -> Material:
    """The made-up season, with so many seekers more."""
    season = make_season(seed, size.postings, size.seekers + more_seekers, at)
    return Material(
        partner="spring",
        partner_name="示例 春风行动 / Example Spring Breeze region",
        postings=season.postings,
        seekers=season.seekers,
        size=size,
        changed=_changed,
        notes=("Companies and people are made up (示例, Example); the codes are real.",),
    )


def _changed(posting: PartnerPosting) -> PartnerPosting:
    body = json.loads(posting.body)
    body["sequence"] += 1
    body["openings"] += 1
    return as_record(posting.id, body)


def as_record(
    posting_id: str, body: Mapping[str, object], event_type: str = "PartnerPostingSubmitted"
) -> PartnerPosting:
    """A record with that body."""
    return PartnerPosting(posting_id, json.dumps(body, ensure_ascii=False).encode(), event_type)
