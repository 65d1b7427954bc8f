"""Settings of the postings service, from the environment."""

from __future__ import annotations

from shared.settings import ServiceSettings


class PostingsSettings(ServiceSettings):
    """What postings needs on top of what every service needs."""

    expiry_every_s: float = 5.0
    """Seconds between two looks for postings whose `valid_through` has passed."""
    receipts_kept_days: int = 30
    """Days for which a partner can read receipts over HTTP (on the topic: 7 days)."""
    partner_records: int = 100
    """Most records of one partner that are handled, and saved, together: partners are served in turn. A receipt waits
    for two such batches at most; twice as many cost a tenth less a record, and twice the wait."""
    upload_bytes: int = 128 * 1024 * 1024
    """Most bytes of one body of `POST /partners/{id}/records`, as it is sent."""
    upload_unpacked_bytes: int = 1024 * 1024 * 1024
    """Most bytes of it when it is unpacked."""
    upload_lines: int = 200_000
    """Most lines of one upload: twelve bytes each are kept in memory until it is answered."""
