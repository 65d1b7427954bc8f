"""Events of the profiles service on `profiles.v1`: what matching needs of a seeker, and nothing personal.

An erased seeker is a tombstone: a null body, with the version in a header.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from shared.contracts.common import (
    MAX_SKILLS,
    Benefit,
    Code,
    Contract,
    Education,
    EmploymentType,
    Id,
    Instant,
    KeyGroup,
    Linker,
    Months,
    PayFloor,
    Version,
)


class ProfileStatus(StrEnum):
    """Only an active profile gets, or appears in, recommendations."""

    ACTIVE = "active"
    PAUSED = "paused"
    WITHDRAWN = "withdrawn"


class Skill(Code):
    """A skill that a seeker has."""

    level: Annotated[int, Field(ge=1, le=5)] | None = None
    """1 beginner, 2 basic, 3 working, 4 advanced, 5 expert; None is unknown."""


class Consent(Contract):
    """What the seeker has agreed to."""

    matching: bool
    """May be matched with postings and shown, under the pseudonymous id, to their employers."""


class ProfileTerms(Contract):
    """What a seeker wants and brings: the part that the seeker edits."""

    occupations: Annotated[tuple[Code, ...], Field(max_length=10)] = ()
    """Wanted, the most wanted first."""
    skills: Annotated[tuple[Skill, ...], Field(max_length=MAX_SKILLS)] = ()
    education: Education | None = None
    """Highest completed level."""
    experience_months: Months | None = None
    """In the wanted occupations, in months."""
    licences: Annotated[tuple[Code, ...], Field(max_length=20)] | None = None
    """None is unknown and passes the gate; an empty list means that there are none."""
    lives_in: Code | None = None
    regions: Annotated[tuple[Code, ...], Field(max_length=20)] = ()
    """Where the seeker would work; empty means unknown, which passes the gate."""
    remote: bool | None = None
    """Would work remotely."""
    pay_floor: PayFloor | None = None
    employment_types: tuple[EmploymentType, ...] = ()
    """Acceptable kinds of contract; empty means any."""
    available_from: Instant | None = None
    key_groups: tuple[KeyGroup, ...] = ()
    benefits_needed: tuple[Benefit, ...] = ()
    consent: Consent


class Profile(ProfileTerms):
    """A seeker's profile, whole, as of `version`."""

    id: Id
    """The seeker's pseudonymous id."""
    version: Version
    status: ProfileStatus
    matchmakers: Annotated[tuple[Id, ...], Field(max_length=5)] = ()
    """Pseudonymous ids of the matchmakers who accompany this seeker and may see what they see."""
    changed_at: Instant
    linker: Linker | None = None
    """What read the seeker's words for the concepts that have a confidence; None: nothing did."""


class ProfileRegistered(Profile):
    """A seeker registered."""


class ProfileUpdated(Profile):
    """A seeker's profile changed, or became active again."""


class ProfilePaused(Profile):
    """A seeker wants no recommendations for now."""


class ProfileWithdrawn(Profile):
    """A seeker left; the profile is kept until it is erased."""
