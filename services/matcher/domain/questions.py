"""What one anchor and some counterparts have in common, compiled: the pieces of every answer, and `weigh`."""

# ruff: noqa: FBT001, PLR0913, PLR0917 - kernels take their arrays one by one, and which side asks
from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from services.matcher.domain.columns import FIRST_REGION, UNKNOWN, Columns, Tables
from services.matcher.domain.compiled import compiled, inlined
from services.matcher.domain.gates import OCCUPATION, SWITCHED
from services.matcher.domain.kernels import (
    COMPONENTS,
    REMOTE,
    gates,
    licence_gate,
    place_gate,
    score_pair,
)
from services.matcher.domain.lookups import COUNTS_FOR, CREDIT, NEXT, PACKED, Lookups, credits_of, of_posting, of_seeker
from services.matcher.domain.policy import Weights

if TYPE_CHECKING:
    from services.matcher.domain.columns import PostingRow, SeekerRow
    from services.matcher.domain.view import View

REFUSED: Final = -1
"""Instead of points: a gate failed, too few points, or nothing in common."""


@inlined
def unsigned(index: int) -> np.uintp:
    """An index that is never negative: so nothing is added for one that is, and neighbours are read together."""
    return np.uintp(index)


@inlined
def place_of(
    by_posting: bool, posting: PostingRow, seeker: SeekerRow, near: NDArray[np.int8], codes: NDArray[np.int32]
) -> int:
    """Bits of the place. `codes` are the counterparts'."""
    found = REMOTE if posting.remote == 1 and seeker.remote == 1 else 0
    if by_posting:
        for i in range(seeker.regions):
            found |= near[unsigned(codes[unsigned(seeker.at + i)] - FIRST_REGION)]
    else:
        for i in range(posting.regions):
            found |= near[unsigned(codes[unsigned(posting.at + i)] - FIRST_REGION)]
    return found


@inlined
def way_of(
    by_posting: bool, posting: PostingRow, seeker: SeekerRow, way: NDArray[np.int32], codes: NDArray[np.int32]
) -> int:
    """Points for the way to the nearest of the posting's regions, by `Lookups.way`; UNKNOWN if none is known."""
    best = UNKNOWN
    if by_posting:
        if seeker.lives_in != UNKNOWN:
            best = way[unsigned(seeker.lives_in)]
    else:
        for i in range(posting.regions):
            best = max(best, way[unsigned(codes[unsigned(posting.at + i)] - FIRST_REGION)])
    return best


@inlined
def licences_shared(
    by_posting: bool, posting: PostingRow, seeker: SeekerRow, own: NDArray[np.int8], codes: NDArray[np.int32]
) -> int:
    """How many licences the two share."""
    if by_posting:
        at = seeker.at + 2 * seeker.lists + seeker.occupations + seeker.skills
        count = seeker.licences
    else:
        at = posting.at + 2 * posting.lists + posting.skills
        count = posting.licences
    shared = 0
    for i in range(count):
        shared += own[unsigned(codes[unsigned(at + i)])]
    return shared


@inlined
def closeness(
    by_posting: bool,
    posting: PostingRow,
    seeker: SeekerRow,
    close: NDArray[np.int32],
    codes: NDArray[np.int32],
    later: int,
) -> int:
    """Of the occupations, in millionths; UNKNOWN if they cannot be compared."""
    best = UNKNOWN
    if posting.occupation != UNKNOWN:
        if not by_posting:
            best = close[unsigned(posting.occupation)]
        else:
            at = seeker.at + 2 * seeker.lists
            for i in range(seeker.occupations):
                permille = close[unsigned(codes[unsigned(at + i)])]
                if permille != UNKNOWN:
                    best = max(best, permille * (1000 if i == 0 else later))
    return best


@inlined
def required_and_preferred(
    by_posting: bool, posting: PostingRow, seeker: SeekerRow, worth: NDArray[np.int64], codes: NDArray[np.int32]
) -> tuple[int, int]:
    """Weights of the posting's skills, times the permille to which the seeker has them, summed."""
    required = preferred = 0
    if by_posting:
        at = seeker.at + 2 * seeker.lists + seeker.occupations
        for i in range(seeker.skills):
            required += worth[unsigned(codes[unsigned(at + i)])]
        preferred = required & (PACKED - 1)
        required >>= 32
    else:
        at = posting.at + 2 * posting.lists
        for i in range(posting.skills):
            if i < posting.required:
                required += worth[unsigned(codes[unsigned(at + i)])]
            else:
                preferred += worth[unsigned(codes[unsigned(at + i)])]
    return required, preferred


@compiled
def graded(
    posting: PostingRow,
    seeker: SeekerRow,
    lookups: Lookups,
    wanted: NDArray[np.int32],
    codes: NDArray[np.int32],
    weight_of: NDArray[np.int32],
) -> tuple[int, int]:
    """The same for a posting (its skills: `wanted`) of which some skills are there in part by others."""
    heads, pairs, got = lookups.heads, lookups.pairs, lookups.got
    for place in range(wanted.size):
        got[place] = 0
    at = seeker.at + 2 * seeker.lists + seeker.occupations
    for skill in codes[at : at + seeker.skills]:
        pair = heads[skill]
        while pair != 0:
            place = pairs[pair, COUNTS_FOR]
            got[place] = max(got[place], pairs[pair, CREDIT])
            pair = pairs[pair, NEXT]
    required = preferred = 0
    for place in range(wanted.size):
        part = got[place] * weight_of[wanted[place], 0]
        if place < posting.required:
            required += part
        else:
            preferred += part
    return required, preferred


class Weighed(NamedTuple):
    """An anchor against n counterparts."""

    points: NDArray[np.int32]
    """(n,) REFUSED if not to be recommended."""
    facts: NDArray[np.int64]
    """(n, 3): failed gates and unknown facts as bits in the order of GATES and then OCCUPATION and DISTANCE, and 1 if
    they have something in common."""
    parts: NDArray[np.int32]
    """(n, 9): the components."""


@inlined
def skills_wanted(by_posting: bool, anchor: int, postings: Columns) -> NDArray[np.int32]:
    """The skills of an anchor that is a posting; else none."""
    asked = postings.rows[anchor if by_posting else 0]
    start = asked.at + 2 * asked.lists
    return postings.codes[start : start + (asked.skills if by_posting else 0)]


@compiled
def weigh(view: View, by_posting: bool, anchor: int, others: NDArray[np.int64], now: int) -> Weighed:
    """The anchor against each counterpart in these rows; rows that are not live are refused."""
    postings, seekers, tables, weights = view.postings, view.seekers, view.tables, view.weights
    lookups = (
        of_posting(anchor, postings, tables, weights) if by_posting else of_seeker(anchor, seekers, tables, weights)
    )
    return weigh_with(lookups, by_posting, anchor, others, now, postings, seekers, tables, weights)


@compiled
def weigh_with(
    lookups: Lookups,
    by_posting: bool,
    anchor: int,
    others: NDArray[np.int64],
    now: int,
    postings: Columns,
    seekers: Columns,
    tables: Tables,
    weights: Weights,
) -> Weighed:
    """The same, where the anchor's tables are there."""
    near, ways, close_of, licence_of = lookups.near, lookups.way, lookups.close, lookups.licences
    worth, in_part = lookups.worth, lookups.pairs.size > 0
    posting_rows, seeker_rows, weight_of = postings.rows, seekers.rows, tables.skills
    codes = seekers.codes if by_posting else postings.codes
    wanted = skills_wanted(by_posting, anchor, postings)
    off = SWITCHED & ~weights.gates
    points = np.full(others.size, REFUSED, np.int32)
    facts = np.zeros((others.size, 3), np.int64)
    parts = np.zeros((others.size, len(COMPONENTS)), np.int32)
    for place in range(others.size):
        row = others[place]
        p, s = (anchor, row) if by_posting else (row, anchor)
        posting: PostingRow = posting_rows[p]
        seeker: SeekerRow = seeker_rows[s]
        if posting.live == 0 or seeker.live == 0:
            continue
        found = place_of(by_posting, posting, seeker, near, codes)
        way = way_of(by_posting, posting, seeker, ways, codes)
        shared = licences_shared(by_posting, posting, seeker, licence_of, codes)
        close = closeness(by_posting, posting, seeker, close_of, codes, weights.later)
        required, preferred = (
            graded(posting, seeker, lookups, wanted, codes, weight_of)
            if in_part
            else required_and_preferred(by_posting, posting, seeker, worth, codes)
        )
        failed, unknown = gates(posting, seeker, now)
        failed_place, unknown_place = place_gate(posting, seeker, found)
        failed_licence, unknown_licence = licence_gate(posting, seeker, shared)
        failed = (failed | failed_place | failed_licence) & ~off
        unknown = (unknown | unknown_place | unknown_licence) & ~off
        if way == UNKNOWN and found & REMOTE == 0:
            unknown |= weights.way_named
        components = score_pair(posting, seeker, found, way, close, required, preferred, weights)
        common = close > 0 or required > 0 or preferred > 0
        total = 0
        for part in components:
            total += part
        if failed == 0 and common and total >= weights.minimum:
            points[place] = total
        facts[place, 0] = failed
        facts[place, 1] = unknown | OCCUPATION if close == UNKNOWN else unknown
        facts[place, 2] = 1 if common else 0
        for i in range(len(COMPONENTS)):
            parts[place, i] = components[i]
    return Weighed(points, facts, parts)


@compiled
def skills_had(
    view: View, by_posting: bool, anchor: int, others: NDArray[np.int64]
) -> tuple[NDArray[np.int32], NDArray[np.int8], NDArray[np.int32]]:
    """For each pair (n): the posting's skills, and 1 for each that the seeker has, 2 for what is required and lacks.

    Third, of a skill that the seeker lacks, the one that counts for it in part, or UNKNOWN. All (n, widest); what
    lies behind a posting's last skill is 0 in the second.
    """
    postings, seekers, tables = view.postings, view.seekers, view.tables
    standing_in = tables.credits
    widest = 0
    for row in others:
        widest = max(widest, postings.rows[anchor if by_posting else row].skills)
    skills = np.zeros((others.size, widest), np.int32)
    had = np.zeros((others.size, widest), np.int8)
    through = np.full((others.size, widest), UNKNOWN, np.int32)
    own = np.zeros(tables.skills.shape[0], np.bool_)
    for place in range(others.size):
        posting = postings.rows[anchor if by_posting else others[place]]
        seeker = seekers.rows[others[place] if by_posting else anchor]
        at = seeker.at + 2 * seeker.lists + seeker.occupations
        theirs = seekers.codes[at : at + seeker.skills]
        for skill in theirs:
            own[skill] = True
        at = posting.at + 2 * posting.lists
        for number in range(posting.skills):
            skill = postings.codes[at + number]
            skills[place, number] = skill
            if own[skill]:
                had[place, number] = 1
                continue
            if number < posting.required:
                had[place, number] = 2
            most = 0
            for near in range(credits_of(skill, standing_in)):
                one = standing_in.starts[skill] + near
                if own[standing_in.others[one]] and standing_in.permille[one] > most:
                    most, through[place, number] = standing_in.permille[one], standing_in.others[one]
        for skill in theirs:
            own[skill] = False
    return skills, had, through
