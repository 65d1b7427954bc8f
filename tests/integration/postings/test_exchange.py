"""What partners are sent of our postings, on the real MongoDB: exactly what they watch, whatever is done when."""

from __future__ import annotations

import asyncio
import itertools
from typing import Any

import httpx
import pytest
from pydantic_core import from_json

from services.postings.domain.employer import PartnerTerms
from services.postings.domain.posting import partner_posting_id
from services.postings.usecases import partners
from services.postings.usecases.exchange import note_changed, send
from shared.http import Problem
from shared.mongo import Document
from tests.integration.postings.conftest import As, World
from tests.integration.postings.test_intake import posting, receipts, record, register, take

YUBEI = {"scheme": "gbt2260", "code": "500112"}
JINAN = {"scheme": "gbt2260", "code": "370102"}
CHONGQING: dict[str, Any] = {"regions": [{"scheme": "gbt2260", "code": "500000"}]}
CHUNK = 2


class Desk:
    """An operator, and what partners have been sent since the last look."""

    def __init__(self, world: World, client: httpx.AsyncClient, as_: As) -> None:
        self.world, self._client, self._as = world, client, as_
        self._seen = 0

    async def set(self, partner: str, exchange: dict[str, Any] | None) -> None:
        body = {"name": partner, "exchange": exchange}
        answer = await self._client.put(f"/partners/{partner}", json=body, headers=self._as("operator"))
        assert answer.status_code == 200, answer.text

    async def rows(self) -> list[Document]:
        """The new rows of the outbox, published: those of postings are noted first."""
        rows = (await self.world.outbox())[self._seen :]
        self._seen += len(rows)
        await note_changed(self.world.store, rows)
        return rows

    async def sent(self, partner: str = "south", chunk: int = CHUNK) -> list[tuple[str, str, int]]:
        """What the partner is sent now: the other's id of the posting, what of it, and the record's number."""
        await self.rows()
        await send(self.world.context, chunk)
        names = {partner_posting_id("north", f"A{n}"): f"A{n}" for n in range(10)}
        topic = f"exchange.{partner}.postings.v1"
        told = [(row, from_json(row["payload"])) for row in await self.rows() if row["aggregatetype"] == topic]
        assert all(row["version"] == body["sequence"] and row["aggregateid"] == body["id"] for row, body in told)
        return [(names[body["id"]], row["type"].removeprefix("PartnerPosting"), body["sequence"]) for row, body in told]


def at(region: dict[str, str], sequence: int, number: int = 1, title: str = "焊工", **more: object) -> dict[str, Any]:
    return posting(sequence, title, id=f"A{number}", regions=[region], **more)


async def test_a_partner_is_sent_what_it_watches_and_removals_of_what_leaves(
    world: World, client: httpx.AsyncClient, as_: As
) -> None:
    desk = Desk(world, client, as_)
    await register(world)
    await desk.set("south", CHONGQING)
    await take(world, [record(0, at(YUBEI, 1)), record(1, at(JINAN, 1, 2))])
    assert await desk.sent() == [("A1", "Submitted", 1)]
    assert await desk.sent() == [], "once"
    await take(world, [record(2, at(YUBEI, 2, title="钳工")), record(3, at(YUBEI, 2, 2))])
    assert sorted(await desk.sent()) == [("A1", "Submitted", 2), ("A2", "Submitted", 1)]
    await take(world, [record(4, at(JINAN, 3)), record(5, {"id": "A2", "sequence": 3}, "PartnerPostingRemoved")])
    assert sorted(await desk.sent()) == [("A1", "Removed", 3), ("A2", "Removed", 2)]
    await take(world, [record(6, at(JINAN, 4, title="车工"))])
    assert await desk.sent() == [], "what it does not have any more"
    # in and out before anybody looks: nothing; out and in: what holds now
    await take(world, [record(7, at(YUBEI, 5)), record(8, at(JINAN, 6)), record(9, at(YUBEI, 4, 2))])
    assert await desk.sent() == [("A2", "Submitted", 3)]
    assert await world.mongo.db["exchange_due"].count_documents({}) == 0


async def test_nothing_goes_back_to_whom_it_came_from_and_nothing_is_taken_twice(
    world: World, client: httpx.AsyncClient, as_: As
) -> None:
    desk = Desk(world, client, as_)
    for partner, name in (("north", "jilin"), ("south", "chongqing"), ("west", None)):
        await desk.set(partner, CHONGQING | {"name": name})
    through: dict[str, Any] = {"origin": {"name": "hebei", "id": "p-1", "via": ["chongqing", "jilin"]}}
    await take(world, [record(0, at(YUBEI, 1)), record(1, at(YUBEI, 1, 2, **through))])
    assert await desk.sent("north") == []
    rows = await world.outbox()
    told = {(row["aggregatetype"].split(".")[1], from_json(row["payload"])["id"]): row for row in rows[-3:]}
    first, second = (partner_posting_id("north", name) for name in ("A1", "A2"))
    assert told.keys() == {("south", first), ("west", first), ("west", second)}, "south has had the second"
    assert from_json(told["west", second]["payload"])["origin"] == {
        "name": "hebei",
        "id": "p-1",
        "via": ["chongqing", "jilin", "shandong"],
    }
    assert from_json(told["west", first]["payload"])["origin"] == {"name": "shandong", "id": first}
    # what was here before is not taken, whoever sends it
    for number, passed in enumerate((("shandong",), ("hebei", "shandong", "jilin")), 3):
        origin = {"name": passed[0], "id": "p-1", "via": passed[1:]}
        await take(world, [record(number, at(YUBEI, 1, 3, origin=origin), partner="west")])
        answer = receipts(await world.outbox())[-1]
        assert (answer["outcome"], answer["faults"][0]["code"]) == ("rejected", "came_from_here")
        assert answer["faults"][0]["pointer"] == "/origin"


async def test_what_is_open_is_sent_when_a_partner_begins_to_watch_and_removed_when_it_ends(
    world: World, client: httpx.AsyncClient, as_: As
) -> None:
    desk = Desk(world, client, as_)
    await register(world)
    await take(world, [record(n, at(YUBEI if n % 2 else JINAN, 1, n)) for n in range(7)])
    await take(world, [record(7, {"id": "A1", "sequence": 2}, "PartnerPostingRemoved")])
    assert await desk.sent() == [], "nobody watches"
    await desk.set("south", CHONGQING)
    assert sorted(await desk.sent()) == [("A3", "Submitted", 1), ("A5", "Submitted", 1)]
    assert await world.store.exchanges.surveyed() == []
    await desk.set("south", CHONGQING)
    assert await desk.sent() == [], "the same regions again"
    await desk.set("south", {"regions": [{"scheme": "gbt2260", "code": "370000"}]})
    moved = sorted(await desk.sent())
    assert [one for one in moved if one[1] == "Removed"] == [("A3", "Removed", 2), ("A5", "Removed", 2)]
    assert [one for one in moved if one[1] != "Removed"] == [(f"A{n}", "Submitted", 1) for n in (0, 2, 4, 6)]
    await desk.set("south", None)
    assert sorted(await desk.sent()) == [(f"A{n}", "Removed", 2) for n in (0, 2, 4, 6)]


async def test_two_at_once_in_the_middle_of_changes_leave_every_partner_with_what_it_shall_have(
    world: World, client: httpx.AsyncClient, as_: As
) -> None:
    desk = Desk(world, client, as_)
    await register(world)
    await take(world, [record(n, at(YUBEI, 1, n)) for n in range(10)])
    await desk.rows()
    await desk.set("south", CHONGQING)
    over = asyncio.Event()

    async def work() -> None:
        while not over.is_set():
            await send(world.context, CHUNK)
            await asyncio.sleep(0.001)

    working = [asyncio.create_task(work()) for _ in range(2)]
    inside: set[int] = set()
    turn = 1
    for turn in range(2, 14):
        inside = {n for n in range(10) if (n + turn) % 3}
        moved = [at(YUBEI if n in inside else JINAN, turn, n, title=f"焊工 {turn}") for n in range(10)]
        await take(world, [record(10 * turn + n, one) for n, one in enumerate(moved)])
        rows = await desk.rows()
        await note_changed(world.store, rows)  # again, as after a crash
    over.set()
    await asyncio.gather(*working)
    await send(world.context, CHUNK)
    told = [row for row in await world.outbox() if row["aggregatetype"] == "exchange.south.postings.v1"]
    for number in range(10):
        mine = [row for row in told if row["aggregateid"] == partner_posting_id("north", f"A{number}")]
        mine.sort(key=lambda row: row["version"])
        assert [row["version"] for row in mine] == list(range(1, len(mine) + 1))
        kinds = [row["type"] for row in mine]
        assert kinds[0] == "PartnerPostingSubmitted"
        assert ("PartnerPostingRemoved",) * 2 not in set(itertools.pairwise(kinds))
        last = from_json(mine[-1]["payload"])
        if number in inside:
            assert (kinds[-1], last["title"]["zh"]) == ("PartnerPostingSubmitted", f"焊工 {turn}")
        else:
            assert kinds[-1] == "PartnerPostingRemoved"


async def test_without_a_name_nothing_is_exchanged(world: World, client: httpx.AsyncClient, as_: As) -> None:
    unknown = {"name": "x", "exchange": {"regions": [{"scheme": "gbt-2260", "code": "500000"}]}}
    assert (await client.put("/partners/south", json=unknown, headers=as_("operator"))).status_code == 422
    world.exchange_name = ""
    with pytest.raises(Problem, match="no_exchange_name"):
        await partners.put(world.context, "south", PartnerTerms.model_validate({"name": "x", "exchange": CHONGQING}))
    assert await world.store.partner("south") is None
