"""Settings of the matcher."""

from __future__ import annotations

from pydantic import Field

from shared.settings import ServiceSettings


class MatcherSettings(ServiceSettings):
    """Each field is an environment variable of the same name in capitals."""

    snapshot_every_s: float = 600.0
    """How often the index is written to disk; erased people are gone from there by the next time."""
    snapshot_max_age_s: float = 86_400.0
    """An older snapshot is not believed: a tombstone could have come and gone meanwhile."""
    answer_records: int = Field(default=64, ge=1)
    """Most lists of a kind that answer events from one state of the index."""
    reader_records: int = Field(default=200, ge=1)
    """Most records taken into the index at once."""
    refresh_s: float = Field(default=0.005, gt=0)
    """Longest that lists are refreshed without looking whether an event waits."""
    refresh_share: float = Field(default=0.3, gt=0, le=1)
    """Most of its time for which one process refreshes lists."""
    refresh_per_s: float = Field(default=200.0, gt=0)
    """Most lists that one process refreshes a second: whoever stores them must keep up, because on its topic the
    answers to events stand behind them."""
