"""Postings and profiles as numbers: the facts of a row, as it lies in memory, and its codes."""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final, NamedTuple, TypeVar

import numpy as np

from services.matcher.domain.bodies import PostingBody, ProfileBody
from services.matcher.domain.codes import Plain, Regions, Skills
from services.matcher.domain.columns import NO_END, POSTING, SEEKER, UNKNOWN, currency
from services.matcher.domain.occupations import Occupations
from shared.contracts.common import Benefit, Education, EmploymentType, KeyGroup
from shared.contracts.postings import Posting
from shared.contracts.profiles import Profile

T = TypeVar("T")
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND: Final = timedelta(microseconds=1)
LEVELS: Final[dict[Education | None, int]] = {None: 0, **{item: item.level for item in Education}}
BENEFIT_BITS: Final = {item: 1 << place for place, item in enumerate(Benefit)}
EMPLOYMENT_BITS: Final = {item: 1 << place for place, item in enumerate(EmploymentType)}
KEY_GROUP_BITS: Final = {item: 1 << place for place, item in enumerate(KeyGroup)}
COMBINATIONS: Final = 4_096
"""How many are remembered of each."""
KEPT: Final = ("at", "room", "lists")
"""Fields of a row that are not facts: the kernels keep them."""


def packing(dtype: np.dtype[np.void]) -> struct.Struct:
    """Packs the facts as a row lies in memory, the fields that are kept as zeros."""
    letters = {"i1": "b", "i2": "h", "i4": "i", "i8": "q"}
    form, at, fields = "=", 0, dtype.fields
    assert fields is not None  # noqa: S101 - a row is a structure
    for name in dtype.names or ():
        if name not in KEPT:
            kind, offset, *_ = fields[name]
            form += f"{offset - at}x" + letters[kind.str[1:]]
            at = offset + kind.itemsize
    return struct.Struct(f"{form}{dtype.itemsize - at}x")


_posting_row, _seeker_row = packing(POSTING).pack, packing(SEEKER).pack


class Row(NamedTuple):
    """One posting or seeker."""

    facts: bytes
    """As its row lies in memory."""
    regions: list[int]
    remote: bool
    """Whether the work could be done, or might be taken, from anywhere."""
    codes: list[int]
    """All other codes, in the order of a block."""


@dataclass(frozen=True, slots=True)
class Facts:
    """Reads models with these vocabularies, which grow by what is new."""

    skills: Skills
    regions: Regions
    occupations: Occupations
    licences: Plain

    def posting(self, posting: Posting | PostingBody) -> Row:
        """An open posting."""
        required = self.skills.numbers(posting.required_skills)
        preferred = [skill for skill in self.skills.numbers(posting.preferred_skills) if skill not in required]
        regions = self.regions.numbers(posting.regions)
        licences = self.licences.numbers(posting.licences)
        pay = posting.pay
        facts = _posting_row(
            NO_END if posting.valid_through is None else micros(posting.valid_through),
            posting.version,
            UNKNOWN if posting.occupation is None else self.occupations.number_of(posting.occupation),
            UNKNOWN if pay is None or pay.min is None else pay.min,
            UNKNOWN if pay is None or pay.max is None else pay.max,
            0,  # derived: the weights of its skills
            0,
            UNKNOWN if pay is None else currency(pay.currency),
            UNKNOWN if posting.experience_months is None else posting.experience_months,
            _benefits(posting.benefits),
            1,
            posting.remote,
            LEVELS[posting.education],
            0 if posting.employment_type is None else EMPLOYMENT_BITS[posting.employment_type],
            _key_groups(posting.key_groups),
            len(regions),
            len(licences),
            len(required),
            len(required) + len(preferred),
        )
        return Row(facts, regions, posting.remote, required + preferred + licences)

    def profile(self, profile: Profile | ProfileBody) -> Row:
        """An active profile with consent."""
        regions = self.regions.numbers(profile.regions)
        occupations = self.occupations.numbers(profile.occupations)
        skills = self.skills.numbers(profile.skills)
        licences = self.licences.numbers(profile.licences) if profile.licences else []
        floor = profile.pay_floor
        facts = _seeker_row(
            profile.version,
            0,  # derived: the bits of skills and occupations
            0,
            0,
            UNKNOWN if profile.lives_in is None else self.regions.number_of(profile.lives_in),
            UNKNOWN if floor is None else floor.amount,
            UNKNOWN if floor is None else currency(floor.currency),
            UNKNOWN if profile.experience_months is None else profile.experience_months,
            _benefits(profile.benefits_needed) if profile.benefits_needed else 0,
            UNKNOWN if profile.licences is None else len(licences),
            UNKNOWN if profile.remote is None else int(profile.remote),
            1,
            LEVELS[profile.education],
            _employment(profile.employment_types) if profile.employment_types else 0,
            _key_groups(profile.key_groups) if profile.key_groups else 0,
            len(occupations),
            len(regions),
            len(skills),
        )
        return Row(facts, regions, profile.remote is not False, occupations + skills + licences)


def micros(moment: datetime) -> int:
    """Microseconds since 1970, exactly."""
    return (moment - EPOCH) // MICROSECOND


def _bits(places: Mapping[T, int]) -> Callable[[tuple[T, ...]], int]:
    """The bits of several words; what comes again and again is remembered."""

    @lru_cache(COMBINATIONS)
    def bits_of(items: tuple[T, ...]) -> int:
        bits = 0
        for item in items:
            bits |= places[item]
        return bits

    return bits_of


_benefits, _employment, _key_groups = _bits(BENEFIT_BITS), _bits(EMPLOYMENT_BITS), _bits(KEY_GROUP_BITS)
