"""Codes (`scheme:code`) as small integers, with tables from which the kernels read how two of them relate."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from operator import itemgetter
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from services.matcher.domain.columns import Related
from services.matcher.domain.policy import Policy
from services.matcher.domain.ties import Ties
from shared.regions import DEEPEST, ancestors, canonical

if TYPE_CHECKING:
    from services.matcher.domain.bodies import Concept
    from shared.contracts.common import Code

NONE: Final = -1
"""The integer of no code."""


class Codes(ABC):
    """An interned vocabulary: each key has a number, in the order of first use, and a row of a table."""

    def __init__(self, width: int, fill: int) -> None:
        self.keys: list[str] = []
        self._numbers: dict[str, int] = {}
        self._by_scheme: dict[str, dict[str, int]] = {}
        """The same by scheme and code, as far as they came so: no key need be put together."""
        self._fill = fill
        self.table: NDArray[np.int32] = np.full((64, width), fill, np.int32)
        """Row: code; what the columns mean is up to the subclass. Longer than `keys`."""

    def __len__(self) -> int:
        return len(self.keys)

    def number(self, key: str) -> int:
        """The number of a key, a new one if it has none."""
        known = self._numbers.get(key)
        return self._add(key) if known is None else known

    def number_of(self, code: Code | Concept) -> int:
        """The number of a code, a new one if it has none."""
        try:
            return self._by_scheme[code.scheme][code.code]
        except KeyError:
            number = self.number(f"{code.scheme}:{code.code}")
            self._by_scheme.setdefault(code.scheme, {})[code.code] = number
            return number

    def numbers(self, wanted: Sequence[Code | Concept]) -> list[int]:
        """The numbers of codes in their order, none twice."""
        known = self._by_scheme
        try:
            found = [known[code.scheme][code.code] for code in wanted]
        except KeyError:
            found = [self.number_of(code) for code in wanted]
        return found if len(found) == len(set(found)) else list(dict.fromkeys(found))

    def _add(self, key: str) -> int:
        row = self._row(key)
        number = self._numbers[key] = len(self.keys)
        self.keys.append(key)
        if number == len(self.table):
            grown = np.full((2 * number, self.table.shape[1]), self._fill, np.int32)
            grown[:number] = self.table
            self.table = grown
        self.table[number] = row
        return number

    def _row_all(self) -> None:
        for number, key in enumerate(self.keys):
            self.table[number] = self._row(key)

    @abstractmethod
    def _row(self, key: str) -> list[int]:
        """The key's row of the table."""


def related(codes: Codes, table: Mapping[str, Mapping[str, int]]) -> tuple[Related, Related, Related]:
    """A table of near concepts (`scheme:code`, with permille) by number: as it is, the other way round, and both.

    What is near a concept keeps the policy's order, which is the same in every process, as numbers are not.
    """
    pairs = [
        (codes.number(concept), codes.number(other), permille)
        for concept, others in table.items()
        for other, permille in others.items()
    ]
    back = [(other, concept, permille) for concept, other, permille in pairs]
    return _by_number(pairs), _by_number(back), _by_number(pairs + back)


def _by_number(pairs: Sequence[tuple[int, int, int]]) -> Related:
    size = max((concept for concept, _, _ in pairs), default=-1) + 2
    starts = np.zeros(size, np.int32)
    for concept, _, _ in pairs:
        starts[concept + 1] += 1
    ordered = sorted(pairs, key=itemgetter(0))
    return Related(
        np.cumsum(starts, dtype=np.int32),
        np.array([other for _, other, _ in ordered], np.int32),
        np.array([permille for _, _, permille in ordered], np.int32),
    )


class Plain(Codes):
    """Codes that are only the same or not."""

    def __init__(self) -> None:
        super().__init__(0, NONE)

    def _row(self, key: str) -> list[int]:  # noqa: ARG002 - a row without columns
        return []


class Skills(Codes):
    """Skills. Column 0: the weight that the policy gives."""

    def __init__(self, policy: Policy, ties: Ties) -> None:
        super().__init__(1, 0)
        self._policy, self._ties = policy, ties

    def adopt(self, policy: Policy, ties: Ties) -> None:
        """Weigh by another policy or taxonomy."""
        self._policy, self._ties = policy, ties
        self._row_all()

    def _row(self, key: str) -> list[int]:
        return [self._policy.weight(key, self._ties.namings.get(key, 0))]


class Regions(Codes):
    """Regions by canonical name.

    Columns: the way from the country down to the region itself, then NONE; last its own place on that way.
    So `a` contains `b` when `b`'s row has `a` at `a`'s place.
    """

    def __init__(self, ties: Ties) -> None:
        super().__init__(DEEPEST + 1, NONE)
        self._ties = ties
        self.centres: NDArray[np.float64] = np.full((3, len(self.table)), np.nan)
        """Column: code, as many as the table has rows. The centre as a unit vector from the Earth's; NaN: not known."""

    def adopt(self, ties: Ties) -> None:
        """Take the centres from another taxonomy."""
        self._ties = ties
        self.centres = np.full((3, len(self.table)), np.nan)
        for number, key in enumerate(self.keys):
            self._place(number, key)

    def _add(self, key: str) -> int:
        name = canonical(key)
        if name == key:
            number = super()._add(key)
            if self.centres.shape[1] < len(self.table):
                grown = np.full((3, len(self.table)), np.nan)
                grown[:, : self.centres.shape[1]] = self.centres
                self.centres = grown
            self._place(number, key)
            return number
        # another name of a region is known from now on, too
        number = self._numbers[key] = self.number(name)
        return number

    def _place(self, number: int, key: str) -> None:
        centre = self._ties.centres.get(key)
        if centre is not None:
            self.centres[:, number] = centre

    def _row(self, key: str) -> list[int]:
        way = [self.number(region) for region in reversed(ancestors(key))]
        way.append(len(self.keys))
        return [*way, *[NONE] * (DEEPEST - len(way)), len(way) - 1]
