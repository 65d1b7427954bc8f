"""What the index reads of a posting or profile: parts of `shared.contracts`, decoded five times as fast.

Used where a million records are read at once. Names, types and limits are the contracts' own for what is here;
`tests/unit/matcher/test_bodies.py` holds the two against each other.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from msgspec import Meta, Struct

from shared.contracts.common import MAX_SKILLS, Benefit, Education, EmploymentType, KeyGroup
from shared.contracts.lists import Currency, Id, Months, Version
from shared.contracts.postings import CloseReason, PostingStatus
from shared.contracts.profiles import ProfileStatus

Amount = Annotated[int, Meta(ge=0, le=10_000_000)]


class Concept(Struct, frozen=True, gc=False):
    """A code without its label."""

    scheme: Annotated[str, Meta(min_length=1, max_length=32)]
    code: Annotated[str, Meta(min_length=1, max_length=64)]

    @property
    def key(self) -> str:
        """`scheme:code`."""
        return f"{self.scheme}:{self.code}"


class NamedConcept(Concept, frozen=True):
    """A code with what people read."""

    label: dict[str, str] | None = None


class PayRange(Struct, frozen=True, gc=False):
    """A month's pay."""

    currency: Currency
    min: Amount | None = None
    max: Amount | None = None


class Floor(Struct, frozen=True, gc=False):
    """The least pay."""

    amount: Amount
    currency: Currency


class Agreed(Struct, frozen=True, gc=False):
    """What the seeker has agreed to."""

    matching: bool


Concepts = Annotated[tuple[Concept, ...], Meta(max_length=20)]
Skills = Annotated[tuple[Concept, ...], Meta(max_length=MAX_SKILLS)]
NamedSkills = Annotated[tuple[NamedConcept, ...], Meta(max_length=MAX_SKILLS)]


class PostingBody(Struct, frozen=True):
    """As `shared.contracts.postings.Posting`, as far as it is matched on."""

    id: Id
    version: Version
    status: PostingStatus
    employer_id: Id
    close_reason: CloseReason | None = None
    merged_into: Id | None = None
    occupation: Concept | None = None
    required_skills: NamedSkills = ()
    preferred_skills: NamedSkills = ()
    education: Education | None = None
    experience_months: Months | None = None
    licences: Concepts = ()
    regions: Concepts = ()
    remote: bool = False
    pay: PayRange | None = None
    employment_type: EmploymentType | None = None
    benefits: tuple[Benefit, ...] = ()
    key_groups: tuple[KeyGroup, ...] = ()
    valid_through: Annotated[datetime, Meta(tz=True)] | None = None


class ProfileBody(Struct, frozen=True):
    """As `shared.contracts.profiles.Profile`, as far as it is matched on."""

    id: Id
    version: Version
    status: ProfileStatus
    consent: Agreed
    matchmakers: Annotated[tuple[Id, ...], Meta(max_length=5)] = ()
    occupations: Annotated[tuple[Concept, ...], Meta(max_length=10)] = ()
    skills: Skills = ()
    education: Education | None = None
    experience_months: Months | None = None
    licences: Concepts | None = None
    lives_in: Concept | None = None
    regions: Concepts = ()
    remote: bool | None = None
    pay_floor: Floor | None = None
    employment_types: tuple[EmploymentType, ...] = ()
    key_groups: tuple[KeyGroup, ...] = ()
    benefits_needed: tuple[Benefit, ...] = ()
