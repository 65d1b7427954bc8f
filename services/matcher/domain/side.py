"""One side of the index: the rows of all postings or of all seekers, which id is where, and who is gone.

Changes are gathered and written by `flush`, before the next question: one call of a kernel for all of them.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from services.matcher.domain.columns import EVERYWHERE, FIRST_REGION, ID_WORDS, REMOTE_LIST, Columns
from services.matcher.domain.facts import Row
from services.matcher.domain.members import CODES, CODES_GARBAGE, POOL, POOL_GARBAGE, ROOM, compact, put

FIRST_ROWS: Final = 1024
G = TypeVar("G", bound=np.generic)


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
    """Columns that grow when they are full; the slots of what left are used again."""

    dtype: np.dtype[np.void]
    names: list[str] = field(default_factory=list)
    """Id by row; empty if the row is free."""
    versions: array[int] = field(default_factory=lambda: array("q"))
    """By row."""
    sharers: list[tuple[str, ...]] = field(default_factory=list)
    """By row, who else may see it: a posting's employer, or a seeker's matchmakers."""
    row_of: dict[str, int] = field(default_factory=dict)
    free: list[int] = field(default_factory=list)
    resting: dict[str, Resting] = field(default_factory=dict)
    gone: dict[str, Gone] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.columns = Columns(
            rows=np.zeros(FIRST_ROWS, self.dtype),
            words=np.zeros(FIRST_ROWS, np.int64),
            ids=np.zeros((FIRST_ROWS, ID_WORDS), np.uint64),
            codes=np.zeros(16 * FIRST_ROWS, np.int32),
            lists=np.zeros((64, 3), np.int32),
            pool=np.zeros(2 * FIRST_ROWS, np.int32),
            used=np.zeros(4, np.int64),
        )
        self._nothing = bytes(self.dtype.itemsize)
        self._no_places = array("i", (0, 0))
        self._forget_pending()

    def _forget_pending(self) -> None:
        self._targets = array("i")
        self._packed = array("i")
        self._rows = bytearray()
        self._named: dict[int, str] = {}

    @property
    def used(self) -> int:
        """Rows at or above this were never used."""
        return len(self.names)

    def version(self, name: str) -> int:
        """The newest version that is known of an id; 0 if none is."""
        row = self.row_of.get(name)
        if row is not None:
            return self.versions[row]
        if name in self.resting:
            return self.resting[name].version
        return self.gone[name].version if name in self.gone else 0

    def put(self, name: str, version: int, known: Row, sharers: tuple[str, ...]) -> None:
        """Takes in what is known of an id."""
        facts, regions, remote, codes = known
        row = self.row_of.get(name)
        if row is None:
            row = self._slot(name)
        self.versions[row] = version
        self.sharers[row] = sharers
        lists = [FIRST_REGION + region for region in regions] or [EVERYWHERE]
        if remote:
            lists.append(REMOTE_LIST)
        self._targets.append(row)
        self._rows += facts
        self._packed.fromlist([len(lists), len(lists) + len(codes), *lists, *codes])
        if self.resting:
            self.resting.pop(name, None)
        if self.gone:
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
            self.names.append(name)
            self.versions.append(0)
            self.sharers.append(())
        self._named[row] = name
        self.row_of[name] = row
        return row

    def _free(self, name: str) -> None:
        row = self.row_of.pop(name, None)
        if row is None:
            return
        # Zeros, so that nothing of what was erased stays in memory or gets into a snapshot.
        self._targets.append(row)
        self._rows += self._nothing
        self._packed += self._no_places
        self._named[row] = ""
        self.names[row] = ""
        self.versions[row] = 0
        self.sharers[row] = ()
        self.free.append(row)

    def flush(self, lists: int) -> NDArray[np.int32]:
        """Write what was taken in; gives the rows that changed. `lists`: how many membership lists there are."""
        if not self._targets:
            return np.zeros(0, np.int32)
        targets = np.frombuffer(self._targets, np.int32)
        packed, rows, named = np.frombuffer(self._packed, np.int32), self._rows, self._named
        self._forget_pending()
        self._make_room(lists)
        if named:
            self._write_ids(named)
        done = begin = in_vain = 0
        while True:
            before = done
            done, begin = put(self.columns, np.frombuffer(rows, self.dtype), targets, packed, done, begin)
            if done == targets.size:
                return targets
            # a row may join many lists that are full at once
            in_vain = in_vain + 1 if done == before else 0
            self.renew((len(packed) - begin) << in_vain, in_vain)

    def _make_room(self, lists: int) -> None:
        columns, used = self.columns, self.used
        if used > len(columns.rows):
            size = used + used // 4
            columns = columns._replace(
                rows=_longer(columns.rows, size), words=_longer(columns.words, size), ids=_longer(columns.ids, size)
            )
        if lists > len(columns.lists):
            columns = columns._replace(lists=_longer(columns.lists, 2 * lists))
        self.columns = columns

    def _write_ids(self, named: dict[int, str]) -> None:
        """An id of at most 64 ASCII characters as big-endian words: their order is the order of the strings."""
        width = 8 * ID_WORDS
        padded = b"".join(name.encode().ljust(width, b"\0") for name in named.values())
        words = np.frombuffer(padded, ">u8").reshape(-1, ID_WORDS)
        self.columns.ids[np.fromiter(named, np.int64, len(named))] = words

    def renew(self, more: int, in_vain: int = 0) -> None:
        """New arrays for codes and lists, without garbage, with room for `more` codes and a part of what is there.

        `in_vain`: how often that was not enough.
        """
        old = self.columns
        codes = int(old.used[CODES] - old.used[CODES_GARBAGE])
        pool = int(old.used[POOL] - old.used[POOL_GARBAGE])
        widest = int(old.lists[:, ROOM].max(initial=0))
        fresh = old._replace(
            codes=np.zeros(codes + max(codes // 4, 2 * more), np.int32),
            pool=np.zeros(pool + (max(pool // 2, 2 * more) + 2 * widest << in_vain), np.int32),
        )
        compact(old, fresh.codes, fresh.pool, self.used)
        self.columns = fresh


def _longer(values: NDArray[G], size: int) -> NDArray[G]:
    longer = np.zeros((size, *values.shape[1:]), values.dtype)
    longer[: len(values)] = values
    return longer
