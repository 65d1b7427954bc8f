"""A process that is killed in the middle of a feed's answer: the next one takes all of it in, each record once."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from deploy.processes import Platform
from deploy.servers import Servers
from shared.auth import mint
from tests.waiting import until

pytestmark = [pytest.mark.slow, pytest.mark.chaos]

ADS = 1_500
PIECE = 100
"""Ads that the feed sends at a time, while it is slow."""
LEASE_S = "1"
"""A fetch is let go of nine times as long after its process has died."""


@asynccontextmanager
async def feed(slow: asyncio.Event, broken: asyncio.Event) -> AsyncIterator[str]:
    """A feed's address. While it is slow, each answer takes ten seconds and more; `broken` once one broke off."""
    at = round(datetime.now(UTC).timestamp() * 1000)
    lines = [
        json.dumps({"id": str(number), "headline": f"Svetsare {number}", "timestamp": at}).encode() + b"\n"
        for number in range(ADS)
    ]

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: application/jsonl\r\nconnection: close\r\n")
        writer.write(f"content-length: {sum(map(len, lines))}\r\n\r\n".encode())
        try:
            for begin in range(0, ADS, PIECE):
                writer.write(b"".join(lines[begin : begin + PIECE]))
                await writer.drain()
                await asyncio.sleep(1.0 if slow.is_set() else 0)
        except ConnectionError:
            broken.set()  # who asked was killed
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/stream"
    finally:
        server.close()


async def receipts(client: httpx.AsyncClient, partner: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    cursor: dict[str, str] = {}
    while True:
        page = (await client.get(f"/partners/{partner}/receipts", params={"limit": "200", **cursor})).json()
        found += page["items"]
        if not page.get("next"):
            return found
        cursor = {"cursor": page["next"]}


async def test_killed_in_mid_answer_every_record_is_taken_in_once(servers: Servers, tmp_path: Path) -> None:
    partner, slow, broken = f"pulled-{uuid4().hex[:8]}", asyncio.Event(), asyncio.Event()
    slow.set()
    with Platform(servers.addresses, tmp_path) as platform:
        env = {"PULL_PRIVATE_HOSTS": '["127.0.0.1"]', "LEASE_S": LEASE_S}
        process = await asyncio.to_thread(platform.start("postings", **env).wait_ready)
        token = mint(platform.root / "keys", "operator", "o")
        async with (
            feed(slow, broken) as url,
            httpx.AsyncClient(base_url=process.url, timeout=30, headers={"Authorization": f"Bearer {token}"}) as client,
        ):
            terms = {"name": "Pulled", "pull": {"url": url}}
            assert (await client.put(f"/partners/{partner}", json=terms)).is_success

            async def answered(least: int) -> bool:
                return len({one["partner_posting_id"] for one in await receipts(client, partner)}) >= least

            await until(partial(answered, 3 * PIECE), "some of the feed is taken in", 60)
            process.kill()
            await until(broken.wait, "the feed sees that nobody listens")
            slow.clear()
            await asyncio.to_thread(process.restart)
            await asyncio.to_thread(process.wait_ready)
            await until(partial(answered, ADS), "all of the feed is taken in", 90)

            outcomes = Counter((one["partner_posting_id"], one["outcome"]) for one in await receipts(client, partner))
            accepted = {name for name, outcome in outcomes if outcome == "accepted"}
            assert accepted == {str(number) for number in range(ADS)}
            assert max(count for (_, outcome), count in outcomes.items() if outcome == "accepted") == 1
            assert {outcome for _, outcome in outcomes} <= {"accepted", "unchanged"}
            card = (await client.get(f"/partners/{partner}/scorecard")).json()
            assert (card["pull"]["trouble"], card["pull"]["records"]) == (None, ADS)
