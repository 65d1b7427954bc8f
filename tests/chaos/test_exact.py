"""A season at random, with kills in between.

Every list that was written is what the oracle says, no pair is missed, and in the end nothing is recommended
that may not be.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import pytest

from deploy.processes import Platform
from tests.chaos import checks, faults
from tests.chaos.conftest import SESSION_S
from tests.chaos.crowd import PARTNERS, Crowd, a_crowd
from tests.chaos.topics import Topics, last

POSTINGS_MADE = SEEKERS_MADE = 2_000
ROUNDS = 10
SEED = 5
SOON_S = 15.0


@dataclass
class Ends:
    """When vacancies end: most do not, some in a month, and some while the season goes on."""

    random: Random
    last: datetime

    def __call__(self) -> datetime | None:
        now, what = datetime.now(UTC), self.random.random()
        if what < 0.7:
            return None
        if what < 0.9:
            return now + timedelta(days=30)
        soon = now + timedelta(seconds=self.random.uniform(5, SOON_S))
        self.last = max(self.last, soon)
        return soon

    async def wait(self) -> None:
        """Until all that end soon have ended."""
        await asyncio.sleep(max(0.0, (self.last - datetime.now(UTC)).total_seconds()) + 2)


async def a_round(crowd: Crowd) -> None:
    """A tenth of the season: new ones, and changes to what is there."""
    new = -(-POSTINGS_MADE // ROUNDS // len(PARTNERS))
    for _ in range(2):
        await asyncio.gather(
            *(partner.submit(new // 2 + 1) for partner in crowd.partners),
            *(partner.stir(15) for partner in crowd.partners),
            crowd.seekers.register(SEEKERS_MADE // ROUNDS // 2),
            *(crowd.seekers.stir(5) for _ in range(4)),
        )


def a_fault_a_round(platform: Platform) -> list[Callable[[], Awaitable[None]]]:
    """Killed, paused for a moment (its index then lags behind the other's), and paused until it loses its share."""
    moment_s = SESSION_S / 3
    return [
        lambda: faults.hang(platform["matcher-2"], moment_s),
        lambda: faults.kill(platform["matcher"]),
        lambda: faults.hang(platform["matcher-2"], moment_s),
        lambda: faults.kill(platform["postings"]),
        lambda: faults.hang(platform["matcher"], moment_s),
        lambda: faults.kill(platform["profiles"]),
        lambda: faults.kill(platform["matcher-2"]),
        lambda: faults.hang(platform["matcher"]),
        lambda: faults.hang(platform["matcher-2"], moment_s),
        lambda: faults.kill(platform["matcher"]),
    ]


@pytest.mark.chaos
@pytest.mark.slow
@pytest.mark.timeout(900)
async def test_every_list_is_exact_and_no_pair_is_missed(platform: Platform, topics_file: Path):
    ends = Ends(Random(SEED), datetime.now(UTC))
    async with a_crowd(platform, SEED, ends) as crowd:
        for fault in a_fault_a_round(platform):
            await asyncio.gather(a_round(crowd), fault())
    await ends.wait()
    topics = Topics(platform.addresses, topics_file, PARTNERS)
    await topics.settled()

    records = await checks.read(topics)
    await asyncio.to_thread(platform.stop_all)  # the oracle needs both cores
    assert len(last(records.state["posting"])) >= POSTINGS_MADE
    assert len(last(records.state["seeker"])) >= SEEKERS_MADE
    checks.check_every_list(records)
    checks.check_the_end(records)
