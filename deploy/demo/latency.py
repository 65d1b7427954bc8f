"""How long an event takes: from Kafka's or HTTP's answer to its list stored by notifications."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple
from uuid import uuid4

from deploy.demo.front import Front
from deploy.demo.lists import Arrivals, StoredLists
from deploy.demo.partner import Partner
from deploy.demo.season import PartnerPosting

RATE: Final = 20
"""Events a second."""
PATIENCE_S: Final = 30.0


class Change(NamedTuple):
    """A posting as it is to be sent, and the anchor version that will answer it."""

    posting: PartnerPosting
    posting_id: str
    """Ours."""
    version: int


@dataclass(slots=True)
class Latency:
    """Milliseconds of each event by kind, and anchors whose list did not come."""

    milliseconds: dict[str, list[float]]
    missing: list[str]
    moments: dict[str, tuple[int, float, float]] = field(default_factory=dict)
    """By anchor (`posting:<id>`): its version, when it was sent, and when its list was stored (`time.time`)."""


def percentile(values: Sequence[float], percent: int) -> float:
    """The nearest rank: the smallest value that so many percent of all do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)]


async def measure(
    partner: Partner,
    front: Front,
    lists: StoredLists,
    changes: Sequence[Change],
    seekers: Sequence[bytes],
    *,
    rate: float = RATE,
) -> Latency:
    """Send changed postings through the partner's topic, new seekers through HTTP, in turn, `rate` a second.

    The clock of an event starts when Kafka has acknowledged the record, or when `POST /seekers` has
    answered. It stops when MongoDB's change stream tells this process that the list is committed.
    """
    arrivals, ready = Arrivals(), asyncio.Event()
    watching = asyncio.create_task(lists.watch(arrivals, ready))
    sent: dict[str, tuple[int, float]] = {}
    run = uuid4().hex[:8]

    async def change(item: Change) -> None:
        await partner.publish([item.posting])
        sent[f"posting:{item.posting_id}"] = (item.version, time.perf_counter())

    async def arrive(number: int, submission: bytes) -> None:
        answer = await front.register(f"later-{run}-{number}", submission)
        sent[f"seeker:{answer['id']}"] = (answer["version"], time.perf_counter())

    try:
        await _ready(ready, watching)
        started = time.monotonic()
        async with asyncio.TaskGroup() as group:
            for number, (item, submission) in enumerate(zip(changes, seekers, strict=False)):
                # by the clock, not by sleeping between: a slow answer must not lower the rate
                await _until(started + 2 * number / rate)
                group.create_task(change(item))
                await _until(started + (2 * number + 1) / rate)
                group.create_task(arrive(number, submission))
        deadline = time.monotonic() + PATIENCE_S
        while missing := [a for a, (v, _) in sent.items() if arrivals.when(a, v) is None]:
            if time.monotonic() > deadline:
                break
            await asyncio.sleep(0.05)
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
    return Latency(_by_kind(sent, arrivals), missing, _moments(sent, arrivals))


async def _until(moment: float) -> None:
    await asyncio.sleep(max(0.0, moment - time.monotonic()))


async def _ready(ready: asyncio.Event, watching: asyncio.Task[None]) -> None:
    waiting = asyncio.ensure_future(ready.wait())
    await asyncio.wait({waiting, watching}, return_when=asyncio.FIRST_COMPLETED)
    if watching.done():
        waiting.cancel()
        watching.result()


def _by_kind(sent: dict[str, tuple[int, float]], arrivals: Arrivals) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {"posting": [], "seeker": []}
    for anchor, (version, started) in sent.items():
        stored = arrivals.when(anchor, version)
        if stored is not None:
            # a list may be there before the answer to the command that caused it has been read
            found[anchor.partition(":")[0]].append(max(0.0, stored - started) * 1000)
    return found


def _moments(sent: dict[str, tuple[int, float]], arrivals: Arrivals) -> dict[str, tuple[int, float, float]]:
    offset = time.time() - time.perf_counter()
    found = {anchor: (version, at, arrivals.when(anchor, version)) for anchor, (version, at) in sent.items()}
    return {
        anchor: (version, at + offset, stored + offset)
        for anchor, (version, at, stored) in found.items()
        if stored is not None
    }
