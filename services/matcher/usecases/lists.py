"""What was issued: the newest list of each anchor in the partitions that this process owns."""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Final

from services.matcher.usecases.holders import Holders
from services.matcher.usecases.waiting import WHOLE, Cause, Refreshes
from services.matcher.usecases.world import World
from shared import metrics
from shared.contracts.lists import ListBody
from shared.contracts.recommendations import AnchorKind

UNANSWERED: Final = -1
MadeBy = tuple[str, str | None]
"""Versions of the matching policy and of the taxonomy, None where there was none."""
LOOK: Final = 1_000
"""Most lists looked at in one go for one that is outdated: the event loop waits for them."""


@cache
def made_by(policy: str, taxonomy: str | None) -> MadeBy:
    """The same one for equal versions: there are as many as lists."""
    return policy, taxonomy


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
    made_by: MadeBy = ("", None)
    """Versions of policy and taxonomy; none for a tombstone."""
    written: bool = True
    """False until Kafka has acknowledged it."""


class Lists:
    """The issued lists of one kind, who is on them, and which wait to be computed anew."""

    def __init__(self, kind: AnchorKind, world: World, woken: asyncio.Event) -> None:
        self.kind = kind
        self._other = AnchorKind.SEEKER if kind is AnchorKind.POSTING else AnchorKind.POSTING
        self.woken = woken
        """Set when something waits to be computed."""
        self.issued: dict[str, Issued] = {}
        self.asked: OrderedDict[str, Cause] = OrderedDict()
        """Live anchors of which a version waits for its answer: always first."""
        self.dirty = Refreshes()
        """Anchors whose list holds what is not recommendable any more, be it because they left themselves."""
        self.outdated: deque[str] = deque()
        """Anchors whose list may name an earlier policy or another taxonomy, the longest unrefreshed first."""
        self._world = world
        self._holders = Holders()
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
            self._holders.change(anchor, gone.entries, ())
            if not gone.written:
                self._floors[anchor] = max(self._floors.get(anchor, 0), gone.revision)
                self._under_way[anchor] = partition
        for anchor in [a for a, cause in self.asked.items() if cause.partition == partition]:
            del self.asked[anchor]
        self.dirty.forget(partition)

    # What was issued.

    def load(self, anchor: str, partition: int, body: ListBody | None, revision: int) -> None:
        """Take in a list as it lies on the topic; None is a tombstone."""
        if revision < self.next_revision(anchor):
            # A former owner's late record that nobody has answered: it counts as no answer to any version.
            self._floors[anchor] = self.next_revision(anchor) - 1
            self.put(anchor, Issued(partition, revision, UNANSWERED, active=False, entries=()))
        elif body is None:
            self.put(anchor, Issued(partition, revision, 0, active=False, entries=()))
        else:
            index, other = self._world.index, self._other
            entries = tuple(index.own_copy(other, entry.id) for entry in body.entries)
            made = made_by(body.policy, body.taxonomy)
            self.put(anchor, Issued(partition, revision, body.anchor_version, body.active, entries, made))

    def put(self, anchor: str, issued: Issued) -> None:
        """This is the anchor's newest list. `issued` is in the order of writing."""
        before = self.issued.pop(anchor, None)
        anchor = self._world.index.own_copy(self.kind, anchor)
        self.issued[anchor] = issued
        self._holders.change(anchor, before.entries if before else (), issued.entries)

    def finish_load(self, partition: int) -> None:
        """All of the partition is loaded: check every anchor and entry against the index."""
        now, world = self._world.latest, self._world
        made = world.index.made_by
        for anchor in world.known[self.kind][partition]:
            issued, version = self.issued.get(anchor), world.version(self.kind, anchor)
            if issued is None or issued.version != version:
                self.mark(anchor, Cause(partition, now, version))
            elif lost := self._lost(issued, anchor, now):
                self.mark(anchor, Cause(partition, now), lost)
            elif issued.made_by != made:
                self.outdated.append(anchor)
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

    def _lost(self, issued: Issued, anchor: str, now: datetime) -> int:
        """The places of a list whose entry is not recommendable any more, as bits."""
        if not issued.entries:
            return 0
        holds = self._world.index.holds(self.kind, anchor, issued.entries, now)
        return sum(1 << place for place, still in enumerate(holds.tolist()) if not still)

    def next_revision(self, anchor: str) -> int:
        """One above every revision of this anchor that was seen."""
        issued = self.issued.get(anchor)
        return max(issued.revision if issued else 0, self._floors.get(anchor, 0)) + 1

    def displaced(self, anchor: str, partition: int, revision: int) -> None:
        """Another process wrote this anchor's list after we took over: ours must be the last again."""
        self._floors[anchor] = max(self._floors.get(anchor, 0), revision)
        self.mark(anchor, Cause(partition, self._world.latest, force=True))

    # What is to be computed anew.

    def mark(self, anchor: str, cause: Cause, lost: int = WHOLE) -> None:
        """The anchor's list waits to be computed.

        For a new version of a live anchor it is asked for; all else is a refresh, also the empty list of who left:
        5,000 postings that close at once must not hold up the one that opens.
        """
        if cause.version and self._world.is_live(self.kind, anchor):
            self.asked[anchor] = cause.after(self.asked.get(anchor))
        else:
            if cause.version:
                self.asked.pop(anchor, None)
            self.dirty.add(anchor, cause, lost)
        self.woken.set()

    def answered(self, anchor: str, issued: Issued) -> None:
        """This list was just computed, and the index has not changed since: whoever waits for it waits no more.

        But for a version that the index has not seen, and for a forced one: a former owner may have written meanwhile.
        """
        self.put(anchor, issued)
        for queue in (self.asked, self.dirty):
            cause = queue.get(anchor)
            if cause is not None and not cause.force and cause.version <= issued.version:
                queue.pop(anchor)

    def policy_changed(self) -> None:
        """Every list may name another matching policy than the one that holds."""
        self.outdated = deque(self.issued)
        metrics.REFRESH_QUEUE.labels(self.kind.value).set(len(self.outdated))
        self.woken.set()

    def lacks(self, anchor: str, version: int) -> bool:
        """True if no answer to this version, or a newer one, is on the topic."""
        issued = self.issued.get(anchor)
        return issued is None or not issued.written or issued.version < version

    def counterpart_changed(self, counterpart: str, now: datetime) -> None:
        """Mark the lists that hold this counterpart and may not hold it any more."""
        holders = self._holders.of(counterpart)
        # a pair suits both or neither, so one question from the other side answers for all holders
        holds = self._world.index.holds(self._other, counterpart, holders, now)
        for anchor, still in zip(holders, holds.tolist(), strict=True):
            if not still:
                issued = self.issued[anchor]
                self.mark(anchor, Cause(issued.partition, now), 1 << issued.entries.index(counterpart))

    # What is computed next.

    def take_asked(self, most: int) -> dict[str, Cause]:
        """Those who wait for an answer, the longest first; they wait no more."""
        return dict(self.asked.popitem(last=False) for _ in range(min(most, len(self.asked))))

    def take_outdated(self, most: int) -> dict[str, Cause]:
        """Those whose list names an earlier policy or another taxonomy, of the next few.

        None is no sign that there are no more.
        """
        made, now = self._world.index.made_by, self._world.latest
        taken: dict[str, Cause] = {}
        for _ in range(min(LOOK, len(self.outdated))):
            anchor = self.outdated.popleft()
            issued = self.issued.get(anchor)
            # the list of who left is empty by whatever rules
            if issued is not None and issued.active and issued.made_by != made:
                taken[anchor] = Cause(issued.partition, now)
                if len(taken) == most:
                    break
        return taken
