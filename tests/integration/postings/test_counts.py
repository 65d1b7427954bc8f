"""What became of partners' postings, counted once a day from the real list topic."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from aiokafka import AIOKafkaProducer

from deploy.servers import Servers
from services.postings.domain.employer import PartnerState
from services.postings.domain.posting import partner_posting_id
from services.postings.handlers import recommended
from services.postings.settings import PostingsSettings
from services.postings.store.scorecards import BY_PARTNER
from services.postings.usecases.counts import count
from services.postings.usecases.partners import change_state
from shared.contracts.registry import POSTING_LISTS
from shared.errors import Unavailable
from shared.topics import ensure_topics
from tests.integration.postings.conftest import As, World
from tests.integration.postings.test_intake import posting, record, register, take

if TYPE_CHECKING:
    from collections.abc import Mapping

NOON = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0)
"""Of today, because counts of long ago are forgotten."""


@pytest.fixture
def world(world: World) -> World:
    world.now = NOON
    return world


async def nobody() -> Mapping[str, int]:
    return {}


async def reach(**seekers: int) -> Mapping[str, int]:
    """As `recommended` gives it, by the partner's own ids."""
    return {partner_posting_id("north", name): number for name, number in seekers.items()}


async def told(world: World) -> list[dict[str, Any]]:
    return [json.loads(row["payload"]) for row in await world.outbox() if row["type"] == "DailyCounts"]


async def test_counts_say_what_is_open_recommended_closed_and_filled(world: World) -> None:
    await register(world)
    names = ("A", "B", "C", "D", "E")
    await take(world, [record(number, posting(1, id=name)) for number, name in enumerate(names)])
    removals = [{"id": "C", "sequence": 2, "filled": True}, {"id": "D", "sequence": 2}]
    await take(world, [record(10 + n, body, "PartnerPostingRemoved") for n, body in enumerate(removals)])
    world.now += timedelta(days=1)
    # closed today: open yesterday, and not open any more
    await take(world, [record(20, {"id": "E", "sequence": 2, "filled": True}, "PartnerPostingRemoved")])

    assert await count(world.context, lambda: reach(A=20, C=3)) == 1
    (counts,) = await told(world)
    assert counts == {
        "id": f"north/{NOON.date()}",
        "day": str(NOON.date()),
        "open": 2,
        "recommended": 1,
        "recommendations": 20,
        "closed": 2,
        "filled": 1,
        "counted_at": world.now.isoformat().replace("+00:00", "Z"),
    }
    (row,) = [row for row in await world.outbox() if row["type"] == "DailyCounts"]
    assert (row["aggregatetype"], row["headers"]["ce_id"]) == ("partner.north.receipts.v1", counts["id"])


async def test_a_day_is_counted_once_by_whoever_comes_first(world: World) -> None:
    await register(world)
    await take(world, [record(0, posting(1, id="A"))])
    world.now += timedelta(days=1)
    done = await asyncio.gather(*(count(world.context, partial(reach, A=n + 1)) for n in range(4)))
    assert sorted(done) == [0, 0, 0, 1]
    (counts,) = await told(world)
    assert counts["recommendations"] == done.index(1) + 1
    assert await count(world.context, nobody) == 0
    assert len(await told(world)) == 1
    world.now += timedelta(days=1)
    assert await count(world.context, nobody) == 1
    assert [one["recommended"] for one in await told(world)] == [1, 0]


async def test_who_was_not_there_yet_or_is_retired_is_not_counted(world: World) -> None:
    await register(world)
    await register(world, "south")
    await change_state(world.context, "south", PartnerState.RETIRED)
    world.now += timedelta(days=1)
    await register(world, "west")
    assert await count(world.context, nobody) == 1
    assert [one["id"] for one in await told(world)] == [f"north/{NOON.date()}"]


async def test_what_closed_is_counted_once_on_its_day_whatever_comes_later(world: World) -> None:
    over = (world.now - timedelta(hours=1)).isoformat()
    await register(world)
    # never open: over when it came
    await take(world, [record(0, posting(1, id="A", valid_through=over)), record(1, posting(1, id="B"))])
    await take(world, [record(2, {"id": "B", "sequence": 2, "filled": True}, "PartnerPostingRemoved")])
    world.now += timedelta(days=1)
    assert await count(world.context, nobody) == 1
    # said again in other words, and over: it was closed yesterday all the same
    await take(world, [record(3, posting(3, "钳工", id="B", valid_through=over))])
    await take(world, [record(4, {"id": "B", "sequence": 4, "filled": None}, "PartnerPostingRemoved")])
    world.now += timedelta(days=1)
    assert await count(world.context, nobody) == 1
    assert [(one["closed"], one["filled"]) for one in await told(world)] == [(1, 1), (0, 0)]


async def test_the_last_minutes_of_a_day_are_waited_for_and_a_day_that_is_over_is_left_out(world: World) -> None:
    await register(world)
    await take(world, [record(0, posting(1, id="A"))])
    world.now = world.now.replace(hour=0, minute=4) + timedelta(days=1)
    assert await count(world.context, nobody) == 0  # of the day before: it was not there yet
    assert await told(world) == []

    async def slow() -> Mapping[str, int]:
        world.now += timedelta(days=1)
        return {}

    world.now += timedelta(minutes=1)
    assert await count(world.context, slow) == 0
    assert await count(world.context, nobody) == 1
    assert [one["day"] for one in await told(world)] == [str(NOON.date() + timedelta(days=1))]


async def test_what_is_counted_is_found_by_indexes_alone(world: World) -> None:
    await register(world)
    await take(world, [record(0, posting(1, id="A")), record(1, posting(1, id="B"))])
    await take(world, [record(2, {"id": "B", "sequence": 2}, "PartnerPostingRemoved")])
    rows = world.mongo.db["postings"]
    of = {"partner": {"$gt": ""}, "status": "open"}
    plan = await rows.find(of, {"partner": 1}).hint(BY_PARTNER).explain()
    assert plan["executionStats"]["totalDocsExamined"] == 0
    assert [one async for one in world.store.scorecards.open_ids()] == [("north", partner_posting_id("north", "A"))]
    assert await world.store.scorecards.closed_on(NOON.date()) == {"north": (1, 0)}


async def test_while_kafka_is_away_nothing_is_counted_and_later_it_is(world: World) -> None:
    async def away() -> Mapping[str, int]:
        raise Unavailable("Kafka is away")

    await register(world)
    await take(world, [record(0, posting(1, id="A"))])
    world.now += timedelta(days=1)
    with pytest.raises(Unavailable):
        await count(world.context, away)
    assert await told(world) == []
    assert await count(world.context, lambda: reach(A=1)) == 1


async def test_the_scorecard_and_its_page_tell_them(world: World, client: httpx.AsyncClient, as_: As) -> None:
    await register(world)
    await take(world, [record(0, posting(1, id="A"))])
    world.now += timedelta(days=1)
    await count(world.context, lambda: reach(A=7))
    mine = as_("partner", partner="north")
    (became,) = (await client.get("/partners/north/scorecard", headers=mine)).json()["became"]
    assert (became["day"], became["open"], became["recommendations"]) == (str(NOON.date()), 1, 7)
    page = await client.get("/partners/north/scorecard", headers=mine | {"Accept": "text/html"})
    assert "岗位去向" in page.text
    assert f"<td>{NOON.date()}</td><td>1</td><td>1</td><td>7</td><td>0</td><td>0</td>" in page.text


async def test_lists_are_read_from_their_topic_the_last_of_each_posting(servers: Servers) -> None:
    settings = PostingsSettings.model_validate({"kafka_bootstrap": servers.addresses.kafka})
    await ensure_topics(settings)
    before = await recommended(settings)
    lists: list[tuple[str, bytes | None]] = [
        ("p-counts-1", b'{"entries": [{"id": "s1"}]}'),
        ("p-counts-1", b'{"entries": [{"id": "s1"}, {"id": "s2"}]}'),
        ("p-counts-2", b'{"entries": [{"id": "s1"}]}'),
        ("p-counts-2", b'{"active": false}'),
        ("p-counts-3", b'{"entries": [{"id": "s1"}]}'),
        ("p-counts-3", None),
        ("p-counts-4", b"no list"),
    ]
    async with AIOKafkaProducer(bootstrap_servers=servers.addresses.kafka) as producer:
        for key, value in lists:
            await producer.send_and_wait(POSTING_LISTS, value, key.encode())
    found = await recommended(settings)
    assert {key: found[key] for key in found.keys() - before.keys()} == {"p-counts-1": 2}
    with pytest.raises(Unavailable):
        await recommended(PostingsSettings.model_validate({"kafka_bootstrap": "127.0.0.1:1"}))
