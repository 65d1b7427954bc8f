"""How many counterparts more after one change of an anchor. Compiled.

For each change that is tried, all who nearly suit are judged again by the row that the anchor would have
(`try_changes`). What there are many of (licences, skills, regions) is counted by code in one pass instead.
"""

# ruff: noqa: FBT001, FBT003, PLR0913, PLR0917 - kernels take their arrays one by one, and which side asks
from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from services.matcher.domain.columns import FIRST_REGION, UNKNOWN, Columns, Tables
from services.matcher.domain.compiled import compiled
from services.matcher.domain.gates import EDUCATION, EMPLOYMENT, EXPERIENCE, LICENCES, PAY, REGION, SWITCHED
from services.matcher.domain.kernels import (
    AROUND,
    SAME,
    WITHIN,
    education_points,
    experience_points,
    gates,
    pay_points,
    place_gate,
    place_points,
)
from services.matcher.domain.lookups import mark_posting_regions, mark_ways
from services.matcher.domain.nearly import Nearly, Tried, swing
from services.matcher.domain.policy import Weights
from services.matcher.domain.prefetch import read_ahead
from services.matcher.domain.questions import place_of, way_of
from shared.regions import DEEPEST

if TYPE_CHECKING:
    from services.matcher.domain.columns import PostingRow, SeekerRow


@compiled
def try_changes(
    by_posting: bool,
    anchor: int,
    now: int,
    kept: Nearly,
    tried: Tried,
    postings: Columns,
    seekers: Columns,
    tables: Tables,
    weights: Weights,
) -> NDArray[np.int64]:
    """(n, 2): how many would be recommendable after each change and are not now, and the reverse.

    A change moves but one gate and the points for what it compares; the other points stay.
    """
    posting_rows, seeker_rows = postings.rows, seekers.rows
    codes = seekers.codes if by_posting else postings.codes
    changes, gate_of = tried.gates.size, tried.gates
    counts = np.zeros((changes, 2), np.int64)
    near = np.zeros((changes, tables.regions.shape[0]), np.int8)
    ways = np.full((changes, tables.regions.shape[0]), UNKNOWN, np.int32)
    swings = np.zeros(changes, np.int64)
    for change in range(changes):
        swings[change] = swing(gate_of[change], weights)
        if tried.regions[change] != UNKNOWN:
            mark_posting_regions(near[change], tables.regions, tried.regions[change : change + 1])
            mark_ways(ways[change], True, tried.regions[change], tables, weights.home)
    on = ~(SWITCHED & ~weights.gates)
    for place in range(kept.rows.size):
        read_ahead(by_posting, place, kept.rows, posting_rows, seeker_rows, codes)
        row, failed, points, lies = kept.rows[place], kept.failed[place], kept.points[place], kept.places[place]
        goes = kept.ways[place]
        before = failed == 0 and points >= weights.minimum
        for change in range(changes):
            gate = gate_of[change]
            if not may_turn(failed, points, gate, swings[change], weights.minimum):
                continue
            p, s = (anchor, row) if by_posting else (row, anchor)
            posting: PostingRow = tried.postings[change] if by_posting else posting_rows[p]
            seeker: SeekerRow = seeker_rows[s] if by_posting else tried.seekers[change]
            found, way, stays = lies, goes, gates(posting, seeker, now)[0]
            if gate == REGION:
                found |= place_of(by_posting, posting, seeker, near[change], codes)
                if tried.regions[change] != UNKNOWN:
                    way = max(way, way_of(by_posting, posting, seeker, ways[change], codes))
                    if found == lies and way == goes:
                        continue  # what the posting has besides is nowhere near
                stays = place_gate(posting, seeker, found)[0]
            after = False
            if stays & on & gate == 0:
                total = points - points_behind(gate, posting_rows[p], seeker_rows[s], lies, goes, weights)
                after = total + points_behind(gate, posting, seeker, found, way, weights) >= weights.minimum
            counts[change, 0] += after and not before
            counts[change, 1] += before and not after
    return counts


@compiled
def points_behind(gate: int, posting: PostingRow, seeker: SeekerRow, found: int, way: int, weights: Weights) -> int:
    """The points for what this gate compares."""
    if gate == REGION:
        return place_points(posting, seeker, found, way, weights)
    if gate == PAY:
        return pay_points(posting, seeker, weights)
    if gate == EXPERIENCE:
        return experience_points(posting, seeker, weights)
    return education_points(posting, seeker, weights) if gate == EDUCATION else 0


@compiled
def may_turn(failed: int, points: int, gate: int, most: int, minimum: int) -> bool:
    """Whether a change behind this gate, of so many points at most, may let somebody in or shut somebody out."""
    if points + most < minimum:
        return False
    if failed:
        return failed == gate
    return gate == EMPLOYMENT or points - most < minimum


@compiled
def count_licences(
    by_posting: bool, anchor: int, kept: Nearly, postings: Columns, seekers: Columns, tables: Tables, weights: Weights
) -> NDArray[np.int64]:
    """By licence: how many pairs with enough points fail for the want of this one alone."""
    counts = np.zeros(tables.licences.shape[0], np.int64)
    for place in range(kept.rows.size):
        if kept.failed[place] != LICENCES or kept.points[place] < weights.minimum:
            continue
        posting: PostingRow = postings.rows[anchor if by_posting else kept.rows[place]]
        seeker: SeekerRow = seekers.rows[kept.rows[place] if by_posting else anchor]
        at = posting.at + 2 * posting.lists + posting.skills
        start = seeker.at + 2 * seeker.lists + seeker.occupations + seeker.skills
        lacking = missing = 0
        for asked in postings.codes[at : at + posting.licences]:
            has = False
            for own in seekers.codes[start : start + seeker.licences]:
                has |= own == asked
            if not has:
                lacking, missing = lacking + 1, asked
        if lacking == 1:
            counts[missing] += 1
    return counts


@compiled
def count_skills(anchor: int, kept: Nearly, postings: Columns, seekers: Columns, tables: Tables) -> NDArray[np.int64]:
    """By skill: how many postings of which all gates pass require it and else only what the seeker names."""
    seeker: SeekerRow = seekers.rows[anchor]
    at = seeker.at + 2 * seeker.lists + seeker.occupations
    has = np.zeros(tables.skills.shape[0], np.bool_)
    has[seekers.codes[at : at + seeker.skills]] = True
    counts = np.zeros(tables.skills.shape[0], np.int64)
    for place in range(kept.rows.size):
        if kept.failed[place]:
            continue
        posting: PostingRow = postings.rows[kept.rows[place]]
        at = posting.at + 2 * posting.lists
        lacking = missing = 0
        for skill in postings.codes[at : at + posting.required]:
            if not has[skill]:
                lacking, missing = lacking + 1, skill
        if lacking == 1:
            counts[missing] += 1
    return counts


@compiled
def lies(region: int, own: NDArray[np.int32], regions: NDArray[np.int32]) -> int:
    """Bits of the place: how these regions of a posting lie to one where a seeker would work."""
    found = 0
    depth = regions[region, DEEPEST]
    for other in own:
        if other == region:
            found |= SAME
        elif regions[other, depth] == region:
            found |= WITHIN
        elif regions[region, regions[other, DEEPEST]] == other:
            found |= AROUND
    return found


@compiled
def enough_with(posting: PostingRow, seeker: SeekerRow, found: int, way: int, points: int, weights: Weights) -> int:
    """Which of the bits SAME, WITHIN, AROUND, if the place had it besides, would make the points enough."""
    enough = 0
    others = points - place_points(posting, seeker, found, way, weights)
    for bit in (SAME, WITHIN, AROUND):
        if others + place_points(posting, seeker, found | bit, way, weights) >= weights.minimum:
            enough |= bit
    return enough


@compiled
def count_regions(
    anchor: int, kept: Nearly, postings: Columns, seekers: Columns, tables: Tables, weights: Weights
) -> NDArray[np.int64]:
    """By region: how many postings would be recommendable if the seeker would work there too, and are not now.

    A posting counts for the regions that it names and for those around them one by one; for all that lie in
    one that it names, once there (`below`), to be handed down in the end.
    """
    regions = tables.regions
    counts, below = np.zeros(regions.shape[0], np.int64), np.zeros(regions.shape[0], np.int64)
    seeker: SeekerRow = seekers.rows[anchor]
    for place in range(kept.rows.size):
        failed, points = kept.failed[place], kept.points[place]
        if not may_turn(failed, points, REGION, weights.place, weights.minimum):
            continue
        if failed == 0 and points >= weights.minimum:
            continue
        posting: PostingRow = postings.rows[kept.rows[place]]
        enough = enough_with(posting, seeker, kept.places[place], kept.ways[place], points, weights)
        if enough:
            own = postings.codes[posting.at : posting.at + posting.regions] - FIRST_REGION
            add_regions(own, enough, regions, counts, below)
    for region in range(regions.shape[0]):
        for level in range(regions[region, DEEPEST]):
            counts[region] += below[regions[region, level]]
    return counts


@compiled
def add_regions(
    own: NDArray[np.int32],
    enough: int,
    regions: NDArray[np.int32],
    counts: NDArray[np.int64],
    below: NDArray[np.int64],
) -> None:
    """Count one posting with these regions."""
    for number in range(own.size):
        depth = regions[own[number], DEEPEST]
        if enough & AROUND and lies(own[number], own, regions) & AROUND == 0:
            below[own[number]] += 1
        for level in range(depth + 1):
            region = regions[own[number], level]
            seen = False
            for earlier in own[:number]:
                seen |= regions[earlier, level] == region
            found = lies(region, own, regions) & enough
            if not seen and found and found & AROUND == 0:
                counts[region] += 1
