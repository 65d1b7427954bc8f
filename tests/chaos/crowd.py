"""All partners and seekers of one test, connected to the platform."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from random import Random

from aiokafka import AIOKafkaProducer
from httpx import AsyncClient

from deploy.processes import Platform
from tests.chaos.traffic import Caller, Partner, Seekers

PARTNERS = ("north", "south", "east")
MATCHMAKER = "mm-1"


@dataclass
class Crowd:
    partners: list[Partner]
    seekers: Seekers

    @property
    def events(self) -> int:
        """How many were acknowledged."""
        sent = sum(len(partner.ledger.sent) for partner in self.partners)
        return sent + self.seekers.ledger.commands


@asynccontextmanager
async def a_crowd(
    platform: Platform, seed: int, ends: Callable[[], datetime | None] = lambda: None
) -> AsyncIterator[Crowd]:
    """`ends` is the `valid_through` of the next vacancy."""
    random = Random(seed)
    producer = AIOKafkaProducer(
        bootstrap_servers=platform.addresses.kafka, acks="all", enable_idempotence=True, linger_ms=5
    )
    await producer.start()
    try:
        async with AsyncClient() as client:
            keys = platform.root / "keys"
            operator = Caller.of(client, [platform["postings"].url], keys, "operator", "op-1")
            for name in PARTNERS:
                answer = await operator("PUT", f"/partners/{name}", json={"name": name})
                assert answer.is_success, answer.text
            profiles = [process.url for name, process in platform.processes.items() if name.startswith("profiles")]
            matchmaker = Caller.of(client, profiles, keys, "matchmaker", MATCHMAKER)
            yield Crowd([Partner(name, producer, random, ends) for name in PARTNERS], Seekers(matchmaker, random))
    finally:
        await producer.stop()
