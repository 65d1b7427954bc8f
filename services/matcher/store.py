"""The snapshot: the whole index in one file, so that a start need not read both topics from the beginning.

A numpy archive without pickles: the arrays of both sides, and one JSON document with the rest. What cannot be
believed (another format or policy, too old, damaged) is not used; the topics alone are the truth.
"""

from __future__ import annotations

import hashlib
import io
import os
import zipfile
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import numpy as np
import structlog
from numpy.typing import NDArray
from pydantic import AwareDatetime, BaseModel, JsonValue

from services.matcher.domain.codes import Codes
from services.matcher.domain.index import Index
from services.matcher.domain.policy import Policy
from services.matcher.domain.side import Gone, Resting, Side

log = structlog.get_logger()

FORMAT: Final = 1
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
    sharers: list[tuple[str, ...]]
    resting: dict[str, tuple[int, tuple[str, ...], str, tuple[str, ...]]]
    gone: dict[str, tuple[int, AwareDatetime]]


class _Document(BaseModel, frozen=True):
    format: int
    policy: str
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
    for name in SIDES:
        side = _side(index, name)
        arrays[f"{name}.rows"] = side.rows[: side.used].copy()
        arrays[f"{name}.ids"] = side.ids[: side.used].copy()
        for key, codes in side.lists.items():
            arrays[f"{name}.{key}"] = codes[: side.used].copy()
        sides[name] = _Side.model_construct(
            names=side.names.copy(),
            sharers=side.sharers.copy(),
            resting={key: (one.version, one.gates, one.reason, one.sharers) for key, one in side.resting.items()},
            gone={key: (one.version, one.at) for key, one in side.gone.items()},
        )
    codes_of = {name: _keys(index, name) for name in CODES}
    document = _Document.model_construct(
        format=FORMAT, policy=fingerprint(index.policy), mark=mark, codes=codes_of, sides=sides
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


def read(path: Path, policy: Policy, now: datetime, max_age: timedelta) -> tuple[Index, Mark] | None:
    """The index as it was written, and where it stands; None, the reason logged, if it is not to be used."""
    try:
        return _read(path, policy, now, max_age)
    except FileNotFoundError:
        log.info("no snapshot")
    except _Unbelievable as reason:
        log.warning("snapshot not used", reason=str(reason))
    except (OSError, ValueError, KeyError, IndexError, EOFError, zipfile.BadZipFile) as error:
        log.warning("snapshot not used", reason="damaged", error=type(error).__name__)
    return None


def _read(path: Path, policy: Policy, now: datetime, max_age: timedelta) -> tuple[Index, Mark]:
    with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as archive:
        # Every member's checksum is checked as it is read.
        arrays: dict[str, NDArray[np.generic]] = {name: archive[name] for name in archive.files}
    document = _Document.model_validate_json(arrays.pop(DOCUMENT).tobytes())
    if document.format != FORMAT:
        raise _Unbelievable(f"format {document.format}, expected {FORMAT}")
    if document.policy != fingerprint(policy):
        raise _Unbelievable("another matching policy")
    age = now - document.mark.created_at
    if age > max_age:
        raise _Unbelievable(f"{age.total_seconds():.0f} s old")
    index = Index(policy)
    for name in CODES:
        codes = _codes(index, name)
        for key in document.codes[name]:
            codes.number(key)
        if codes.keys != document.codes[name]:
            raise _Unbelievable(f"the rules of {name} have changed")
    for name in SIDES:
        _restore(_side(index, name), document.sides[name], name, arrays)
    return index, document.mark


def _restore(side: Side, document: _Side, name: str, arrays: dict[str, NDArray[np.generic]]) -> None:
    names = document.names
    found = {key: arrays[f"{name}.{key}"] for key in ("rows", "ids", *side.lists)}
    layout = {"rows": side.rows.dtype, "ids": side.ids.dtype}
    for key, array in found.items():
        if len(array) != len(names) or array.dtype != layout.get(key, np.dtype(np.int32)):
            raise _Unbelievable(f"another layout of {name}.{key}")
    size = max(len(side.rows), 1 << (len(names) - 1).bit_length())
    side.rows = np.zeros(size, side.rows.dtype)
    side.rows[: len(names)] = found["rows"]
    side.ids = np.zeros((size, side.ids.shape[1]), side.ids.dtype)
    side.ids[: len(names)] = found["ids"]
    for key in side.lists:
        side.lists[key] = np.zeros((size, found[key].shape[1]), np.int32)
        side.lists[key][: len(names)] = found[key]
    side.names = names
    side.sharers = document.sharers
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
    used = np.zeros(len(keys), np.bool_)
    for side in (index.postings, index.seekers):
        live = side.rows[: side.used]["live"] == 1
        rows = side.rows[: side.used][live]
        if name in side.lists:
            lists = side.lists[name][: side.used][live]
            used[lists[np.arange(lists.shape[1]) < rows[name][:, None]]] = True
        elif name == "occupations":
            named = rows["occupation"]
            used[named[named >= 0]] = True
    return [key if kept else f"{FORGOTTEN}:{place}" for place, (key, kept) in enumerate(zip(keys, used, strict=True))]


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
