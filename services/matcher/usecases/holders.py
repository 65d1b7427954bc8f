"""On whose lists somebody or something is: twenty pairs a list, so in four bytes a pair."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Sequence


class Holders:
    """By counterpart the anchors whose list holds it."""

    def __init__(self) -> None:
        self._held: dict[str, array[int]] = {}
        """Numbers of anchors, ascending."""
        self._numbers: dict[str, int] = {}
        """Of the anchors that hold anything."""
        self._anchors: list[str] = []
        """By number; "" is free."""
        self._free: list[int] = []

    def of(self, counterpart: str) -> list[str]:
        """The anchors whose list holds it, in no order."""
        return [self._anchors[number] for number in self._held.get(counterpart, ())]

    def change(self, anchor: str, before: Sequence[str], after: Sequence[str]) -> None:
        """The anchor's list held `before` and holds `after`; the longer they agree, the less there is to do."""
        gone, new = set(before).difference(after), set(after).difference(before)
        if not gone and not new:
            return
        number = self._number(anchor)
        for counterpart in gone:
            held = self._held[counterpart]
            del held[bisect_left(held, number)]
            if not held:
                del self._held[counterpart]
        for counterpart in after:
            if counterpart in new:
                held = self._held.setdefault(counterpart, array("I"))
                held.insert(bisect_left(held, number), number)
        if not after:
            del self._numbers[anchor]
            self._anchors[number] = ""
            self._free.append(number)

    def _number(self, anchor: str) -> int:
        number = self._numbers.get(anchor)
        if number is None:
            if self._free:
                number = self._free.pop()
                self._anchors[number] = anchor
            else:
                number = len(self._anchors)
                self._anchors.append(anchor)
            self._numbers[anchor] = number
        return number
