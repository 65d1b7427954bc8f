"""Real lists that others publish, as a partner's records: which one a file is, its first record says."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Final

from pydantic_core import from_json

from deploy.demo.feeds import jobtech, nyc, usajobs
from deploy.demo.material import Material
from services.postings.domain.forms import JOBTECH, form_of
from services.postings.partner.files import opened

_MOST: Final = 1 << 20
"""Bytes of a first line."""
KNOWN: Final = "JobTech ads (JSON lines), USAJOBS announcements (JSON lines), New York City jobs (CSV)"


def feed_material(path: Path, seed: int, more_seekers: int, now: datetime, as_of: date | None = None) -> Material:
    """The records of a file and made-up seekers drawn from them. `as_of`: the day of a replay (USAJOBS).

    Raises OSError if the file cannot be read, ValueError if it is no list that is known here or has no such day,
    FileNotFoundError without a taxonomy.
    """
    first = _first(path)
    if isinstance(first, Mapping) and "control_number" in first:
        return usajobs.material(path, seed, more_seekers, now, as_of)
    if as_of is not None:
        raise ValueError(f"{path} is no stream of openings and closings: leave the day (as of {as_of}) out")
    if isinstance(first, str) and first.startswith("Job ID,"):
        return nyc.material(path, seed, more_seekers, now)
    if isinstance(first, Mapping) and "id" in first and form_of(first) is JOBTECH:
        return jobtech.material(path, seed, more_seekers, now)
    raise ValueError(f"{path} holds none of the lists that are known here: {KNOWN}")


def _first(path: Path) -> object:
    """The first line: as JSON if it is that, else as text."""
    try:
        with opened(str(path)) as stream:
            line = stream.readline(_MOST).removeprefix(b"\xef\xbb\xbf")
    except EOFError as error:
        raise ValueError(f"{path} is cut off: {error}") from error
    try:
        record: object = from_json(line)
    except ValueError:
        return line.decode("utf-8", errors="replace")
    return record
