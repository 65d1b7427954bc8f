"""Which matching policy holds: what operators set, and every matcher process follows.

One record for each version that was ever set, so the topic is also the history: the record with the greatest
revision holds, and the text of any version that a list names can be found under that version as its key.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from shared.contracts.common import Contract, Id, Instant

MOST_STEPS = 100
"""How far back a rollback can go."""

PolicyVersion = Annotated[str, Field(min_length=1, max_length=40)]
"""A matching policy's version, as lists name it."""


class MatchingPolicySet(Contract):
    """From now on lists are computed under this matching policy: it was set, or set again by a rollback."""

    policy: PolicyVersion
    """Stands for one text for ever: another text needs another version."""
    revision: Annotated[int, Field(ge=1)]
    """Counts the settings, of all versions together; the greatest holds."""
    text: Annotated[str, Field(min_length=1, max_length=3_000_000)]
    """The policy, whole, as TOML (`services/matcher/policy`)."""
    set_at: Instant
    set_by: Id = "operator"
    """An operator's account, no person's name."""
    before: Annotated[tuple[PolicyVersion, ...], Field(max_length=MOST_STEPS)] = ()
    """Versions that held before, the newest last: what rollbacks go back to."""
