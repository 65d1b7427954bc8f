"""The snapshot: the whole index in one file, so that a start need not read both topics from the beginning.

A numpy archive without pickles: the arrays of both sides, and one JSON document with the rest. What cannot be
believed (another format, policy or taxonomy, too old, damaged) is not used; the topics alone are the truth.
"""

from __future__ import annotations

import hashlib
import io
import os
import zipfile
from array import array
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final, cast

import numpy as np
import structlog
from numpy.typing import NDArray
from pydantic import AwareDatetime, BaseModel, JsonValue

from services.matcher.domain.codes import Codes
from services.matcher.domain.columns import Columns
from services.matcher.domain.index import Index
from services.matcher.domain.members import CODES as CODES_USED
from services.matcher.domain.members import POOL
from services.matcher.domain.policy import Policy
from services.matcher.domain.side import Gone, Resting, Side
from services.matcher.domain.ties import Ties

log = structlog.get_logger()

FORMAT: Final = 4
"""Changes with the layout of rows, lists or the document."""
DOCUMENT: Final = "document"
CODES: Final = ("skills", "regions", "occupations", "licences")
SIDES: Final = ("postings", "seekers")
FORGOTTEN: Final = "~forgotten"
"""The scheme in the place of a code that nobody has any more; no scheme of a contract begins so."""


class Mark(BaseModel, frozen=True):
    """Where a snapshot stands."""

    created_at: AwareDatetime
    offsets: dict[str, tuple[int, ...]]
    """By topic and partition: the offset of the next record that it has not seen."""
    notes: dict[str, JsonValue] = {}
    """What the runtime wants to find again."""


class _Side(BaseModel, frozen=True):
    names: list[str]
    versions: list[int]
    sharers: list[tuple[str, ...]]
    resting: dict[str, tuple[int, tuple[str, ...], str, tuple[str, ...]]]
    gone: dict[str, tuple[int, AwareDatetime]]


class _Document(BaseModel, frozen=True):
    format: int
    policy: str
    taxonomy: str | None
    mark: Mark
    codes: dict[str, list[str]]
    sides: dict[str, _Side]


class _Unbelievable(Exception):  # noqa: N818 - a reason, not an error
    """The snapshot is not to be used."""


@dataclass(frozen=True)
class Snapshot:
    """An index as it was: copies, so that the index may go on while they are written."""

    document: _Document
    arrays: dict[str, NDArray[np.generic]] = field(repr=False)


def capture(index: Index, mark: Mark) -> Snapshot:
    """A copy of the index. Must not run while the index changes; writing it may."""
    arrays: dict[str, NDArray[np.generic]] = {}
    sides = {}
    index.flush()
    for name in SIDES:
        side = _side(index, name)
        for key, length in _lengths(side).items():
            arrays[f"{name}.{key}"] = getattr(side.columns, key)[:length].copy()
        sides[name] = _Side.model_construct(
            names=side.names.copy(),
            versions=side.versions.tolist(),
            sharers=side.sharers.copy(),
            resting={key: (one.version, one.gates, one.reason, one.sharers) for key, one in side.resting.items()},
            gone={key: (one.version, one.at) for key, one in side.gone.items()},
        )
    codes_of = {name: _keys(index, name) for name in CODES}
    document = _Document.model_construct(
        format=FORMAT,
        policy=fingerprint(index.policy),
        taxonomy=index.ties.version,
        mark=mark,
        codes=codes_of,
        sides=sides,
    )
    return Snapshot(document, arrays)


def write(path: Path, snapshot: Snapshot) -> None:
    """Writes the file whole or not at all. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    document = np.frombuffer(snapshot.document.model_dump_json().encode(), np.uint8)
    fresh = path.with_name(f"{path.name}.new")
    with fresh.open("wb") as file:
        np.savez(file, allow_pickle=False, **{DOCUMENT: document}, **snapshot.arrays)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def read(path: Path, policy: Policy, ties: Ties, now: datetime, max_age: timedelta) -> tuple[Index, Mark] | None:
    """The index as it was written, and where it stands; None, the reason logged, if it is not to be used."""
    try:
        return _read(path, policy, ties, now, max_age)
    except FileNotFoundError:
        log.info("no snapshot")
    except _Unbelievable as reason:
        log.warning("snapshot not used", reason=str(reason))
    except (OSError, ValueError, KeyError, IndexError, EOFError, zipfile.BadZipFile) as error:
        log.warning("snapshot not used", reason="damaged", error=type(error).__name__)
    return None


def _read(path: Path, policy: Policy, ties: Ties, now: datetime, max_age: timedelta) -> tuple[Index, Mark]:
    with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as archive:
        # Every member's checksum is checked as it is read.
        arrays: dict[str, NDArray[np.generic]] = {name: archive[name] for name in archive.files}
    document = _Document.model_validate_json(arrays.pop(DOCUMENT).tobytes())
    if document.format != FORMAT:
        raise _Unbelievable(f"format {document.format}, expected {FORMAT}")
    if document.policy != fingerprint(policy):
        raise _Unbelievable("another matching policy")
    if document.taxonomy != ties.version:
        raise _Unbelievable("another taxonomy")
    age = now - document.mark.created_at
    if age > max_age:
        raise _Unbelievable(f"{age.total_seconds():.0f} s old")
    index = Index(policy, ties)
    for name in CODES:
        codes = _codes(index, name)
        for key in document.codes[name]:
            codes.number(key)
        if codes.keys != document.codes[name]:
            raise _Unbelievable(f"the rules of {name} have changed")
    for name in SIDES:
        _restore(_side(index, name), document.sides[name], name, arrays)
    return index, document.mark


def _lengths(side: Side) -> dict[str, int]:
    """By column: how much of it is in use."""
    rows, codes, pool = side.used, int(side.columns.used[CODES_USED]), int(side.columns.used[POOL])
    lengths = {"rows": rows, "words": rows, "ids": rows, "codes": codes, "pool": pool}
    return lengths | {key: len(getattr(side.columns, key)) for key in ("lists", "used")}


def _restore(side: Side, document: _Side, name: str, arrays: dict[str, NDArray[np.generic]]) -> None:
    found = {key: arrays[f"{name}.{key}"] for key in Columns._fields}
    for key, column in found.items():
        layout = getattr(side.columns, key)
        if column.dtype != layout.dtype or column.shape[1:] != layout.shape[1:]:
            raise _Unbelievable(f"another layout of {name}.{key}")
    if not len(found["rows"]) == len(found["words"]) == len(found["ids"]) == len(document.names):
        raise _Unbelievable(f"columns of {name} of different lengths")
    names = document.names
    side.columns = Columns(**cast("dict[str, Any]", found))
    side.names, side.versions, side.sharers = names, array("q", document.versions), document.sharers
    side.row_of = {key: row for row, key in enumerate(names) if key}
    side.free = [row for row, key in enumerate(names) if not key]
    side.resting = {key: Resting(*values) for key, values in document.resting.items()}
    side.gone = {key: Gone(*values) for key, values in document.gone.items()}


def fingerprint(policy: Policy) -> str:
    """The policy's version and a digest of all of it, because some rows hold sums of its weights."""
    digest = hashlib.sha256(policy.model_dump_json().encode()).hexdigest()
    return f"{policy.version}:{digest[:16]}"


def _keys(index: Index, name: str) -> list[str]:
    """A vocabulary without what only erased people had brought into it; each key keeps its place.

    Regions stay, because their rows name each other.
    """
    keys = _codes(index, name).keys
    if name == "regions":
        return keys.copy()
    used = index.vocabulary_in_use()
    kept_keys = index.related_keys(name)
    return [key if used[name][place] or key in kept_keys else f"{FORGOTTEN}:{place}" for place, key in enumerate(keys)]


def _side(index: Index, name: str) -> Side:
    return index.postings if name == "postings" else index.seekers


def _codes(index: Index, name: str) -> Codes:
    found: dict[str, Codes] = {
        "skills": index.skills,
        "regions": index.regions,
        "occupations": index.occupations,
        "licences": index.licences,
    }
    return found[name]
