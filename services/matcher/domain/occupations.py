"""Which occupations are close: by the groups of their own scheme, and by their place in ISCO-08."""

from __future__ import annotations

from collections import defaultdict
from typing import Final, NamedTuple
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from services.matcher.domain.codes import NONE, Codes
from services.matcher.domain.policy import Occupation
from services.matcher.domain.ties import Ties

CELL, BIT = 0, 1
"""Columns of an occupation."""
ISCO: Final = "isco-08"
ISCO_FAMILY: Final = "isco"
"""The family of every occupation whose place in ISCO-08 is known."""
UNIT, MINOR, SUB_MAJOR = 4, 3, 2
"""How long the codes of ISCO-08's groups are (ILO, 2012): a unit group has four digits."""
FIRST_CELLS: Final = 64


class Groups(NamedTuple):
    """The groups that an occupation is in. Two occupations are as close as the narrowest group that both are in."""

    family: frozenset[str]
    """Occupations without a common family are not compared."""
    broad: frozenset[str]
    narrow: frozenset[str]
    unit: frozenset[str]


def groups_of(key: str, occupation: Occupation, ties: Ties) -> tuple[Groups, str]:
    """The groups of an occupation (`scheme:code`), and the one by which it is guessed whether others are close.

    Prefixes tell the groups within its own scheme, `Taxonomy.isco` its place in ISCO-08, where schemes meet. A code
    whose place the taxonomy does not know meets the other schemes of its family by its prefix.
    """
    name, _, code = key.partition(":")
    scheme = occupation.schemes.get(name)
    places = ties.isco(name, code) if occupation.unit_group is not None else ()
    family, broad, narrow, unit = set[str](), list[str](), set[str](), set[str]()
    for place in places:
        family.add(f"family:{ISCO_FAMILY}")
        if len(place) >= SUB_MAJOR:
            broad.append(f"broad:{ISCO_FAMILY}:{place[:SUB_MAJOR]}")
        if len(place) >= MINOR:
            narrow.add(f"narrow:{ISCO}:{place[:MINOR]}")
        if len(place) >= UNIT:
            unit.add(f"unit:{place[:UNIT]}")
    family.add(f"scheme:{name}" if scheme is None else f"family:{scheme.family}")
    if scheme is not None:
        # What is known of its place is better than what its prefix would say of another scheme's groups.
        shared = name if places and name != ISCO else scheme.family
        if len(code) >= scheme.broad_length:
            broad.append(f"broad:{shared}:{code[: scheme.broad_length]}")
        if len(code) >= scheme.narrow_length:
            narrow.add(f"narrow:{name}:{code[: scheme.narrow_length]}")
    found = Groups(frozenset(family), frozenset(broad), frozenset(narrow), frozenset(unit))
    return found, broad[0] if broad else key


class Occupations(Codes):
    """Occupations. Columns: the cell, and a bit.

    Occupations that are in exactly the same groups share a cell, and `closeness` has a row for each cell: so a
    question reads one number for each occupation, however many groups there are. The bit is one of 64, the same for
    most of those that are close, in every process and after every start.
    """

    def __init__(self, occupation: Occupation, ties: Ties) -> None:
        super().__init__(2, NONE)
        self._begin(occupation, ties)

    def adopt(self, occupation: Occupation, ties: Ties) -> None:
        """Group by another policy or taxonomy."""
        self._begin(occupation, ties)
        self._row_all()

    def _begin(self, occupation: Occupation, ties: Ties) -> None:
        self._occupation, self._ties = occupation, ties
        self._cells: dict[Groups, int] = {}
        self._members: defaultdict[str, list[int]] = defaultdict(list)
        self.closeness: NDArray[np.int16] = np.full((FIRST_CELLS, FIRST_CELLS), NONE, np.int16)
        """Of any two cells, in permille; NONE if they cannot be compared. The last column is never used, because
        that is where NONE, the cell of no occupation, leads."""

    def _row(self, key: str) -> list[int]:
        groups, guess = groups_of(key, self._occupation, self._ties)
        cell = self._cells.get(groups)
        return [self._add_cell(groups) if cell is None else cell, crc32(guess.encode()) % 64]

    def _add_cell(self, groups: Groups) -> int:
        cell = self._cells[groups] = len(self._cells)
        if cell + 1 == len(self.closeness):
            grown = np.full((2 * (cell + 1),) * 2, NONE, np.int16)
            grown[:cell, :cell] = self.closeness[:cell, :cell]
            self.closeness = grown
        steps = (0, self._occupation.broad_group, self._occupation.narrow_group, self._occupation.unit_group or 0)
        for names, permille in zip(groups, steps, strict=True):  # from the widest to the narrowest
            for name in names:
                members = self._members[name]
                members.append(cell)
                self.closeness[cell, members] = self.closeness[members, cell] = permille
        return cell
