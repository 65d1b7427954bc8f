"""The same vacancy from two sources against the real database: races, crashes, edits, closings, operators."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from datetime import timedelta
from itertools import count
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from services.postings.domain.posting import partner_posting_id
from services.postings.usecases.duplicates import count_doubts, examine
from shared import metrics
from shared.errors import Unavailable
from tests.integration.postings.conftest import As, World
from tests.integration.postings.test_intake import record, register, take
from tests.integration.postings.test_snapshots import dies

if TYPE_CHECKING:
    from shared.contracts.postings import Posting

pytestmark = pytest.mark.usefixtures("partners")
SOURCES = ("north", "south", "west")
TEXT = " ".join(f"word{'abcdefghij'[n % 10]}{'klmnopqrst'[n // 10]}" for n in range(80))
_offsets = count()


@pytest.fixture
async def partners(world: World) -> None:
    for partner in SOURCES:
        await register(world, partner)


def ad(**more: object) -> dict[str, Any]:
    return {
        "id": "A1",
        "title": {"en": "Welder"},
        "description": {"en": TEXT},
        "employer_name": "Shandong Machinery",
        "regions": [{"scheme": "gbt2260", "code": "370102"}],
    } | more


async def send(world: World, partner: str, **more: object) -> str:
    """A posting of a partner's, new or changed: our id."""
    body = ad(**more)
    world.now += timedelta(seconds=1)  # who was there first
    await take(world, [record(next(_offsets), body, partner=partner)])
    return partner_posting_id(partner, body["id"])


async def remove(world: World, partner: str) -> None:
    await take(world, [record(next(_offsets), {"id": "A1"}, "PartnerPostingRemoved", partner)])


async def look(world: World) -> int:
    return await examine(world.context, 100, 1)


async def merged(world: World) -> dict[str, str]:
    rows = world.mongo.db["postings"].find({"body.merged_into": {"$exists": True}, "status": "open"})
    found = {row["_id"]: row["merged_into"] async for row in rows}
    return {one: into for one, into in found.items() if into is not None}


async def stored(world: World, posting_id: str) -> Posting:
    found = await world.store.posting(posting_id)
    assert found is not None
    return found


async def told(world: World, kind: str) -> list[dict[str, Any]]:
    return [json.loads(row["payload"]) for row in await world.outbox() if row["type"] == kind]


async def test_the_later_one_is_merged_and_its_source_is_told_once(world: World) -> None:
    first = await send(world, "north")
    await look(world)
    before = await stored(world, first)
    second = await send(world, "south", employer_name="SHANDONG MACHINERY LTD")
    assert await look(world) == 1
    assert await look(world) == 0
    assert await merged(world) == {second: first}
    assert await stored(world, first) == before
    (receipt,) = await told(world, "MergeReceipt")
    assert receipt == {
        "id": f"{second}/2",
        "partner_posting_id": "A1",
        "posting_id": second,
        "version": 2,
        "outcome": "merged",
        "merged_into": first,
        "at": world.now.isoformat().replace("+00:00", "Z"),
    }
    (row,) = [row for row in await world.outbox() if row["type"] == "MergeReceipt"]
    assert (row["aggregatetype"], row["headers"]["ce_id"]) == ("partner.south.receipts.v1", f"{second}/2")
    (event,) = await told(world, "PostingChanged")
    assert (event["id"], event["version"], event["merged_into"], event["status"]) == (second, 2, first, "open")
    # what was answered before stays the answer, and the same again causes nothing
    assert [one["outcome"] for one in await told(world, "PostingReceipt")] == ["accepted", "accepted"]
    await send(world, "south", employer_name="SHANDONG MACHINERY LTD")
    assert (await told(world, "PostingReceipt"))[-1]["outcome"] == "unchanged"
    assert await look(world) == 0


@pytest.mark.parametrize("turn", range(4))
async def test_two_that_arrive_at_once_are_seen_whoever_looks(world: World, turn: int) -> None:
    names = [f"N{number}" for number in range(6)]
    bodies = [ad(id=name, title={"en": f"Welder {name}"}) for name in names]

    async def arrive(partner: str) -> None:
        for body in bodies[turn:] + bodies[:turn]:
            await take(world, [record(next(_offsets), body, partner=partner)])

    async def looks() -> None:
        for _ in range(8):
            await examine(world.context, 2, 1)

    await asyncio.gather(arrive("north"), arrive("south"), looks(), looks())
    await look(world)
    found = await merged(world)
    assert len(found) == 6, "one of each two"
    assert not found.keys() & set(found.values())
    told_of = Counter(receipt["posting_id"] for receipt in await told(world, "MergeReceipt"))
    assert all(number % 2 == 1 for number in told_of.values()), "merged, or merged, parted and merged"
    versions = Counter((row["aggregateid"], row["version"]) for row in await world.outbox() if row["version"])
    assert set(versions.values()) == {1}


@pytest.mark.parametrize("inside", [False, True], ids=["between two chunks", "in the middle of a chunk"])
@pytest.mark.parametrize("after", range(4))
async def test_killed_anywhere_it_goes_on_and_merges_each_once(
    world: World, monkeypatch: pytest.MonkeyPatch, after: int, *, inside: bool
) -> None:
    for number in range(4):
        for partner in ("north", "south"):
            await send(world, partner, id=f"N{number}", title={"en": f"Welder {number}"})
    with monkeypatch.context() as patched:
        dies(patched, world, after, inside=inside)
        with pytest.raises(Unavailable, match="killed"):
            await examine(world.context, 2, 1)
    await look(world)
    assert len(await merged(world)) == 4
    assert Counter(one["posting_id"] for one in await told(world, "MergeReceipt")).most_common(1)[0][1] == 1


async def test_when_the_primary_closes_the_next_takes_its_place(world: World) -> None:
    first, second, third = [await send(world, partner) for partner in SOURCES]
    await look(world)
    assert await merged(world) == {second: first, third: first}
    await remove(world, "north")
    await look(world)
    left = await merged(world)
    assert len(left) == 1
    assert {*left, *left.values()} == {second, third}
    await send(world, "north")  # it opens again, and was there before them
    await look(world)
    assert await merged(world) == {second: first, third: first}


async def test_an_edit_that_disagrees_parts_them_and_one_that_agrees_does_not(world: World) -> None:
    first, second = [await send(world, partner) for partner in ("north", "south")]
    await look(world)
    await send(world, "south", description={"en": TEXT + " and welcome"})
    assert await merged(world) == {second: first}
    await look(world)
    assert await merged(world) == {second: first}
    await send(world, "south", title={"en": "Crane driver"})
    await look(world)
    assert await merged(world) == {}
    last = (await told(world, "MergeReceipt"))[-1]
    assert (last["outcome"], last["posting_id"], last["version"], "merged_into" in last) == ("parted", second, 5, False)
    await send(world, "south")
    await send(world, "north", title={"en": "Crane driver"})  # the primary's edit
    await look(world)
    assert await merged(world) == {}


async def test_a_database_from_before_is_looked_at(world: World) -> None:
    first, second = [await send(world, partner) for partner in ("north", "south")]
    await world.mongo.db["postings"].update_many({}, {"$unset": {"examined": "", "merged_into": "", "blocks": ""}})
    await look(world)
    assert await merged(world) == {second: first}


async def test_seekers_see_one_and_a_link_to_the_other_still_leads_on(
    world: World, client: httpx.AsyncClient, as_: As
) -> None:
    first, second = [await send(world, partner) for partner in ("north", "south")]
    await look(world)
    listed = (await client.get("/postings", headers=as_("seeker"))).json()
    assert [one["id"] for one in listed["items"]] == [first]
    assert len((await client.get("/postings", headers=as_("operator"))).json()["items"]) == 2
    read = (await client.get(f"/postings/{second}", headers=as_("seeker"))).json()
    assert (read["status"], read["merged_into"]) == ("open", first)
    own = await client.get("/partners/south/merged", headers=as_("partner", partner="south"))
    assert own.json()["items"] == [
        {"posting_id": second, "partner_posting_id": "A1", "version": 2, "merged_into": first}
    ]
    assert (await client.get("/partners/north/merged", headers=as_("operator"))).json()["items"] == []
    assert (await client.get("/partners/south/merged", headers=as_("partner", partner="north"))).status_code == 404


async def test_an_operator_decides_a_doubt_and_takes_it_back(world: World, client: httpx.AsyncClient, as_: As) -> None:
    first = await send(world, "north")
    second = await send(world, "south", description={"en": TEXT.replace("wordbl", "nights")})
    await look(world)
    await count_doubts(world.context)
    assert metrics.DUPLICATE_DOUBTS._value.get() == 1
    operator = as_("operator")
    (doubt,) = (await client.get("/duplicates", headers=operator)).json()["items"]
    assert (doubt["pair"]["state"], doubt["pair"]["against"]) == ("doubt", ["words"])
    assert {doubt["first"]["id"], doubt["second"]["id"]} == {first, second}
    assert await merged(world) == {}

    async def say(command: str, *ids: str) -> httpx.Response:
        return await client.post(f"/duplicates/{'/'.join(ids)}/{command}", headers=operator)

    for _ in range(2):  # safe to repeat
        assert (await say("merge", second, first)).json()["pair"]["state"] == "accepted"
        assert await merged(world) == {second: first}
    await send(world, "south", openings=7, description={"en": TEXT.replace("wordbl", "nights")})
    await look(world)
    assert await merged(world) == {}, "another word from a source, and the yes is a doubt again"
    assert (await client.get("/duplicates?state=doubt", headers=operator)).json()["items"]
    assert (await say("part", first, second)).json()["pair"]["state"] == "refused"
    await send(world, "south")  # word for word the same now
    await look(world)
    assert await merged(world) == {}, "what was refused is not merged again"
    assert (await say("merge", first, second)).json()["pair"]["by"] == "someone"
    assert await merged(world) == {second: first}
    assert (await say("part", first, second)).status_code == 200
    assert await merged(world) == {}
    for ids, status in (((first, "p-nobody"), 404), ((first, first), 422)):
        assert (await say("merge", *ids)).status_code == status
    twin = await send(world, "north", id="A2")
    assert (await say("merge", first, twin)).json()["code"] == "one_source"
    for who in (as_("employer", employer="acme"), as_("partner", partner="north"), as_("seeker")):
        assert (await client.get("/duplicates", headers=who)).status_code == 403
        assert (await client.post(f"/duplicates/{first}/{second}/merge", headers=who)).status_code == 403


async def test_pages_of_pairs_follow_each_other(world: World, client: httpx.AsyncClient, as_: As) -> None:
    for number in range(5):
        for partner in ("north", "south"):
            await send(world, partner, id=f"N{number}", title={"en": f"Welder {number}"})
    await look(world)
    seen: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        query = f"?state=agrees&limit=2{cursor and '&cursor=' + cursor}"
        page = (await client.get(f"/duplicates{query}", headers=as_("operator"))).json()
        seen += [one["pair"]["first"] for one in page["items"]]
        cursor = page["next"]
    assert len(seen) == len(set(seen)) == 5


async def test_of_one_source_nothing_is_merged_and_of_a_chunk_all_is_seen(world: World) -> None:
    await take(world, [record(next(_offsets), ad(id=f"R{n}"), partner="north") for n in range(3)])
    await look(world)
    assert await merged(world) == {}
    await take(world, [record(next(_offsets), ad(id=f"S{n}"), partner="south") for n in range(3)])
    await look(world)
    found = await merged(world)
    assert len(found) == len(set(found.values())) == 3, "each with one of its own"
