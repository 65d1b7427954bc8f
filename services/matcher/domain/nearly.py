"""Who nearly suits an anchor: counterparts that fail one gate at most, with their points. Compiled.

Nobody else can be gained by one change (`services.matcher.domain.whynot`).
"""

# ruff: noqa: FBT001, PLR0913, PLR0917 - kernels take their arrays one by one, and which side asks
from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from services.matcher.domain.columns import UNKNOWN, Columns, Tables
from services.matcher.domain.compiled import compiled, inlined
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
from services.matcher.domain.questions import (
    closeness,
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
    """Counterparts that fail one gate at most, n of them, and what their points are made of."""

    rows: NDArray[np.int32]
    failed: NDArray[np.int32]
    """The bit of the gate; 0 if all pass."""
    places: NDArray[np.int32]
    """Bits of the place."""
    close: NDArray[np.int32]
    required: NDArray[np.int32]
    preferred: NDArray[np.int32]
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
        np.empty(size, np.int32),
        np.empty(size, np.int32),
    )


@compiled
def first(kept: Nearly, count: int) -> Nearly:
    """Only so many of them."""
    return Nearly(
        kept.rows[:count],
        kept.failed[:count],
        kept.places[:count],
        kept.close[:count],
        kept.required[:count],
        kept.preferred[:count],
        kept.points[:count],
    )


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


@inlined
def most_at_all(posting: PostingRow, seeker: SeekerRow, close: int, away: bool, known: int, weights: Weights) -> int:
    """Points that the two have at most, without those for skills, whatever change is tried. `known`: `most_known`.

    Most people are ruled out by this and their signature: so it takes but a few steps.
    """
    most = known + (weights.occupation // 2 if close == UNKNOWN else weights.occupation * close // 1_000_000)
    most += weights.home if away else weights.place
    most += weights.benefits if posting.benefits & seeker.benefits else weights.benefits // 2
    return most + (weights.key_group if posting.key_groups & seeker.key_groups else 0)


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
    skill_lookups = (lookups.heads, lookups.pairs, lookups.credit)
    posting_rows, seeker_rows, weight_of = postings.rows, seekers.rows, tables.skills
    codes = seekers.codes if by_posting else postings.codes
    wanted = skills_wanted(by_posting, anchor, postings)
    got = np.zeros(wanted.size, np.int32)
    asked: PostingRow = posting_rows[anchor if by_posting else 0]
    known, skills = most_known(asked, weights), all_skills(asked, weights)
    table = skill_points(wanted, signs_of(wanted, tables.credits), asked, tables, weights)
    on = ~(SWITCHED & ~weights.gates)
    distance = distances(by_posting, anchor, used, near, tried, postings, seekers, tables, weights)
    rows = maybe_nearly(by_posting, anchor, distance, postings, seekers, weights)
    kept = room(rows.size)
    kept_rows, kept_failed, kept_places, kept_close, kept_required, kept_preferred, kept_points = kept
    count = away = 0
    for place in range(rows.size):
        row = rows[place]
        p, s = (anchor, row) if by_posting else (row, anchor)
        posting: PostingRow = posting_rows[p]
        seeker: SeekerRow = seeker_rows[s]
        close = closeness(by_posting, posting, seeker, close_of, codes, weights.later)
        of_skills = most_for_skills(seeker.signature, table, skills)
        most = most_at_all(posting, seeker, close, distance[row] == AWAY, known, weights) + of_skills
        if by_posting and most < weights.minimum:
            continue
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
        more = 0 if failed and distance[row] == AWAY else most_swing(failed, weights)
        if (
            by_posting
            and most_points(posting, seeker, found, close, weights) - skills + of_skills + more < weights.minimum
        ):
            continue
        required, preferred = required_and_preferred(
            by_posting, posting, seeker, skill_lookups, wanted, codes, weight_of, got
        )
        total = 0 if close > 0 or required > 0 or preferred > 0 else NOTHING
        for part in score_pair(posting, seeker, found, close, required, preferred, weights):
            total += part
        if failed and distance[row] == AWAY:
            away += total >= weights.minimum
            continue
        if total + more < weights.minimum and (by_posting or failed):
            continue
        kept_rows[count], kept_failed[count], kept_places[count], kept_close[count] = row, failed, found, close
        kept_required[count], kept_preferred[count], kept_points[count] = required, preferred, total
        count += 1
    return first(kept, count), away
