"""Who nearly suits an anchor: counterparts that fail one gate at most, with their points. Compiled.

Nobody else can be gained by one change (`services.matcher.domain.whynot`).
"""

# ruff: noqa: FBT001, FBT003, PLR0913, PLR0917 - kernels take their arrays one by one, and which side asks
from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from services.matcher.domain.columns import UNKNOWN, Columns, Tables
from services.matcher.domain.compiled import compiled, inlined
from services.matcher.domain.gates import EDUCATION, EXPERIENCE, PAY, REGION, SWITCHED
from services.matcher.domain.kernels import (
    HOME,
    gates,
    licence_gate,
    most_for_occupation,
    most_points,
    place_gate,
    score_pair,
)
from services.matcher.domain.lookups import Lookups, close_bits, mark_posting_regions, of_posting, of_seeker
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
)
from services.matcher.domain.search import in_place, signs_of
from services.matcher.domain.words import ANY, GUARDS, employment_bits, guards

if TYPE_CHECKING:
    from services.matcher.domain.columns import PostingRow, SeekerRow

NOTHING: Final = -1_000_000
"""Instead of points where the two have nothing in common: no change of a gate helps."""
HERE, NEAR, AWAY = 0, 1, 2


class Nearly(NamedTuple):
    """Counterparts that fail one gate at most, n of them."""

    rows: NDArray[np.int32]
    failed: NDArray[np.int32]
    """The bit of the gate; 0 if all pass."""
    places: NDArray[np.int32]
    """Bits of the place."""
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
        np.empty(size, np.int32), np.empty(size, np.int32), np.empty(size, np.int32), np.empty(size, np.int32)
    )


@compiled
def first(kept: Nearly, count: int) -> Nearly:
    """Only so many of them."""
    return Nearly(kept.rows[:count], kept.failed[:count], kept.places[:count], kept.points[:count])


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
    distance: NDArray[np.int8],
    postings: Columns,
    seekers: Columns,
    weights: Weights,
) -> NDArray[np.int32]:
    """Rows, ascending, of which gate word and place together fail at most one gate. Some may not be live."""
    words = seekers.words if by_posting else postings.words
    own_word = postings.words[anchor] if by_posting else seekers.words[anchor]
    kept = guards(weights.gates)
    types = employment_bits(own_word, weights.gates)
    rows = np.empty(distance.size, np.int32)
    count = 0
    for row in range(distance.size):
        word = words[row]
        seeker, posting = (word, own_word) if by_posting else (own_word, word)
        lacking = ((seeker | GUARDS) - (posting & ~ANY)) & kept ^ kept
        failing = (lacking != 0) + (word & types == 0) + (distance[row] != HERE)
        rows[count] = row
        count += (lacking & (lacking - 1) == 0) & (failing <= 1)
    return rows[:count]


@compiled
def skill_points(
    skills: NDArray[np.int32], signs: NDArray[np.int64], posting: PostingRow, tables: Tables, weights: Weights
) -> NDArray[np.int32]:
    """(8, 256): by byte of a signature and its value, thousandths of points that these skills could give at most.

    The points for skills are no more than the sum over the eight bytes: each bit has the points, rounded up, of all
    skills that set it, and who has several bits of a skill is only given too much.
    """
    of_bit = np.zeros(64, np.int32)
    for place in range(skills.size):
        weight = 1000 * tables.skills[skills[place], 0]
        if place < posting.required:
            most = -(-weights.required * weight // posting.required_weight)
        else:
            most = -(-weights.preferred * weight // posting.preferred_weight)
        for bit in range(64):
            if signs[place] >> bit & 1:
                of_bit[bit] += most
    table = np.zeros((8, 256), np.int32)
    for byte in range(8):
        for value in range(1, 256):
            bit = 0
            while not value >> bit & 1:
                bit += 1
            table[byte, value] = table[byte, value & (value - 1)] + of_bit[8 * byte + bit]
    return table


@inlined
def most_for_skills(signature: int, table: NDArray[np.int32], all_of_them: int) -> int:
    """Points that the skills give at most. `all_of_them`: as `all_skills`."""
    thousandths = 0
    for byte in range(8):
        thousandths += table[byte, signature >> 8 * byte & 255]
    return min(thousandths // 1000, all_of_them)


@compiled
def all_skills(posting: PostingRow, weights: Weights) -> int:
    """Points for all skills that the posting names."""
    most = weights.required if posting.required_weight else 0
    return most + (weights.preferred if posting.preferred_weight else 0)


@compiled
def most_known(posting: PostingRow, weights: Weights) -> int:
    """Points that anybody gets at most for education, experience and pay, and all get for skills that are not named."""
    most = weights.education if posting.education else weights.education // 2
    most += weights.experience // 2 if posting.experience == UNKNOWN else weights.experience
    most += weights.pay // 2 if posting.currency == UNKNOWN else weights.pay
    most += 0 if posting.required_weight else weights.required // 2
    return most + (0 if posting.preferred_weight else weights.preferred // 2)


@compiled
def within_reach(
    anchor: int,
    rows: NDArray[np.int32],
    distance: NDArray[np.int8],
    close: NDArray[np.int32],
    table: NDArray[np.int32],
    postings: Columns,
    seekers: Columns,
    tables: Tables,
    weights: Weights,
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Of these seekers those who may come to a posting's minimum by any change that is tried, and apart who is AWAY.

    Most people are ruled out here, by their bits: so it takes but a few steps, and nobody's codes are read.
    """
    posting: PostingRow = postings.rows[anchor]
    seeker_rows = seekers.rows
    skills, bits = all_skills(posting, weights), close_bits(close, tables.occupations)
    least = weights.minimum - most_known(posting, weights)
    others, aways = np.empty(rows.size, np.int32), np.empty(rows.size, np.int32)
    count = away = 0
    for place in range(rows.size):
        row = rows[place]
        seeker: SeekerRow = seeker_rows[row]
        here = distance[row] != AWAY
        most = most_for_skills(seeker.skill_bits, table, skills)
        most += most_for_occupation(posting, seeker, bits, weights)
        most += weights.place if here else weights.home
        most += weights.benefits if posting.benefits & seeker.benefits else weights.benefits // 2
        most += weights.key_group if posting.key_groups & seeker.key_groups else 0
        others[count], aways[away] = row, row
        count += here & (most >= least)
        away += (not here) & (most >= least)
    return others[:count], aways[:away]


@compiled
def count_away(
    anchor: int,
    rows: NDArray[np.int32],
    now: int,
    lookups: Lookups,
    postings: Columns,
    seekers: Columns,
    tables: Tables,
    weights: Weights,
) -> int:
    """How many of these seekers, in whose place a posting is not, are shut out by that alone.

    They are live: of all others gate word and place fail two gates.
    """
    near, close_of, licence_of = lookups.near, lookups.close, lookups.licences
    worth, in_part = lookups.worth, lookups.pairs.size > 0
    posting_rows, seeker_rows, codes, weight_of = postings.rows, seekers.rows, seekers.codes, tables.skills
    posting: PostingRow = posting_rows[anchor]
    wanted = skills_wanted(True, anchor, postings)
    on = ~(SWITCHED & ~weights.gates)
    count = 0
    for place in range(rows.size):
        read_ahead(True, place, rows, posting_rows, seeker_rows, codes)
        seeker: SeekerRow = seeker_rows[rows[place]]
        failed, _ = gates(posting, seeker, now)
        if posting.licences:
            shared = licences_shared(True, posting, seeker, licence_of, codes)
            failed |= licence_gate(posting, seeker, shared)[0]
        home = near[seeker.lives_in] & HOME if seeker.lives_in != UNKNOWN else 0
        close = closeness(True, posting, seeker, close_of, codes, weights.later)
        required, preferred = (
            graded(posting, seeker, lookups, wanted, codes, weight_of)
            if in_part
            else required_and_preferred(True, posting, seeker, worth, codes)
        )
        total = 0
        for part in score_pair(posting, seeker, home, close, required, preferred, weights):
            total += part
        common = (close > 0) | (required > 0) | (preferred > 0)
        count += (failed & on == 0) & common & (total >= weights.minimum)
    return count


@compiled
def looked_at(
    by_posting: bool,
    anchor: int,
    now: int,
    used: int,
    tried: Tried,
    lookups: Lookups,
    table: NDArray[np.int32],
    postings: Columns,
    seekers: Columns,
    tables: Tables,
    weights: Weights,
) -> tuple[NDArray[np.int32], int]:
    """Rows of those whom a change that is tried may help, and how many more the region alone shuts out."""
    distance = distances(by_posting, anchor, used, lookups.near, tried, postings, seekers, tables, weights)
    rows = maybe_nearly(by_posting, anchor, distance, postings, seekers, weights)
    if not by_posting:
        return rows, 0
    rows, aways = within_reach(anchor, rows, distance, lookups.close, table, postings, seekers, tables, weights)
    return rows, count_away(anchor, aways, now, lookups, postings, seekers, tables, weights)


@compiled
def nearly(
    by_posting: bool,
    anchor: int,
    now: int,
    used: int,
    tried: Tried,
    postings: Columns,
    seekers: Columns,
    tables: Tables,
    weights: Weights,
) -> tuple[Nearly, int]:
    """All who fail one gate at most, but for those whom no change that is tried could bring to the minimum.

    Of a seeker also all whose gates pass. Whom the region alone shuts out, and no change that is tried lets in, is
    only counted. `used`: rows of the others.
    """
    lookups = (
        of_posting(anchor, postings, tables, weights) if by_posting else of_seeker(anchor, seekers, tables, weights)
    )
    near, close_of, licence_of = lookups.near, lookups.close, lookups.licences
    worth, in_part = lookups.worth, lookups.pairs.size > 0
    posting_rows, seeker_rows, weight_of = postings.rows, seekers.rows, tables.skills
    codes = seekers.codes if by_posting else postings.codes
    wanted = skills_wanted(by_posting, anchor, postings)
    asked: PostingRow = posting_rows[anchor if by_posting else 0]
    skills = all_skills(asked, weights)
    table = skill_points(wanted, signs_of(wanted, tables.credits), asked, tables, weights)
    on = ~(SWITCHED & ~weights.gates)
    rows, away = looked_at(by_posting, anchor, now, used, tried, lookups, table, postings, seekers, tables, weights)
    kept = room(rows.size)
    kept_rows, kept_failed, kept_places, kept_points = kept
    count = 0
    for place in range(rows.size):
        read_ahead(by_posting, place, rows, posting_rows, seeker_rows, codes)
        row = rows[place]
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
        close = closeness(by_posting, posting, seeker, close_of, codes, weights.later)
        if by_posting:
            most = most_points(posting, seeker, found, close, weights) + more
            if most - skills + most_for_skills(seeker.skill_bits, table, skills) < weights.minimum:
                continue
        required, preferred = (
            graded(posting, seeker, lookups, wanted, codes, weight_of)
            if in_part
            else required_and_preferred(by_posting, posting, seeker, worth, codes)
        )
        total = 0 if close > 0 or required > 0 or preferred > 0 else NOTHING
        for part in score_pair(posting, seeker, found, close, required, preferred, weights):
            total += part
        if total + more < weights.minimum and (by_posting or failed):
            continue
        kept_rows[count], kept_failed[count], kept_places[count], kept_points[count] = row, failed, found, total
        count += 1
    return first(kept, count), away
