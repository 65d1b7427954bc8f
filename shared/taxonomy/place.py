"""Where the taxonomy's file lies: one for all processes, named after what it was made from."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from shared.settings import ROOT

OWN: Final = Path(__file__).parent / "data"
"""Our Chinese labels and crosswalks."""
PINS: Final = ROOT / "deploy" / "taxonomy" / "requirements.txt"
"""The registry packages that it is made from when no folder is named."""
FILES: Final = (
    "SOURCES.md",
    "esco_occupations_en.csv.gz",
    "esco_skills_en.csv.gz",
    "esco_occupation_skill_relations.csv.gz",
    "esco_skill_skill_relations.csv.gz",
    "esco_skill_broader.csv.gz",
    "isco_groups_en.csv.gz",
    "china_occupations_2022.json.gz",
    "china_regions_adcodes.csv.gz",
)
"""What is read of a folder with the publishers' files."""


def place(file: Path | None = None, folder: Path | None = None) -> Path:
    """`file` (TAXONOMY_FILE) if it is given, else the place in `.cache/` for this code and these sources.

    `folder` (TAXONOMY_DIR) has the publishers' files; without it the sources are the pinned packages. The name
    holds a hash of everything that the content hangs on, so a change of any of it is another file.
    """
    if file is not None:
        return file
    digest = hashlib.sha256()
    for path in _inputs(folder):
        content = path.read_bytes()
        digest.update(f"{path.name} {len(content)}\n".encode())
        digest.update(content)
    return ROOT / ".cache" / f"taxonomy-{digest.hexdigest()[:12]}.msgpack.zst"


def _inputs(folder: Path | None) -> Iterator[Path]:
    yield from sorted(Path(__file__).parent.glob("*.py"))
    yield from sorted(OWN.glob("*.tsv"))
    if folder is None:
        yield PINS
    else:
        yield from (folder / name for name in FILES if (folder / name).exists())
