"""Settings of the postings service, from the environment."""

from __future__ import annotations

from shared.settings import ServiceSettings


class PostingsSettings(ServiceSettings):
    """What postings needs on top of what every service needs."""

    expiry_every_s: float = 5.0
    """Seconds between two looks for postings whose `valid_through` has passed."""
    receipts_kept_days: int = 30
    """Days for which a partner can read receipts over HTTP (on the topic: 7 days)."""
