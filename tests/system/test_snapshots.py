"""A snapshot that closes 2,000 postings, and the service is killed in the middle of it."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from functools import partial

import pytest

from shared.contracts.registry import POSTINGS
from tests.system.topics import Topics, headers_of
from tests.system.town import OPERATOR, Json, Town
from tests.waiting import until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(280)]

PARTNER = "shandong"
SUBMITTED, RECEIPTS = f"partner.{PARTNER}.postings.v1", f"partner.{PARTNER}.receipts.v1"
GOES, STAYS = 2_000, 100
ENV = {"postings": {"SNAPSHOT_CLOSING_CHUNK": "50"}}


async def send(topics: Topics, kind: str, bodies: list[Json]) -> None:
    headers = headers_of(kind, SUBMITTED)
    sent = [
        await topics.producer.send(SUBMITTED, json.dumps(body).encode(), b"k", headers=list(headers)) for body in bodies
    ]
    await asyncio.gather(*sent)


async def snapshot(topics: Topics, epoch: int, bodies: list[Json]) -> None:
    await send(topics, "PartnerSnapshotBegun", [{"epoch": epoch, "count": len(bodies)}])
    await send(topics, "PartnerPostingSubmitted", bodies)
    await send(topics, "PartnerSnapshotEnded", [{"epoch": epoch}])


async def newest(town: Town) -> Json:
    answer = await town.ask(OPERATOR, "GET", "postings", f"/partners/{PARTNER}/snapshots")
    assert answer.status_code == 200, answer.text
    items: list[Json] = answer.json()["items"]
    return items[0] if items else {"state": None}


async def test_killed_while_it_closes_it_closes_each_once(town: Town, topics: Topics) -> None:
    registered = {"name": "山东 Shandong", "renews": "snapshot"}
    await town.ask(OPERATOR, "PUT", "postings", f"/partners/{PARTNER}", registered)
    bodies: list[Json] = [{"id": f"S{number}", "title": {"zh": "焊工"}} for number in range(GOES + STAYS)]
    await snapshot(topics, 1, bodies)

    async def state(epoch: int, wanted: str) -> Json:
        one = await newest(town)
        return one if (one.get("epoch"), one["state"]) == (epoch, wanted) else {}

    await until(lambda: state(1, "closed"), "all postings are taken", 90)
    await snapshot(topics, 2, bodies[:STAYS])
    held = await until(lambda: state(2, "held"), "it is held, for it would close nearly all")
    assert held["closes"] == GOES

    process = town.platform["postings"]
    rows = f"/partners/{PARTNER}/snapshots/2/release"
    released = await town.ask(OPERATOR, "POST", "postings", rows)
    assert (released.status_code, released.json()["state"]) == (200, "closing")

    async def closed(least: int) -> Counter[str]:
        records = await topics.read(POSTINGS)
        found = Counter(
            f"{raw.key.decode()} {raw.body['version']}"
            for raw in records
            if raw.value and raw.body.get("close_reason") == "removed_by_partner"
        )
        return found if len(found) >= least else Counter()

    kills = []
    for more in (1, 600):  # soon after the first chunk, and once more
        before = await until(partial(closed, more), f"{more} are closed", 60)
        process.kill()
        kills.append(len(before))
        process.restart()
        await asyncio.to_thread(process.wait_ready)
    assert kills[0] < GOES, f"the first kill came too late: {kills}"
    await until(lambda: state(2, "closed"), "the rest is closed by the next process", 90)
    found = await until(partial(closed, GOES), "all is told", 60)
    print(f"killed after {kills} of {GOES} closings were told")
    assert len(found) == GOES, "one version each: closed once"
    assert {name.split()[1] for name in found} == {"2"}

    await snapshot(topics, 3, bodies[:STAYS])
    await until(lambda: state(3, "closed"), "a complete one that closes nothing")

    async def ends() -> list[Json]:
        found = [raw.body for raw in await topics.read(RECEIPTS) if "epoch" in raw.body]
        return found if any(one["epoch"] == 3 and "closes" in one for one in found) else []  # the last one

    answers = await until(ends, "each begin and end is answered")
    said = {(one["id"], one["epoch"], one["outcome"], one.get("closes")) for one in answers}
    assert len(said) == len({one["id"] for one in answers}), "always the same answer"
    assert sorted((epoch, outcome, closes) for _, epoch, outcome, closes in said if closes is not None) == [
        (1, "accepted", 0),
        (2, "held", GOES),
        (3, "accepted", 0),
    ]
