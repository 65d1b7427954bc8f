"""Settings of notifications."""

from __future__ import annotations

from pydantic import Field

from shared.settings import ServiceSettings


class NotificationsSettings(ServiceSettings):
    """What notifications needs besides what every service has."""

    tombstones_kept_s: float = Field(default=2 * 86_400, gt=0)
    """How long an erased id is remembered: the list topics' `delete.retention.ms`."""
    erased_again_after_s: float = Field(default=75, gt=0)
    """An erasure is done a second time after this, and once more a day later."""
    cards_patient_ms: int = Field(default=50, ge=1)
    """What items show of postings is stored at most so much later, in fewer and larger batches."""
    cards_awaited_s: float = Field(default=0.2, ge=0)
    """Longest that a reader waits for what an item shows of a posting that was published just now."""
    retracted_kept_s: float = Field(default=30 * 86_400, gt=0)
    """How long an inbox shows what was retracted."""

    stream_keep_alive_s: float = Field(default=15, gt=0)
    """A silent stream says that it is alive this often."""
    stream_poll_s: float = Field(default=30, gt=0)
    """A stream looks by itself this often: a wake-up call can be lost."""
    stream_poll_deaf_s: float = Field(default=1.5, gt=0)
    """The same while no wake-up calls can be heard."""
    stream_limit: int = Field(default=5_000, ge=1)
    """Most streams that one process keeps open."""
