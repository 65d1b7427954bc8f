"""What a demo runs on: one partner's records and the seekers who come with them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
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
    event_type: str
    """`ce_type` of its records."""
    postings: Iterator[PartnerPosting]
    seekers: Iterator[bytes]
    """Lines as `POST /seekers:import` takes them; more than `size.seekers`, for later arrivals."""
    size: Size
    changed: Change
    """The same posting with one opening more, as the partner would send it."""
    notes: tuple[str, ...] = ()
    """What people should know of it."""


def season_material(size: Size, seed: int, more_seekers: int, at: datetime) -> Material:
    """The made-up season, with so many seekers more."""
    season = make_season(seed, size.postings, size.seekers + more_seekers, at)
    return Material(
        partner="spring",
        partner_name="示例 春风行动 / Example Spring Breeze region",
        event_type="PartnerPostingSubmitted",
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
    return _posting(posting.id, body)


def _posting(posting_id: str, body: dict[str, object]) -> PartnerPosting:
    return PartnerPosting(posting_id, json.dumps(body, ensure_ascii=False).encode())
