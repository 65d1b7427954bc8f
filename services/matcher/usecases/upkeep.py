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
from services.matcher.usecases.world import World
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
        self._max_age = timedelta(milliseconds=min(delete_retention_ms, settings.snapshot_max_age_s * 1000))
        self._retention = timedelta(milliseconds=delete_retention_ms)

    async def load(self) -> None:
        """Go on from the snapshot if it can be believed, else from the topics alone."""
        ...

    async def save(self) -> None:
        """Write the index as it is now; and forget what need not be remembered."""
        ...
