"""Receipts once more: the same ids, the same answers, each once a replay, whatever is killed."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx
import pytest

from services.postings.domain.employer import PartnerState
from services.postings.usecases import partners, replays
from services.postings.usecases.intake import keep_receipts
from shared import outbox
from shared.mongo import Document
from tests.integration.postings.conftest import As, World
from tests.integration.postings.test_intake import posting, record, register, take

URL = "/partners/north/replay"


async def answered(world: World, *records: Any) -> list[Document]:  # noqa: ANN401 - records of the tests
    """The receipts' rows of these records, published and kept."""
    await take(world, list(records))
    rows = [row for row in await world.outbox() if row["type"].endswith("Receipt")]
    await keep_receipts(world.store, lambda: world.now, rows)
    await world.mongo.db[outbox.OUTBOX].delete_many({})
    return rows


def told(rows: list[Document]) -> list[tuple[Any, ...]]:
    """What a reader of the topic sees of them."""
    names = ("aggregatetype", "aggregateid", "type", "payload")
    return [(*(row[name] for name in names), row["headers"]["ce_id"]) for row in rows]


add = outbox.add


async def killed(*given: Any) -> None:  # noqa: ANN401
    await add(*given)
    raise KeyboardInterrupt


async def test_receipts_since_a_time_come_again_as_they_were(
    world: World, client: httpx.AsyncClient, as_: As, monkeypatch: pytest.MonkeyPatch
) -> None:
    await register(world)
    await register(world, "south")
    await answered(world, record(0, posting(1)))
    world.now += timedelta(hours=1)
    since = world.now.isoformat()
    begun = record(3, {"epoch": 1, "count": 1}, "PartnerSnapshotBegun")
    rows = await answered(
        world, record(1, posting(1)), record(2, {"id": "B", "pay": {"min": -1}}), begun, record(4, posting(0))
    )
    await answered(world, record(0, posting(1), partner="south"))
    for caller in (as_("operator"), as_("partner", partner="north")):
        answer = await client.post(URL, json={"from": since}, headers=caller)
        assert (answer.status_code, answer.json()["receipts"]) == (202, 4)
        await replays.publish(world.context, 3)
        assert len(await world.outbox()) == 3, "so many at a time"
        with monkeypatch.context() as patched:
            patched.setattr(outbox, "add", killed)
            with pytest.raises(KeyboardInterrupt):
                await replays.publish(world.context, 3)
        for _ in range(3):
            await replays.publish(world.context, 3)
        again = await world.outbox()
        assert told(again) == told(rows)
        await keep_receipts(world.store, lambda: world.now, again)
        await world.mongo.db[outbox.OUTBOX].delete_many({})
    kept = (await client.get("/partners/north/receipts", headers=as_("operator"))).json()["items"]
    assert len(kept) == 5, "they are no new ones"


async def test_who_may_and_when_there_is_nothing(world: World, client: httpx.AsyncClient, as_: As) -> None:
    await register(world)
    own, since = as_("partner", partner="north"), {"from": world.now.isoformat()}
    assert (await client.post(URL, json=since, headers=own)).json()["receipts"] == 0
    assert (await client.post(URL, json=since, headers=as_("partner", partner="south"))).status_code == 404
    assert (await client.post("/partners/nobody/replay", json=since, headers=as_("operator"))).status_code == 404
    assert (await client.post(URL, json={"from": "yesterday"}, headers=own)).status_code == 422
    await answered(world, record(0, posting(1)))
    await partners.change_state(world.context, "north", PartnerState.PAUSED)
    assert (await client.post(URL, json=since, headers=own)).json()["receipts"] == 1, "it still reads"
    await partners.change_state(world.context, "north", PartnerState.RETIRED)
    assert (await client.post(URL, json=since, headers=own)).status_code == 403
