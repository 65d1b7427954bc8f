"""What one anchor means for each code: tables by code, made once for a question and read for every row."""

# ruff: noqa: FBT001, FBT003 - kernels take their arrays one by one, and which side asks
from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from services.matcher.domain.codes import NONE
from services.matcher.domain.columns import FIRST_REGION, UNKNOWN, Columns, Related, Tables, Ways
from services.matcher.domain.compiled import compiled, inlined
from services.matcher.domain.kernels import AROUND, SAME, WITHIN
from services.matcher.domain.occupations import BIT, CELL
from services.matcher.domain.policy import Weights
from shared.regions import DEEPEST


class Lookups(NamedTuple):
    """One anchor's tables, by the code of the counterpart."""

    near: NDArray[np.int8]
    """Regions: bits of the place."""
    way: NDArray[np.int32]
    """Regions: points for the way, of a posting to the seeker who lives there, of a seeker to the posting that is
    there; UNKNOWN where it is not known."""
    close: NDArray[np.int32]
    """Occupations: closeness, of a posting in permille, of a seeker in millionths, the best of the wanted."""
    worth: NDArray[np.int64]
    """Skills: of a posting, what each adds to the sum of the required ones, times PACKED, plus what it adds to the sum
    of the preferred ones; of a seeker, what of each there is. A weight times permille.
    """
    heads: NDArray[np.int32]
    """By a seeker's skill: the first of its `pairs`; 0 for none."""
    pairs: NDArray[np.int32]
    """Which of the posting's skills it counts for, for how much of it in permille, and the next pair. Only of a posting
    with a skill for which others count in part; `worth` is of no use then.
    """
    got: NDArray[np.int32]
    """Room for what one counterpart has of each of the posting's skills, in permille: of a question, which is one
    thread's, and used again for each pair."""
    licences: NDArray[np.int8]
    """1 for the anchor's."""


PACKED: Final = 1 << 32
COUNTS_FOR, CREDIT, NEXT = 0, 1, 2
"""Columns of `Lookups.pairs`."""
WHOLE = 1000
"""The credit of the skill itself."""


@compiled
def mark_posting_regions(near: NDArray[np.int8], regions: NDArray[np.int32], own: NDArray[np.int32]) -> None:
    """For each region that a seeker may name: how the posting's regions lie to it."""
    for region in own:
        depth = regions[region, DEEPEST]
        for other in range(near.size):
            if regions[other, depth] == region:
                near[other] |= SAME if other == region else AROUND
        for above in range(depth):
            near[regions[region, above]] |= WITHIN


@compiled
def mark_seeker_regions(near: NDArray[np.int8], regions: NDArray[np.int32], own: NDArray[np.int32]) -> None:
    """For each region that a posting may name: how it lies to those where the seeker would work."""
    for region in own:
        depth = regions[region, DEEPEST]
        for other in range(near.size):
            if regions[other, depth] == region:
                near[other] |= SAME if other == region else WITHIN
        for above in range(depth):
            near[regions[region, above]] |= AROUND


@inlined
def haversine(ways: Ways, one: int, other: int) -> float:
    """Of the angle between the centres of two regions; NaN if one is not known.

    hav x = sin²(x / 2), which is a quarter of the squared distance of the two points on the unit sphere: so it needs no
    sine here, and is exact for short ways too (Sinnott, Virtues of the Haversine, Sky and Telescope 68, 1984).
    """
    east = ways.centres[0, one] - ways.centres[0, other]
    north = ways.centres[1, one] - ways.centres[1, other]
    up = ways.centres[2, one] - ways.centres[2, other]
    return float(east * east + north * north + up * up) / 4


@compiled
def mark_ways(way: NDArray[np.int32], by_posting: bool, own: int, tables: Tables, home: int) -> None:
    """Points for the way between this region and every other, where they are more than so far.

    One is where the work is (the anchor's if it is a posting), the other where somebody lives. `home`: points for work
    in the region where the seeker lives. Where work may be anywhere around that region the way is not known. There are
    thousands of regions, and nearly all are far away.
    """
    regions, ways = tables.regions, tables.ways
    depth, steps = regions[own, DEEPEST], ways.spans.size
    unknown, widest = (UNKNOWN, ways.spans[steps - 1]) if steps else (0, -1.0)
    inside = unknown if by_posting else home
    for other in range(way.size):
        angle = haversine(ways, own, other)
        found = 0 if angle == angle else unknown  # noqa: PLR0124 - no NaN
        if angle <= widest:
            for step in range(steps):
                found += ways.more[step] * (angle <= ways.spans[step])
        found = inside if regions[other, depth] == own else found
        way[other] = max(way[other], found)
    for above in range(depth + 1):
        region = regions[own, above]
        if by_posting:
            way[region] = max(way[region], home)
        else:
            way[region] = home if region == own else unknown


@compiled
def mark_occupation(close: NDArray[np.int32], tables: Tables, own: int, factor: int, weights: Weights) -> None:
    """Closeness of every occupation to this one, times the factor, where that is more than so far."""
    occupations = tables.occupations
    to_cell = tables.closeness[occupations[own, CELL]]
    for other in range(close.size):
        found = to_cell[occupations[other, CELL]]
        if found != UNKNOWN:
            close[other] = max(close[other], found * factor)
    close[own] = max(close[own], weights.same_occupation * factor)


@compiled
def mark_near_occupations(close: NDArray[np.int32], near: Related, own: int, factor: int) -> None:
    """Closeness that the policy gives to a pair of occupations, where that is more than so far."""
    if own + 1 < near.starts.size:
        for place in range(near.starts[own], near.starts[own + 1]):
            other = near.others[place]
            close[other] = max(close[other], near.permille[place] * factor)


@compiled
def close_bits(close: NDArray[np.int32], occupations: NDArray[np.int32]) -> int:
    """The bits of all occupations but those that are known not to be close."""
    bits = 0
    for other in range(close.size):
        if close[other] != 0 and occupations[other, BIT] != NONE:
            bits |= 1 << occupations[other, BIT]
    return bits


@compiled
def credits_of(skill: int, near: Related) -> int:
    """How many other skills count for this one."""
    return near.starts[skill + 1] - near.starts[skill] if skill + 1 < near.starts.size else 0


@compiled
def skill_pairs(skills: NDArray[np.int32], heads: NDArray[np.int32], near: Related) -> NDArray[np.int32]:
    """Fill `heads` and give the pairs, for a posting's skills."""
    count = 1
    for skill in skills:
        count += 1 + credits_of(skill, near)
    pairs = np.zeros((count, 3), np.int32)
    pair = 1
    for place in range(skills.size):
        skill = skills[place]
        for number in range(1 + credits_of(skill, near)):
            code, permille = skill, WHOLE
            if number > 0:
                code = near.others[near.starts[skill] + number - 1]
                permille = near.permille[near.starts[skill] + number - 1]
            pairs[pair, COUNTS_FOR], pairs[pair, CREDIT], pairs[pair, NEXT] = place, permille, heads[code]
            heads[code] = pair
            pair += 1
    return pairs


@compiled
def of_posting(p: int, postings: Columns, tables: Tables, weights: Weights) -> Lookups:
    """The tables of a posting."""
    near = np.zeros(tables.regions.shape[0], np.int8)
    close = np.full(tables.occupations.shape[0], UNKNOWN, np.int32)
    licences = np.zeros(tables.licences.shape[0], np.int8)
    posting = postings.rows[p]
    at = posting.at
    way = np.full(tables.regions.shape[0], UNKNOWN, np.int32)
    regions = postings.codes[at : at + posting.regions] - FIRST_REGION
    mark_posting_regions(near, tables.regions, regions)
    for region in regions:
        mark_ways(way, True, region, tables, weights.home)
    if posting.occupation != UNKNOWN:
        mark_occupation(close, tables, posting.occupation, 1, weights)
        mark_near_occupations(close, tables.near_occupations, posting.occupation, 1)
    at += 2 * posting.lists
    skills = postings.codes[at : at + posting.skills]
    at += posting.skills
    for licence in postings.codes[at : at + posting.licences]:
        licences[licence] = 1
    graded = False
    for skill in skills:
        graded |= credits_of(skill, tables.credits) > 0
    known = tables.skills.shape[0]
    worth, heads = np.zeros(known, np.int64), np.zeros(known if graded else 0, np.int32)
    pairs = skill_pairs(skills, heads, tables.credits) if graded else np.zeros((0, 3), np.int32)
    got = np.zeros(skills.size if graded else 0, np.int32)
    for place in range(skills.size):
        weight = WHOLE * tables.skills[skills[place], 0]
        worth[skills[place]] = PACKED * weight if place < posting.required else weight
    return Lookups(near, way, close, worth, heads, pairs, got, licences)


@compiled
def of_seeker(s: int, seekers: Columns, tables: Tables, weights: Weights) -> Lookups:
    """The tables of a seeker."""
    near = np.zeros(tables.regions.shape[0], np.int8)
    close = np.full(tables.occupations.shape[0], UNKNOWN, np.int32)
    licences = np.zeros(tables.licences.shape[0], np.int8)
    worth = np.zeros(tables.skills.shape[0], np.int64)
    seeker = seekers.rows[s]
    at = seeker.at
    mark_seeker_regions(near, tables.regions, seekers.codes[at : at + seeker.regions] - FIRST_REGION)
    way = np.full(tables.regions.shape[0], UNKNOWN, np.int32)
    if seeker.lives_in != UNKNOWN:
        mark_ways(way, False, seeker.lives_in, tables, weights.home)
    at += 2 * seeker.lists
    for rank in range(seeker.occupations):
        factor = 1000 if rank == 0 else weights.later
        own = seekers.codes[at + rank]
        mark_occupation(close, tables, own, factor, weights)
        mark_near_occupations(close, tables.near_occupations, own, factor)
    at += seeker.occupations
    for skill in seekers.codes[at : at + seeker.skills]:
        worth[skill] = WHOLE * tables.skills[skill, 0]
        for number in range(credits_of(skill, tables.credited)):
            place = tables.credited.starts[skill] + number
            other = tables.credited.others[place]
            worth[other] = max(worth[other], tables.credited.permille[place] * tables.skills[other, 0])
    at += seeker.skills
    for licence in seekers.codes[at : at + max(seeker.licences, 0)]:
        licences[licence] = 1
    heads, pairs, got = np.zeros(0, np.int32), np.zeros((0, 3), np.int32), np.zeros(0, np.int32)
    return Lookups(near, way, close, worth, heads, pairs, got, licences)
