"""Why so few, and what would help: which gate shuts out how many, and how many more each change would bring.

To qualify is to be recommendable: all gates, the minimum, and something in common. Counts are exact, over all
live counterparts, as of one state of the index; each change is counted alone.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from services.matcher.domain.changes import Change, Trial, What, trials
from services.matcher.domain.facts import micros
from services.matcher.domain.gates import GATES, REGION
from services.matcher.domain.nearly import Nearly, Tried, nearly
from services.matcher.domain.whynot import count_licences, count_regions, count_skills, try_changes
from shared.contracts.recommendations import AnchorKind

if TYPE_CHECKING:
    from services.matcher.domain.columns import Columns
    from services.matcher.domain.index import Index

BEST: Final = 10
"""Most licences, regions and skills that are named, each."""
STEPS: Final = frozenset({"pay", "experience", "education"})
"""Changes that come from the least to the largest."""
MOST_ROWS: Final = 50_000
"""Of the others that one thread looks at; more of them are shared out."""
CORES: Final = min(4, os.cpu_count() or 1)
"""Threads; each marks all places for itself, so more would do little."""
_THREADS: Final = ThreadPoolExecutor(CORES, "outlook")


@dataclass(frozen=True, slots=True)
class Gain:
    """A change, and what would come of it."""

    change: Change
    gained: int
    """Counterparts that do not qualify now and would. Of a skill: postings of which the seeker passes all gates
    and lacks no other required skill."""
    lost: int = 0
    """Counterparts that qualify now and would not: by another type of contract, or where an unknown place becomes
    one that only half fits."""
    best: bool = False
    """Of all steps of pay it brings most for each unit; the least such step."""


@dataclass(frozen=True, slots=True)
class Outlook:
    """All about one anchor and those whom it does not get."""

    version: int
    active: bool
    """False: closed, paused, withdrawn or without consent; then nobody is counted."""
    others: int = 0
    """Open postings, or active seekers, in all."""
    qualified: int = 0
    shut_out: tuple[tuple[str, int], ...] = ()
    """Gates, and how many would qualify if each did not exist and nothing else changed; most first, none with 0."""
    gains: tuple[Gain, ...] = ()
    """In the order in which changes are tried, what there are many of by gain; none that brings nobody, and no
    step that brings no more than a smaller one."""


def outlook(index: Index, kind: AnchorKind, anchor_id: str, now: datetime) -> Outlook | None:
    """The reach of a posting, or what would unlock postings for a seeker; None if it is unknown or erased."""
    standing = index.standing(kind, anchor_id)
    if standing is None:
        return None
    if not standing.active:
        return Outlook(standing.version, active=False)
    by_posting = kind is AnchorKind.POSTING
    own, others = (index.postings, index.seekers) if by_posting else (index.seekers, index.postings)
    row, moment = own.row_of[anchor_id], micros(now)
    postings, seekers, tables, weights = index.arrays()
    made = trials(index, kind, row, weights.gates)
    tried = _tried(by_posting, row, made, postings, seekers)
    parts = min(CORES, 1 + others.used // MOST_ROWS)

    def look(part: int) -> tuple[Nearly, int, NDArray[np.int64]]:
        arrays = tried, postings, seekers, tables, weights
        kept, away = nearly(by_posting, row, moment, others.used, part, parts, *arrays)
        return kept, away, try_changes(by_posting, row, moment, kept, *arrays)

    found_by, aways, tries = zip(*_THREADS.map(look, range(parts)), strict=True)
    kept, away, counts = Nearly(*map(np.concatenate, zip(*found_by, strict=True))), sum(aways), sum(tries)
    enough = kept.points >= weights.minimum
    alone = {gate: int((enough & (kept.failed == 1 << place)).sum()) for place, gate in enumerate(GATES)}
    alone["region"] += away
    gained = [Gain(trial.change, more, fewer) for trial, (more, fewer) in zip(made, counts.tolist(), strict=True)]
    gains = list(_rising(gain for gain in gained if gain.change.what != "region"))
    gains += _best(gain for gain in gained if gain.change.what == "region")
    found = count_licences(by_posting, row, kept, postings, seekers, tables, weights)
    gains += _by_code(kind, "licences", found, index.licences.keys)
    if not by_posting:
        if weights.gates & REGION and own.columns.rows[row]["regions"]:
            found = count_regions(row, kept, postings, seekers, tables, weights)
            gains += _by_code(kind, "region", found, index.regions.keys)
        gains += _by_code(kind, "skills", count_skills(row, kept, postings, seekers, tables), index.skills.keys)
    return Outlook(
        standing.version,
        active=True,
        others=len(others.row_of),
        qualified=int((enough & (kept.failed == 0)).sum()),
        shut_out=tuple(sorted(((gate, count) for gate, count in alone.items() if count), key=lambda one: -one[1])),
        gains=tuple(gains),
    )


def _tried(by_posting: bool, row: int, made: Sequence[Trial], postings: Columns, seekers: Columns) -> Tried:  # noqa: FBT001 - as the kernels
    """The anchor's row, changed by each trial."""
    rows = np.repeat((postings if by_posting else seekers).rows[row : row + 1], len(made))
    for place, trial in enumerate(made):
        for name, value in trial.fields.items():
            rows[name][place] = value
    return Tried(
        np.array([trial.gate for trial in made], np.int32),
        np.array([trial.region for trial in made], np.int32),
        rows if by_posting else postings.rows[:0],
        seekers.rows[:0] if by_posting else rows,
    )


def _by_code(kind: AnchorKind, what: What, counts: NDArray[np.int64], keys: Sequence[str]) -> list[Gain]:
    return _best(Gain(Change(kind, what, (keys[code],)), count) for code, count in enumerate(counts.tolist()) if count)


def _best(gains: Iterable[Gain]) -> list[Gain]:
    """Those that bring most, ties by key."""
    return sorted((gain for gain in gains if gain.gained), key=lambda gain: (-gain.gained, gain.change.names))[:BEST]


def _rising(gains: Iterable[Gain]) -> Iterator[Gain]:
    """Without what brings nobody, and without steps that bring no more than a smaller one; says the best of pay."""
    most: dict[What, int] = {}
    worth = []
    for gain in gains:
        what = gain.change.what
        if gain.gained > most.get(what, 0):
            worth.append(gain)
            if what in STEPS:
                most[what] = gain.gained
    pay = [gain for gain in worth if gain.change.what == "pay"]
    best = max(pay, key=lambda gain: gain.gained / gain.change.by, default=None)
    return (replace(gain, best=True) if gain is best else gain for gain in worth)
