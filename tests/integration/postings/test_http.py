"""Commands and queries over HTTP against the real database: rights, versions, repeated commands, cursors."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import httpx

from services.postings.usecases.context import restate
from services.postings.usecases.expiry import expire
from services.postings.usecases.intake import keep_receipts
from tests.integration.postings.conftest import As, World
from tests.integration.postings.test_intake import posting, record, register, take
from tests.unit.postings.examples import LATER

ACME = {"employer": "acme"}


async def publish(client: httpx.AsyncClient, as_: As, **more: object) -> httpx.Response:
    await client.put("/employers/acme", json={"name": "Acme"}, headers=as_("employer", **ACME))
    return await client.post("/postings", json={"title": {"en": "Welder"}, **more}, headers=as_("employer", **ACME))


async def test_the_life_of_a_posting(world: World, client: httpx.AsyncClient, as_: As) -> None:
    made = await publish(client, as_, description={"en": "Ring 070-123 45 67"})
    assert (made.status_code, made.headers["etag"]) == (201, '"1"')
    body = made.json()
    assert (body["employer_name"], body["description"]) == ("Acme", {"en": "Ring …"})
    where = made.headers["location"]

    same = await client.put(where, json=body, headers=as_("employer", match='"1"', **ACME))
    assert (same.status_code, same.headers["etag"]) == (200, '"1"')
    other = {"title": {"en": "Lead welder"}}
    changed = await client.put(where, json=other, headers=as_("employer", match='"1"', **ACME))
    assert (changed.status_code, changed.json()["version"]) == (200, 2)

    late = await client.put(where, json=other, headers=as_("employer", match='"1"', **ACME))
    blind = await client.put(where, json=other, headers=as_("employer", **ACME))
    assert (late.status_code, blind.status_code) == (412, 428)

    closed = await client.post(f"{where}/close", json={"reason": "filled"}, headers=as_("employer", **ACME))
    again = await client.post(f"{where}/close", json={"reason": "withdrawn"}, headers=as_("employer", **ACME))
    assert closed.json() == again.json()
    assert (closed.json()["status"], closed.json()["close_reason"]) == ("closed", "filled")
    after = await client.put(where, json=other, headers=as_("employer", match='"3"', **ACME))
    assert (after.status_code, after.json()["code"]) == (409, "closed")

    rows = await world.outbox()
    assert [(row["type"], row["version"]) for row in rows] == [
        ("PostingPublished", 1),
        ("PostingChanged", 2),
        ("PostingClosed", 3),
    ]
    assert {row["aggregateid"] for row in rows} == {body["id"]}


async def test_who_may_what(client: httpx.AsyncClient, as_: As) -> None:
    where = (await publish(client, as_)).headers["location"]
    other = as_("employer", employer="other")
    title = {"title": {"en": "Mine now"}}
    assert (await client.get(where)).status_code == 401
    assert (await client.get(where, headers=as_("seeker"))).status_code == 200
    assert (await client.put(where, json=title, headers=other | {"If-Match": "*"})).status_code == 403
    assert (await client.post("/postings", json=title, headers=as_("seeker"))).status_code == 403
    taken = await client.post("/postings", json=title | {"employer_id": "acme"}, headers=other)
    assert taken.status_code == 403
    assert (await client.put("/employers/acme", json={"name": "x"}, headers=other)).status_code == 403
    assert (await client.put("/partners/north", json={"name": "x"}, headers=other)).status_code == 403

    await client.post(f"{where}/close", json={"reason": "withdrawn"}, headers=as_("operator"))
    for headers, status in ((as_("seeker"), 404), (other, 404), (as_("operator"), 200)):
        assert (await client.get(where, headers=headers)).status_code == status
    assert (await client.get(where, headers=as_("employer", **ACME))).status_code == 200
    assert (await client.get("/postings?status=closed", headers=as_("seeker"))).status_code == 403
    mine = await client.get("/postings?status=closed", headers=as_("employer", **ACME))
    others = await client.get("/postings?status=closed", headers=other)
    assert (len(mine.json()["items"]), len(others.json()["items"])) == (1, 0)


async def test_a_repeated_command_has_one_effect(world: World, client: httpx.AsyncClient, as_: As) -> None:
    await publish(client, as_)
    body = {"title": {"en": "Fitter"}}
    headers = as_("employer", key="k1", **ACME)
    first = await client.post("/postings", json=body, headers=headers)
    second = await client.post("/postings", json=body, headers=headers)
    assert (second.status_code, second.json(), second.headers["etag"]) == (201, first.json(), '"1"')
    assert len(await world.outbox()) == 2
    reused = await client.post("/postings", json={"title": {"en": "Else"}}, headers=headers)
    assert (reused.status_code, reused.json()["code"]) == (422, "idempotency_key_reused")


async def test_what_cannot_be_published(client: httpx.AsyncClient, as_: As) -> None:
    early = await client.post("/postings", json={"title": {"en": "x"}}, headers=as_("employer", **ACME))
    assert (early.status_code, early.json()["code"]) == (409, "unknown_employer")
    over = await publish(client, as_, valid_through="2020-01-01T00:00:00Z")
    assert (over.status_code, over.json()["pointer"]) == (422, "/valid_through")
    blank = await publish(client, as_, title={"zh": " "})
    assert (blank.status_code, blank.json()["pointer"]) == (422, "/title/zh")
    nameless = await client.post("/postings", json={"title": {"en": "x"}}, headers=as_("operator"))
    assert (nameless.status_code, nameless.json()["pointer"]) == (422, "/employer_id")
    wrong = await publish(client, as_, openings=0)
    assert (wrong.status_code, wrong.json()["faults"][0]["pointer"]) == (422, "/openings")


async def test_pages_show_each_posting_once(client: httpx.AsyncClient, as_: As) -> None:
    made = {(await publish(client, as_)).json()["id"] for _ in range(5)}
    seen: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        page = await client.get("/postings", params={"limit": 2, "cursor": cursor}, headers=as_("seeker"))
        seen += [item["id"] for item in page.json()["items"]]
        cursor = page.json()["next"]
    assert seen == sorted(made)
    broken = await client.get("/postings?cursor=%C3%A9", headers=as_("seeker"))
    assert broken.status_code == 400


async def test_employers(client: httpx.AsyncClient, as_: As) -> None:
    mine = as_("employer", **ACME)
    made = await client.post("/employers", json={"name": "Acme"}, headers=mine)
    assert (made.status_code, made.json()["id"]) == (201, "acme")
    assert (await client.post("/employers", json={"name": "Acme"}, headers=mine)).status_code == 409
    same = await client.put("/employers/acme", json={"name": "Acme"}, headers=mine)
    other = await client.put("/employers/acme", json={"name": "Acme Ltd"}, headers=mine)
    assert (same.json()["version"], other.json()["version"]) == (1, 2)
    assert (await client.get("/employers/acme", headers=as_("seeker"))).json()["name"] == "Acme Ltd"
    assert (await client.get("/employers/none", headers=mine)).status_code == 404
    chosen = await client.post("/employers", json={"name": "New"}, headers=as_("operator"))
    assert chosen.json()["id"].startswith("e-")


async def test_partners_and_their_receipts(world: World, client: httpx.AsyncClient, as_: As) -> None:
    made = await client.put("/partners/north", json={"name": "North"}, headers=as_("operator"))
    assert made.json()["postings_topic"] == "partner.north.postings.v1"
    assert world.topics == ["north"]
    assert (await client.put("/partners/N", json={"name": "N"}, headers=as_("operator"))).status_code == 422
    listed = await client.get("/partners", headers=as_("operator"))
    assert [partner["id"] for partner in listed.json()["items"]] == ["north"]

    await take(world, [record(n, posting(n)) for n in range(3)])
    await keep_receipts(world.store, lambda: world.now, await world.outbox())
    own = as_("partner", partner="north")
    first = (await client.get("/partners/north/receipts?limit=2", headers=own)).json()
    rest = (await client.get(f"/partners/north/receipts?cursor={first['next']}", headers=own)).json()
    assert [item["id"][-2:] for item in first["items"] + rest["items"]] == ["/0", "/1", "/2"]
    assert rest["next"] is None
    waiting = asyncio.create_task(client.get(f"/partners/north/receipts?cursor={rest['last']}&wait=10", headers=own))
    await asyncio.sleep(0.3)
    assert not waiting.done()
    await take(world, [record(3, posting(3))])
    await keep_receipts(world.store, lambda: world.now, await world.outbox())
    assert [item["id"][-2:] for item in (await waiting).json()["items"]] == ["/3"]
    nothing = await client.get("/partners/north/receipts?wait=0.1", params={"cursor": "OTk"}, headers=own)
    assert nothing.json() == {"items": [], "next": None, "last": "OTk"}
    assert (await client.get("/partners/north/receipts?wait=11", headers=own)).status_code == 422
    for headers, status in ((as_("partner", partner="south"), 404), (as_("seeker"), 403)):
        assert (await client.get("/partners/north/receipts", headers=headers)).status_code == status


async def test_a_partners_posting_is_changed_at_the_partner(world: World, client: httpx.AsyncClient, as_: As) -> None:
    await register(world)
    await take(world, [record(0, posting(1))])
    (item,) = (await client.get("/postings", headers=as_("seeker"))).json()["items"]
    where = f"/postings/{item['id']}"
    changed = await client.put(where, json={"title": {"en": "x"}}, headers=as_("operator", match="*"))
    assert (changed.status_code, changed.json()["code"]) == (409, "partner_posting")
    closed = await client.post(f"{where}/close", json={"reason": "withdrawn"}, headers=as_("operator"))
    assert closed.json()["status"] == "closed"
    assert (await client.get(where, headers=as_("partner", partner="north"))).status_code == 200


async def test_expiry_closes_what_is_over_and_nothing_else(world: World, client: httpx.AsyncClient, as_: As) -> None:
    short = (await publish(client, as_, valid_through=LATER.isoformat())).json()["id"]
    long = (await publish(client, as_, valid_through=(LATER + timedelta(days=1)).isoformat())).json()["id"]
    assert await expire(world.context) == 0
    world.now = LATER
    assert await expire(world.context) == 1
    assert await expire(world.context) == 0
    over, still = await world.store.posting(short), await world.store.posting(long)
    assert over is not None
    assert still is not None
    assert (over.status, over.close_reason, over.version, still.status) == ("closed", "expired", 2, "open")
    assert [row["type"] for row in await world.outbox()][-1] == "PostingClosed"


async def test_restating_gives_the_present_version(world: World, client: httpx.AsyncClient, as_: As) -> None:
    posting_id = (await publish(client, as_)).json()["id"]
    rows = await world.mongo.transaction(lambda s: restate([posting_id, "p-unknown"], s, store=world.store))
    assert [(row["aggregateid"], row["type"], row["version"]) for row in rows] == [
        (posting_id, "PostingPublished", 1),
        ("p-unknown", "Tombstone", 2**31 - 1),
    ]
