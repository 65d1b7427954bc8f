"""Settings of the postings service, from the environment."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

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
    exchange_name: Annotated[str, Field(pattern=r"^[a-z0-9-]*$", max_length=40)] = ""
    """What this deployment is called by all that exchange postings with each other, for example `shandong`. Without it
    no exchange can be switched on. It never changes."""
    exchange_every_s: float = 0.25
    """Seconds between two looks for changed postings that partners watch."""
    exchange_chunk: int = Field(default=200, ge=1)
    """Most postings that are looked at for them in one transaction."""
    pull_private_hosts: frozenset[str] = frozenset()
    """Hosts, as a JSON list, whose feeds may lie at private addresses and be fetched by http, for example in a
    government's own network. All others must be on the public internet, by https."""
    pull_at_once: int = Field(default=8, ge=1)
    """Most feeds that one process fetches at a time."""
    pull_fetch_s: float = 600.0
    """Seconds that one fetch may take."""
    pull_bytes: int = 1024 * 1024 * 1024
    """Most bytes of a feed's answer, as it is sent."""
    pull_unpacked_bytes: int = 4 * 1024 * 1024 * 1024
    """Most bytes of it when it is unpacked. It is never held."""
    removals_kept_days: int = 90
    """Days for which the removal of a posting that was never here is remembered, so that an older record is stale."""

    duplicates_every_s: float = 0.5
    """Seconds between two looks for postings that changed and may be another source's, too."""
    duplicates_chunk: int = Field(default=100, ge=1)
    """Most postings that are looked at in one transaction."""
    duplicates_share: float = Field(default=0.2, gt=0, le=1)
    """Share of the time that this takes while there is more to look at: during a flood merges come later."""

    counts_every_s: float = 600.0
    """Seconds between two looks whether a day has ended that is not counted yet. A process may count for three times as
    long before another begins, too."""

    snapshot_hold_share: float = Field(default=0.2, ge=0, le=1)
    snapshot_hold_number: int = Field(default=50, ge=0)
    """A snapshot that would close more than this share of the partner's open postings, and more than this number,
    waits for an operator."""
    snapshot_closing_every_s: float = 1.0
    """Seconds between two looks for snapshots whose postings are to be closed."""
    snapshot_closing_chunk: int = Field(default=500, ge=1)
    """Most postings that a snapshot closes in one transaction."""
    renew_days: int = Field(default=40, ge=1)
    """Days after which a posting expires that no record has named, at a partner that renews by snapshot."""
    unchanged_days: int = Field(default=180, ge=1)
    """Days after which a posting of another partner expires that has no `valid_through` and has not changed."""
    forgotten_every_s: float = 60.0
    """Seconds between two looks for these."""
