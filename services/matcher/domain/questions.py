"""What is asked of postings and seekers, compiled: the best for one anchor, and all about some of them."""

# ruff: noqa: FBT001, PLR0913, PLR0917 - kernels take their arrays one by one, and which side asks
from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from services.matcher.domain.columns import ID_WORDS, UNKNOWN, Postings, Seekers, Tables
from services.matcher.domain.compiled import compiled
from services.matcher.domain.kernels import (
    COMPONENTS,
    HOME,
    OCCUPATION,
    REMOTE,
    gates,
    licence_gate,
    place_gate,
    score_pair,
)
from services.matcher.domain.lookups import of_posting, of_seeker
from services.matcher.domain.policy import Weights

if TYPE_CHECKING:
    from services.matcher.domain.columns import PostingRow, SeekerRow

REFUSED: Final = -1
"""Instead of points: a gate failed, too few points, or nothing in common."""


@compiled
def weigh(  # noqa: C901, PLR0912, PLR0915 - one loop over rows: a call with arrays costs more than all of it
    by_posting: bool,
    anchor: int,
    others: NDArray[np.int64],
    now: int,
    thorough: bool,
    postings: Postings,
    seekers: Seekers,
    tables: Tables,
    weights: Weights,
) -> tuple[NDArray[np.int32], NDArray[np.int64], NDArray[np.int32]]:
    """The anchor against each counterpart in these rows; rows that are not live are refused.

    Gives `points` (n; REFUSED if not to be recommended), and, if `thorough`, `facts` (n, 3: failed gates and
    unknown facts as bits in the order of GATES and then OCCUPATION, and 1 if they have something in common)
    and the components `parts` (n, 9), which are else empty.
    """
    lookups = (
        of_posting(anchor, postings, tables, weights) if by_posting else of_seeker(anchor, seekers, tables, weights)
    )
    near, close_of, required_of, preferred_of = (
        lookups.near,
        lookups.close,
        lookups.required,
        lookups.preferred,
    )
    posting_rows, seeker_rows, licence_of = postings.rows, seekers.rows, lookups.licences
    regions = seekers.regions if by_posting else postings.regions
    licences = seekers.licences if by_posting else postings.licences
    skills = seekers.skills if by_posting else postings.skills
    wanted = seekers.occupations
    points = np.full(others.size, REFUSED, np.int32)
    detailed = others.size if thorough else 0
    facts = np.zeros((detailed, 3), np.int64)
    parts = np.zeros((detailed, len(COMPONENTS)), np.int32)
    for place in range(others.size):
        row = others[place]
        p, s = (anchor, row) if by_posting else (row, anchor)
        posting: PostingRow = posting_rows[p]
        seeker: SeekerRow = seeker_rows[s]
        if posting.live == 0 or seeker.live == 0:
            continue
        failed, unknown = gates(posting, seeker, now)
        if failed != 0 and not thorough:
            continue

        found = REMOTE if posting.remote == 1 and seeker.remote == 1 else 0
        if by_posting:
            for i in range(seeker.regions):
                found |= near[regions[s, i]] & ~HOME
            if seeker.lives_in != UNKNOWN:
                found |= near[seeker.lives_in] & HOME
        else:
            for i in range(posting.regions):
                found |= near[regions[p, i]]
        failed_now, unknown_now = place_gate(posting, seeker, found)
        failed, unknown = failed | failed_now, unknown | unknown_now
        if failed != 0 and not thorough:
            continue

        shared = 0
        for i in range(seeker.licences if by_posting else posting.licences):
            shared += licence_of[licences[row, i]]
        failed_now, unknown_now = licence_gate(posting, seeker, shared)
        failed, unknown = failed | failed_now, unknown | unknown_now
        if failed != 0 and not thorough:
            continue

        close = UNKNOWN
        if not by_posting:
            if posting.occupation != UNKNOWN:
                close = close_of[posting.occupation]
        elif posting.occupation != UNKNOWN:
            for i in range(seeker.occupations):
                permille = close_of[wanted[s, i]]
                if permille != UNKNOWN:
                    close = max(close, permille * (1000 if i == 0 else weights.later))
        required = preferred = 0
        if by_posting:
            for i in range(seeker.skills):
                required += required_of[skills[s, i]]
                preferred += preferred_of[skills[s, i]]
        else:
            for i in range(posting.required):
                required += required_of[skills[p, i]]
            for i in range(posting.required, posting.skills):
                preferred += preferred_of[skills[p, i]]

        components = score_pair(posting, seeker, found, close, required, preferred, weights)
        common = close > 0 or required > 0 or preferred > 0
        total = 0
        for part in components:
            total += part
        if failed == 0 and common and total >= weights.minimum:
            points[place] = total
        if thorough:
            facts[place, 0] = failed
            facts[place, 1] = unknown | OCCUPATION if close == UNKNOWN else unknown
            facts[place, 2] = 1 if common else 0
            for i in range(len(COMPONENTS)):
                parts[place, i] = components[i]
    return points, facts, parts


@compiled
def comes_before(points: int, row: int, other_points: int, other: int, ids: NDArray[np.uint64]) -> bool:
    """The order of a list: points down, then id up."""
    if points != other_points:
        return points > other_points
    for word in range(ID_WORDS):
        if ids[row, word] != ids[other, word]:
            return bool(ids[row, word] < ids[other, word])
    return False


@compiled
def best(points: NDArray[np.int32], others: NDArray[np.int64], ids: NDArray[np.uint64], k: int) -> NDArray[np.int64]:
    """The rows of the best `k` that are not refused, best first."""
    rows = np.empty(k, np.int64)
    scores = np.empty(k, np.int64)
    count = 0
    bar = 0
    for place in range(others.size):
        total = points[place]
        if total < bar or total == REFUSED:
            continue
        row = others[place]
        if count == k:
            if not comes_before(total, row, scores[k - 1], rows[k - 1], ids):
                continue
            count -= 1
        hole = count
        while hole > 0 and comes_before(total, row, scores[hole - 1], rows[hole - 1], ids):
            rows[hole] = rows[hole - 1]
            scores[hole] = scores[hole - 1]
            hole -= 1
        rows[hole] = row
        scores[hole] = total
        count += 1
        if count == k:
            bar = scores[k - 1]
    return rows[:count]
