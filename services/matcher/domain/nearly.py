"""Who nearly suits an anchor: counterparts that fail one gate at most, with their points. Compiled.

Nobody else can be gained by one change (`services.matcher.domain.whynot`).
"""

# ruff: noqa: FBT001, PLR0913, PLR0917 - kernels take their arrays one by one, and which side asks
from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from services.matcher.domain.columns import UNKNOWN, Columns, Tables
from services.matcher.domain.compiled import compiled
from services.matcher.domain.gates import EDUCATION, EXPERIENCE, PAY, REGION, SWITCHED
from services.matcher.domain.kernels import (
    gates,
    licence_gate,
    most_points,
    place_gate,
    score_pair,
)
from services.matcher.domain.lookups import mark_posting_regions, of_posting, of_seeker
from services.matcher.domain.members import LENGTH, START
from services.matcher.domain.policy import Weights
from services.matcher.domain.prefetch import read_ahead
from services.matcher.domain.questions import (
    closeness,
    graded,
    licences_shared,
    place_of,
    required_and_preferred,
    skills_wanted,
    way_of,
)
from services.matcher.domain.reach import AWAY, HERE, NEAR, PIECE, sought_by, within_reach
from services.matcher.domain.search import in_place, skills_lost
from services.matcher.domain.words import ANY, GUARDS, employment_bits, guards

if TYPE_CHECKING:
    from services.matcher.domain.columns import PostingRow, SeekerRow

NOTHING: Final = -1_000_000
"""Instead of points where the two have nothing in common: no change of a gate helps."""


class Nearly(NamedTuple):
    """Counterparts that fail one gate at most, n of them."""

    rows: NDArray[np.int32]
    failed: NDArray[np.int32]
    """The bit of the gate; 0 if all pass."""
    places: NDArray[np.int32]
    """Bits of the place."""
    ways: NDArray[np.int32]
    """Points for the way; UNKNOWN if it is not known."""
    points: NDArray[np.int32]
    """The sum, whatever fails; NOTHING if nothing is in common."""


class Tried(NamedTuple):
    """Changes of one anchor, n of them: each as the row that it would have."""

    gates: NDArray[np.int32]
    """The bit of the gate that compares what changes."""
    regions: NDArray[np.int32]
    """A region that a posting has besides; UNKNOWN for none."""
    postings: NDArray[np.void]
    seekers: NDArray[np.void]
    """(n,) of the anchor's own side, anything of the other."""


@compiled
def room(size: int) -> Nearly:
    """For so many, to be written over."""
    return Nearly(
        np.empty(size, np.int32),
        np.empty(size, np.int32),
        np.empty(size, np.int32),
        np.empty(size, np.int32),
        np.empty(size, np.int32),
    )


@compiled
def first(kept: Nearly, count: int) -> Nearly:
    """Only so many of them."""
    return Nearly(kept.rows[:count], kept.failed[:count], kept.places[:count], kept.ways[:count], kept.points[:count])


@compiled
def swing(gate: int, weights: Weights) -> int:
    """By how many points a sum can move when what this gate compares changes."""
    if gate == REGION:
        return weights.place
    if gate == PAY:
        return weights.pay
    if gate == EXPERIENCE:
        return weights.experience
    return weights.education if gate == EDUCATION else 0


@compiled
def most_swing(failed: int, weights: Weights) -> int:
    """The same for any change that may help whoever fails this gate, or none."""
    if failed:
        return swing(failed, weights)
    return max(weights.place, weights.pay, weights.experience, weights.education)


@compiled
def distances(
    by_posting: bool,
    anchor: int,
    used: int,
    near: NDArray[np.int8],
    tried: Tried,
    postings: Columns,
    seekers: Columns,
    tables: Tables,
    weights: Weights,
) -> NDArray[np.int8]:
    """By row: whether it is in a place that fits (HERE), in one that a change that is tried makes fit, or AWAY.

    For a seeker, all that is not here is NEAR: regions are not tried one by one.
    """
    lists = seekers.lists if by_posting else postings.lists
    pool = seekers.pool if by_posting else postings.pool
    remote = postings.rows[anchor].remote == 1 if by_posting else seekers.rows[anchor].remote != 0
    placeless = postings.rows[anchor].regions == 0 if by_posting else seekers.rows[anchor].regions == 0
    if weights.gates & REGION == 0 or placeless:
        return np.full(used, HERE, np.int8)
    found = np.full(used, AWAY if by_posting else NEAR, np.int8)
    reach = np.zeros(tables.regions.shape[0], np.int8)
    mark_posting_regions(reach, tables.regions, tried.regions[tried.regions != UNKNOWN])
    remotely = bool(((tried.regions == UNKNOWN) & (tried.gates == REGION)).any())
    for code in range(lists.shape[0] if by_posting else 0):
        if lists[code, LENGTH] and in_place(code, reach, remotely):
            start = lists[code, START]
            for place in range(start, start + lists[code, LENGTH]):
                found[pool[place]] = NEAR
    for code in range(lists.shape[0]):
        if lists[code, LENGTH] and in_place(code, near, remote):
            start = lists[code, START]
            for place in range(start, start + lists[code, LENGTH]):
                found[pool[place]] = HERE
    return found


@compiled
def maybe_nearly(
    by_posting: bool,
    anchor: int,
    part: int,
    parts: int,
    distance: NDArray[np.int8],
    postings: Columns,
    seekers: Columns,
    weights: Weights,
) -> NDArray[np.int32]:
    """Rows of a part, ascending, of which gate word and place together fail at most one gate. Some may not be live."""
    words = seekers.words if by_posting else postings.words
    own_word = postings.words[anchor] if by_posting else seekers.words[anchor]
    kept = guards(weights.gates)
    types = employment_bits(own_word, weights.gates)
    begin, end = distance.size * part // parts, distance.size * (part + 1) // parts
    rows = np.empty(end - begin, np.int32)
    count = 0
    for row in range(begin, end):
        word = words[row]
        seeker, posting = (word, own_word) if by_posting else (own_word, word)
        lacking = ((seeker | GUARDS) - (posting & ~ANY)) & kept ^ kept
        failing = (lacking != 0) + (word & types == 0) + (distance[row] != HERE)
        rows[count] = row
        count += (lacking & (lacking - 1) == 0) & (failing <= 1)
    return rows[:count]


@compiled
def nearly(
    by_posting: bool,
    anchor: int,
    now: int,
    used: int,
    part: int,
    parts: int,
    tried: Tried,
    postings: Columns,
    seekers: Columns,
    tables: Tables,
    weights: Weights,
) -> tuple[Nearly, int]:
    """All who fail one gate at most, but for those whom no change that is tried could bring to the minimum.

    Of a seeker also all whose gates pass. Whom the region alone shuts out, and no change that is tried lets in, is
    only counted. `used`: rows of the others, of which those of one of so many equal parts are looked at.
    """
    lookups = (
        of_posting(anchor, postings, tables, weights) if by_posting else of_seeker(anchor, seekers, tables, weights)
    )
    near, ways, close_of, licence_of = lookups.near, lookups.way, lookups.close, lookups.licences
    worth, in_part = lookups.worth, lookups.pairs.size > 0
    posting_rows, seeker_rows, weight_of = postings.rows, seekers.rows, tables.skills
    codes = seekers.codes if by_posting else postings.codes
    wanted = skills_wanted(by_posting, anchor, postings)
    sought = sought_by(posting_rows[anchor if by_posting else 0], wanted, close_of, tables, weights)
    signs, most_each, skills, _ = sought
    on = ~(SWITCHED & ~weights.gates)
    distance = distances(by_posting, anchor, used, near, tried, postings, seekers, tables, weights)
    rows = maybe_nearly(by_posting, anchor, part, parts, distance, postings, seekers, weights)
    kept = room(rows.size)
    kept_rows, kept_failed, kept_places, kept_ways, kept_points = kept
    count = away = 0
    for begin in range(0, rows.size, PIECE):
        piece = rows[begin : begin + PIECE]
        if by_posting:
            piece, shut_out = within_reach(
                anchor, piece, distance, now, lookups, sought, postings, seekers, tables, weights
            )
            away += shut_out
        for place in range(piece.size):
            read_ahead(by_posting, place, piece, posting_rows, seeker_rows, codes)
            row = piece[place]
            p, s = (anchor, row) if by_posting else (row, anchor)
            posting: PostingRow = posting_rows[p]
            seeker: SeekerRow = seeker_rows[s]
            if posting.live == 0 or seeker.live == 0:
                continue
            found = place_of(by_posting, posting, seeker, near, codes)
            failed = gates(posting, seeker, now)[0] | place_gate(posting, seeker, found)[0]
            if posting.licences:
                shared = licences_shared(by_posting, posting, seeker, licence_of, codes)
                failed |= licence_gate(posting, seeker, shared)[0]
            failed &= on
            if failed & (failed - 1):
                continue
            more = most_swing(failed, weights)
            way = way_of(by_posting, posting, seeker, ways, codes)
            close = closeness(by_posting, posting, seeker, close_of, codes, weights.later)
            lost = skills_lost(seeker, signs, most_each, skills)
            most = most_points(posting, seeker, found, way, close, weights) + more
            if by_posting and most - lost < weights.minimum:
                continue
            required, preferred = (
                graded(posting, seeker, lookups, wanted, codes, weight_of)
                if in_part
                else required_and_preferred(by_posting, posting, seeker, worth, codes)
            )
            total = 0 if close > 0 or required > 0 or preferred > 0 else NOTHING
            for points in score_pair(posting, seeker, found, way, close, required, preferred, weights):
                total += points
            if total + more < weights.minimum and (by_posting or failed):
                continue
            kept_rows[count], kept_failed[count], kept_places[count], kept_points[count] = row, failed, found, total
            kept_ways[count] = way
            count += 1
    return first(kept, count), away
