"""The two work groups: who is assigned a partition answers for the anchors in it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping

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
GATHER_S = 0.005
"""Events that come within so long are answered together: question, computation and writing cost each batch."""


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

    The index reader has mostly seen to that before: it has a record sooner than the group.
    """
    await world.caught_up.wait()
    await lists.loaded({record.partition for record in batch.records})
    causes = {
        event.key: Cause(event.record.partition, event.record.timestamp, event.version, event.traceparent)
        for event in batch.events
    }
    lacking = {anchor: cause for anchor, cause in causes.items() if lists.lacks(anchor, cause.version)}
    if lacking:
        await matching.answer({kind: lacking})


async def answer(lists: Mapping[AnchorKind, Lists], matching: Matching, woken: asyncio.Event, most: int) -> None:
    """Compute what waits for an answer or to be refreshed, for ever."""
    while True:
        await woken.wait()
        await asyncio.sleep(GATHER_S)
        woken.clear()
        while causes := _waiting(lists, most):
            try:
                await matching.answer(causes)
            except Unavailable as error:
                log.warning("answering waits", error=str(error))
                for kind, anchors in causes.items():
                    for anchor, cause in anchors.items():
                        lists[kind].mark(anchor, cause)
                await asyncio.sleep(_TRY_AGAIN_S)


def _waiting(lists: Mapping[AnchorKind, Lists], most: int) -> dict[AnchorKind, dict[str, Cause]]:
    """What is to be computed next: of both kinds what was asked for; only if nothing was, what is dirty."""
    asked = {kind: own.take(own.asked, most) for kind, own in lists.items() if own.asked}
    return asked or {kind: own.take(own.dirty, most) for kind, own in lists.items() if own.dirty}
