"""GET /stream of the running notifications service."""

from __future__ import annotations

import asyncio
import time

import pytest

from deploy.servers import Servers
from tests.system.town import Caller, Town, seeker_caller, stream
from tests.waiting import until

pytestmark = pytest.mark.slow

ENV = {"notifications": {"STREAM_KEEP_ALIVE_S": "1", "STREAM_POLL_DEAF_S": "0.5"}}


async def test_a_new_posting_arrives_within_two_seconds(town: Town) -> None:
    employer, seeker = await town.new_employer(), await town.new_seeker()
    async with stream(town, seeker_caller(seeker)) as reader:
        for _ in range(3):
            began = time.monotonic()
            posting = await town.new_posting(employer)
            event, _, body = await reader.next()
            assert (event, body["posting"]["id"]) == ("recommended", posting)
            assert time.monotonic() - began < 2


async def test_who_comes_back_is_told_exactly_what_was_missed(town: Town) -> None:
    employer, seeker = await town.new_employer(), await town.new_seeker()
    me = seeker_caller(seeker)
    async with stream(town, me) as reader:
        first = await town.new_posting(employer)
        _, last, _ = await reader.next()
    missed = [await _told(town, seeker, await town.new_posting(employer)) for _ in range(3)]
    async with stream(town, me, last) as reader:
        told = [await reader.next() for _ in missed]
        assert [(event, body["posting"]["id"]) for event, _, body in told] == [
            ("recommended", posting) for posting in missed
        ]
        assert first not in missed
        await asyncio.sleep(1)
        assert reader.events.empty()


async def test_kill_9_of_notifications_loses_nothing(town: Town) -> None:
    employer, seeker = await town.new_employer(), await town.new_seeker()
    me = seeker_caller(seeker)
    async with stream(town, me) as reader:
        await town.new_posting(employer)
        _, last, _ = await reader.next()
        town.platform["notifications"].kill()
        await asyncio.wait_for(reader.ended.wait(), 5)
    meanwhile = await town.new_posting(employer)
    town.platform["notifications"].restart().wait_ready()
    async with stream(town, me, last) as reader:
        event, _, body = await reader.next(20)
        assert (event, body["posting"]["id"]) == ("recommended", meanwhile)


async def test_without_redis_it_still_arrives(town: Town, own_servers: Servers) -> None:
    employer, seeker = await town.new_employer(), await town.new_seeker()
    async with stream(town, seeker_caller(seeker)) as reader:
        await town.new_posting(employer)
        await reader.next()
        own_servers.redis.kill()
        try:
            posting = await town.new_posting(employer)
            _, _, body = await reader.next(10)
            assert body["posting"]["id"] == posting
        finally:
            own_servers.redis.start()
        again = await town.new_posting(employer)
        _, _, body = await reader.next(10)
        assert body["posting"]["id"] == again


async def test_an_id_from_the_future_is_a_gap(town: Town) -> None:
    seeker = await town.new_seeker()
    async with stream(town, seeker_caller(seeker), "999") as reader:
        event, number, body = await reader.next()
        assert (event, body["from"], body["reason"]) == ("gap", 999, "reset")
        assert int(number) == body["to"] < 999


async def test_a_stream_ends_when_its_token_does(town: Town) -> None:
    seeker = await town.new_seeker()
    began = time.monotonic()
    async with stream(town, Caller("seeker", seeker, ttl_s=2)) as reader:
        await asyncio.wait_for(reader.ended.wait(), 10)
    assert 0.5 < time.monotonic() - began < 4


async def test_a_graceful_stop_ends_streams_at_once(town: Town) -> None:
    seeker = await town.new_seeker()
    notifications = town.platform["notifications"]
    async with stream(town, seeker_caller(seeker)) as reader:
        await asyncio.sleep(0.5)
        began = time.monotonic()
        await asyncio.to_thread(notifications.stop)
        await asyncio.wait_for(reader.ended.wait(), 2)
        assert time.monotonic() - began < 5
    notifications.restart().wait_ready()


async def _told(town: Town, seeker: str, posting: str) -> str:
    async def told() -> bool:
        return posting in await town.live_postings(seeker)

    await until(told, "the posting is recommended")
    return posting
