"""The taxonomy that the matcher was started with."""

from __future__ import annotations

import structlog

from services.matcher.domain.ties import NO_TIES, Ties, ties
from services.matcher.settings import MatcherSettings
from shared.taxonomy import load, place

log = structlog.get_logger()


def ties_of(settings: MatcherSettings) -> Ties:
    """What the taxonomy's file says; where there is none that is said, and codes relate by their prefixes alone.

    Raises ValueError for a file that is no taxonomy: to go on without it would change every list unseen.
    """
    path = place(settings.taxonomy_file, settings.taxonomy_dir)
    try:
        found = ties(load(path))
    except FileNotFoundError:
        log.warning("no taxonomy: occupations meet by prefixes alone, ways are not known", path=str(path))
        return NO_TIES
    log.info("taxonomy loaded", version=found.version)
    return found
