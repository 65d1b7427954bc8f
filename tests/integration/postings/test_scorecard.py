"""How a partner's feed stands, from its receipts and snapshots."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial

import httpx

from services.postings.domain.employer import PartnerTerms
from services.postings.usecases import partners
from services.postings.usecases.intake import keep_receipts
from tests.integration.postings.conftest import As, World
from tests.integration.postings.test_intake import posting, record, register, take

URL = "/partners/north/scorecard"


def _before(now: datetime, days: int) -> datetime:
    return now - timedelta(days=days)


async def test_a_new_partner_s_feed_has_nothing_to_tell(world: World, client: httpx.AsyncClient, as_: As) -> None:
    await register(world)
    card = (await client.get(URL, headers=as_("partner", partner="north"))).json()
    assert (card["waiting"], card["answered_at"], card["drift"], card["accepted_share"]) == (None, None, None, None)
    assert (card["records"], card["reasons"], card["days"]) == (0, [], [])


async def test_what_became_of_its_records_is_counted_by_day_once(
    world: World, client: httpx.AsyncClient, as_: As
) -> None:
    await register(world)
    world.waiting = 7
    mine = as_("partner", partner="north")
    today = world.now.date()
    bad = record(3, {"id": "B1", "pay": {"min": -1}})
    await take(world, [record(0, posting(1)), record(1, posting(1)), record(2, posting(0)), bad])
    await take(world, [record(4, posting(2, "钳工"))])
    earlier = await world.outbox()
    world.now += timedelta(days=1)
    await take(world, [record(5, posting(2, "钳工")), record(6, {"epoch": 1, "count": 0}, "PartnerSnapshotBegun")])
    # the first of them were published a day earlier; whoever keeps a receipt again after a crash counts nothing twice
    for days, rows in ((1, earlier), (0, await world.outbox())):
        for _ in range(2):
            await keep_receipts(world.store, partial(_before, world.now, days), rows)
    card = (await client.get(URL, headers=mine)).json()
    newest, oldest = card["days"]
    assert (newest["day"], newest["outcomes"]) == (str(today + timedelta(days=1)), {"unchanged": 1})
    assert oldest["day"] == str(today)
    assert oldest["outcomes"] == {"accepted": 2, "unchanged": 1, "stale": 1, "rejected": 1}
    assert oldest["reasons"] == {"missing": 1}, "a record with a code twice has it once"
    assert (card["waiting"], card["records"]) == (7, 6)
    assert (card["accepted_share"], card["unchanged_share"], card["rejected_share"]) == (0.3333, 0.3333, 0.1667)
    (reason,) = card["reasons"]
    assert (reason["code"], reason["records"]) == ("missing", 1)
    assert reason["example"].endswith("/0/3")
    assert reason["pointer"].startswith("/")
    assert {"zh", "en"} == reason["reason"].keys()
    assert card["drift"] is None, "its snapshot has only begun"


async def test_drift_is_from_the_last_snapshot_that_ended(world: World, client: httpx.AsyncClient, as_: As) -> None:
    await register(world)
    begin, end = {"epoch": 5, "count": 1}, {"epoch": 5}
    first = [record(0, begin, "PartnerSnapshotBegun"), record(1, posting(1)), record(2, end, "PartnerSnapshotEnded")]
    await take(world, first)
    await take(world, [record(3, posting(1, id="B9")), record(4, {"epoch": 6, "count": 3}, "PartnerSnapshotBegun")])
    drift = (await client.get(URL, headers=as_("operator"))).json()["drift"]
    assert (drift["epoch"], drift["named"], drift["open_now"]) == (5, 1, 2)


async def test_as_a_page_it_is_for_people_and_harmless(world: World, client: httpx.AsyncClient, as_: As) -> None:
    await register(world)
    await partners.put(world.context, "north", PartnerTerms(name="<script>alert(1)</script>"))
    await take(world, [record(0, posting(1)), record(1, {"id": "B1", "pay": {"min": -1}})])
    await keep_receipts(world.store, lambda: world.now, await world.outbox())
    headers = as_("operator") | {"Accept": "text/html"}
    for lang, title in (("zh", "合作方评分卡"), ("en", "Partner scorecard")):
        page = await client.get(URL, headers=headers, params={"lang": lang})
        assert page.headers["content-type"].startswith("text/html")
        assert title in page.text
        assert "<script" not in page.text
        assert "&lt;script&gt;" in page.text
        assert "<svg" in page.text
        assert "missing" in page.text
    assert (await client.get(URL, headers=headers, params={"lang": "fr"})).status_code == 422


async def test_others_do_not_read_it(world: World, client: httpx.AsyncClient, as_: As) -> None:
    await register(world)
    assert (await client.get(URL, headers=as_("partner", partner="south"))).status_code == 404
    assert (await client.get(URL, headers=as_("seeker"))).status_code == 403
    assert (await client.get("/partners/nobody/scorecard", headers=as_("operator"))).status_code == 404
