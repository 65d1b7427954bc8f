"""Postings and profiles as numpy's peer holds them: columns of whole numbers, and codes as numbers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import product
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from services.matcher.domain import Policy
from services.matcher.domain.ties import Ties
from shared.contracts.common import Code
from shared.regions import Relation, relation
from tests.bench.workload import Workload

Whole = NDArray[Any]
"""Whole numbers of whatever size, one a row."""
Columns = dict[str, Whole]
"""By fact, one value a row (or a padded row of codes); a scalar each for a single row."""

UNKNOWN: Final = -1
EARTH_KM: Final = 6371.0088
NO_END: Final = 2**62
SAME, WITHIN, AROUND, REMOTE = 1, 2, 4, 8
BITS: Final = {Relation.APART: 0, Relation.SAME: SAME, Relation.WITHIN: WITHIN, Relation.AROUND: AROUND}
FACTS: Final = [
    ("education", "i1"),  # level; 0 unknown
    ("experience", "i2"),  # months; UNKNOWN
    ("currency", "i2"),  # UNKNOWN without pay
    ("employment", "i1"),  # bits; 0 unknown, or any
    ("licences", "i4"),  # bits
    ("remote", "i1"),  # UNKNOWN
    ("benefits", "i2"),  # bits
    ("key_groups", "i1"),  # bits
    ("regions", "i2", 4),  # padded with the number of no code, as all lists of codes
]
POSTING: Final = np.dtype(
    [
        *FACTS,
        ("until", "i8"),  # microseconds since 1970
        ("pay_min", "i4"),  # UNKNOWN
        ("pay_max", "i4"),
        ("occupation", "i2"),
        ("required", "i2", 10),
        ("preferred", "i2", 10),
        ("required_weight", "i4"),
        ("preferred_weight", "i4"),
    ]
)
SEEKER: Final = np.dtype(
    [
        *FACTS,
        ("floor", "i4"),
        ("lives_in", "i2"),
        ("occupations", "i2", 3),
        ("skills", "i2", 20),
    ]
)


class Vocabulary:
    """Codes as numbers, the one above all of them standing for no code; and how any two of a kind relate."""

    def __init__(self, workload: Workload, policy: Policy, ties: Ties) -> None:
        self.regions = numbers(workload.regions)
        self.occupations = numbers(workload.occupations)
        self.skills = numbers(workload.skills)
        self.licences = numbers(workload.licences)
        self.lies = np.zeros((len(self.regions) + 1,) * 2, np.int8)
        """How the region of a posting (row) lies to that of a seeker (column): bits."""
        for (one, row), (other, column) in product(self.regions.items(), repeat=2):
            self.lies[row, column] = BITS[relation(one, other)]
        self.close = np.full((len(self.occupations) + 1,) * 2, UNKNOWN)
        """Of two occupations, in permille; UNKNOWN to no code."""
        for (one, row), (other, column) in product(self.occupations.items(), repeat=2):
            self.close[row, column] = closeness(policy, one, other)
        self.ways = ways(self.regions, self.lies, policy, ties)
        """Points for the way from where somebody lives (column) to a posting's region (row); UNKNOWN."""
        weights = [policy.weight(skill, ties.namings.get(skill, 0)) for skill in self.skills]
        self.weights = np.array([*weights, 0])
        self.credit = np.zeros((len(self.skills) + 1,) * 2, np.int16)
        """How much of a skill (row) somebody has who has another (column), in permille."""
        np.fill_diagonal(self.credit[:-1, :-1], 1000)
        for skill, others in policy.related_skills.items():
            for other, permille in others.items():
                if skill in self.skills and other in self.skills:
                    self.credit[self.skills[skill], self.skills[other]] = permille
        self.credited = np.ascontiguousarray(self.credit.T)
        self.related = bool(policy.related_skills)


def ways(regions: Mapping[str, int], lies: Whole, policy: Policy, ties: Ties) -> Whole:
    """(n, n): from where somebody lives (column) to where the work is (row)."""
    centres = np.full((len(regions) + 1, 3), np.nan)
    for region, number in regions.items():
        if region in ties.centres:
            centres[number] = ties.centres[region]
    cosines = (centres @ centres.T).clip(-1, 1)
    found = np.where(np.isnan(cosines), UNKNOWN, 0)
    for step in reversed(policy.place.ways):
        found[np.arccos(cosines) * EARTH_KM <= step.km] = step.points
    found[lies & AROUND != 0] = UNKNOWN
    found[lies & (SAME | WITHIN) != 0] = policy.place.home
    return found


def closeness(policy: Policy, one: str, other: str) -> int:
    """Of two occupations of one scheme that the policy groups, in permille."""
    rules = policy.occupation
    if one == other:
        return rules.same
    name, _, code = one.partition(":")
    scheme, theirs = rules.schemes[name], other.partition(":")[2]
    near = policy.related_occupations
    found = [near.get(one, {}).get(other, 0), near.get(other, {}).get(one, 0)]
    if code[: scheme.narrow_length] == theirs[: scheme.narrow_length]:
        found.append(rules.narrow_group)
    elif code[: scheme.broad_length] == theirs[: scheme.broad_length]:
        found.append(rules.broad_group)
    return max(found)


def blank(dtype: np.dtype[np.void], count: int) -> Columns:
    return {name: np.zeros((count, *dtype[name].shape), dtype[name].base) for name in dtype.names or ()}


def taken(columns: Columns, rows: int | NDArray[np.int64]) -> Columns:
    return {name: column[rows] for name, column in columns.items()}


def numbers(keys: Sequence[str]) -> dict[str, int]:
    return {key: number for number, key in enumerate(keys)}


def padded(numbers: Mapping[str, int], codes: Iterable[Code], width: int) -> list[int]:
    found = list(dict.fromkeys([numbers[code.key] for code in codes]))
    return found + [len(numbers)] * (width - len(found))


def bits(order: Sequence[object], items: Iterable[object]) -> int:
    return sum({1 << order.index(item) for item in items})
