"""What the index answers."""

from __future__ import annotations

from dataclasses import dataclass, field

from shared.contracts.recommendations import Components, Evidence


@dataclass(frozen=True, slots=True)
class Standing:
    """What the index knows of one posting or seeker as an anchor."""

    version: int
    active: bool
    """False: closed, paused, withdrawn or without consent. `valid_through` is not looked at."""
    sharers: tuple[str, ...]
    """A posting's employer id, or the ids of a seeker's matchmakers."""
    reason: str = ""
    """If not active: the close reason, or the profile's status."""


@dataclass(slots=True)  # not frozen: twenty are made for every list, in half the time
class Scored:
    """One counterpart on a list."""

    id: str
    version: int
    points: int
    parts: tuple[int, ...]
    """Components, in the order of `COMPONENTS`."""
    unknown: tuple[str, ...]
    row: int = field(compare=False)
    """Where it lies; means nothing after the next change of the index."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """All about one pair."""

    posting_version: int
    seeker_version: int
    recommendable: bool
    """All gates passed, enough points, and something in common."""
    failed: tuple[str, ...]
    """Gates that failed, in the order of GATES. What is closed or inactive is judged by that alone."""
    unknown: tuple[str, ...]
    relevant: bool
    """Some occupation closeness or a matched skill."""
    points: int
    """The sum of the components, recommendable or not."""
    components: Components
    matched: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    evidence: Evidence | None = None
    """None for what is closed or inactive."""
