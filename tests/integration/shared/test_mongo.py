"""The driver behind `shared.mongo` while its server is away, and callers that go away meanwhile."""

from __future__ import annotations

import asyncio
import time

import pytest

from deploy.servers.children import free_port
from shared.mongo import DriverError, Mongo, to_its_end

WATCHED_S = 5
ENDS_S = 30
"""One operation tries for 15 s."""


async def test_who_asks_and_who_leaves_harms_nobody_else() -> None:
    mongo = Mongo(f"mongodb://127.0.0.1:{free_port()}/?directConnection=true", "nowhere")
    until = time.monotonic() + WATCHED_S

    async def read() -> None:
        while time.monotonic() < until:
            with pytest.raises(DriverError):
                await mongo.db.things.find_one()

    async def ask() -> None:
        while time.monotonic() < until:
            began = time.monotonic()
            assert not await mongo.ping()
            assert time.monotonic() - began < 2.5

    async def leave() -> None:
        while time.monotonic() < until:
            reading = asyncio.create_task(to_its_end(mongo.db.things.find_one()))
            await asyncio.sleep(0.4)
            for _ in range(4):
                reading.cancel()
                await asyncio.sleep(0)
            await asyncio.wait([reading])

    tasks = [asyncio.create_task(work()) for work in (read, ask, leave) for _ in range(20)]
    _, pending = await asyncio.wait(tasks, timeout=ENDS_S)
    assert not pending, "the driver's lock is lost"
    for task in tasks:
        task.result()
    await mongo.close()
