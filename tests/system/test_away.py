"""What is away, who says so, and that nothing is lost meanwhile."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from uuid import uuid4

import pytest
from httpx import HTTPError

from deploy.processes import SERVICES
from deploy.servers import Server, Servers
from shared.contracts.registry import POSTINGS, PROFILES
from tests.system.topics import Topics, headers_of
from tests.system.town import (
    OPERATOR,
    Json,
    Town,
    employer_caller,
    posting_body,
    seeker_body,
    seeker_caller,
)
from tests.waiting import until

pytestmark = pytest.mark.slow

PARTNER = "suzhou"
SUBMITTED, RECEIPTS = f"partner.{PARTNER}.postings.v1", f"partner.{PARTNER}.receipts.v1"
STOP_S = 15


@asynccontextmanager
async def away(server: Server) -> AsyncIterator[None]:
    """Killed, and back afterwards."""
    server.kill()
    try:
        yield
    finally:
        await asyncio.to_thread(server.start)


async def health(town: Town, service: str, which: str) -> tuple[int, Json]:
    """Status and body of /health/…; it must answer within 5 s, whatever is away."""
    answer = await town.http.get(town.url(service, f"/health/{which}"), timeout=5)
    return answer.status_code, answer.json()


async def ready(town: Town, *services: str) -> bool:
    return all([(await health(town, service, "ready"))[0] == 200 for service in services])


async def check_live(town: Town, seconds: float = 0) -> None:
    """All are live, for so many seconds: a restart would not help."""
    deadline = time.monotonic() + seconds
    while True:
        for service in SERVICES:
            status, body = await health(town, service, "live")
            assert status == 200, (service, body)
        if time.monotonic() > deadline:
            return
        await asyncio.sleep(0.3)


async def test_commands_while_kafka_is_away(town: Town, own_servers: Servers) -> None:
    employer = await town.new_employer()
    async with away(own_servers.kafka):
        began = time.monotonic()

        async def says_so() -> bool:
            made = await town.ask(employer_caller(employer), "POST", "postings", "/postings", posting_body("other"))
            assert made.status_code == 201, made.text
            return bool(made.headers.get("x-publishing") == "delayed")

        await until(says_so, "postings says that publishing is delayed")
        print(f"said so after {time.monotonic() - began:.1f} s")
        posting = await town.ask(employer_caller(employer), "POST", "postings", "/postings", posting_body(town.trade))
        assert (posting.status_code, posting.headers["x-publishing"]) == (201, "delayed")
        seeker = await town.new_seeker()

        async def profiles_says_so() -> bool:
            moved = await town.ask(seeker_caller(seeker), "POST", "profiles", f"/seekers/{seeker}/pause")
            assert moved.status_code == 200
            return bool(moved.headers.get("x-publishing") == "delayed")

        await until(profiles_says_so, "profiles says that publishing is delayed")
        resumed = await town.ask(seeker_caller(seeker), "POST", "profiles", f"/seekers/{seeker}/resume")
        assert (resumed.status_code, resumed.headers["x-publishing"]) == (200, "delayed")
        for service in ("postings", "profiles"):
            status, body = await health(town, service, "ready")
            assert (status, body["degraded"]["publishing"]) == (200, False)
        await check_live(town, 3)

    async def arrived() -> bool:
        return posting.json()["id"] in await town.live_postings(seeker)

    await until(arrived, "what was said meanwhile has arrived", 60)

    async def prompt() -> bool:
        moved = await town.ask(seeker_caller(seeker), "POST", "profiles", f"/seekers/{seeker}/resume")
        return "x-publishing" not in moved.headers

    await until(prompt, "publishing is prompt again")
    await check_live(town)


async def test_health_while_mongo_is_away(town: Town, own_servers: Servers) -> None:
    stores = ("postings", "profiles", "notifications")
    async with away(own_servers.mongo):
        for service in stores:
            status, body = await health(town, service, "ready")
            assert (status, body["parts"]["mongo"]) == (503, False), service
        assert await ready(town, "matcher")
        employer, began = employer_caller("e-x"), time.monotonic()
        refused = await town.ask(employer, "POST", "postings", "/postings", posting_body(town.trade))
        assert (refused.status_code, refused.json()["code"]) == (503, "unavailable")
        print(f"a command is refused after {time.monotonic() - began:.1f} s")
        await check_live(town, 5)
    await until(lambda: ready(town, *stores), "all are ready again", 30)
    await check_live(town)
    seeker, posting = await town.new_seeker(), await town.new_posting(await town.new_employer())

    async def matched() -> bool:
        return posting in await town.live_postings(seeker)

    await until(matched, "all work again", 60)


async def test_health_while_redis_is_away(town: Town, own_servers: Servers) -> None:
    async with away(own_servers.redis):
        assert await ready(town, *SERVICES)
        seeker, posting = await town.new_seeker(), await town.new_posting(await town.new_employer())

        async def matched() -> bool:
            return posting in await town.live_postings(seeker)

        await until(matched, "all work without it")
        await check_live(town, 3)
    assert await ready(town, *SERVICES)


class Load:
    """Commands and partner records without a pause, and a ledger of what was acknowledged."""

    def __init__(self, town: Town, topics: Topics, employer: str) -> None:
        self._town, self._topics, self._employer = town, topics, employer
        self.postings: list[str] = []
        self.seekers: list[str] = []
        self.records: list[str] = []
        self.stopped = False

    async def run(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            for _ in range(4):
                tasks.create_task(self._commands(self._publish))
                tasks.create_task(self._commands(self._register))
            tasks.create_task(self._partner())

    async def _commands(self, one: Callable[[], Awaitable[None]]) -> None:
        while not self.stopped:
            try:
                await one()
            except HTTPError:
                await asyncio.sleep(0.05)

    async def _publish(self) -> None:
        who = employer_caller(self._employer)
        made = await self._town.ask(who, "POST", "postings", "/postings", posting_body(self._town.trade))
        if made.status_code == 201:
            self.postings.append(made.json()["id"])

    async def _register(self) -> None:
        seeker = f"s-{uuid4().hex}"
        body = seeker_body(self._town.trade)
        made = await self._town.ask(seeker_caller(seeker), "POST", "profiles", "/seekers", body)
        if made.status_code == 201:
            self.seekers.append(seeker)

    async def _partner(self) -> None:
        headers = headers_of("PartnerPostingSubmitted", SUBMITTED)
        while not self.stopped:
            body = posting_body(self._town.trade, id=uuid4().hex)
            sent = await self._topics.write(SUBMITTED, None, json.dumps(body).encode(), headers)
            self.records.append(f"{SUBMITTED}/0/{sent.offset}")
            await asyncio.sleep(0.01)


async def test_sigterm_under_load_is_quick_and_loses_nothing(town: Town, topics: Topics) -> None:
    await town.ask(OPERATOR, "PUT", "postings", f"/partners/{PARTNER}", {"name": "苏州 Suzhou"})
    load = Load(town, topics, await town.new_employer())
    running = asyncio.create_task(load.run())
    for service in ("postings", "profiles", "matcher", "notifications"):
        await asyncio.sleep(1)
        process = town.platform[service]
        began = time.monotonic()
        await asyncio.to_thread(process.stop, STOP_S)
        print(f"{service} stopped after {time.monotonic() - began:.1f} s")
        assert process._process.returncode in {0, -15}
        await asyncio.to_thread(process.restart().wait_ready)
    load.stopped = True
    await running
    print(f"{len(load.postings)} postings, {len(load.seekers)} seekers, {len(load.records)} records")
    assert min(len(load.postings), len(load.seekers), len(load.records)) > 50

    async def all_told() -> bool:
        postings = {raw.key.decode() for raw in await topics.read(POSTINGS)}
        seekers = {raw.key.decode() for raw in await topics.read(PROFILES)}
        return set(load.postings) <= postings and set(load.seekers) <= seekers

    await until(all_told, "each acknowledged command is on the topics", 60)

    async def receipts() -> list[Json]:
        found = [raw.body for raw in await topics.read(RECEIPTS)]
        return found if {receipt["id"] for receipt in found} >= set(load.records) else []

    found = await until(receipts, "each record has its receipt", 60)
    answers = {(receipt["id"], receipt["posting_id"], receipt["outcome"]) for receipt in found}
    assert len(answers) == len({receipt["id"] for receipt in found})
    assert {outcome for _, _, outcome in answers} == {"accepted"}

    async def matched() -> bool:
        return all([await town.live_postings(seeker) for seeker in load.seekers[-3:]])

    await until(matched, "seekers are recommended something", 60)
