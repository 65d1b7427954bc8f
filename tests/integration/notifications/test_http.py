"""Inboxes and streams over HTTP, as a front end uses them."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncGenerator, AsyncIterator
from datetime import timedelta
from typing import Any

from httpx import AsyncClient

from services.notifications.settings import NotificationsSettings
from services.notifications.usecases import taking
from services.notifications.usecases.inbox import Inboxes, bring_up_to_date
from services.notifications.usecases.streams import Calls, Told, follow
from shared.redis import Redis
from tests.integration.notifications.conftest import Take, Token
from tests.integration.notifications.making import a_posting, posting_list, seeker_list

Event = dict[str, Any]
_DAY = timedelta(days=1)


async def events(client: AsyncClient, headers: dict[str, str], after: int | None = None) -> AsyncGenerator[Event, None]:
    """Each event as `{event, id, data}`; a comment as `{"comment": …}`."""
    if after is not None:
        headers = {**headers, "Last-Event-ID": str(after)}
    async with client.stream("GET", "/stream", headers=headers) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        event: Event = {}
        async for line in answer.aiter_lines():
            if not line and event:
                yield event
                event = {}
            elif line.startswith(":"):
                yield {"comment": line[1:].strip()}
            elif line:
                name, _, value = line.partition(": ")
                event[name] = json.loads(value) if name == "data" else value


async def some(stream: AsyncIterator[Event], number: int) -> list[Event]:
    """The next events, comments left out."""
    found: list[Event] = []
    async with asyncio.timeout(5):
        while len(found) < number:
            event = await anext(stream)
            if "comment" not in event:
                found.append(event)
    return found


async def test_an_item_reads_well(client: AsyncClient, inboxes: Inboxes, take: Take, token: Token):
    await take(seeker_list("s1", 1, ["p1", "p2"]))

    await taking.take_postings(inboxes.store, [a_posting("p1")], {}, _DAY)
    answer = await client.get("/inbox", headers=token("seeker", "s1"))
    page = answer.json()
    assert (answer.status_code, page["seq"], page["next"]) == (200, 2, None)
    known = next(item for item in page["items"] if item["posting"]["id"] == "p1")
    assert known["posting"]["title"] == {"en": "Welder"}
    assert known["posting"]["pay"] == {"min": 5000, "max": None, "currency": "CNY"}
    assert (known["points"], known["live"], known["state"], known["seeker"]) == (500, True, "new", None)
    assert "welding" in known["explanation"]["en"]
    assert "焊接" in known["explanation"]["zh"]


async def test_pages_and_filters(client: AsyncClient, take: Take, token: Token):
    await take(seeker_list("s1", 1, [f"p{number:02}" for number in range(20)]))
    caller = token("seeker", "s1")
    seen: list[int] = []
    cursor = ""
    while True:
        page = (await client.get(f"/inbox?limit=7{cursor}", headers=caller)).json()
        seen += [item["seq"] for item in page["items"]]
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next']}"
    assert seen == list(range(20, 0, -1))

    item = page["items"][0]["item"]
    for _ in range(2):
        assert (await client.post(f"/inbox/{item}/read", headers=caller)).json()["seq"] == 21
    assert len((await client.get("/inbox?status=read", headers=caller)).json()["items"]) == 1
    await take(seeker_list("s1", 2, []))
    assert (await client.get("/inbox/counts", headers=caller)).json() == {"live": 0, "new": 0}
    assert len((await client.get("/inbox?status=retracted&limit=50", headers=caller)).json()["items"]) == 20


async def test_everyone_reads_only_their_own(client: AsyncClient, take: Take, token: Token):
    await take(posting_list("p1", 1, ["s1"]))
    mine = (await client.get("/inbox", headers=token("seeker", "s1"))).json()["items"]
    (theirs,) = (await client.get("/inbox", headers=token("employer", "u1", "acme"))).json()["items"]
    assert theirs["seeker"] == "s1"
    for caller in (token("seeker", "s2"), token("employer", "u2", "other")):
        assert (await client.get("/inbox", headers=caller)).json()["items"] == []
        for path in ("/inbox", "/inbox/counts", "/stream"):
            assert (await client.get(f"{path}?recipient=seeker:s1", headers=caller)).status_code == 403
        for verb in ("read", "dismiss", "not-interested"):
            assert (await client.post(f"/inbox/{mine[0]['item']}/{verb}", headers=caller)).status_code == 404
    for role in ("matchmaker", "operator"):
        assert (await client.get("/inbox", headers=token(role, "x"))).status_code == 403
    operator = token("operator", "o")
    assert len((await client.get("/inbox?recipient=seeker:s1", headers=operator)).json()["items"]) == 1
    assert (await client.post(f"/inbox/{mine[0]['item']}/read", headers=operator)).status_code == 403
    assert (await client.get("/stream")).status_code == 401


async def test_a_stream_replays_and_goes_on_live(client: AsyncClient, calls: Calls, take: Take, token: Token):
    await take(seeker_list("s1", 1, ["p1", "p2", "p3"]))
    stream = events(client, token("seeker", "s1"))
    replayed = await some(stream, 3)
    assert [(event["event"], event["id"]) for event in replayed] == [("recommended", str(n)) for n in (1, 2, 3)]

    began = time.perf_counter()
    await calls.call(await take(seeker_list("s1", 2, ["p1", "p2"])))
    (gone,) = await some(stream, 1)
    assert time.perf_counter() - began < 2, "woken, not polled"
    assert (gone["event"], gone["data"]["posting"]["id"], gone["data"]["live"]) == ("retracted", "p3", False)
    await client.post(f"/inbox/{replayed[0]['data']['item']}/dismiss", headers=token("seeker", "s1"))
    (updated,) = await some(stream, 1)
    assert (updated["event"], updated["data"]["state"], updated["id"]) == ("updated", "dismissed", "5")
    await stream.aclose()

    again = events(client, token("seeker", "s1"), after=3)
    assert [event["id"] for event in await some(again, 2)] == ["4", "5"]
    await again.aclose()


async def test_a_silent_stream_says_that_it_lives(client: AsyncClient, token: Token):
    stream = events(client, token("seeker", "s1"))
    assert await anext(stream) == {"comment": "keep-alive"}
    await stream.aclose()


async def test_a_gap_is_said_openly(client: AsyncClient, inboxes: Inboxes, take: Take, token: Token):
    await take(seeker_list("s1", 1, ["p1", "p2"]))
    await bring_up_to_date(inboxes, "seeker:s1")
    ahead = events(client, token("seeker", "s1"), after=40)
    (gap,) = await some(ahead, 1)
    assert (gap["event"], gap["id"]) == ("gap", "2")
    assert gap["data"] == {"from": 40, "to": 2, "reason": "reset"}
    await ahead.aclose()

    await inboxes.mongo.db["inboxes"].update_one({"_id": "seeker:s1"}, {"$set": {"trimmed_to": 2}})
    behind = events(client, token("seeker", "s1"), after=1)
    (gap,) = await some(behind, 1)
    assert gap["data"] == {"from": 1, "to": 2, "reason": "trimmed"}
    await behind.aclose()


async def test_a_stream_ends_with_its_token(client: AsyncClient, token: Token):
    async with asyncio.timeout(5):
        comments = [event async for event in events(client, token("seeker", "s1", ttl_s=2))]
    assert comments


async def test_streams_end_when_the_service_stops(client: AsyncClient, calls: Calls, token: Token):
    stream = events(client, token("seeker", "s1"))
    await anext(stream)
    stopping = asyncio.Event()
    stopping.set()
    await calls.close_when(stopping)
    async with asyncio.timeout(2):
        assert [event async for event in stream if "comment" not in event] == []


async def test_streams_are_limited(client: AsyncClient, settings: NotificationsSettings, calls: Calls, token: Token):
    settings.stream_limit = 1
    stream = events(client, token("seeker", "s1"))
    await anext(stream)
    refused = await client.get("/stream", headers=token("seeker", "s2"))
    assert (refused.status_code, refused.json()["code"]) == (503, "too_many_streams")
    await stream.aclose()
    async with asyncio.timeout(2):
        while calls.open_streams:  # noqa: ASYNC110 - until the server has noticed
            await asyncio.sleep(0.01)


async def test_without_redis_streams_look_by_themselves(inboxes: Inboxes, settings: NotificationsSettings, take: Take):
    settings.stream_poll_deaf_s = 0.1
    deaf = Calls(Redis("redis://127.0.0.1:1"), settings)
    told = follow(inboxes, deaf, "seeker:s1", 0, keep_alive_s=5, lasts_s=5)
    first = asyncio.ensure_future(anext(told))
    await asyncio.sleep(0.2)
    await take(seeker_list("s1", 1, ["p1"]))
    async with asyncio.timeout(2):
        news = await first
    assert isinstance(news, Told)
    await told.aclose()
