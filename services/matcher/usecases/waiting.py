"""Why a list is to be computed, and in which order those wait that nobody asked for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from heapq import heappop, heappush
from itertools import count
from typing import Final

from shared.contracts.recommendations import LIST_SIZE

WHOLE: Final = (1 << LIST_SIZE) - 1
"""Everything on a list is lost: its anchor left, or nobody knows what lies on the topic."""


@dataclass(frozen=True, slots=True)
class Cause:
    """Why a list is to be computed."""

    partition: int
    now: datetime
    version: int = 0
    """The anchor version that an event carried; 0 if no event of the anchor is the cause."""
    traceparent: str | None = None
    force: bool = False
    """Write even if nothing changed: a former owner's late record has displaced ours."""

    def after(self, before: Cause | None) -> Cause:
        """This and an earlier cause in one: the newest version's, else the first; forced if one of them is."""
        if before is None:
            return self
        kept = self if self.version > before.version else before
        return kept if kept.force == (self.force or before.force) else replace(kept, force=True)


class Refreshes:
    """Anchors whose list holds what is not recommendable any more, the one that lost most first.

    What people see at the top of a list they act on first, so a lost entry counts the more the higher it stands:
    20 for the first, 1 for the twentieth. Of equal losses the first comes first.
    """

    def __init__(self) -> None:
        self._causes: dict[str, Cause] = {}
        self._lost: dict[str, int] = {}
        self._heap: list[tuple[int, int, str]] = []
        """(-weight, order of arrival, anchor); an entry whose weight is not the anchor's present one is void."""
        self._order = count()

    def __len__(self) -> int:
        return len(self._causes)

    def __iter__(self) -> Iterator[str]:
        return iter(self._causes)

    def get(self, anchor: str) -> Cause | None:
        """Why this one waits; None if it does not."""
        return self._causes.get(anchor)

    def add(self, anchor: str, cause: Cause, lost: int) -> None:
        """One more cause for this anchor; `lost`, never 0, has a bit for each lost place (from 0, the best)."""
        before = self._lost.get(anchor, 0)
        self._causes[anchor] = cause.after(self._causes.get(anchor))
        self._lost[anchor] = before | lost
        if before | lost != before:
            heappush(self._heap, (-weight(before | lost), next(self._order), anchor))

    def pop(self, anchor: str) -> Cause | None:
        """It waits no more; why it did."""
        self._lost.pop(anchor, None)
        return self._causes.pop(anchor, None)

    def forget(self, partition: int) -> None:
        """Those of this partition wait no more."""
        for anchor in [a for a, cause in self._causes.items() if cause.partition == partition]:
            self.pop(anchor)

    def take(self, most: int) -> dict[str, Cause]:
        """The most urgent; they wait no more."""
        taken: dict[str, Cause] = {}
        while self._heap and len(taken) < most:
            heavy, _, anchor = heappop(self._heap)
            if anchor in self._causes and -heavy == weight(self._lost[anchor]):
                del self._lost[anchor]
                taken[anchor] = self._causes.pop(anchor)
        return taken


def weight(lost: int) -> int:
    """How much these places of a list count together."""
    return sum(LIST_SIZE - place for place in range(LIST_SIZE) if lost >> place & 1)
