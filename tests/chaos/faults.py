"""What happens to processes."""

from __future__ import annotations

import asyncio
from itertools import islice
from typing import Any

import structlog
from aiokafka import AIOKafkaProducer

from deploy.processes import Platform, ServiceProcess
from shared.contracts.envelope import WRITER_HEADER
from tests.chaos.conftest import SESSION_S
from tests.chaos.topics import Topics

log = structlog.get_logger()
FORMER_OWNER = b"a-former-owner"
"""Who wrote a late list, where no process of the test did."""


async def kill(process: ServiceProcess, down_s: float = 0.5) -> None:
    """SIGKILL; started again after a while, and waited for."""
    log.info("kill", process=process.name)
    process.kill()
    await asyncio.sleep(down_s)
    await revive(process)


async def revive(process: ServiceProcess) -> None:
    await asyncio.to_thread(process.restart)
    await asyncio.to_thread(process.wait_ready)


async def hang(process: ServiceProcess, seconds: float = SESSION_S * 2) -> None:
    """SIGSTOP, by default until the other process has its partitions and its lease for a while; SIGCONT."""
    log.info("hang", process=process.name)
    process.pause()
    await asyncio.sleep(seconds)
    process.resume()


async def hang_and_kill_the_other(platform: Platform, service: str, late_s: float) -> None:
    """The one that took over is killed just when the first one wakes up and does what it was about to do."""
    await hang(platform[service])
    await asyncio.sleep(late_s)
    await kill(platform[f"{service}-2"])
    await asyncio.to_thread(platform[service].wait_ready)


async def write_late(topics: Topics, topic: str, most: int) -> None:
    """First lists of some anchors come once more, as from a former owner that slept since it computed them."""
    first: dict[bytes, Any] = {}
    for raw in await topics.raw(topic):
        if raw.value is not None:
            first.setdefault(raw.key, raw)
    async with AIOKafkaProducer(bootstrap_servers=topics.addresses.kafka, acks="all") as producer:
        for raw in islice(first.values(), most):
            headers = [(name, FORMER_OWNER if name == WRITER_HEADER else value) for name, value in raw.headers]
            await producer.send_and_wait(topic, raw.value, raw.key, raw.partition, headers=headers)
