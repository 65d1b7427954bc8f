"""The topic of matching policies: every matcher process reads it whole, and follows the one that holds."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import structlog
from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from services.matcher.usecases.lists import Lists
from services.matcher.usecases.policies import History
from services.matcher.usecases.world import World
from shared import metrics
from shared.consuming import Record, decode_all
from shared.contracts.policies import MatchingPolicySet
from shared.contracts.recommendations import AnchorKind
from shared.contracts.registry import POLICIES
from shared.reading import reading, records_of, whole
from shared.settings import ServiceSettings
from shared.topics import ensure_topics

log = structlog.get_logger()

_TRY_AGAIN_S = 1.0
_POLL_MS = 1_000
_WHERE = TopicPartition(POLICIES, 0)


class PolicyReader:
    """Keeps the index under the matching policy that holds.

    The topic is small, so it is read from its beginning after every failure; no position is kept.
    """

    def __init__(self, settings: ServiceSettings, world: World, lists: Mapping[AnchorKind, Lists]) -> None:
        self._settings = settings
        self._world = world
        self._lists = lists
        self._history = History(datetime.now(UTC))
        self._refused: set[int] = set()

    async def load(self) -> None:
        """Before there is an index: what holds now, so that nothing is answered by another policy.

        Raises Unavailable, KafkaError and OSError.
        """
        await ensure_topics(self._settings)
        async for records in whole(self._settings, "matcher-policies", POLICIES):
            await self._take(records)
        await self._adopt()

    async def run(self) -> None:
        """Follow the topic, for ever."""
        while True:
            try:
                async with reading(self._settings, "matcher-policies") as consumer:
                    consumer.assign([_WHERE])
                    while True:
                        await self._take(records_of(await consumer.getmany(timeout_ms=_POLL_MS)))
                        await self._adopt()
            except (KafkaError, OSError) as error:
                log.warning("policies cannot be read", error=repr(error))
                await asyncio.sleep(_TRY_AGAIN_S)

    async def _take(self, records: Sequence[Record]) -> None:
        # in a thread: one with tables of near concepts takes a third of a second to read
        faults = await asyncio.to_thread(take_policies, self._history, records) if records else {}
        for offset in sorted(faults.keys() - self._refused):
            log.error("ALARM: a matching policy is ignored", offset=offset, reason=faults[offset])
        self._refused |= faults.keys()
        metrics.POLICIES_REFUSED.set(len(self._refused))

    async def _adopt(self) -> None:
        """Answer by the policy that holds from here on; lists that were made under another one are refreshed."""
        history, world = self._history, self._world
        if history.policy.version != world.index.policy.version:
            async with world.lock:
                await asyncio.to_thread(world.index.adopt, history.policy)
                for lists in self._lists.values():
                    lists.policy_changed()
            log.info("matching policy adopted", policy=history.policy.version, revision=history.current.revision)
        metrics.POLICY_REVISION.set(history.current.revision)


def take_policies(history: History, records: Sequence[Record]) -> dict[int, str]:
    """Take these records into the history; gives those that are ignored, by offset, and why."""
    batch = decode_all(records)
    faults = {record.offset: str(reason) for record, reason in batch.undecodable}
    for event in batch.events:
        if isinstance(event.model, MatchingPolicySet):
            try:
                history.take(event.model)
            except ValueError as error:
                faults[event.record.offset] = str(error)
    return faults


async def read_policies(settings: ServiceSettings) -> History:
    """Every policy on the topic, for commands. Raises KafkaError and OSError."""
    history = History(datetime.now(UTC))
    async for records in whole(settings, "policies", POLICIES):
        take_policies(history, records)
    return history
