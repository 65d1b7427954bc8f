"""Settings of the profiles service, from the environment."""

from __future__ import annotations

from pydantic import Field

from shared.settings import ServiceSettings


class ProfilesSettings(ServiceSettings):
    """What profiles needs on top of what every service needs."""

    import_lines: int = Field(default=2_000, ge=1)
    """Most seekers in one import."""
    import_bytes: int = Field(default=8 * 1024 * 1024, ge=1)
    """Most bytes of one import."""
    import_chunk: int = Field(default=500, ge=1, le=2_000)
    """Seekers saved in one transaction; a MongoDB transaction should stay below some thousand documents."""
