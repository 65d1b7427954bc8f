"""How postings and seekers lie in memory: a row of facts each, a gate word, and a block of codes.

Rows are structured arrays of one cache line or so, all signed, because signed and unsigned together make
floats in numba. A row that is free, closed or inactive has `live` 0 and no meaning.

A row's codes are one block of `Columns.codes`, from `at` on: its memberships, the place of each in its list,
then a posting's skills (required first) and licences, or a seeker's occupations (the most wanted first),
skills and licences.

Memberships are numbers of lists: EVERYWHERE for a row without a region, else FIRST_REGION + the region for each
of its regions; then REMOTE for a row whose work could be done, or would be taken, from anywhere. So whoever
may fit an anchor's place is found in a few lists (`services.matcher.domain.members`).
"""

from __future__ import annotations

from functools import cache
from typing import Final, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

ID_WORDS: Final = 8
"""An id of at most 64 ASCII characters as big-endian words: their order is the order of the strings."""
NO_END: Final = np.iinfo(np.int64).max
UNKNOWN: Final = -1
EVERYWHERE, REMOTE_LIST, FIRST_REGION = 0, 1, 2
"""Numbers of membership lists."""

POSTING: Final = np.dtype(
    [
        ("until", "i8"),  # microseconds since 1970, UTC; NO_END if it has no end
        ("version", "i8"),
        ("occupation", "i4"),  # UNKNOWN if it names none
        ("pay_min", "i4"),  # whole units a month; UNKNOWN
        ("pay_max", "i4"),
        ("required_weight", "i4"),  # sum over the required skills
        ("preferred_weight", "i4"),
        ("currency", "i2"),  # see `currency`; UNKNOWN without pay
        ("experience", "i2"),  # months; UNKNOWN
        ("benefits", "i2"),  # bit: Benefit
        ("live", "i1"),  # 1: open
        ("remote", "i1"),
        ("education", "i1"),  # ISCED level; 0 unknown
        ("employment", "i1"),  # bit: EmploymentType; 0 unknown
        ("key_groups", "i1"),  # bit: KeyGroup
        ("regions", "i1"),  # how many
        ("licences", "i1"),
        ("required", "i1"),  # the first so many of its skills are required
        ("skills", "i1"),  # required and preferred
        ("at", "i4"),  # where its block of codes begins
        ("room", "i2"),  # how long the block may be
        ("lists", "i1"),  # memberships
    ],
    align=True,
)

SEEKER: Final = np.dtype(
    [
        ("version", "i8"),
        ("skill_bits", "i8"),  # derived: a bit for each skill, see `words.skill_bits`
        ("more_skill_bits", "i8"),  # derived: another one
        ("occupation_bits", "i8"),  # derived: one for each occupation, see `occupations.Occupations`
        ("lives_in", "i4"),  # UNKNOWN
        ("pay_floor", "i4"),  # whole units a month; UNKNOWN
        ("currency", "i2"),
        ("experience", "i2"),  # months; UNKNOWN
        ("benefits", "i2"),  # needed
        ("licences", "i1"),  # how many; UNKNOWN
        ("remote", "i1"),  # 0, 1; UNKNOWN
        ("live", "i1"),  # 1: active and with consent
        ("education", "i1"),
        ("employment", "i1"),  # bits of what is acceptable; 0 any
        ("key_groups", "i1"),
        ("occupations", "i1"),  # how many
        ("regions", "i1"),
        ("skills", "i1"),
        ("at", "i4"),  # where its block of codes begins
        ("room", "i2"),  # how long the block may be
        ("lists", "i1"),  # memberships
    ],
    align=True,
)


class PostingRow(Protocol):
    """What the kernels read of one row of POSTING."""

    until: int
    occupation: int
    pay_min: int
    pay_max: int
    required_weight: int
    preferred_weight: int
    currency: int
    experience: int
    benefits: int
    live: int
    remote: int
    education: int
    employment: int
    key_groups: int
    regions: int
    licences: int
    required: int
    skills: int
    at: int
    lists: int


class SeekerRow(Protocol):
    """What the kernels read of one row of SEEKER."""

    skill_bits: int
    more_skill_bits: int
    occupation_bits: int
    lives_in: int
    pay_floor: int
    currency: int
    experience: int
    benefits: int
    licences: int
    remote: int
    live: int
    education: int
    employment: int
    key_groups: int
    occupations: int
    regions: int
    skills: int
    at: int
    lists: int


class Columns(NamedTuple):
    """One side, as the kernels take it."""

    rows: NDArray[np.void]
    words: NDArray[np.int64]
    """By row, what its simplest gates compare (`services.matcher.domain.words`); 0 if it is not live."""
    ids: NDArray[np.uint64]
    codes: NDArray[np.int32]
    lists: NDArray[np.int32]
    """By list: where it begins in `pool`, its length, its room."""
    pool: NDArray[np.int32]
    """The rows in each list, in no order."""
    used: NDArray[np.int64]
    """How much of `codes` and of `pool` was ever used, and how much of each is garbage now."""


class Related(NamedTuple):
    """Which concepts are near a concept: those of number n from `starts[n]` to `starts[n + 1]`."""

    starts: NDArray[np.int32]
    others: NDArray[np.int32]
    permille: NDArray[np.int32]


class Ways(NamedTuple):
    """What the way to work counts."""

    centres: NDArray[np.float64]
    """(3, n): by region its centre as a unit vector from the Earth's; NaN if it is not known."""
    spans: NDArray[np.float64]
    """By step, from the shortest on: the haversine of the angle at the Earth's centre."""
    more: NDArray[np.int32]
    """By step: how many points it has more than the next longer one."""


class Tables(NamedTuple):
    """How codes relate (`services.matcher.domain.codes`, `services.matcher.domain.occupations`)."""

    regions: NDArray[np.int32]
    ways: Ways
    occupations: NDArray[np.int32]
    closeness: NDArray[np.int16]
    """Of any two cells of occupations, in permille; UNKNOWN if they cannot be compared."""
    skills: NDArray[np.int32]
    licences: NDArray[np.int32]
    credits: Related
    """By required skill: the skills that count for it in part."""
    credited: Related
    """By skill: the required skills for which it counts in part."""
    near_occupations: Related
    """By occupation, both ways."""


def id_words(text: str) -> NDArray[np.uint64]:
    """An id as ID_WORDS words. Raises ValueError for more than 64 bytes."""
    padded = text.encode().ljust(8 * ID_WORDS, b"\0")
    return np.frombuffer(padded, ">u8", ID_WORDS).astype(np.uint64)


@cache
def currency(code: str) -> int:
    """Three capital letters as a number below 26 ** 3."""
    first, second, third = code.encode()
    return (first - 65) * 676 + (second - 65) * 26 + third - 65
