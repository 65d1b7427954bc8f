"""What the matcher does from time to time: snapshots of the index, and fillers for its list topics."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import structlog

from services.matcher import store
from services.matcher.settings import MatcherSettings
from services.matcher.usecases.lists import Lists
from services.matcher.usecases.matching import LISTS_OF
from services.matcher.usecases.world import TOPIC_OF, Known, World
from shared import metrics
from shared.broker import Producer
from shared.contracts.recommendations import AnchorKind
from shared.relay import fillers

log = structlog.get_logger()


class Fillers:
    """Writes a filler into each owned list partition when it is due, so that idle partitions forget."""

    def __init__(self, lists: Mapping[AnchorKind, Lists], producer: Producer, every_s: float) -> None:
        self._lists = lists
        self._producer = producer
        self._every_s = every_s
        self._filled: dict[tuple[AnchorKind, int], float] = {}

    async def fill(self) -> None:
        """Raises Unavailable when Kafka is away."""
        for kind, lists in self._lists.items():
            now = time.monotonic()
            due = [n for n in lists.owned() if now - self._filled.get((kind, n), -1e9) > self._every_s]
            if due:
                await self._producer.send_all(fillers(LISTS_OF[kind], due))
                self._filled |= {(kind, number): now for number in due}
                metrics.FILLERS.labels(LISTS_OF[kind]).inc(len(due))


class Snapshots:
    """Keeps the index on disk, so that a start need not read both topics whole."""

    def __init__(self, settings: MatcherSettings, world: World, delete_retention_ms: int) -> None:
        self._path = settings.service_state_dir / "index.snapshot"
        self._world = world
        self._retention = timedelta(milliseconds=delete_retention_ms)
        # older than the tombstones that the topic still has: somebody erased could come back with it
        self._max_age = min(self._retention, timedelta(seconds=settings.snapshot_max_age_s))

    async def load(self) -> None:
        """Go on from the snapshot if it can be believed, else from the topics alone."""
        index = self._world.index
        found = store.read(self._path, index.policy, index.ties, datetime.now(UTC), self._max_age)
        if found is None:
            # what is not used may name somebody who was erased meanwhile
            self._path.unlink(missing_ok=True)
            return
        restored, mark = found
        self._world.restore(restored, mark.offsets, Known.model_validate(mark.notes))
        log.info("snapshot loaded", created_at=mark.created_at.isoformat())

    async def save(self) -> None:
        """Write the index as it is now, and forget what need not be remembered."""
        world = self._world
        if not world.caught_up.is_set():
            return
        async with world.lock:
            world.index.forget_tombstones(datetime.now(UTC) - self._retention)
            mark = store.Mark(
                created_at=datetime.now(UTC),
                offsets={TOPIC_OF[kind]: tuple(positions) for kind, positions in world.positions.items()},
                notes=world.notes().model_dump(mode="json"),
            )
            snapshot = store.capture(world.index, mark)
        await asyncio.to_thread(store.write, self._path, snapshot)
