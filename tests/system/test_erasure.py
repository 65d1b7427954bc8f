"""Erase a seeker: gone from each place, in the time that it has there."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest
from bson import BSON
from msgspec import to_builtins
from pymongo import MongoClient

from deploy.servers import Servers
from services.notifications.store.rows import unpack
from shared.contracts.envelope import VERSION_HEADER
from shared.contracts.recommendations import (
    AnchorKind,
    AsOf,
    Components,
    Entry,
    RecommendationsRefreshed,
)
from shared.contracts.registry import POSTING_LISTS
from tests.system.topics import Topics, headers_of, topics_of
from tests.system.town import (
    OPERATOR,
    Json,
    Town,
    employer_caller,
    own_skill,
    seeker_caller,
    stream,
)
from tests.waiting import until

pytestmark = pytest.mark.slow

ENV = {"matcher": {"SNAPSHOT_EVERY_S": "1"}, "notifications": {"ERASED_AGAIN_AFTER_S": "2"}}

CONTACT = {"name": "诸葛孔明 Zhuge Kongming", "phone": "+86 531 8000 1234", "email": "kongming@longzhong.example"}
CONTACT_TRACES = ["诸葛", "Zhuge", "8000 1234", "longzhong"]


def unpacked(row: Json) -> Json:
    """A list's entries are stored compressed: nothing may hide there."""
    return row | {"entries": to_builtins(unpack(row["entries"]))} if "entries" in row else row


def rows_with(town: Town, database: str, *texts: str) -> list[tuple[str, Json]]:
    """Collection and document of everything in a service's database that holds one of these texts."""
    client: MongoClient[Json] = MongoClient(town.servers.addresses.mongo)
    try:
        db = client[database]
        return [
            (name, row)
            for name in db.list_collection_names()
            for row in map(unpacked, db[name].find())
            if any(text.encode() in bytes(BSON.encode(row)) for text in texts)
        ]
    finally:
        client.close()


def snapshot(town: Town) -> Path:
    return town.platform.root / "state" / "matcher" / "index.snapshot"


def snapshot_names(town: Town, text: str) -> bool:
    """Numpy's archives are not compressed: what is in it can be read in it."""
    return snapshot(town).exists() and text.encode() in snapshot(town).read_bytes()


async def a_matched_seeker(town: Town) -> tuple[str, str, str]:
    """A seeker who is recommended to an employer and back; ids of seeker, employer, posting."""
    employer = await town.new_employer()
    posting = await town.new_posting(employer)
    seeker = await town.new_seeker(contact=CONTACT)
    await until(lambda: is_matched(town, seeker, employer, posting), "both sides are told")
    item = (await town.inbox(seeker_caller(seeker)))[0]["item"]
    read = await town.ask(seeker_caller(seeker), "POST", "notifications", f"/inbox/{item}/read")
    assert read.status_code == 200
    await until(lambda: there(snapshot_names(town, seeker)), "the snapshot holds the seeker")
    assert rows_with(town, "notifications", seeker)
    assert "lists" in {name for name, _ in rows_with(town, "notifications", town.trade)}, "entries are looked into"
    return seeker, employer, posting


async def is_matched(town: Town, seeker: str, employer: str, posting: str) -> bool:
    return posting in await town.live_postings(seeker) and seeker in await town.live_seekers(employer)


async def there(found: bool) -> bool:  # noqa: FBT001 - to be awaited by `until`
    return found


def check_profiles(town: Town, seeker: str) -> None:
    """As soon as the command is answered: nothing personal, and the id with its version."""
    assert rows_with(town, "profiles", *CONTACT_TRACES, own_skill(town.trade)) == []
    left = [(name, row) for name, row in rows_with(town, "profiles", seeker) if name != "outbox"]
    assert [(name, set(row)) for name, row in left] == [("seekers", {"_id", "version", "erased_at"})]


async def check_others(town: Town, seeker: str, employer: str, posting: str) -> None:
    """Soon after the tombstone: nothing but the tombstone itself."""

    async def gone() -> bool:
        left = rows_with(town, "notifications", seeker, own_skill(town.trade))
        return [name for name, _ in left] == ["tombstones"]

    await until(gone, "notifications keeps nothing but the tombstone", 30)
    ((_, tombstone),) = rows_with(town, "notifications", seeker)
    assert tombstone.keys() <= {"_id", "version", "at", "forget_at", "again", "final"}

    for who in (OPERATOR, seeker_caller(seeker)):
        for path in (f"/lists/seeker/{seeker}", f"/explain?posting={posting}&seeker={seeker}"):
            assert (await town.ask(who, "GET", "matcher", path)).status_code == 404
    shown = await town.ask(employer_caller(employer), "GET", "matcher", f"/lists/posting/{posting}")
    assert shown.status_code == 200
    assert seeker not in shown.text
    assert await town.inbox(seeker_caller(seeker)) == []
    told = await town.ask(employer_caller(employer), "GET", "notifications", "/inbox")
    assert seeker not in told.text
    assert [item["live"] for item in told.json()["items"]] == [False]
    async with stream(town, seeker_caller(seeker)) as reader:
        await asyncio.sleep(0.3)
        assert reader.events.empty()

    before = snapshot(town).stat().st_mtime_ns
    await until(lambda: there(snapshot(town).stat().st_mtime_ns > before), "the next snapshot")
    assert not snapshot_names(town, own_skill(town.trade))


async def test_an_erased_seeker_is_gone_everywhere(town: Town) -> None:
    seeker, employer, posting = await a_matched_seeker(town)
    erased = await town.ask(seeker_caller(seeker), "DELETE", "profiles", f"/seekers/{seeker}")
    assert erased.status_code == 204
    check_profiles(town, seeker)
    await check_others(town, seeker, employer, posting)


async def test_a_list_that_names_an_erased_seeker_comes_late(town: Town, topics: Topics) -> None:
    seeker, employer, posting = await a_matched_seeker(town)
    await town.ask(seeker_caller(seeker), "DELETE", "profiles", f"/seekers/{seeker}")
    await check_others(town, seeker, employer, posting)
    other = f"s-{uuid4().hex[:12]}"
    late = RecommendationsRefreshed(
        kind=AnchorKind.POSTING,
        anchor=posting,
        revision=1000,
        anchor_version=1,
        as_of=AsOf(postings=(0,) * 8, profiles=(0,) * 8),
        now=datetime.now(UTC),
        policy="late",
        employer_id=employer,
        entries=tuple(
            Entry(id=who, version=1, points=500, components=Components(), matched=("esco:welding",))
            for who in (seeker, other)
        ),
    )
    last = next(r for r in reversed(await topics.read(POSTING_LISTS)) if r.key == posting.encode())
    await topics.write(
        POSTING_LISTS,
        posting.encode(),
        late.model_dump_json().encode(),
        headers_of("RecommendationsRefreshed", POSTING_LISTS, 1000),
        partition=last.partition,
    )

    async def answered() -> bool:
        """The list's owner writes its own above it; notifications has taken that or the late one in."""
        newest = [r for r in await topics.read(POSTING_LISTS) if r.key == posting.encode()][-1]
        ((_, row),) = [(name, row) for name, row in rows_with(town, "notifications", posting) if name == "lists"]
        return bool(newest.body["revision"] > 1000 and row["revision"] == newest.body["revision"])

    await until(answered, "the owner has answered the late list")
    assert seeker not in (await town.ask(employer_caller(employer), "GET", "notifications", "/inbox")).text
    assert [name for name, _ in rows_with(town, "notifications", seeker)] == ["tombstones"]


async def test_with_the_matcher_and_kafka_down_in_between(town: Town, own_servers: Servers) -> None:
    seeker, employer, posting = await a_matched_seeker(town)
    matcher = town.platform["matcher"]
    matcher.stop()
    assert snapshot_names(town, seeker)
    own_servers.kafka.stop()
    try:

        async def says_so() -> bool:
            moved = await town.ask(seeker_caller(seeker), "POST", "profiles", f"/seekers/{seeker}/pause")
            return bool(moved.headers.get("x-publishing") == "delayed")

        await until(says_so, "profiles knows that Kafka is away")
        erased = await town.ask(seeker_caller(seeker), "DELETE", "profiles", f"/seekers/{seeker}")
        assert (erased.status_code, erased.headers.get("x-publishing")) == (204, "delayed")
        check_profiles(town, seeker)
    finally:
        own_servers.kafka.start()
    matcher.restart().wait_ready()
    await check_others(town, seeker, employer, posting)
    async with topics_of(own_servers.addresses.kafka) as topics:
        newest = {raw.key: raw for raw in await topics.read("profiles.v1", "recommendations.seekers.v1")}
    assert newest[seeker.encode()].value is None
    assert (dict(newest[seeker.encode()].headers)[VERSION_HEADER] or b"").isdigit()
