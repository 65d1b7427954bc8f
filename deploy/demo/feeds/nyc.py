"""New York City's jobs as a snapshot through the HTTP door: begin, every job, end."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from deploy.demo.feeds.drawn import seekers
from deploy.demo.feeds.usajobs import changed
from deploy.demo.material import Material, Size, as_record
from deploy.demo.sayings import Sayings
from deploy.demo.season import PartnerPosting
from services.postings.partner.converting import Posting, Remark
from services.postings.partner.files import opened
from services.postings.partner.nyc import NYC

MOST_SEEKERS: Final = 1_000


def material(path: Path, seed: int, more_seekers: int, now: datetime) -> Material:
    """All jobs of the list. Raises ValueError if there are none, OSError."""
    with opened(str(path)) as stream:
        made = list(NYC.convert(stream))
    jobs = [one for one in made if not isinstance(one, Remark)]
    if not jobs:
        raise ValueError(f"{path} holds no jobs of New York City")
    lost = sum(one.lost for one in made if isinstance(one, Remark))
    shift = _shift(jobs, now)
    named = len({str(job["id"]) for job in jobs})
    size = Size(len(jobs) + 2, min(len(jobs), MOST_SEEKERS))
    return Material(
        partner="nyc",
        partner_name="New York City (real jobs, United States)",
        postings=_snapshot(jobs, named, shift, int(now.timestamp())),
        seekers=seekers(jobs, seed, size.seekers + more_seekers, Sayings()),
        size=size,
        changed=changed,
        named=named,
        by_http=True,
        notes=(
            f"{len(jobs)} real jobs from {path.name}, {named} different ones, sent as a snapshot by HTTP.",
            f"Their dates are moved by {shift.days} days, so that the newest is of today.",
            *([f"{lost} rows are no jobs and left out."] if lost else []),
            "The seekers are made up, drawn from the jobs' titles, texts and pay; what they look for and can do they",
            "say in words only.",
        ),
    )


def _shift(jobs: Sequence[Posting], now: datetime) -> timedelta:
    said = [datetime.fromisoformat(at) for job in jobs if isinstance(at := job.get("changed_at"), str)]
    return timedelta(days=(now - max(said)).days) if said else timedelta()


def _snapshot(jobs: Sequence[Posting], named: int, shift: timedelta, epoch: int) -> Iterator[PartnerPosting]:
    yield as_record("snapshot-begin", {"epoch": epoch, "count": named}, "PartnerSnapshotBegun")
    for job in jobs:
        at = job.get("changed_at")
        moved = {"changed_at": (datetime.fromisoformat(at) + shift).isoformat()} if isinstance(at, str) else {}
        yield as_record(str(job["id"]), {**job, **moved})
    yield as_record("snapshot-end", {"epoch": epoch}, "PartnerSnapshotEnded")
