"""Which recommendations to show: a few that differ, found by asking the matcher for a sample of lists."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from deploy.demo.front import Front, Json
from shared.contracts.recommendations import LIST_SIZE

SAMPLE: Final = 80
ENOUGH: Final = 3
"""Entries that a list has to be worth showing."""


class Shown(NamedTuple):
    """One recommendation in an inbox, and the two that it is about."""

    item: Json
    posting: Json
    profile: Json
    others: int
    """How many more there are in the inbox, for this posting if it is an employer's."""


async def seekers_to_show(front: Front, seekers: Sequence[str]) -> list[Shown]:
    """Two seekers of different occupations with their best recommendation, as their inboxes have it.

    The first has the best of the sample. The second's best lacks a skill that is asked for, if there is one.
    """
    lists = [found for found in await _lists(front, "seeker", seekers) if found["entries"]]
    if not lists:
        return []
    full = [found for found in lists if ENOUGH <= len(found["entries"]) < LIST_SIZE] or lists
    first = max(full, key=_points)
    occupation = await _occupation(front, first["anchor"])
    second = None
    for found in sorted(full, key=lambda found: (not found["entries"][0]["missing"], -_points(found))):
        if await _occupation(front, found["anchor"]) != occupation:
            second = found
            break
    chosen = [first] if second is None else [first, second]
    return [await _for_seeker(front, found["anchor"]) for found in chosen]


async def employer_to_show(front: Front, postings: Sequence[str], but: set[str]) -> Shown | None:
    """A posting with several good seekers, of none of the occupations in `but`, as its employer sees it."""
    lists = [found for found in await _lists(front, "posting", postings) if found["entries"]]
    for found in sorted(lists, key=lambda found: (len(found["entries"]) < ENOUGH, -_points(found))):
        posting = await front.get("operator", "operator", "postings", f"/postings/{found['anchor']}")
        if (posting["occupation"] or {}).get("code") not in but:
            return await _for_employer(front, posting)
    return None


async def _lists(front: Front, kind: str, anchors: Sequence[str]) -> list[Json]:
    """Lists as of now, of anchors that are spread over all of them."""
    sample = anchors[:: max(1, len(anchors) // SAMPLE)]
    calls = (front.get("operator", "operator", "matcher", f"/lists/{kind}/{anchor}") for anchor in sample)
    return await asyncio.gather(*calls)


def _points(found: Json) -> int:
    return int(found["entries"][0]["points"])


async def _occupation(front: Front, seeker: str) -> object:
    profile = await front.get("operator", "operator", "profiles", f"/seekers/{seeker}")
    return [occupation["code"] for occupation in profile["occupations"]][:1]


async def _for_seeker(front: Front, seeker: str) -> Shown:
    inbox = await front.get("seeker", seeker, "notifications", "/inbox", status="live", limit=200)
    item = _best(inbox["items"])
    posting = await front.get("seeker", seeker, "postings", f"/postings/{item['posting']['id']}")
    profile = await front.get("seeker", seeker, "profiles", f"/seekers/{seeker}")
    return Shown(item, posting, profile, len(inbox["items"]) - 1)


async def _for_employer(front: Front, posting: Json) -> Shown | None:
    """The employer's inbox is read to its end: it is for all its postings."""
    employer, items, cursor = posting["employer_id"], list[Json](), ""
    while True:
        params: dict[str, Any] = {"status": "live", "limit": 200} | ({"cursor": cursor} if cursor else {})
        page = await front.get("employer", employer, "notifications", "/inbox", **params)
        items += [item for item in page["items"] if item["posting"]["id"] == posting["id"]]
        cursor = page["next"] or ""
        if not cursor:
            break
    if not items:
        return None
    item = _best(items)
    profile = await front.get("operator", "operator", "profiles", f"/seekers/{item['seeker']}")
    return Shown(item, posting, profile, len(items) - 1)


def _best(items: Sequence[Json]) -> Json:
    return max(items, key=lambda item: int(item["points"] or 0))
