"""Every list that was written, computed again by the oracle from what it says that it saw."""

from __future__ import annotations

import gc
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from multiprocessing import get_context
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shared.contracts.recommendations import LIST_SIZE
from tests.chaos.topics import Body, Written, last
from tests.oracle.oracle import judge, oracle_list
from tests.oracle.sides import Person, Work

WORKERS = 2
SIDES = ("posting", "seeker")
COMPONENTS = (
    *("occupation", "required_skills", "preferred_skills", "education", "experience"),
    *("place", "pay", "benefits", "key_group"),
)
Read = Work | Person


class Past:
    """One state topic as it was at any offsets: the newest version of each id, tombstones apart."""

    def __init__(self, kind: str, records: Sequence[Written]) -> None:
        """`records` are in the order of their offsets within each partition."""
        self.present: dict[str, Any] = {}
        """By id, as the oracle reads it."""
        self._kind = kind
        self._records: dict[int, list[Written]] = {}
        for record in records:
            self._records.setdefault(record.partition, []).append(record)
        self._applied: dict[int, list[tuple[str, int, Read | None]]] = {}
        """By partition, for each record that was taken in: what held of its id before."""
        self._versions: dict[str, int] = {}
        self._read: dict[tuple[int, int], Read] = {}

    def seek(self, offsets: Sequence[int]) -> None:
        """See every record below these offsets, by partition, and none other."""
        for partition, end in enumerate(offsets):
            records = self._records.get(partition, [])
            applied = self._applied.setdefault(partition, [])
            while len(applied) < len(records) and records[len(applied)].offset < end:
                applied.append(self._take(records[len(applied)]))
            while applied and records[len(applied) - 1].offset >= end:
                self._give_back(*applied.pop())

    def _take(self, record: Written) -> tuple[str, int, Read | None]:
        key = record.key
        before = key, self._versions.get(key, 0), self.present.get(key)
        if record.version > before[1]:
            self._put(key, record.version, self._as_read(record))
        return before

    def _give_back(self, key: str, version: int, read: Read | None) -> None:
        self._put(key, version, read)

    def _put(self, key: str, version: int, read: Read | None) -> None:
        self._versions[key] = version
        if read is None:
            self.present.pop(key, None)
        else:
            self.present[key] = read

    def _as_read(self, record: Written) -> Read | None:
        if record.body is None:
            return None
        where = record.partition, record.offset
        if where not in self._read:
            self._read[where] = (Work if self._kind == "posting" else Person)(record.body)
        return self._read[where]


@dataclass
class History:
    """Both state topics, whole."""

    records: dict[str, list[Written]]
    """By kind of aggregate: `posting`, `seeker`."""
    pasts: dict[str, Past] = field(init=False)

    def __post_init__(self) -> None:
        self.pasts = {kind: Past(kind, self.records[kind]) for kind in SIDES}

    def see_all(self) -> None:
        """As it is in the end."""
        for kind, past in self.pasts.items():
            ends = {record.partition: record.offset + 1 for record in self.records[kind]}
            past.seek([ends.get(partition, 0) for partition in range(max(ends, default=-1) + 1)])

    def fault(self, body: Body) -> str | None:
        """What is wrong with a list, or None: its anchor's version and activity, each entry, their order."""
        self.pasts["posting"].seek(body["as_of"]["postings"])
        self.pasts["seeker"].seek(body["as_of"]["profiles"])
        kind, name = body["kind"], body["anchor"]
        anchor = self.pasts[kind].present.get(name)
        if anchor is None:
            return f"{name} was not there"
        if (anchor.version, anchor.live) != (body["anchor_version"], body.get("active", True)):
            return f"{name} had version {anchor.version}, live: {anchor.live}"
        others = self.pasts["seeker" if kind == "posting" else "posting"].present
        right = oracle_list(kind, anchor, others, datetime.fromisoformat(body["now"]))
        found = [_plain(entry) for entry in body.get("entries", ())]
        if found != right:
            return f"{kind} {name}, revision {body['revision']}: {_difference(found, right)}"
        if kind == "posting":
            return None if body["employer_id"] == anchor.body["employer_id"] else f"{name}: another employer"
        wrong = [entry["id"] for entry in body.get("entries", ()) if not _is_employers(entry, others)]
        return f"{name}: other employers of {wrong}" if wrong else None


def _is_employers(entry: Body, postings: dict[str, Work]) -> bool:
    return bool(entry["employer_id"] == postings[entry["id"]].body["employer_id"])


def _plain(entry: Body) -> Body:
    """An entry as the oracle says it: parts that are absent are zero or empty."""
    return {
        "id": entry["id"],
        "version": entry["version"],
        "points": entry["points"],
        "components": {name: entry["components"].get(name, 0) for name in COMPONENTS},
        "matched": entry.get("matched", []),
        "missing": entry.get("missing", []),
        "unknown": entry.get("unknown", []),
        "evidence": evidence_of(entry.get("evidence", {})),
    }


def evidence_of(found: Body) -> Body:
    """Evidence as the oracle says it: sets in the order of the alphabet."""
    return {name: sorted(value) if name in {"benefits", "key_groups"} else value for name, value in found.items()}


def _difference(found: list[Body], right: list[Body]) -> str:
    for place, (one, other) in enumerate(zip(found, right, strict=False)):
        if one != other:
            return f"at {place} is {one}, right is {other}"
    return f"{len(found)} entries instead of {len(right)}"


def faults(records: dict[str, list[Written]], lists: Sequence[Body]) -> list[str]:
    """What is wrong with each of these lists, in two processes.

    Lists that saw nearly the same stand together, so that little is taken in and given back between them; each
    process has every second one, because later ones saw more.
    """
    ordered = sorted(lists, key=lambda body: sum(body["as_of"]["postings"]) + sum(body["as_of"]["profiles"]))
    with ProcessPoolExecutor(WORKERS, mp_context=get_context("spawn")) as pool:
        parts = [ordered[first::WORKERS] for first in range(WORKERS)]
        found = pool.map(_faults, [records] * len(parts), parts)
        return [fault for part in found for fault in part]


def _faults(records: dict[str, list[Written]], lists: Sequence[Body]) -> list[str]:
    gc.freeze()  # what was sent here stays for good: no collection needs to look through it
    history = History(records)
    return [fault for body in lists if (fault := history.fault(body))]


def not_recommendable(history: History, lists: Mapping[str, Body], now: datetime) -> list[str]:
    """Entries of these lists, by anchor, that may not be recommended now."""
    found = []
    for name, body in lists.items():
        for entry in body.get("entries", ()):
            pair = (name, entry["id"]) if body["kind"] == "posting" else (entry["id"], name)
            work = history.pasts["posting"].present.get(pair[0])
            person = history.pasts["seeker"].present.get(pair[1])
            if work is None or person is None or judge(work, person, now) is None:
                found.append(f"{pair[0]} and {pair[1]}, on the list of the {body['kind']}")
    return found


def begins(records: Sequence[Written]) -> dict[str, tuple[int, int]]:
    """By key, the partition and the first offset of its present version."""
    first: dict[tuple[str, int], int] = {}
    for record in records:
        first.setdefault((record.key, record.version), record.offset)
    return {key: (record.partition, first[key, record.version]) for key, record in last(records).items()}


def outdated(history: History, kind: str, lists: Mapping[str, Body], now: datetime) -> list[str]:
    """Which of these last lists, by anchor, are not what the oracle says now, changes of rank apart.

    Who changed after a list was answered has a list of their own, and retracts nothing by a mere change of rank.
    But of all others a list must still name the best, in their order: all of them, unless it is full.
    """
    side, other = ("profiles", "seeker") if kind == "posting" else ("postings", "posting")
    begun, found = begins(history.records[other]), []
    for name, body in lists.items():
        seen = body["as_of"][side]
        same = {key: read for key, read in history.pasts[other].present.items() if begun[key][1] < seen[begun[key][0]]}
        right = oracle_list(kind, history.pasts[kind].present[name], same, now)
        entries = body.get("entries", ())
        kept = [_plain(entry) for entry in entries if entry["id"] in same]
        if kept != (right[: len(kept)] if len(entries) == LIST_SIZE else right):
            found.append(f"{kind} {name}: {_difference(kept, right)}")
    return found


@dataclass(frozen=True)
class Answered:
    """What every answer to the present version of a live anchor has seen."""

    names: list[str]
    partitions: NDArray[np.int64]
    """(n,) where the anchor's records lie,"""
    offsets: NDArray[np.int64]
    """(n,) and where the first one of its present version does."""
    seen: NDArray[np.int64]
    """(n, partitions of the other side) everything below was seen, by each of the answers."""


def answered(kind: str, records: Sequence[Written], lists: Sequence[Body]) -> Answered:
    """Raises AssertionError for a live anchor whose present version has no answer."""
    live = Work if kind == "posting" else Person
    present = {k: r for k, r in last(records).items() if r.body is not None and live(r.body).live}
    begun = begins(records)
    side = "profiles" if kind == "posting" else "postings"
    seen: dict[str, NDArray[np.int64]] = {}
    for body in lists:
        name, as_of = body["anchor"], np.array(body["as_of"][side], np.int64)
        if name in present and body["anchor_version"] == present[name].version:
            seen[name] = np.minimum(seen.get(name, as_of), as_of)
    assert seen.keys() == present.keys(), f"not answered: {sorted(present.keys() - seen.keys())}"
    names = sorted(present)
    return Answered(
        names,
        np.array([present[name].partition for name in names]),
        np.array([begun[name][1] for name in names]),
        np.stack([seen[name] for name in names]),
    )


def missed(postings: Answered, seekers: Answered) -> list[tuple[str, str]]:
    """Pairs of which neither side's answer saw the other."""
    by_posting = postings.seen[:, seekers.partitions] > seekers.offsets
    by_seeker = seekers.seen[:, postings.partitions] > postings.offsets
    return [(postings.names[p], seekers.names[s]) for p, s in np.argwhere(~(by_posting | by_seeker.T))]
