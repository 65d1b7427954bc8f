"""Gates, then points: the rules of who suits whom, compiled.

`gates` and `score` are the only places that know the rules; the questions that scan, hold and explain
(`services.matcher.domain.questions`) call them. Everything is whole numbers, so an answer does not depend
on the order of anything. Divisions are by positive numbers and round down.

A fact is missing when it is None, or when it is an empty list of which the contract says that empty means
unknown. A missing fact passes its gate and scores neutral: half of the component's maximum, and the policy's
own number for place.
"""

# ruff: noqa: PLR0913 - kernels take their arrays one by one
from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from services.matcher.domain.columns import UNKNOWN, Postings, Seekers, Tables
from services.matcher.domain.compiled import compiled
from services.matcher.domain.policy import Weights
from shared.regions import DEEPEST

if TYPE_CHECKING:
    from services.matcher.domain.columns import PostingRow, SeekerRow

GATES: Final = (
    "open",
    "valid",
    "active",
    "consent",
    "region",
    "education",
    "experience",
    "pay",
    "employment_type",
    "licences",
)
"""In the order in which they are named. A list's `unknown` may also name `occupation`, which is no gate."""
VALID: Final = 1 << 1
REGION: Final = 1 << 4
EDUCATION: Final = 1 << 5
EXPERIENCE: Final = 1 << 6
PAY: Final = 1 << 7
EMPLOYMENT: Final = 1 << 8
LICENCES: Final = 1 << 9
OCCUPATION: Final = 1 << 10

COMPONENTS: Final = (
    "occupation",
    "required_skills",
    "preferred_skills",
    "education",
    "experience",
    "place",
    "pay",
    "benefits",
    "key_group",
)
"""The order of a score's parts in arrays."""

REFUSED: Final = -1
"""Instead of points: not to be recommended."""

NOWHERE: Final = 0
SAME: Final = 1
WITHIN: Final = 2
AROUND: Final = 4
REMOTE: Final = 8


@compiled
def relation(first: int, second: int, regions: NDArray[np.int32]) -> int:
    """What the first region is to the second: SAME, WITHIN it, AROUND it, or NOWHERE near (apart)."""
    if first == second:
        return SAME
    first_depth, second_depth = regions[first, DEEPEST], regions[second, DEEPEST]
    if first_depth > second_depth and regions[first, second_depth] == second:
        return WITHIN
    if first_depth < second_depth and regions[second, first_depth] == first:
        return AROUND
    return NOWHERE


@compiled
def whereabouts(postings: Postings, p: int, seekers: Seekers, s: int, tables: Tables) -> int:
    """All that is known to hold between where the work is and where it is wanted, as bits."""
    posting: PostingRow = postings.rows[p]
    seeker: SeekerRow = seekers.rows[s]
    found = NOWHERE
    if posting.remote == 1 and seeker.remote == 1:
        found |= REMOTE
    for i in range(posting.regions):
        for j in range(seeker.regions):
            found |= relation(postings.regions[p, i], seekers.regions[s, j], tables.regions)
    return found


@compiled
def place_unknown(posting: PostingRow, seeker: SeekerRow) -> bool:
    """Whether a missing fact could still make the place fit."""
    return (
        posting.regions == 0 or seeker.regions == 0 or (posting.remote == 1 and seeker.remote == UNKNOWN)
    )


@compiled
def lacks_licence(postings: Postings, p: int, seekers: Seekers, s: int) -> bool:
    """Whether the posting asks for a licence that the seeker, whose licences are known, does not have."""
    for i in range(postings.rows[p].licences):
        wanted = postings.licences[p, i]
        has = False
        for j in range(seekers.rows[s].licences):
            has |= seekers.licences[s, j] == wanted
        if not has:
            return True
    return False


@compiled
def gates(
    postings: Postings, p: int, seekers: Seekers, s: int, tables: Tables, now: int, thorough: bool  # noqa: FBT001
) -> tuple[int, int, int]:
    """The hard conditions between an open posting and an active seeker.

    Gives (failed, unknown, whereabouts): bits in the order of GATES, and the bits of `whereabouts`. A gate
    is unknown if a fact that it compares is missing. Unless `thorough`, it may stop at the first that fails.
    """
    posting: PostingRow = postings.rows[p]
    seeker: SeekerRow = seekers.rows[s]
    failed = unknown = 0
    if posting.until <= now:
        failed |= VALID
    if posting.education == 0 or seeker.education == 0:
        unknown |= EDUCATION
    elif seeker.education < posting.education:
        failed |= EDUCATION
    if posting.experience == UNKNOWN or seeker.experience == UNKNOWN:
        unknown |= EXPERIENCE
    elif seeker.experience < posting.experience:
        failed |= EXPERIENCE
    if posting.employment == 0:
        unknown |= EMPLOYMENT
    elif seeker.employment != 0 and posting.employment & seeker.employment == 0:
        failed |= EMPLOYMENT
    if not pay_known(posting, seeker):
        unknown |= PAY
    elif max(posting.pay_min, posting.pay_max) < seeker.pay_floor:
        failed |= PAY
    if failed and not thorough:
        return failed, unknown, NOWHERE
    if posting.licences > 0:
        if seeker.licences == UNKNOWN:
            unknown |= LICENCES
        elif lacks_licence(postings, p, seekers, s):
            failed |= LICENCES
    found = whereabouts(postings, p, seekers, s, tables)
    if found == NOWHERE:
        if place_unknown(posting, seeker):
            unknown |= REGION
        else:
            failed |= REGION
    return failed, unknown, found


@compiled
def pay_known(posting: PostingRow, seeker: SeekerRow) -> bool:
    """Whether pay and floor can be compared: same currency, and not an open upper end above too low a lower.

    Without pay or floor the currency is UNKNOWN, and both being so is no comparison either.
    """
    if posting.currency == UNKNOWN or posting.currency != seeker.currency:
        return False
    return posting.pay_max != UNKNOWN or posting.pay_min >= seeker.pay_floor


@compiled
def closeness(first: int, second: int, occupations: NDArray[np.int32], weights: Weights) -> int:
    """How close two occupations are, in permille; UNKNOWN if their schemes cannot be compared."""
    if first == second:
        return weights.same_occupation
    if occupations[first, 0] != occupations[second, 0]:
        return UNKNOWN
    if occupations[first, 2] != UNKNOWN and occupations[first, 2] == occupations[second, 2]:
        return weights.narrow_group
    if occupations[first, 1] != UNKNOWN and occupations[first, 1] == occupations[second, 1]:
        return weights.broad_group
    return 0


@compiled
def best_closeness(
    occupation: int, seekers: Seekers, s: int, tables: Tables, weights: Weights
) -> int:
    """Of a posting's occupation to the seeker's wanted ones, in millionths (permille times the factor for
    later ones); UNKNOWN if there is nothing to compare."""
    best = UNKNOWN
    if occupation == UNKNOWN:
        return best
    for i in range(seekers.rows[s].occupations):
        close = closeness(occupation, seekers.occupations[s, i], tables.occupations, weights)
        if close != UNKNOWN:
            best = max(best, close * (1000 if i == 0 else weights.later))
    return best


@compiled
def share(maximum: int, part: int, whole: int) -> int:
    """Points for a part of a whole; half of the maximum if there is no whole to have a part of."""
    if whole == 0:
        return maximum // 2
    return maximum * part // whole


@compiled
def count_bits(bits: int) -> int:
    """How many bits are set."""
    count = 0
    while bits:
        bits &= bits - 1
        count += 1
    return count


@compiled
def education_points(posting: PostingRow, seeker: SeekerRow, weights: Weights) -> int:
    """All of it for enough, half for unknown. More than enough is no better."""
    if posting.education == 0 or seeker.education == 0:
        return weights.education // 2
    return weights.education if seeker.education >= posting.education else 0


@compiled
def experience_points(posting: PostingRow, seeker: SeekerRow, weights: Weights) -> int:
    """Half for just enough or unknown, rising to the maximum."""
    half = weights.experience // 2
    if posting.experience == UNKNOWN or seeker.experience == UNKNOWN:
        return half
    above = min(seeker.experience - posting.experience, weights.experience_span)
    return max(half + half * above // weights.experience_span, 0)


@compiled
def place_points(
    postings: Postings, p: int, seekers: Seekers, s: int, tables: Tables, weights: Weights, found: int
) -> int:
    """The best of what was found, and more if the work is where the seeker lives."""
    points = 0
    if found == NOWHERE and place_unknown(postings.rows[p], seekers.rows[s]):
        points = weights.place_unknown
    if found & SAME:
        points = max(points, weights.place_same)
    if found & WITHIN:
        points = max(points, weights.place_within)
    if found & AROUND:
        points = max(points, weights.place_around)
    if found & REMOTE:
        points = max(points, weights.place_remote)
    home = seekers.rows[s].lives_in
    if home != UNKNOWN:
        near = NOWHERE
        for i in range(postings.rows[p].regions):
            near |= relation(postings.regions[p, i], home, tables.regions)
        if near & (SAME | WITHIN):
            points += weights.home
    return min(points, weights.place)


@compiled
def pay_points(posting: PostingRow, seeker: SeekerRow, weights: Weights) -> int:
    """Half at the floor or unknown; the middle of a range counts, or the end that is known."""
    half = weights.pay // 2
    if not pay_known(posting, seeker):
        return half
    low = posting.pay_max if posting.pay_min == UNKNOWN else posting.pay_min
    high = posting.pay_min if posting.pay_max == UNKNOWN else posting.pay_max
    if seeker.pay_floor == 0:
        return weights.pay
    above = (low + high - 2 * seeker.pay_floor) * half * 100
    return min(max(half + above // (2 * seeker.pay_floor * weights.pay_span), 0), weights.pay)


@compiled
def benefit_points(posting: PostingRow, seeker: SeekerRow, weights: Weights) -> int:
    """Half at least, because a benefit that is not named may still be given; all of it if all are named."""
    half = weights.benefits // 2
    if seeker.benefits == 0:
        return half
    return half + half * count_bits(posting.benefits & seeker.benefits) // count_bits(seeker.benefits)


@compiled
def score(
    postings: Postings,
    p: int,
    seekers: Seekers,
    s: int,
    tables: Tables,
    weights: Weights,
    found: int,
    required: int,
    preferred: int,
    parts: NDArray[np.int32],
) -> int:
    """The score of a pair that passed its gates, or REFUSED if it has too few points or nothing in common.

    `found` is what `gates` gave; `required` and `preferred` are the summed weights of the posting's skills
    that the seeker has. Writes the components into `parts` (in the order of COMPONENTS) in either case.
    """
    posting: PostingRow = postings.rows[p]
    seeker: SeekerRow = seekers.rows[s]
    close = best_closeness(posting.occupation, seekers, s, tables, weights)
    parts[0] = weights.occupation // 2 if close == UNKNOWN else weights.occupation * close // 1_000_000
    parts[1] = share(weights.required, required, posting.required_weight)
    parts[2] = share(weights.preferred, preferred, posting.preferred_weight)
    parts[3] = education_points(posting, seeker, weights)
    parts[4] = experience_points(posting, seeker, weights)
    parts[5] = place_points(postings, p, seekers, s, tables, weights, found)
    parts[6] = pay_points(posting, seeker, weights)
    parts[7] = benefit_points(posting, seeker, weights)
    parts[8] = weights.key_group if posting.key_groups & seeker.key_groups else 0
    relevant = close > 0 or required > 0 or preferred > 0
    points = parts.sum()
    return points if relevant and points >= weights.minimum else REFUSED
