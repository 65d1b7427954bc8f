"""Events of the matcher: the current list of one posting or one seeker, whole, each time.

An erased anchor's list is a tombstone: a null body, with the revision in a header.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from shared.contracts.common import Contract, Id, Instant, Version

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
    """Gates that passed only because a fact is missing, for example `education`."""
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
    active: bool = True
    """False: the anchor is closed, paused, withdrawn or without consent, and its list therefore empty."""
    employer_id: Id | None = None
    """On a posting's list: its employer."""
    entries: Annotated[tuple[Entry, ...], Field(max_length=LIST_SIZE)] = ()
    """Best first: by points down, then by id up."""
