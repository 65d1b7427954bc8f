"""Who may write, and what a sandbox partner's records lead to: on the real Kafka and MongoDB."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import timedelta

import httpx
import pytest

from services.postings.domain.employer import PartnerTerms
from services.postings.domain.posting import partner_posting_id
from services.postings.usecases import partners
from services.postings.usecases.context import restate
from services.postings.usecases.expiry import Lifetimes, expire, expire_forgotten
from services.postings.usecases.snapshots import close_unseen
from shared.http import Problem
from shared.mongo import Document, Session
from tests.integration.postings.conftest import As, World
from tests.integration.postings.test_door import OWN
from tests.integration.postings.test_intake import events, posting, receipts, record, register, take

STATES = (("pause", "partner_paused"), ("retire", "partner_retired"))
BOX = "sandbox-north"


async def test_who_may_not_write_is_refused_at_the_http_door_and_still_answered(
    world: World, client: httpx.AsyncClient, as_: As
) -> None:
    await register(world)
    mine, operator = as_("partner", partner="north"), as_("operator")
    body = {"content": json.dumps(OWN), "headers": mine | {"Content-Type": "application/x-ndjson"}}
    for command, code in STATES:
        for _ in range(2):  # safe to repeat
            told = await client.post(f"/partners/north/{command}", headers=operator)
            assert told.status_code == 200, told.text
        refused = await client.post("/partners/north/records", **body)  # type: ignore[arg-type]
        assert (refused.status_code, refused.json()["code"]) == (403, code)
        assert set(refused.json()["reason"]) == {"zh", "en"}
        assert (await client.get("/partners/north/receipts", headers=mine)).status_code == 200
        if command == "pause":
            assert (await client.post("/partners/north/resume", headers=operator)).json()["state"] == "active"
            again = await client.post("/partners/north/records", **body)  # type: ignore[arg-type]
            assert again.status_code == 503, "let in, and Kafka is away in this test"
    # what it wrote before lies on its topic, and is answered
    assert await take(world, [record(0, posting(1))]) == []
    assert [one["outcome"] for one in receipts(await world.outbox())] == ["accepted"]


async def test_a_retired_id_never_comes_back(world: World, client: httpx.AsyncClient, as_: As) -> None:
    await register(world)
    operator = as_("operator")
    assert (await client.post("/partners/nobody/pause", headers=operator)).status_code == 404
    assert (await client.post("/partners/north/retire", headers=operator)).json()["state"] == "retired"
    for answer in (
        await client.put("/partners/north", json={"name": "Again"}, headers=operator),
        await client.post("/partners/north/resume", headers=operator),
        await client.post("/partners/north/pause", headers=operator),
    ):
        assert (answer.status_code, answer.json()["code"]) == (409, "partner_retired")
    for command in ("pause", "resume", "retire"):
        other = await client.post(f"/partners/north/{command}", headers=as_("partner", partner="north"))
        assert other.status_code == 403


async def test_a_sandbox_partner_is_answered_and_nothing_of_it_reaches_anybody(
    world: World, client: httpx.AsyncClient, as_: As
) -> None:
    await partners.put(world.context, BOX, PartnerTerms(name="Trial", sandbox=True))
    await register(world)
    soon = (world.now + timedelta(hours=1)).isoformat()
    records = [
        record(0, {"epoch": 1, "count": 1}, "PartnerSnapshotBegun", BOX),
        record(1, posting(2), partner=BOX),
        record(2, posting(2), partner=BOX),
        record(3, posting(1), partner=BOX),
        record(4, {"id": "A1"}, partner=BOX),
        record(5, {"epoch": 1}, "PartnerSnapshotEnded", BOX),
        record(6, posting(1, valid_through=soon) | {"id": "A2"}, partner=BOX),
        record(0, posting(1)),
    ]
    assert await take(world, records) == []
    rows = await world.outbox()
    outcomes = [one["outcome"] for one in receipts(rows)]
    assert outcomes[-5:] == ["accepted", "unchanged", "stale", "rejected", "accepted"]
    snapshots = [json.loads(row["payload"])["outcome"] for row in rows if row["type"] == "SnapshotReceipt"]
    assert snapshots == ["accepted", "accepted"]

    # neither expiry nor snapshots nor a word put right on the topic tell of it
    assert await take(world, [record(7, {"epoch": 2, "count": 0}, "PartnerSnapshotBegun", BOX)]) == []
    world.now += timedelta(hours=2)
    assert await expire(world.context) == 1
    assert await take(world, [record(8, {"epoch": 2}, "PartnerSnapshotEnded", BOX)]) == []
    assert await close_unseen(world.context, 10) == 1
    assert await take(world, [record(9, posting(3), partner=BOX)]) == []
    await expire_forgotten(world.context, Lifetimes(timedelta(days=1), timedelta(days=1)))
    real, mine = partner_posting_id("north", "A1"), partner_posting_id(BOX, "A1")
    told = [row["aggregateid"] for row in await world.outbox() if row["aggregatetype"] == "postings.v1"]
    assert told == [real]
    assert events(await world.outbox()) == [("PostingPublished", 1)]

    async def again(session: Session) -> Sequence[Document]:
        return await restate([mine, real], session, store=world.store)

    assert [row["payload"] is None for row in await world.mongo.transaction(again)] == [True, False]

    # nobody reads it but itself and the operator
    for who in (as_("seeker"), as_("employer", employer="acme"), as_("partner", partner="north")):
        listed = await client.get("/postings", headers=who)
        assert [one["id"] for one in listed.json()["items"]] == [real]
        assert (await client.get(f"/postings/{mine}", headers=who)).status_code == 404
    assert (await client.get(f"/postings/{mine}", headers=as_("partner", partner=BOX))).status_code == 200
    assert (await client.get(f"/postings/{mine}", headers=as_("operator"))).status_code == 200


@pytest.mark.parametrize(("partner", "sandbox"), [("north", True), (BOX, False)])
async def test_id_and_sandbox_agree(world: World, partner: str, sandbox: bool) -> None:  # noqa: FBT001 - a case
    with pytest.raises(Problem, match="sandbox_id"):
        await partners.put(world.context, partner, PartnerTerms(name="x", sandbox=sandbox))
    assert await world.store.partner(partner) is None
