"""Events of the postings service on `postings.v1`: the whole posting, each time."""

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
    PartnerId,
    Pay,
    Texts,
    Version,
)

Skills = Annotated[tuple[Code, ...], Field(max_length=MAX_SKILLS)]


class PostingStatus(StrEnum):
    """Only an open posting can be recommended."""

    OPEN = "open"
    CLOSED = "closed"


class CloseReason(StrEnum):
    """Why a posting was closed."""

    FILLED = "filled"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"
    REMOVED_BY_PARTNER = "removed_by_partner"


class PostingTerms(Contract):
    """What a vacancy is and asks, in the words of its source: the part that a change can change."""

    title: Annotated[Texts, Field(min_length=1)]
    """By language; at least one."""
    description: Texts = {}  # noqa: RUF012 - pydantic copies it
    """By language, plain text."""
    employer_name: Annotated[str, Field(max_length=300)] | None = None
    """The organisation as people know it."""
    occupation: Code | None = None
    """Unknown is not no: it then scores neutral."""
    required_skills: Skills = ()
    preferred_skills: Skills = ()
    education: Education | None = None
    """The least level asked for."""
    experience_months: Months | None = None
    """The least experience asked for, in months."""
    licences: Annotated[tuple[Code, ...], Field(max_length=20)] = ()
    """All of them are required."""
    regions: Annotated[tuple[Code, ...], Field(max_length=20)] = ()
    """Where the work is; empty means unknown."""
    remote: bool = False
    """Can be done from anywhere."""
    pay: Pay | None = None
    employment_type: EmploymentType | None = None
    openings: Annotated[int, Field(ge=1, le=100_000)] = 1
    """How many people are wanted."""
    benefits: tuple[Benefit, ...] = ()
    key_groups: tuple[KeyGroup, ...] = ()
    """Groups that the posting lawfully prefers."""
    valid_through: Instant | None = None
    """The posting is closed at this moment."""


MAX_HOPS = 16
"""Most deployments that pass a posting on."""

ExchangeName = Annotated[str, Field(min_length=1, max_length=40, pattern=r"^[a-z0-9-]+$")]
"""What a deployment of this system is called by all that exchange postings with each other, for example `shandong`."""


class Origin(Contract):
    """Where a posting that other deployments passed on was published first, and which way it came."""

    name: ExchangeName
    """Of the deployment where it was published first."""
    id: Id
    """Its posting id there."""
    via: Annotated[tuple[ExchangeName, ...], Field(max_length=MAX_HOPS)] = ()
    """The deployments that passed it on after that one, in their order."""

    @property
    def passed(self) -> frozenset[str]:
        """All deployments that have it already: it never goes to one of them again."""
        return frozenset((self.name, *self.via))


class PostingSource(Contract):
    """Where a posting came from."""

    partner: PartnerId | None = None
    """None: an employer's own, over HTTP."""
    id: Annotated[str, Field(max_length=256)] | None = None
    """The partner's posting id."""
    url: Annotated[str, Field(max_length=2000)] | None = None
    origin: Origin | None = None
    """None: it was published here first, or by a partner that is no deployment of this system."""


class Posting(PostingTerms):
    """A vacancy with one or more openings, whole, as of `version`."""

    id: Id
    version: Version
    status: PostingStatus
    close_reason: CloseReason | None = None
    """Set when, and only when, the status is closed."""
    filled: bool = False
    """Of one that its partner removed: it said that somebody was found for it."""
    closed_at: Instant | None = None
    """When it was closed. None: it is open, never was, or was closed before this was noted."""
    employer_id: Id
    source: PostingSource = PostingSource()
    published_at: Instant
    changed_at: Instant
    linker: Linker | None = None
    """What read title and description for the concepts that have a confidence; None: nothing did."""
    merged_into: Id | None = None
    """Another posting that offers the same vacancy, from another source: while this is set, and the posting open, that
    one is recommended in its place."""


class PostingPublished(Posting):
    """A posting became known, or was opened again."""


class PostingChanged(Posting):
    """An open posting's terms changed."""


class PostingClosed(Posting):
    """A posting is not to be had any more: filled, withdrawn, expired, or removed by its partner."""
