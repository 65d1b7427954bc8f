"""What two rows say of each other beside points: the facts that a sentence needs. Compiled."""

# ruff: noqa: FBT001 - kernels take which side asks
from __future__ import annotations

from math import asin, sin, sqrt
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from services.matcher.domain.columns import FIRST_REGION, UNKNOWN, Tables
from services.matcher.domain.compiled import compiled, inlined
from services.matcher.domain.kernels import count_bits, pay_known
from services.matcher.domain.lookups import haversine
from shared.regions import DEEPEST

if TYPE_CHECKING:
    from services.matcher.domain.columns import PostingRow, SeekerRow
    from services.matcher.domain.view import View

EARTH_KM: Final = 6371.0088
"""Mean radius (IUGG, Moritz 2000)."""
NO_AMOUNT: Final = -(2**31)

WIDTH: Final = 15
(
    SAME_OCCUPATION,
    REQUIRED,
    PREFERRED,
    EDUCATION_ASKED,
    EDUCATION_HAS,
    MONTHS_ASKED,
    MONTHS_HAS,
    AT_HOME,
    REMOTE,
    PAY_LOW,
    PAY_HIGH,
    CURRENCY,
    NEEDED,
    OFFERED,
    KEY_GROUPS,
) = range(WIDTH)
"""Columns of `collected`."""


@compiled
def ends_above(posting: PostingRow, seeker: SeekerRow) -> tuple[int, int]:
    """Both ends of the pay less the floor; NO_AMOUNT for what is not known, or not to be compared."""
    low = high = NO_AMOUNT
    if pay_known(posting, seeker):
        if posting.pay_min != UNKNOWN:
            low = posting.pay_min - seeker.pay_floor
        if posting.pay_max != UNKNOWN:
            high = posting.pay_max - seeker.pay_floor
    return low, high


@inlined
def way_between(posting: PostingRow, seeker: SeekerRow, codes: NDArray[np.int32], tables: Tables) -> tuple[float, bool]:
    """The haversine of the way to the nearest of the posting's regions, NaN if none is known, and whether one is home.

    `codes` are the postings'.
    """
    nearest, at_home = np.nan, False
    if seeker.lives_in != UNKNOWN:
        for code in codes[posting.at : posting.at + posting.regions]:
            region = code - FIRST_REGION
            if tables.regions[region, tables.regions[seeker.lives_in, DEEPEST]] == seeker.lives_in:
                at_home = True
            elif tables.regions[seeker.lives_in, tables.regions[region, DEEPEST]] != region:
                span = haversine(tables.ways, region, seeker.lives_in)
                if span < nearest or np.isnan(nearest):
                    nearest = span
    return nearest, at_home


@compiled
def collected(
    view: View, by_posting: bool, anchor: int, others: NDArray[np.int64]
) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
    """For each pair (n): facts (n, WIDTH), and the haversine of the way (n,), NaN if it is not known.

    Levels are 0 and months UNKNOWN unless both sides name them; pay is relative to the floor, NO_AMOUNT if there is
    none to compare.
    """
    postings, seekers, tables = view.postings, view.seekers, view.tables
    facts = np.zeros((others.size, WIDTH), np.int32)
    spans = np.full(others.size, np.nan)
    for place in range(others.size):
        posting: PostingRow = postings.rows[anchor if by_posting else others[place]]
        seeker: SeekerRow = seekers.rows[others[place] if by_posting else anchor]
        own = facts[place]
        at = seeker.at + 2 * seeker.lists
        for wanted in seekers.codes[at : at + seeker.occupations]:
            own[SAME_OCCUPATION] |= wanted == posting.occupation
        own[REQUIRED], own[PREFERRED] = posting.required, posting.skills - posting.required
        if posting.education != 0 and seeker.education != 0:
            own[EDUCATION_ASKED], own[EDUCATION_HAS] = posting.education, seeker.education
        own[MONTHS_ASKED] = own[MONTHS_HAS] = UNKNOWN
        if min(posting.experience, seeker.experience) != UNKNOWN:
            own[MONTHS_ASKED], own[MONTHS_HAS] = posting.experience, seeker.experience
        own[PAY_LOW], own[PAY_HIGH] = ends_above(posting, seeker)
        own[CURRENCY] = posting.currency
        own[NEEDED] = count_bits(seeker.benefits)
        own[OFFERED] = posting.benefits & seeker.benefits
        own[KEY_GROUPS] = posting.key_groups & seeker.key_groups
        spans[place], at_home = way_between(posting, seeker, postings.codes, tables)
        own[AT_HOME] = at_home
        own[REMOTE] = posting.remote == 1 and seeker.remote == 1
    return facts, spans


def span_of(km: float) -> float:
    """The haversine of a way on the Earth's surface."""
    return sin(km / (2 * EARTH_KM)) ** 2


def km_of(span: float) -> int:
    """The way of this haversine, in whole kilometres."""
    return round(2 * EARTH_KM * asin(min(1.0, sqrt(span))))
