"""Where the time of single events goes, from the time stamps that their records carry.

An event's list names the moment of the anchor's record on the state topic (`now`), its own record has a time stamp,
and the change stream says when it was stored. So: `taken_in` from the answer to the sender until the state topic,
`listed` until the list is written to its topic, `stored` until notifications has it in its database. Clocks are one
machine's; Kafka's time stamps have milliseconds.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import datetime
from types import TracebackType
from typing import Any, Final, Self

import msgspec
from aiokafka import AIOKafkaConsumer

from deploy.demo.latency import percentile
from shared.contracts.registry import POSTING_LISTS, SEEKER_LISTS

STAGES: Final = ("taken_in", "listed", "stored")


class _List(msgspec.Struct):
    anchor: str
    anchor_version: int
    now: datetime


_decode: Final = msgspec.json.Decoder(_List).decode
KINDS: Final = {POSTING_LISTS: "posting", SEEKER_LISTS: "seeker"}


class Stages:
    """Reads both list topics from their present end on, from `async with` on."""

    def __init__(self, bootstrap: str) -> None:
        self._consumer = AIOKafkaConsumer(
            *KINDS,
            bootstrap_servers=bootstrap,
            auto_offset_reset="latest",
            fetch_max_wait_ms=500,
            fetch_min_bytes=2**18,
        )
        self._seen: dict[tuple[str, int], tuple[float, float]] = {}
        """By anchor and version: when the anchor's record and the list's were written, seconds."""
        self.refreshed = 0

    async def __aenter__(self) -> Self:
        """Nothing that is written from now on is overlooked."""
        await self._consumer.start()
        self._reading = asyncio.create_task(self._read())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Disconnect."""
        self._reading.cancel()
        await asyncio.gather(self._reading, return_exceptions=True)
        await self._consumer.stop()

    async def _read(self) -> None:
        async for record in self._consumer:
            if record.value is not None:
                found = _decode(record.value)
                key = f"{KINDS[record.topic]}:{found.anchor}", found.anchor_version
                self._seen.setdefault(key, (found.now.timestamp(), record.timestamp / 1000))

    def of(self, moments: Mapping[str, tuple[int, float, float]]) -> dict[str, list[float]]:
        """Milliseconds by stage of the events of `Latency.moments` whose lists were read."""
        stages: dict[str, list[float]] = {stage: [] for stage in STAGES}
        for anchor, (version, sent, stored) in moments.items():
            if (seen := self._seen.pop((anchor, version), None)) is not None:
                for stage, start, end in zip(STAGES, (sent, *seen), (*seen, stored), strict=True):
                    stages[stage].append((end - start) * 1000)
        return stages


def summary(milliseconds: list[float]) -> dict[str, Any]:
    """Nearest-rank percentiles, the longest, and how many."""
    found = {f"p{percent}": round(percentile(milliseconds, percent), 1) for percent in (50, 90, 99)}
    return found | {"max": round(max(milliseconds), 1), "events": len(milliseconds)}
