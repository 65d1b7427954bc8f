"""One side of the index: the rows of all postings or of all seekers, which id is where, and who is gone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from services.matcher.domain.columns import ID_WORDS, id_words

FIRST_ROWS = 1024
FIRST_WIDTH = 4


@dataclass(frozen=True, slots=True)
class Resting:
    """What is kept of a closed posting or an inactive seeker."""

    version: int
    gates: tuple[str, ...]
    """Those that fail because of this alone: `open`, `active`, `consent`."""
    reason: str
    """The close reason, or the profile's status."""
    sharers: tuple[str, ...]
    """See `Side.sharers`."""


@dataclass(frozen=True, slots=True)
class Gone:
    """A remembered tombstone."""

    version: int
    at: datetime


@dataclass
class Side:
    """Rows in arrays that double when they are full; the slots of what left are used again."""

    dtype: np.dtype[np.void]
    lists: dict[str, NDArray[np.int32]]
    """Lists of codes by name, one row each, as wide as the longest so far."""
    rows: NDArray[np.void] = field(init=False)
    ids: NDArray[np.uint64] = field(init=False)
    names: list[str] = field(default_factory=list)
    """Id by row; empty if the row is free."""
    sharers: list[tuple[str, ...]] = field(default_factory=list)
    """By row, who else may see it: a posting's employer, or a seeker's matchmakers."""
    row_of: dict[str, int] = field(default_factory=dict)
    free: list[int] = field(default_factory=list)
    resting: dict[str, Resting] = field(default_factory=dict)
    gone: dict[str, Gone] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.rows = np.zeros(FIRST_ROWS, self.dtype)
        self.ids = np.zeros((FIRST_ROWS, ID_WORDS), np.uint64)

    @property
    def used(self) -> int:
        """Rows at or above this were never used."""
        return len(self.names)

    def version(self, name: str) -> int:
        """The newest version that is known of an id; 0 if none is."""
        row = self.row_of.get(name)
        if row is not None:
            return int(self.rows[row]["version"])
        if name in self.resting:
            return self.resting[name].version
        return self.gone[name].version if name in self.gone else 0

    def put(self, name: str, facts: tuple[int, ...], lists: dict[str, list[int]], sharers: tuple[str, ...]) -> None:
        """Writes the row of an id; `facts` in the order of the row's fields."""
        row = self.row_of.get(name)
        if row is None:
            row = self._slot(name)
        self.rows[row] = facts
        self.sharers[row] = sharers
        for key, codes in lists.items():
            if not codes:
                continue
            array = self.lists[key]
            if len(codes) > array.shape[1]:
                array = self.lists[key] = _grown(array, len(array), max(len(codes), 2 * array.shape[1]))
            array[row, : len(codes)] = codes
        self.resting.pop(name, None)
        self.gone.pop(name, None)

    def rest(self, name: str, resting: Resting) -> None:
        """Keeps of an id only that it is there and why it takes no part."""
        self._free(name)
        self.gone.pop(name, None)
        self.resting[name] = resting

    def remove(self, name: str, gone: Gone) -> None:
        """Forgets an id but for its tombstone."""
        self._free(name)
        self.resting.pop(name, None)
        self.gone[name] = gone

    def rows_of(self, names: Sequence[str]) -> NDArray[np.int64]:
        """Row of each id, -1 for one that has none."""
        return np.fromiter((self.row_of.get(name, -1) for name in names), np.int64, len(names))

    def _slot(self, name: str) -> int:
        if self.free:
            row = self.free.pop()
            self.names[row] = name
        else:
            row = len(self.names)
            if row == len(self.rows):
                self._double()
            self.names.append(name)
            self.sharers.append(())
        self.ids[row] = id_words(name)
        self.row_of[name] = row
        return row

    def _free(self, name: str) -> None:
        row = self.row_of.pop(name, None)
        if row is None:
            return
        # Zeros, so that nothing of what was erased stays in memory or gets into a snapshot.
        self.rows[row] = np.zeros((), self.dtype)
        self.ids[row] = 0
        for array in self.lists.values():
            array[row] = 0
        self.names[row] = ""
        self.sharers[row] = ()
        self.free.append(row)

    def _double(self) -> None:
        size = 2 * len(self.rows)
        self.rows = np.concatenate([self.rows, np.zeros_like(self.rows)])
        self.ids = np.concatenate([self.ids, np.zeros_like(self.ids)])
        for key, array in self.lists.items():
            self.lists[key] = _grown(array, size, array.shape[1])


def _grown(array: NDArray[np.int32], rows: int, width: int) -> NDArray[np.int32]:
    grown = np.zeros((rows, width), np.int32)
    grown[: array.shape[0], : array.shape[1]] = array
    return grown


def side(dtype: np.dtype[np.void], lists: Sequence[str]) -> Side:
    """An empty side whose rows have these lists."""
    return Side(dtype, {name: np.zeros((FIRST_ROWS, FIRST_WIDTH), np.int32) for name in lists})
