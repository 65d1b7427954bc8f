"""From the door to the receipt, with the service as a process: large bodies, connections that break, Kafka away."""

from __future__ import annotations

import asyncio
import gzip
import json
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from pymongo import MongoClient

from deploy.processes import Platform
from deploy.servers import Servers
from shared.auth import mint
from tests.waiting import within_seconds

pytestmark = pytest.mark.slow

NDJSON = {"content-type": "application/x-ndjson"}
MIB = 1024 * 1024
AWAY_S = "3"


@pytest.fixture(scope="module")
def platform(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    with Platform(servers.addresses, tmp_path_factory.mktemp("door")) as platform:
        platform.start("postings", PUBLISH_TIMEOUT_S=AWAY_S).wait_ready()
        yield platform


@pytest.fixture
async def client(platform: Platform, request: pytest.FixtureRequest) -> AsyncIterator[httpx.AsyncClient]:
    """A registered partner of this test's own."""
    partner = f"door-{abs(hash(request.node.name)) % 10**8}"
    keys = platform.root / "keys"
    url = platform["postings"].url
    async with httpx.AsyncClient(base_url=url, timeout=60) as client:
        operator = {"Authorization": f"Bearer {mint(keys, 'operator', 'o')}"}
        made = await client.put(f"/partners/{partner}", json={"name": "Door"}, headers=operator)
        assert made.status_code == 200, made.text
        client.headers["Authorization"] = f"Bearer {mint(keys, 'partner', 'p', partner=partner)}"
        client.base_url = httpx.URL(f"{url}/partners/{partner}/")
        yield client


def posting(number: int, **more: object) -> bytes:
    return json.dumps({"id": f"N-{number}", "title": {"en": "Welder"}, **more}).encode() + b"\n"


async def receipts(client: httpx.AsyncClient, number: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    cursor: str | None = None
    deadline = time.monotonic() + 60
    while len(found) < number and time.monotonic() < deadline:
        page = await client.get("receipts", params={"wait": 5, "limit": 200} | ({"cursor": cursor} if cursor else {}))
        assert page.status_code == 200, page.text
        found += page.json()["items"]
        cursor = page.json()["last"]
    return found


async def test_each_record_is_answered_by_the_receipt_that_was_named(client: httpx.AsyncClient) -> None:
    body = posting(1) + b"{\n" + posting(2, pay={"min": -1, "currency": "CNY"}) + posting(1) + b'{"id": "N-1"}\n'
    answer = await client.post("records", content=gzip.compress(body), headers=NDJSON | {"content-encoding": "gzip"})
    assert answer.status_code == 202
    results = answer.json()["results"]
    found = {one["id"]: one for one in await receipts(client, 4)}
    assert [found[one["record"]]["outcome"] if "record" in one else one["fault"]["code"] for one in results] == [
        "accepted",
        "line_not_json",
        "rejected",
        "unchanged",
        "accepted",
    ]
    assert found[results[2]["record"]]["faults"][0]["pointer"] == "/pay/min"


def rss(pid: int) -> int:
    lines = Path(f"/proc/{pid}/status").read_text("ascii").splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith("VmHWM"))) * 1024


async def test_a_body_of_100_mb_is_taken_in_without_being_held(client: httpx.AsyncClient, platform: Platform) -> None:
    """Its lines are too large to be records, so that nothing but the door is at work."""
    before = rss(platform["postings"].pid)
    line = b'{"id": "L", "x": "' + b"y" * 2 * MIB + b'"}\n'

    async def large() -> AsyncIterator[bytes]:
        for _ in range(50):
            yield line

    answer = await client.post("records", content=large(), headers=NDJSON)
    assert (answer.status_code, answer.json()["refused"]) == (202, 50)
    assert rss(platform["postings"].pid) - before < 30 * MIB


@pytest.mark.parametrize("told", [True, False])
async def test_a_body_that_is_larger_still_is_refused_in_words(
    client: httpx.AsyncClient, platform: Platform, *, told: bool
) -> None:
    before = rss(platform["postings"].pid)

    async def large() -> AsyncIterator[bytes]:
        for _ in range(200):
            yield b" " * MIB

    headers = NDJSON | ({"content-length": str(200 * MIB)} if told else {})
    answer = await client.post("records", content=large(), headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")
    assert rss(platform["postings"].pid) - before < 30 * MIB


async def test_a_gzip_bomb_is_refused_soon_and_holds_up_nobody(client: httpx.AsyncClient, platform: Platform) -> None:
    before = rss(platform["postings"].pid)
    zeros = gzip.compress(b"0" * 20 * MIB, 9)
    bomb = zeros * 60
    headers = NDJSON | {"content-encoding": "gzip"}
    bombing = asyncio.create_task(client.post("records", content=bomb, headers=headers))
    longest = 0.0
    while not bombing.done():
        at = time.monotonic()
        assert (await client.get("/health/live")).status_code in {200, 404}
        longest = max(longest, time.monotonic() - at)
    assert ((await bombing).status_code, (await bombing).json()["code"]) == (413, "body_too_large")
    assert longest < 5
    assert rss(platform["postings"].pid) - before < 30 * MIB


async def test_a_connection_that_breaks_off_costs_only_the_line_that_was_on_its_way(client: httpx.AsyncClient) -> None:
    whole = b"".join(posting(number) for number in range(1, 1_001))
    half = whole[: len(whole) // 2]
    host, port = client.base_url.host, client.base_url.port
    _, writer = await asyncio.open_connection(host, port)
    head = (
        f"POST {client.base_url.path}records HTTP/1.1\r\nhost: {host}\r\ncontent-type: application/x-ndjson\r\n"
        f"authorization: {client.headers['Authorization']}\r\n"
        f"idempotency-key: k\r\ncontent-length: {len(whole)}\r\n\r\n"
    )
    writer.write(head.encode() + half)
    await writer.drain()
    await asyncio.sleep(2)
    writer.close()
    await writer.wait_closed()

    answer = (await client.post("records", content=whole, headers=NDJSON | {"idempotency-key": "k"})).json()
    assert (answer["lines"], answer["written"], answer["refused"]) == (1_000, 1_000, 0)
    assert 0 < answer["repeated"] < 500
    found = await receipts(client, 1_000)
    assert [one["partner_posting_id"] for one in found] == [f"N-{number}" for number in range(1, 1_001)]
    assert {one["outcome"] for one in found} == {"accepted"}


async def test_while_kafka_is_away_nothing_is_taken_and_later_the_same_is(
    client: httpx.AsyncClient, servers: Servers
) -> None:
    body = b"".join(posting(number) for number in range(1, 11))
    headers = NDJSON | {"idempotency-key": "k"}
    servers.kafka.kill()
    try:
        answers = [await client.post("records", content=body, headers=headers) for _ in range(2)]
    finally:
        await asyncio.to_thread(servers.kafka.start)
    for answer in answers:
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
        assert answer.headers["upload-offset"] == "0"
    deadline = time.monotonic() + 60
    while (answer := await client.post("records", content=body, headers=headers)).status_code == 503:
        assert time.monotonic() < deadline
        await asyncio.sleep(0.5)
    assert answer.json()["written"] == 10
    found = {one["partner_posting_id"] for one in await receipts(client, 10)}
    assert found == {f"N-{number}" for number in range(1, 11)}


def test_a_process_that_ends_lets_go_of_its_jobs(servers: Servers, platform: Platform) -> None:
    """The last one here, for the process is gone afterwards."""
    with MongoClient[dict[str, Any]](servers.addresses.mongo) as mongo:
        leases = mongo["postings"]["leases"]

        def held() -> bool:
            return bool(leases.find_one({"_id": "job:exchange", "$expr": {"$gt": ["$until", "$$NOW"]}}))

        assert within_seconds(30, held)
        platform["postings"].stop()
        assert not held()
