"""How often what is named in the workload: skills, terms and wishes, each with its share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from shared.contracts.common import Benefit, Education, EmploymentType, KeyGroup

T = TypeVar("T")
CHUNK: Final = 5_000
"""How many are drawn at a time."""
SKILLS, OCCUPATIONS, COUNTIES = 3_000, 500, 400


class Mix(Generic[T]):
    """Things to draw from, each with its share of whatever sum."""

    def __init__(self, shares: Mapping[T, float]) -> None:
        self.items = list(shares)
        self._sums = np.cumsum(list(shares.values()))

    def places(self, dice: np.random.Generator, *shape: int) -> NDArray[np.int64]:
        """Places in `items`."""
        found: NDArray[np.int64] = np.searchsorted(self._sums, dice.random(shape) * self._sums[-1], side="right")
        return found

    def draw(self, dice: np.random.Generator) -> list[T]:
        """A chunk of them."""
        return [self.items[place] for place in self.places(dice, CHUNK).tolist()]


def _falling(count: int, exponent: float) -> Mix[int]:
    """Numbers from 0, the n-th as often as n ** -exponent; Zipf's law for 1."""
    return Mix({place: (place + 1) ** -exponent for place in range(count)})


SKILL: Final = _falling(SKILLS, 1)
OCCUPATION: Final = _falling(OCCUPATIONS, 0.5)
COUNTY: Final = _falling(COUNTIES, 0.5)
LEVELS: Final = (None, *Education)
EDUCATION: Final = Mix(dict(zip(LEVELS, (3, 3, 25, 33, 6, 14, 13, 2.5, 0.5), strict=True)))
EDUCATION_ASKED: Final = Mix(dict(zip(LEVELS, (30, 2, 18, 28, 4, 9, 8, 1, 0), strict=True)))
EXPERIENCE_ASKED: Final = Mix({None: 30, 0: 20, 6: 14, 12: 18, 24: 10, 36: 6, 60: 2})
TYPE: Final = Mix(dict(zip((None, *EmploymentType), (4, 76, 8, 5, 4, 3), strict=True)))
TYPES_WANTED: Final = Mix(
    {
        (): 45,
        (EmploymentType.FULL_TIME,): 40,
        (EmploymentType.FULL_TIME, EmploymentType.PART_TIME): 8,
        (EmploymentType.TEMPORARY, EmploymentType.SEASONAL): 7,
    }
)
REMOTE: Final = Mix({True: 3, False: 97})
REMOTE_WANTED: Final = Mix({True: 4, None: 2, False: 94})
KEY_GROUPS: Final = Mix({(): 70, **{(group,): 5 for group in KeyGroup}})
KEY_GROUPS_PREFERRED: Final = Mix({(): 88, **{(group,): 2 for group in KeyGroup}})
BENEFITS: Final = Mix(
    {
        (): 20,
        tuple(Benefit)[:6]: 30,
        (Benefit.PENSION, Benefit.MEDICAL, Benefit.WORK_INJURY): 25,
        (Benefit.ROOM, Benefit.BOARD, Benefit.TRANSPORT): 25,
    }
)
BENEFITS_NEEDED: Final = Mix(
    {(): 60, (Benefit.ROOM,): 15, (Benefit.ROOM, Benefit.BOARD): 10, (Benefit.PENSION, Benefit.MEDICAL): 15}
)
