"""Gates, then points: the rules of who suits whom, compiled.

These functions are the only place that knows the rules; `services.matcher.domain.questions` calls them for
every answer. They take the facts of the two rows, and what the two sides' codes have in common as numbers
(`services.matcher.domain.lookups`): no arrays, because numba counts references of each array in each call.
Everything is whole numbers, so an answer does not depend on the order of anything. Divisions are by positive
numbers and round down.

A fact is missing when it is None, or when it is an empty list of which the contract says that empty means
unknown. A missing fact passes its gate and scores neutral: half of the component's maximum, and the policy's
own numbers for place and way.
"""

# ruff: noqa: PLR1714 - two comparisons compile to less than a search in a tuple
from __future__ import annotations

from typing import TYPE_CHECKING, Final

from services.matcher.domain.columns import UNKNOWN
from services.matcher.domain.compiled import compiled, inlined
from services.matcher.domain.gates import EDUCATION, EMPLOYMENT, EXPERIENCE, LICENCES, PAY, REGION, VALID
from services.matcher.domain.policy import Weights

if TYPE_CHECKING:
    from services.matcher.domain.columns import PostingRow, SeekerRow

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

SAME: Final = 1
"""Where the work is and where it is wanted, as bits: a region of the posting is one of the seeker's,"""
WITHIN: Final = 2
"""lies in one,"""
AROUND: Final = 4
"""or contains one;"""
REMOTE: Final = 8
"""the work can be done from anywhere and the seeker would."""
FITS: Final = SAME | WITHIN | AROUND | REMOTE


@compiled
def gates(posting: PostingRow, seeker: SeekerRow, now: int) -> tuple[int, int]:
    """The conditions that need nothing but the two rows: (failed, unknown) as bits in the order of GATES.

    A gate is unknown if a fact that it compares is missing.
    """
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
    return failed, unknown


@compiled
def licence_gate(posting: PostingRow, seeker: SeekerRow, shared: int) -> tuple[int, int]:
    """(failed, unknown) of the licences, of which the two share so many."""
    if posting.licences == 0 or shared == posting.licences:
        return 0, 0
    return (0, LICENCES) if seeker.licences == UNKNOWN else (LICENCES, 0)


@compiled
def place_gate(posting: PostingRow, seeker: SeekerRow, found: int) -> tuple[int, int]:
    """(failed, unknown) of the region; `found` holds the bits of the place."""
    if found & FITS:
        return 0, 0
    return (0, REGION) if place_unknown(posting, seeker) else (REGION, 0)


@compiled
def place_unknown(posting: PostingRow, seeker: SeekerRow) -> bool:
    """Whether a missing fact could still make the place fit."""
    return posting.regions == 0 or seeker.regions == 0 or (posting.remote == 1 and seeker.remote == UNKNOWN)


@compiled
def pay_known(posting: PostingRow, seeker: SeekerRow) -> bool:
    """Whether pay and floor can be compared: same currency, and not an open upper end above too low a lower.

    Without pay or floor the currency is UNKNOWN, and both being so is no comparison either.
    """
    if posting.currency == UNKNOWN or posting.currency != seeker.currency:
        return False
    return posting.pay_max != UNKNOWN or posting.pay_min >= seeker.pay_floor


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
def place_points(posting: PostingRow, seeker: SeekerRow, found: int, way: int, weights: Weights) -> int:
    """The best of what was found, and more the shorter the way is; to work from anywhere no way is far."""
    points = 0
    if found & FITS == 0 and place_unknown(posting, seeker):
        points = weights.place_unknown
    if found & SAME:
        points = max(points, weights.place_same)
    if found & WITHIN:
        points = max(points, weights.place_within)
    if found & AROUND:
        points = max(points, weights.place_around)
    if found & REMOTE:
        points = max(points, weights.place_remote)
    if way == UNKNOWN or found & REMOTE:
        way = max(way, weights.way_unknown)
    return min(points + way, weights.place)


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


@inlined
def score_pair(  # noqa: PLR0913, PLR0917 - two rows and what they have in common
    posting: PostingRow,
    seeker: SeekerRow,
    found: int,
    way: int,
    close: int,
    required: int,
    preferred: int,
    weights: Weights,
) -> tuple[int, int, int, int, int, int, int, int, int]:
    """The components of a pair's score, in the order of COMPONENTS.

    `found`: bits of the place. `way`: points for it, UNKNOWN if it is not known. `close`: closeness of the occupations
    in millionths, UNKNOWN if they cannot be compared. `required`, `preferred`: weights of the posting's skills, each
    times the permille to which the seeker has it, summed.
    """
    return (
        weights.occupation // 2 if close == UNKNOWN else weights.occupation * close // 1_000_000,
        share(weights.required, required, 1000 * posting.required_weight),
        share(weights.preferred, preferred, 1000 * posting.preferred_weight),
        education_points(posting, seeker, weights),
        experience_points(posting, seeker, weights),
        place_points(posting, seeker, found, way, weights),
        pay_points(posting, seeker, weights),
        benefit_points(posting, seeker, weights),
        weights.key_group if posting.key_groups & seeker.key_groups else 0,
    )


@compiled
def most_points(posting: PostingRow, seeker: SeekerRow, found: int, way: int, close: int, weights: Weights) -> int:
    """No less than the sum of `score_pair` for any skills, and little more."""
    return most_of_rows(posting, seeker, weights) + of_codes(posting, seeker, found, way, close, weights)


@compiled
def of_codes(posting: PostingRow, seeker: SeekerRow, found: int, way: int, close: int, weights: Weights) -> int:
    """Points for occupation and place, which need the codes."""
    points = weights.occupation // 2 if close == UNKNOWN else weights.occupation * close // 1_000_000
    return points + place_points(posting, seeker, found, way, weights)


@compiled
def most_for_occupation(posting: PostingRow, seeker: SeekerRow, close: int, weights: Weights) -> int:
    """No less than the points for the occupation, by `lookups.close_bits` of the posting."""
    if posting.occupation == UNKNOWN or seeker.occupations == 0:
        return weights.occupation // 2
    return weights.occupation if seeker.occupation_bits & close else 0


@inlined
def most_of_rows(posting: PostingRow, seeker: SeekerRow, weights: Weights) -> int:
    """No less than the other parts' sum, for any skills: without divisions, which take long.

    A quotient of numbers that are not negative is rounded up to the next whole number but one at most.
    """
    most = weights.required if posting.required_weight else weights.required // 2
    most += weights.preferred if posting.preferred_weight else weights.preferred // 2
    most += education_points(posting, seeker, weights)
    half = weights.experience // 2
    most += half
    if posting.experience != UNKNOWN and seeker.experience != UNKNOWN:
        above = min(seeker.experience - posting.experience, weights.experience_span)
        if above > 0:
            most += min(int(half * above * (1.0 / weights.experience_span)) + 1, half)
    half = weights.pay // 2
    most += half
    if pay_known(posting, seeker):
        low = posting.pay_max if posting.pay_min == UNKNOWN else posting.pay_min
        high = posting.pay_min if posting.pay_max == UNKNOWN else posting.pay_max
        above = low + high - 2 * seeker.pay_floor
        if above > 0:
            whole = 2.0 * seeker.pay_floor * weights.pay_span
            part = float(above * half * 100)
            most += half if part >= half * whole else int(part / whole) + 1
    half = weights.benefits // 2
    most += half
    if seeker.benefits & posting.benefits:
        most += half
    return most + (weights.key_group if posting.key_groups & seeker.key_groups else 0)
