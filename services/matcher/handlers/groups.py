"""The two work groups: who is assigned a partition answers for the anchors in it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

import structlog
from aiokafka import TopicPartition
from aiokafka.abc import ConsumerRebalanceListener

from services.matcher.handlers.reading import ListTail
from services.matcher.usecases.lists import Cause, Lists
from services.matcher.usecases.matching import Matching
from services.matcher.usecases.world import World
from shared.consuming import Batch
from shared.contracts.recommendations import AnchorKind
from shared.errors import Unavailable

log = structlog.get_logger()
_TRY_AGAIN_S = 1.0


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
    """Answer each anchor of the batch, in its newest version there."""
    await world.caught_up.wait()
    await lists.loaded({record.partition for record in batch.records})
    causes = {
        event.key: Cause(event.record.partition, event.record.timestamp, event.version, event.traceparent)
        for event in batch.events
    }
    await matching.answer(kind, causes, "anchor")


async def refresh(kind: AnchorKind, lists: Lists, matching: Matching, most: int) -> None:
    """Compute what waits to be refreshed, for ever."""
    while True:
        if not lists.dirty:
            lists.woken.clear()
            await lists.woken.wait()
        causes = lists.take_dirty(most)
        try:
            await matching.answer(kind, causes, "refresh")
        except Unavailable as error:
            log.warning("refreshing waits", kind=kind.value, error=str(error))
            for anchor, cause in causes.items():
                lists.mark(anchor, cause)
            await asyncio.sleep(_TRY_AGAIN_S)
