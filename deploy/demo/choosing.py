"""Which recommendations to show: a few that differ, out of a sample of inboxes."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from typing import Final, NamedTuple

from deploy.demo.front import Front, Json
from shared.auth import Role

SAMPLE: Final = 60
ENOUGH: Final = 3
"""Recommendations that make an inbox worth showing."""
PAGE: Final = 200


class Shown(NamedTuple):
    """One recommendation in an inbox, and the two that it is about."""

    item: Json
    posting: Json
    profile: Json
    others: int
    """How many more there are in the inbox, for this posting if it is an employer's."""

    @property
    def occupation(self) -> str:
        """The posting's."""
        return str((self.posting.get("occupation") or {}).get("code", ""))


async def seekers_to_show(front: Front, seekers: Sequence[str]) -> list[Shown]:
    """Two seekers with the best of their inboxes, for different occupations.

    The first has the best of the sample; the second's lacks some of the required skills, if that is to be had.
    """
    inboxes = await asyncio.gather(*(_inbox(front, "seeker", seeker) for seeker in _sample(seekers)))
    best = [(seeker, _best(items), len(items) - 1) for seeker, items in inboxes if items]
    best.sort(key=lambda one: (one[2] < ENOUGH, -_points(one[1])))
    shown: list[Shown] = []
    for seeker, item, others in best[:1] + sorted(best[1:], key=lambda one: not _lacks_a_skill(one[1])):
        posting = await front.get("seeker", seeker, "postings", f"/postings/{item['posting']['id']}")
        profile = await front.get("seeker", seeker, "profiles", f"/seekers/{seeker}")
        one = Shown(item, posting, profile, others)
        if not shown or one.occupation != shown[0].occupation:
            shown.append(one)
        if len(shown) == 2:  # noqa: PLR2004 - as the docstring says
            break
    return shown


async def employer_to_show(front: Front, postings: Sequence[str], but: set[str]) -> Shown | None:
    """The best seeker for a posting with several, of none of the occupations in `but`, as its employer sees it."""
    sample = await asyncio.gather(
        *(front.get("operator", "operator", "postings", f"/postings/{posting}") for posting in _sample(postings))
    )
    known = {posting["id"]: posting for posting in sample}
    employers = {posting["employer_id"] for posting in sample}
    inboxes = await asyncio.gather(*(_inbox(front, "employer", employer) for employer in employers))
    by_posting: dict[str, list[Json]] = defaultdict(list)
    for _, items in inboxes:
        for item in items:
            by_posting[item["posting"]["id"]].append(item)
    found = [(known[posting], items) for posting, items in by_posting.items() if posting in known]
    for posting, items in sorted(found, key=lambda one: (len(one[1]) < ENOUGH, -_points(_best(one[1])))):
        item = _best(items)
        profile = await front.get("operator", "operator", "profiles", f"/seekers/{item['seeker']}")
        shown = Shown(item, posting, profile, len(items) - 1)
        if shown.occupation not in but:
            return shown
    return None


def _sample(ids: Sequence[str]) -> Sequence[str]:
    """Some that are spread over all."""
    return ids[:: max(1, len(ids) // SAMPLE)]


async def _inbox(front: Front, role: Role, who: str) -> tuple[str, list[Json]]:
    """The newest live items of an inbox; the best of what came together is the newest."""
    page = await front.get(role, who, "notifications", "/inbox", status="live", limit=PAGE)
    return who, page["items"]


def _best(items: Sequence[Json]) -> Json:
    return max(items, key=_points)


def _points(item: Json) -> int:
    return int(item["points"] or 0)


def _lacks_a_skill(item: Json) -> bool:
    """Its explanation names required skills that the seeker does not have (`shared.rendering`)."""
    return "缺少" in (item["explanation"] or {}).get("zh", "")
