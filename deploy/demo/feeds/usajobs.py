"""Announcements of USAJOBS replayed as a stream: what opened and closed until a day, in that order, by our form.

The replay begins `WINDOW` before that day with all that was open then. An announcement that closes before the day
comes as an opening, and at its place in the stream as a removal; what is open on the day has its own last day. All
dates are moved by one constant, so that the day is today.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import accumulate
from pathlib import Path
from typing import Any, Final, NamedTuple

from deploy.demo.feeds.drawn import seekers
from deploy.demo.material import Material, Size, as_record
from deploy.demo.sayings import Sayings
from deploy.demo.season import PartnerPosting
from services.postings.partner.converting import Remark
from services.postings.partner.files import opened
from services.postings.partner.usajobs import USAJOBS

WINDOW: Final = timedelta(days=14)
MOST_SEEKERS: Final = 1_000
_DAY: Final = timedelta(days=1)


class Announcement(NamedTuple):
    """One that is converted, and its first and last moment."""

    posting: Mapping[str, Any]
    opens: datetime
    closes: datetime | None


def material(path: Path, seed: int, more_seekers: int, now: datetime, as_of: date | None) -> Material:
    """The replay until the end of `as_of`, by default the day on which most is open. Raises ValueError, OSError."""
    found, lost = _read(path)
    day = as_of or busiest(found)
    clock = datetime.combine(day, datetime.min.time(), UTC) + _DAY
    replayed = [one for one in found if one.opens < clock and not _closed(one, clock - WINDOW)]
    if not replayed:
        days = f"{min(one.opens for one in found):%Y-%m-%d} to {max(one.opens for one in found):%Y-%m-%d}"
        raise ValueError(f"nothing of {path} is open until {day}: choose a day from {days}")
    shift = timedelta(days=(now.date() - day).days)
    records = [record for _, record in sorted(_stream(replayed, clock, shift), key=lambda one: one[0])]
    closed = frozenset(one.posting["id"] for one in replayed if _closed(one, clock))
    standing = [one.posting for one in replayed if one.posting["id"] not in closed]
    size = Size(len(records), min(len(standing), MOST_SEEKERS))
    return Material(
        partner="usajobs",
        partner_name="USAJOBS (real announcements, United States)",
        postings=iter(records),
        seekers=seekers(standing, seed, size.seekers + more_seekers, Sayings()),
        size=size,
        changed=changed,
        named=len(replayed),
        closed=closed,
        notes=(
            f"{len(replayed)} real announcements from {path.name}, replayed as a stream as of {day}: all that was open",
            f"in the {WINDOW.days} days before, {len(closed)} of them closed again until then by a removal.",
            f"All dates are moved by {shift.days} days, so that {day} is today.",
            *([f"{lost} rows are no announcements and left out."] if lost else []),
            "The seekers are made up, drawn from the announcements' titles; what they look for they say in words only.",
        ),
    )


def _read(path: Path) -> tuple[list[Announcement], int]:
    """Each announcement once, as the file says it last; how many rows were lost."""
    found: dict[str, Announcement] = {}
    lost = 0
    with opened(str(path)) as stream:
        for made in USAJOBS.convert(stream):
            if isinstance(made, Remark):
                lost += made.lost
            elif isinstance(opens := made.get("changed_at"), str):
                closes = made.get("valid_through")
                end = datetime.fromisoformat(closes) if isinstance(closes, str) else None
                found[str(made["id"])] = Announcement(made, datetime.fromisoformat(opens), end)
    if not found:
        raise ValueError(f"{path} holds no announcements")
    return list(found.values()), lost


def busiest(found: Sequence[Announcement]) -> date:
    """The first day on which most announcements are open."""
    steps: Counter[date] = Counter()
    for one in found:
        steps[one.opens.date()] += 1
        if one.closes is not None:
            steps[one.closes.date() + _DAY] -= 1
    days = sorted(steps)
    standing = list(accumulate(steps[day] for day in days))
    return days[standing.index(max(standing))]


def _closed(one: Announcement, at: datetime) -> bool:
    return one.closes is not None and one.closes < at


def _stream(
    replayed: Sequence[Announcement], clock: datetime, shift: timedelta
) -> Iterator[tuple[datetime, PartnerPosting]]:
    """Each record and when it came: a closing behind everything that opened until then."""
    for one in replayed:
        body = dict(one.posting) | {"changed_at": (one.opens + shift).isoformat()}
        if one.closes is not None and one.closes < clock:
            # its end is said by a record of its own
            body.pop("valid_through")
            gone = {"id": body["id"], "changed_at": (one.closes + shift).isoformat()}
            yield one.closes, as_record(body["id"], gone, "PartnerPostingRemoved")
        elif one.closes is not None:
            body["valid_through"] = (one.closes + shift).isoformat()
        yield one.opens, as_record(body["id"], body)


def changed(posting: PartnerPosting) -> PartnerPosting:
    """One opening more, said just now."""
    body = json.loads(posting.body)
    body |= {"openings": 1 + body.get("openings", 1), "changed_at": datetime.now(UTC).isoformat()}
    return as_record(posting.id, body)
