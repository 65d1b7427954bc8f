"""Events of the matcher: the current list of one posting or one seeker, whole, each time.

An erased anchor's list is a tombstone: a null body, with the revision in a header.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from shared.contracts.common import Benefit, Contract, Currency, Education, Id, Instant, KeyGroup, Months, Version

LIST_SIZE = 20
"""Most entries a list holds."""

Offsets = tuple[Annotated[int, Field(ge=0)], ...]
"""By partition: the offset of the next record that was not yet seen."""


class AnchorKind(StrEnum):
    """Whose list it is."""

    POSTING = "posting"
    SEEKER = "seeker"


class AsOf(Contract):
    """What the answer saw: every record of both topics below these offsets, and none other."""

    postings: Offsets
    profiles: Offsets


class Components(Contract):
    """The parts of a score, in whole points; their sum is the score.

    Weights and bounds: the matching policy that the list names (`services/matcher/policy`).
    """

    occupation: int = 0
    required_skills: int = 0
    preferred_skills: int = 0
    education: int = 0
    experience: int = 0
    place: int = 0
    pay: int = 0
    benefits: int = 0
    key_group: int = 0


class Evidence(Contract):
    """What an explanation says beside points and skills. Absent is not known, or not of use for the pair."""

    same_occupation: bool = False
    """The posting's occupation is one that the seeker wants, and no other that is only close."""
    required: int = 0
    """How many skills the posting requires,"""
    preferred: int = 0
    """and how many more it would like."""
    related: tuple[tuple[str, str], ...] = ()
    """Skills of the posting that the seeker does not name, each with the one of theirs that counts for it in part."""
    education_asked: Education | None = None
    education: Education | None = None
    """What there is; both levels are known, or none is given."""
    months_asked: Months | None = None
    months: Months | None = None
    """What there are, the same."""
    km: Annotated[int, Field(ge=0)] | None = None
    """The way from the region where the seeker lives to the nearest of the posting's, between their centres."""
    at_home: bool = False
    """A region of the posting is, or lies in, the one where the seeker lives; then there is no `km`."""
    remote: bool = False
    """The work can be done from anywhere, and the seeker would."""
    pay_low: int | None = None
    """The lower end of the pay less the seeker's floor, in whole units a month; below 0: under it."""
    pay_high: int | None = None
    """The upper end, the same."""
    currency: Currency | None = None
    benefits_needed: int = 0
    """How many benefits the seeker needs."""
    benefits: tuple[Benefit, ...] = ()
    """Those of them that the posting names."""
    key_groups: tuple[KeyGroup, ...] = ()
    """The seeker's that the posting lawfully prefers, if that counted."""


PRIVATE_EVIDENCE = frozenset({"pay_low", "pay_high", "currency", "key_groups"})
"""What only the seeker, and who acts for them, is told: it would tell an employer the floor, or a group."""


class Entry(Contract):
    """One counterpart on a list."""

    id: Id
    """A seeker's id on a posting's list, a posting's id on a seeker's list."""
    version: Version
    """The counterpart's version that was scored."""
    points: int
    components: Components
    matched: tuple[str, ...] = ()
    """Skills of the posting (`scheme:code`) that the seeker has, required first."""
    missing: tuple[str, ...] = ()
    """Required skills of the posting that the seeker does not name."""
    unknown: tuple[str, ...] = ()
    """Gates that passed only because a fact is missing, for example `education`; also `occupation` and `distance`."""
    evidence: Evidence | None = None
    """None in lists of earlier versions."""
    employer_id: Id | None = None
    """On a seeker's list: the employer of the posting."""


class RecommendationsRefreshed(Contract):
    """The list of one anchor was computed anew. An empty list can be the right answer.

    Consumers take what was issued and retracted as the difference of two revisions.
    """

    kind: AnchorKind
    anchor: Id
    revision: Annotated[int, Field(ge=1)]
    """Only grows; a list that is not newer is ignored."""
    anchor_version: Version
    as_of: AsOf
    now: Instant
    """The time of the record that caused the refresh; validity was judged at this moment."""
    policy: Annotated[str, Field(max_length=40)]
    """Version of the matching policy."""
    taxonomy: Annotated[str, Field(max_length=80)] | None = None
    """Version of the taxonomy; None if there was none, or the anchor is not active."""
    active: bool = True
    """False: the anchor is closed, paused, withdrawn or without consent, and its list therefore empty."""
    employer_id: Id | None = None
    """On a posting's list: its employer."""
    entries: Annotated[tuple[Entry, ...], Field(max_length=LIST_SIZE)] = ()
    """Best first: by points down, then by id up."""
