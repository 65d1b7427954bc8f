"""What was issued: the newest list of each anchor in the partitions that this process owns."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from services.matcher.usecases.world import World
from shared import metrics
from shared.contracts.recommendations import AnchorKind, RecommendationsRefreshed

UNANSWERED: Final = -1


@dataclass(slots=True)
class Issued:
    """The newest list of one anchor, as far as it is known."""

    partition: int
    revision: int
    version: int
    """The anchor's; 0 is a tombstone, UNANSWERED none."""
    active: bool
    entries: tuple[str, ...]
    """Counterpart ids."""
    written: bool = True
    """False until Kafka has acknowledged it."""


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


class Lists:
    """The issued lists of one kind, who is on them, and which wait to be computed anew."""

    def __init__(self, kind: AnchorKind, world: World, woken: asyncio.Event) -> None:
        self.kind = kind
        self.woken = woken
        """Set when something waits to be computed."""
        self.issued: dict[str, Issued] = {}
        self.asked: OrderedDict[str, Cause] = OrderedDict()
        """Anchors of which a version waits for its answer."""
        self.dirty: OrderedDict[str, Cause] = OrderedDict()
        """Anchors whose list is to be refreshed, when nobody waits for an answer."""
        self._world = world
        self._holders: dict[str, set[str]] = {}
        self._owned: dict[int, asyncio.Event] = {}
        self._floors: dict[str, int] = {}
        self._under_way: dict[str, int] = {}
        """Anchors whose list was being written when their partition left, and which that was."""

    # Which partitions are ours.

    def own(self, partitions: Iterable[int]) -> None:
        """These partitions, and no others, are ours now; new ones are to be loaded."""
        wanted = set(partitions)
        for gone in set(self._owned) - wanted:
            # who waits for it must not wait for ever, even if it comes back
            self._owned.pop(gone).set()
            self._forget(gone)
        for new in wanted - set(self._owned):
            self._owned[new] = asyncio.Event()

    def owned(self) -> set[int]:
        """Partition numbers."""
        return set(self._owned)

    def owns(self, partition: int) -> bool:
        """True if this partition is ours and loaded."""
        event = self._owned.get(partition)
        return event is not None and event.is_set()

    async def loaded(self, partitions: Iterable[int]) -> None:
        """Wait until those of these partitions that are ours are loaded."""
        for number in partitions:
            event = self._owned.get(number)
            if event is not None:
                await event.wait()

    def _forget(self, partition: int) -> None:
        for anchor in [a for a, issued in self.issued.items() if issued.partition == partition]:
            gone = self.issued.pop(anchor)
            self._let_go(anchor, gone.entries)
            if not gone.written:
                self._floors[anchor] = max(self._floors.get(anchor, 0), gone.revision)
                self._under_way[anchor] = partition
        for queue in (self.asked, self.dirty):
            for anchor in [a for a, cause in queue.items() if cause.partition == partition]:
                del queue[anchor]

    # What was issued.

    def load(self, anchor: str, partition: int, body: RecommendationsRefreshed | None, revision: int) -> None:
        """Take in a list as it lies on the topic; None is a tombstone."""
        if revision < self.next_revision(anchor):
            # A former owner's late record that nobody has answered: it counts as no answer to any version.
            self._floors[anchor] = self.next_revision(anchor) - 1
            self.put(anchor, Issued(partition, revision, UNANSWERED, active=False, entries=()))
        elif body is None:
            self.put(anchor, Issued(partition, revision, 0, active=False, entries=()))
        else:
            entries = tuple(entry.id for entry in body.entries)
            self.put(anchor, Issued(partition, revision, body.anchor_version, body.active, entries))

    def put(self, anchor: str, issued: Issued) -> None:
        """This is the anchor's newest list."""
        before = self.issued.get(anchor)
        if before is not None:
            self._let_go(anchor, before.entries)
        self.issued[anchor] = issued
        for counterpart in issued.entries:
            self._holders.setdefault(counterpart, set()).add(anchor)

    def _let_go(self, anchor: str, entries: Sequence[str]) -> None:
        for counterpart in entries:
            holders = self._holders.get(counterpart)
            if holders is not None:
                holders.discard(anchor)
                if not holders:
                    del self._holders[counterpart]

    def finish_load(self, partition: int) -> None:
        """All of the partition is loaded: check every anchor and entry against the index."""
        now, world = self._world.latest, self._world
        for anchor in world.known[self.kind][partition]:
            issued = self.issued.get(anchor)
            answered = issued is not None and issued.version == world.version(self.kind, anchor)
            if not answered or not self._still_holds(anchor, now):
                self.mark(anchor, Cause(partition, now))
        for anchor, issued in self.issued.items():
            # erased while nobody watched: the list is still there
            left = issued.partition == partition and issued.version != 0
            if left and world.index.standing(self.kind, anchor) is None:
                self.mark(anchor, Cause(partition, now))
        for anchor in [a for a, number in self._under_way.items() if number == partition]:
            # what was under way when the partition left may have arrived after what was loaded
            del self._under_way[anchor]
            self.mark(anchor, Cause(partition, now, force=True))
        event = self._owned.get(partition)
        if event is not None:
            event.set()

    def _still_holds(self, anchor: str, now: datetime) -> bool:
        entries = self.issued[anchor].entries
        return not entries or bool(self._world.index.holds(self.kind, anchor, entries, now).all())

    def next_revision(self, anchor: str) -> int:
        """One above every revision of this anchor that was seen."""
        issued = self.issued.get(anchor)
        return max(issued.revision if issued else 0, self._floors.get(anchor, 0)) + 1

    def displaced(self, anchor: str, partition: int, revision: int) -> None:
        """Another process wrote this anchor's list after we took over: ours must be the last again."""
        self._floors[anchor] = max(self._floors.get(anchor, 0), revision)
        self.mark(anchor, Cause(partition, self._world.latest, force=True))

    # What is to be computed anew.

    def mark(self, anchor: str, cause: Cause) -> None:
        """The anchor's list waits to be computed: for its newest version, else for the first cause or a forced one."""
        if cause.version:
            known = self.asked.get(anchor)
            if known is None or known.version < cause.version:
                before = self.dirty.pop(anchor, None) or known
                forced = before is not None and before.force
                self.asked[anchor] = replace(cause, force=True) if forced else cause
        elif anchor in self.asked:
            if cause.force:
                self.asked[anchor] = replace(self.asked[anchor], force=True)
        elif anchor not in self.dirty or cause.force:
            self.dirty[anchor] = cause
        self.woken.set()

    def lacks(self, anchor: str, version: int) -> bool:
        """True if no answer to this version, or a newer one, is on the topic."""
        issued = self.issued.get(anchor)
        return issued is None or not issued.written or issued.version < version

    def counterpart_changed(self, counterpart: str, now: datetime) -> None:
        """Mark the lists that hold this counterpart and may not hold it any more."""
        holders = list(self._holders.get(counterpart, ()))
        # a pair suits both or neither, so one question from the other side answers for all holders
        other = AnchorKind.SEEKER if self.kind is AnchorKind.POSTING else AnchorKind.POSTING
        holds = self._world.index.holds(other, counterpart, holders, now)
        for anchor, still in zip(holders, holds.tolist(), strict=True):
            if not still:
                self.mark(anchor, Cause(self.issued[anchor].partition, now))
        metrics.REFRESH_QUEUE.labels(self.kind.value).set(len(self.dirty))

    @staticmethod
    def take(queue: OrderedDict[str, Cause], most: int) -> dict[str, Cause]:
        """The oldest of a queue; they wait no more."""
        return dict(queue.popitem(last=False) for _ in range(min(most, len(queue))))
