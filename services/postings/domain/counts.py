"""What became of partners' postings on a day: pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from services.postings.domain.employer import PartnerState
from shared.contracts.partners import DailyCounts

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date, datetime

    from services.postings.domain.employer import Partner


class Closed(NamedTuple):
    """Postings of a partner that were closed on a day."""

    number: int
    filled: int


def counted(
    day: date,
    partners: Iterable[Partner],
    open_ids: Mapping[str, Iterable[str]],
    seekers: Mapping[str, int],
    closed: Mapping[str, Closed],
    now: datetime,
) -> dict[str, DailyCounts]:
    """The counts of each partner that was there on that day and is not retired.

    `open_ids`: open postings by partner; `seekers`: to how many each posting is recommended, if to any.
    """
    found = {}
    for partner in partners:
        if partner.state is PartnerState.RETIRED or partner.registered_at.date() > day:
            continue
        reach = [seekers.get(one, 0) for one in open_ids.get(partner.id, ())]
        over = closed.get(partner.id, Closed(0, 0))
        found[partner.id] = DailyCounts(
            id=f"{partner.id}/{day}",
            day=day,
            open=len(reach),
            recommended=sum(number > 0 for number in reach),
            recommendations=sum(reach),
            closed=over.number,
            filled=over.filled,
            counted_at=now,
        )
    return found
