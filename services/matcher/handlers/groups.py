"""The two work groups: who is assigned a partition answers for the anchors in it."""

from __future__ import annotations

from collections.abc import Iterable

from aiokafka import TopicPartition
from aiokafka.abc import ConsumerRebalanceListener

from services.matcher.handlers.reading import ListTail
from services.matcher.usecases.lists import Lists
from services.matcher.usecases.matching import Matching
from services.matcher.usecases.waiting import Cause
from services.matcher.usecases.world import World
from shared.consuming import Batch
from shared.contracts.recommendations import AnchorKind


class Share(ConsumerRebalanceListener):  # type: ignore[misc]
    """Tells the list tail which partitions the group gave us."""

    def __init__(self, tail: ListTail) -> None:
        self._tail = tail

    async def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        """What stays ours is assigned again right after: nothing to do yet."""

    async def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        """The whole share, not only what is new."""
        self._tail.own(where.partition for where in assigned)


async def changed(batch: Batch, kind: AnchorKind, world: World, lists: Lists, matching: Matching) -> None:
    """See that each anchor of the batch, in its newest version there, is answered.

    The index reader has mostly seen to that before: it has a record sooner than the group. The empty list of who
    left is a refresh that nobody waits for; whoever takes the partition over finds it missing.
    """
    await world.caught_up.wait()
    await lists.loaded({record.partition for record in batch.records})
    causes = {
        event.key: Cause(event.record.partition, event.record.timestamp, event.version, event.traceparent)
        for event in batch.events
    }
    live: dict[str, Cause] = {}
    for anchor, cause in causes.items():
        if lists.lacks(anchor, cause.version):
            if world.is_live(kind, anchor):
                live[anchor] = cause
            else:
                lists.mark(anchor, cause)
    await matching.answer({kind: live})
