"""A partner's feed, fetched: a real server, Kafka and MongoDB; killed between Kafka and the cursor; its faults."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import httpx
import pytest

from deploy.servers import Servers
from services.postings.domain.employer import PartnerState, PartnerTerms
from services.postings.domain.pulling import Pull, PullState
from services.postings.settings import PostingsSettings
from services.postings.store.pulls import Pulls
from services.postings.usecases import partners
from services.postings.usecases.pulling import Puller
from services.postings.usecases.records import MAX_RECORD
from shared.broker import Outgoing, Producer
from shared.consuming import Record
from shared.fetching import Fetcher, FetchLimits
from shared.http import Problem
from shared.settings import ServiceSettings
from shared.topics import create_partner_topics
from tests.integration.postings.conftest import As, World
from tests.integration.postings.test_door import Door
from tests.integration.postings.test_intake import take

Answer = Callable[[str, dict[str, str]], tuple[int, dict[str, str], bytes]]


class KilledError(BaseException):
    """What no code of ours catches."""


@dataclass
class Feed:
    """A server on this machine that answers as a test says; what was asked of it."""

    answer: Answer = lambda _, __: (200, {}, b"[]")
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    port: int = 0

    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/stream"

    def since(self) -> str:
        """The time that the last request asked for."""
        return parse_qs(urlsplit(self.asked[-1][0]).query)["date"][0]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines) if name}
        self.asked.append((first.split(" ")[1], headers))
        status, more, body = self.answer(*self.asked[-1])
        head = [f"HTTP/1.1 {status} X", f"content-length: {len(body)}", *(f"{k}: {v}" for k, v in more.items()), "", ""]
        writer.write("\r\n".join(head).encode() + body)
        await writer.drain()
        writer.close()


@dataclass
class Town:
    """A partner whose feed is fetched."""

    world: World
    feed: Feed
    topic: Door
    partner: str
    taken: int = 0

    def puller(self, **more: Any) -> Puller:  # noqa: ANN401 - whatever a Puller takes
        given: dict[str, Any] = {"at_once": 2, "fetch_s": 30, "lease_s": 30, "chance": lambda: 0.5} | more
        return Puller(self.world.context, self.world.fetcher, **given)

    async def fetch(self) -> PullState:
        """Fetch once, as if it were time."""
        if (known := await self.world.store.pulls.state(self.partner)) and not known.stopped:
            self.world.now = max(self.world.now, known.next_at)
        await self.puller().fetch(self.partner)
        return await self.state()

    async def state(self) -> PullState:
        found = await self.world.store.pulls.state(self.partner)
        assert found is not None
        return found

    async def take_in(self) -> list[tuple[str, str]]:
        """Take in what is new in the topic: each record's posting and what became of it."""
        records = await self.topic.written()
        await take(self.world, [_record(one) for one in records[self.taken :]])
        self.taken = len(records)
        rows = [row for row in await self.world.outbox() if row["type"] == "PostingReceipt"]
        bodies = [json.loads(row["payload"]) for row in rows]
        return [(body["partner_posting_id"], body["outcome"]) for body in bodies]


def _record(one: Any) -> Record:  # noqa: ANN401 - aiokafka has no types
    at = datetime.fromtimestamp(one.timestamp / 1000, UTC)
    return Record(one.topic, one.partition, one.offset, one.key, one.value, tuple(one.headers), at)


@pytest.fixture
async def town(world: World, servers: Servers, tmp_path: Any) -> AsyncIterator[Town]:  # noqa: ANN401
    feed = Feed()
    server = await asyncio.start_server(feed.serve, "127.0.0.1", 0)
    feed.port = server.sockets[0].getsockname()[1]
    world.producer = Producer(ServiceSettings(kafka_bootstrap=servers.addresses.kafka), "pull")
    door = Door(world, tmp_path, servers, PostingsSettings())
    await create_partner_topics(door.kafka, door.partner)
    await partners.put(world.context, door.partner, PartnerTerms(name="Town", pull=Pull(url=feed.url(), overlap_s=600)))
    yield Town(world, feed, door, door.partner)
    server.close()
    await door.client.aclose()
    await world.producer.close()


def ad(number: int, town: Town, minutes_ago: float, **more: object) -> dict[str, object]:
    at = town.world.now - timedelta(minutes=minutes_ago)
    return {"id": str(number), "headline": f"Svetsare {number}", "timestamp": round(at.timestamp() * 1000), **more}


def array(*records: object) -> Answer:
    body = json.dumps(records).encode()
    return lambda _, __: (200, {"content-type": "application/json"}, body)


async def test_a_feed_comes_to_the_partner_s_own_topic_and_only_what_is_new_comes_again(town: Town) -> None:
    first, second = ad(1, town, 20), ad(2, town, 5)
    gone = {"id": "1", "removed": True, "timestamp": round(town.world.now.timestamp() * 1000) - 60_000}
    body = gzip.compress(json.dumps([first, second]).encode())
    town.feed.answer = lambda _, __: (200, {"content-encoding": "gzip", "etag": '"a"'}, body)
    state = await town.fetch()
    assert (state.records, state.repeated, state.refused, state.trouble) == (2, 0, 0, None)
    assert town.feed.since() == (town.world.now - timedelta(days=180)).strftime("%Y-%m-%dT%H:%M:%S")
    assert state.cursor == state.newest
    assert await town.take_in() == [("1", "accepted"), ("2", "accepted")]
    # the next one begins ten minutes before the newest: of what it shows, one is known, and one is new
    expected = (state.cursor - timedelta(minutes=10)).strftime("%Y-%m-%dT%H:%M:%S")
    town.feed.answer = array(second, gone)
    state = await town.fetch()
    assert town.feed.since() == expected
    assert "if-none-match" not in town.feed.asked[-1][1], "that was another address"
    assert (state.records, state.repeated) == (1, 1)
    assert (await town.take_in())[2:] == [("1", "accepted")]
    town.feed.answer = lambda _, __: (200, {"etag": '"b"', "last-modified": "then"}, b"[]")
    asked, before = town.feed.asked, await town.fetch()
    town.feed.answer = lambda _, headers: (304 if headers.get("if-none-match") == '"b"' else 500, {}, b"")
    state = await town.fetch()
    assert asked[-1][0] == asked[-2][0]
    assert asked[-1][1]["if-modified-since"] == "then"
    assert (state.cursor, state.failures, state.records) == (before.cursor, 0, 0)


async def test_killed_between_kafka_and_the_cursor_nothing_is_lost_and_the_answers_are_the_same(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    ads = [ad(number, town, 60 - number / 20) for number in range(450)]
    town.feed.answer = lambda _, __: (200, {"content-type": "application/jsonl"}, b"\n".join(map(_line, ads)))
    save = Pulls.save

    async def killed(*_: object) -> None:
        raise KilledError

    monkeypatch.setattr(Pulls, "save", killed)
    with pytest.raises(KilledError):
        await town.puller().fetch(town.partner)
    monkeypatch.setattr(Pulls, "save", save)
    assert await town.world.store.pulls.state(town.partner) is None
    assert await town.take_in() == [(str(number), "accepted") for number in range(450)]
    # killed once more, when half of it is written
    write, calls = town.world._write, 0

    async def half(records: Sequence[Outgoing]) -> Sequence[int]:
        nonlocal calls
        calls += 1
        if calls == 2:
            raise KilledError
        return await write(records)

    monkeypatch.setattr(town.world, "_write", half)
    with pytest.raises(KilledError):
        await town.puller().fetch(town.partner)
    monkeypatch.undo()
    state = await town.fetch()
    assert (state.records, state.repeated) == (450, 0)
    answers = await town.take_in()
    assert answers[450:] == [(str(number % 200), "unchanged") for number in range(200)] + [
        (str(number), "unchanged") for number in range(450)
    ]


def _line(body: object) -> bytes:
    return json.dumps(body).encode()


async def test_what_breaks_off_or_is_no_record_loses_nothing_that_is_good(town: Town) -> None:
    good, large = _line(ad(1, town, 5)), _line({"id": "2", "headline": "x" * MAX_RECORD})
    town.world.fetcher = Fetcher(FetchLimits(MAX_RECORD * 2, MAX_RECORD * 2), {"127.0.0.1"})
    lines = {"content-type": "application/x-ndjson"}
    town.feed.answer = lambda _, __: (200, lines, good + b"\nno json\n" + large + b"\n" + good[:-5])
    state = await town.fetch()
    assert state.trouble is not None
    assert (state.trouble.code, state.newest, state.failures) == ("broke_off", None, 1)
    town.feed.answer = lambda _, __: (200, lines, good + b"\nno json\n" + large + b"\n")
    state = await town.fetch()
    assert (state.records, state.refused, state.trouble) == (1, 2, None)
    assert [one.value for one in await town.topic.written()] == [good]


async def test_a_fault_of_the_feed_is_told_waited_for_and_where_it_is_for_good_an_operator_must_say(
    town: Town, client: httpx.AsyncClient, as_: As
) -> None:
    card = f"/partners/{town.partner}/scorecard"
    town.feed.answer = lambda _, __: (429, {"retry-after": "7200"}, b"")
    state = await town.fetch()
    assert state.next_at == town.world.now + timedelta(hours=2)
    pull = (await client.get(card, headers=as_("partner", partner=town.partner))).json()["pull"]
    assert (pull["trouble"]["code"], pull["newest"]) == ("throttled", None)
    assert pull["trouble"]["reason"].keys() == {"zh", "en"}
    page = (await client.get(card, headers=as_("operator") | {"Accept": "text/html"}, params={"lang": "en"})).text
    assert "asks for fewer requests (429)" in page
    town.feed.answer = lambda _, __: (410, {}, b"")
    assert (await town.fetch()).stopped
    pull = (await client.get(card, headers=as_("operator"))).json()["pull"]
    assert (pull["trouble"]["code"], pull["next_at"]) == ("gone", None)
    asked = len(town.feed.asked)
    town.world.now += timedelta(days=9)
    await town.puller().fetch(town.partner)
    assert len(town.feed.asked) == asked, "it is not asked again by itself"
    town.feed.answer = array(ad(1, town, 1))
    terms = {"name": "Town", "pull": {"url": town.feed.url()}}
    again = await client.put(f"/partners/{town.partner}", json=terms, headers=as_("operator"))
    assert again.status_code == 200
    assert (await town.fetch()).trouble is None
    town.world.producer, kafka = None, town.world.producer
    town.feed.answer = array(ad(2, town, 0.5))
    state = await town.fetch()
    assert state.trouble is not None
    assert state.trouble.code == "unavailable", "Kafka is away, and so is the cursor where it was"
    town.world.producer = kafka
    assert (await town.fetch()).records == 1


async def test_who_may_not_write_is_not_fetched_and_one_process_fetches_at_a_time(town: Town) -> None:
    await partners.change_state(town.world.context, town.partner, PartnerState.PAUSED)
    puller = town.puller()
    await puller.look()
    assert not puller._running
    assert town.feed.asked == []
    await partners.change_state(town.world.context, town.partner, PartnerState.ACTIVE)
    town.feed.answer = array(ad(1, town, 1))
    others = [puller, town.puller()]
    for one in (*others, *others):
        await one.look()
    await asyncio.gather(*(task for one in others for task in one._running.values()))
    for one in others:
        await one.look()
        await one.close()
    assert len(town.feed.asked) == 1
    assert len(await town.topic.written()) == 1


async def test_an_address_that_may_not_be_fetched_is_refused_at_once(
    world: World, client: httpx.AsyncClient, as_: As
) -> None:
    for url in ("http://feeds.example/", "https://10.0.0.1/", "https://u:p@feeds.example/", "file:///etc/passwd"):
        terms = {"name": "Town", "pull": {"url": url}}
        answer = await client.put(f"/partners/t-{uuid4().hex[:8]}", json=terms, headers=as_("operator"))
        assert answer.status_code == 422, url
        assert answer.json()["code"] == "address_refused"
    assert world.topics == []
    with pytest.raises(Problem):
        await partners.put(world.context, "x", PartnerTerms(name="x", pull=Pull(url="https://[::1]/")))
