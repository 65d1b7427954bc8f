"""Whom a posting may reach by one change, and how many its place alone keeps away. Compiled.

Nearly everybody is ruled out by the bits of rows (`words.skill_bits`), before codes are read; by pieces, so that
rows that are looked at more than once are still near the processor.
"""

# ruff: noqa: FBT003, PLR0913, PLR0917 - kernels take their arrays one by one, and which side asks
from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from services.matcher.domain.columns import UNKNOWN, Columns, Tables
from services.matcher.domain.compiled import compiled, inlined
from services.matcher.domain.gates import SWITCHED
from services.matcher.domain.kernels import (
    gates,
    licence_gate,
    most_for_occupation,
    most_of_rows,
    score_pair,
)
from services.matcher.domain.lookups import Lookups, close_bits
from services.matcher.domain.policy import Weights
from services.matcher.domain.prefetch import begin_to_read
from services.matcher.domain.questions import (
    graded,
    licences_shared,
    required_and_preferred,
    skills_wanted,
    unsigned,
    way_of,
)
from services.matcher.domain.search import all_skills, most_of_skills, signs_of, skills_lost

if TYPE_CHECKING:
    from services.matcher.domain.columns import PostingRow, SeekerRow

HERE, NEAR, AWAY = 0, 1, 2
"""Whether a counterpart is in a place that fits, in one that a change that is tried makes fit, or in none."""
PIECE: Final = 4096


class Sought(NamedTuple):
    """What a posting wants, to be compared with the bits of rows."""

    signs: NDArray[np.int64]
    """As `search.signs_of`."""
    most_each: NDArray[np.int32]
    """As `search.most_of_skills`."""
    skills: int
    """As `search.all_skills`."""
    close: int
    """As `lookups.close_bits`."""


@compiled
def sought_by(
    posting: PostingRow, skills: NDArray[np.int32], close: NDArray[np.int32], tables: Tables, weights: Weights
) -> Sought:
    """Of a posting with these skills, and closeness by occupation."""
    return Sought(
        signs_of(skills, tables.credits),
        most_of_skills(skills, posting, tables, weights),
        all_skills(posting, weights),
        close_bits(close, tables.occupations),
    )


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
    now: int,
    lookups: Lookups,
    sought: Sought,
    postings: Columns,
    seekers: Columns,
    tables: Tables,
    weights: Weights,
) -> tuple[NDArray[np.int32], int]:
    """Of these seekers those who may come to a posting's minimum by any change that is tried; and how many more are
    AWAY and shut out by that alone.
    """  # noqa: D205 - one sentence
    left = by_bits(anchor, rows, distance, sought, postings, seekers, weights)
    aways, others = apart(anchor, left, distance, sought, postings, seekers, weights)
    return others, count_away(anchor, aways, now, lookups, sought, postings, seekers, tables, weights)


@compiled
def by_bits(
    anchor: int,
    rows: NDArray[np.int32],
    distance: NDArray[np.int8],
    sought: Sought,
    postings: Columns,
    seekers: Columns,
    weights: Weights,
) -> NDArray[np.int32]:
    """Of these seekers those who may come to the minimum, whatever else changes: a few steps without branches."""
    posting: PostingRow = postings.rows[anchor]
    seeker_rows = seekers.rows
    signs, most_each, skills, close = sought
    least = weights.minimum - most_known(posting, weights) - skills
    kept = np.empty(rows.size, np.int32)
    count = 0
    for place in range(rows.size):
        row = rows[place]
        seeker: SeekerRow = seeker_rows[row]
        most = most_for_occupation(posting, seeker, close, weights)
        most -= skills_lost(seeker, signs, most_each, skills)
        most += weights.most_way if distance[row] == AWAY else weights.place
        most += weights.benefits if posting.benefits & seeker.benefits else weights.benefits // 2
        most += weights.key_group if posting.key_groups & seeker.key_groups else 0
        kept[count] = row
        count += most >= least
    return kept[:count]


@compiled
def apart(
    anchor: int,
    rows: NDArray[np.int32],
    distance: NDArray[np.int8],
    sought: Sought,
    postings: Columns,
    seekers: Columns,
    weights: Weights,
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Of these seekers those who are AWAY and may come to the minimum as they are, and all others."""
    posting: PostingRow = postings.rows[anchor]
    seeker_rows = seekers.rows
    signs, most_each, skills, close = sought
    least = weights.minimum - weights.most_way
    aways, others = np.empty(rows.size, np.int32), np.empty(rows.size, np.int32)
    away = other = 0
    for place in range(rows.size):
        row = rows[place]
        seeker: SeekerRow = seeker_rows[row]
        if distance[row] == AWAY:
            most = most_for_occupation(posting, seeker, close, weights) + most_of_rows(posting, seeker, weights)
            aways[away] = row
            away += most - skills_lost(seeker, signs, most_each, skills) >= least
        else:
            others[other] = row
            other += 1
    return aways[:away], others[:other]


@inlined
def closeness_to(
    posting: PostingRow,
    seeker: SeekerRow,
    bits: int,
    close: NDArray[np.int32],
    codes: NDArray[np.int32],
    later: int,
) -> int:
    """As `questions.closeness` of a posting; of most people their bits say that nothing they want is close.

    Arrays are read in no branch, for there numba counts their references.
    """
    known = posting.occupation != UNKNOWN and seeker.occupations > 0
    maybe = known and seeker.occupation_bits & bits != 0
    best = 0 if known and not maybe else UNKNOWN
    at = seeker.at + 2 * seeker.lists
    for i in range(seeker.occupations if maybe else 0):
        permille = close[unsigned(codes[unsigned(at + i)])]
        best = max(best, permille * (1000 if i == 0 else later) if permille != UNKNOWN else UNKNOWN)
    return best


@compiled
def count_away(
    anchor: int,
    rows: NDArray[np.int32],
    now: int,
    lookups: Lookups,
    sought: Sought,
    postings: Columns,
    seekers: Columns,
    tables: Tables,
    weights: Weights,
) -> int:
    """How many of these seekers, in whose place a posting is not, are shut out by that alone.

    They are live: of all others gate word and place fail two gates.
    """
    ways, close_of, licence_of = lookups.way, lookups.close, lookups.licences
    worth, in_part = lookups.worth, lookups.pairs.size > 0
    posting_rows, seeker_rows, codes, weight_of = postings.rows, seekers.rows, seekers.codes, tables.skills
    posting: PostingRow = posting_rows[anchor]
    wanted = skills_wanted(True, anchor, postings)
    on, bits = ~(SWITCHED & ~weights.gates), sought.close
    count = 0
    for place in range(rows.size):
        begin_to_read(place, rows, seeker_rows, codes)
        seeker: SeekerRow = seeker_rows[rows[place]]
        failed, _ = gates(posting, seeker, now)
        if posting.licences:
            shared = licences_shared(True, posting, seeker, licence_of, codes)
            failed |= licence_gate(posting, seeker, shared)[0]
        way = way_of(True, posting, seeker, ways, codes)
        close = closeness_to(posting, seeker, bits, close_of, codes, weights.later)
        required, preferred = (
            graded(posting, seeker, lookups, wanted, codes, weight_of)
            if in_part
            else required_and_preferred(True, posting, seeker, worth, codes)
        )
        total = 0
        for part in score_pair(posting, seeker, 0, way, close, required, preferred, weights):
            total += part
        common = (close > 0) | (required > 0) | (preferred > 0)
        count += (failed & on == 0) & common & (total >= weights.minimum)
    return count
