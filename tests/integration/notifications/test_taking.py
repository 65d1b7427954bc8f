"""Lists into Mongo: what is kept, what is retracted, what is forgotten."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from bson import encode
from msgspec import to_builtins

from services.notifications.domain import State
from services.notifications.store.rows import Packed, pack, unpack
from services.notifications.usecases import taking
from services.notifications.usecases.inbox import Inboxes, act, bring_up_to_date, cards, trim
from tests.integration.notifications.conftest import Take
from tests.integration.notifications.making import a_posting, posting_list, seeker_list


async def live(inboxes: Inboxes, recipient: str) -> set[tuple[str, str | None]]:
    await bring_up_to_date(inboxes, recipient)
    items = await inboxes.store.after(recipient, 0, 1000)
    return {(item.key.posting, item.key.seeker) for item in items if item.live}


async def test_both_sides_hear_and_only_the_last_holder_retracts(inboxes: Inboxes, take: Take):
    await take(posting_list("p1", 1, ["s1", "s2"]), seeker_list("s1", 1, ["p1", "p2"]))
    assert await live(inboxes, "seeker:s1") == {("p1", None), ("p2", None)}
    assert await live(inboxes, "seeker:s2") == {("p1", None)}
    assert await live(inboxes, "employer:acme") == {("p1", "s1"), ("p1", "s2"), ("p2", "s1")}

    await take(posting_list("p1", 2, []))
    assert await live(inboxes, "employer:acme") == {("p1", "s1"), ("p2", "s1")}, "the seeker's list holds it still"
    await take(seeker_list("s1", 2, []))
    assert await live(inboxes, "employer:acme") == set()
    assert await live(inboxes, "seeker:s1") == set()


async def test_a_list_that_is_not_newer_is_ignored(inboxes: Inboxes, take: Take):
    await take(posting_list("p1", 3, ["s1"]))
    assert await take(posting_list("p1", 3, ["s2"]), posting_list("p1", 2, ["s3"])) == set()
    assert await live(inboxes, "employer:acme") == {("p1", "s1")}


async def test_who_is_touched(take: Take):
    assert await take(posting_list("p1", 1, ["s1", "s2"])) == {"employer:acme", "seeker:s1", "seeker:s2"}
    assert await take(posting_list("p1", 2, ["s2", "s3"])) == {"employer:acme", "seeker:s1", "seeker:s3"}
    assert await take(seeker_list("s1", 1, ["p8"])) == {"seeker:s1", "employer:acme"}
    assert await take(seeker_list("s1", 2, ["p9"])) == {"seeker:s1", "employer:acme"}, "same employer, other pair"


async def test_looks_at_the_same_time_number_each_change_once(inboxes: Inboxes, take: Take):
    await take(seeker_list("s1", 1, [f"p{number}" for number in range(20)]))
    stands = await asyncio.gather(*(bring_up_to_date(inboxes, "seeker:s1") for _ in range(8)))
    assert {inbox.seq for inbox in stands} == {20}
    items = await inboxes.store.after("seeker:s1", 0, 100)
    assert [item.seq for item in items] == list(range(1, 21))


async def test_erasure_leaves_no_byte_of_the_seeker(inboxes: Inboxes, take: Take):
    await take(posting_list("p1", 1, ["s-gone", "s2"]), seeker_list("s-gone", 1, ["p1", "p2"]))
    await bring_up_to_date(inboxes, "seeker:s-gone")
    told = await bring_up_to_date(inboxes, "employer:acme")

    await take(tombstones={"seeker:s-gone": 7})
    await take(posting_list("p1", 2, ["s-gone", "s3"]), seeker_list("s-gone", 2, ["p1"]))

    for name in await inboxes.mongo.db.list_collection_names():
        async for row in inboxes.mongo.db[name].find():
            if name == "lists":
                row["entries"] = to_builtins(unpack(row["entries"]))
            assert name == "tombstones" or b"s-gone" not in encode(row), name
    assert await live(inboxes, "employer:acme") == {("p1", "s3")}
    changed = await inboxes.store.after("employer:acme", told.seq, 100)
    erased = [item for item in changed if item.key.posting == "p2" or item.key.seeker is None]
    assert [(item.live, item.key.seeker, item.reasons) for item in erased] == [(False, None, None)] * 2


async def test_erasure_is_done_again_for_what_did_not_see_it(inboxes: Inboxes, take: Take):
    await take(tombstones={"seeker:s1": 2})
    late = {"_id": "posting:p1", "own": "employer:acme", "recipients": ["employer:acme", "seeker:s1"]}
    entries = pack([Packed("s1", None, 1, (1,), (), (), ())])
    await inboxes.mongo.db["lists"].insert_one({**late, "entries": entries, "revision": 1})
    assert await live(inboxes, "employer:acme") == set(), "not shown meanwhile either"
    await taking.erase_again(inboxes.store, timedelta(hours=1))
    assert await inboxes.mongo.db["lists"].count_documents({"recipients": "seeker:s1"}) == 1, "too early"
    await taking.erase_again(inboxes.store, timedelta(0))
    row = await inboxes.mongo.db["lists"].find_one({"_id": "posting:p1"})
    assert row is not None
    assert (unpack(row["entries"]), row["recipients"]) == ([], ["employer:acme"])
    now = datetime.now(UTC)
    assert await inboxes.store.to_erase_again(now, 10) == [], "not before tomorrow"
    assert await inboxes.store.to_erase_again(now + timedelta(days=2), 10) == ["seeker:s1"]
    await inboxes.store.erase_again(["seeker:s1"], now)
    assert await inboxes.store.to_erase_again(now + timedelta(days=9), 10) == [], "that was the last time"


async def test_a_late_list_of_who_was_erased_meanwhile_does_not_come_back(inboxes: Inboxes, take: Take):
    """The process that stores it was paused after it had looked."""
    await take(seeker_list("s1", 1, ["p1"]))
    known = await inboxes.store.kept(["seeker:s1"])
    await take(tombstones={"seeker:s1": 2})
    await inboxes.store.save_lists([seeker_list("s1", 2, ["p1"])], known)
    assert await inboxes.store.kept(["seeker:s1"]) == {}


async def test_of_two_who_store_an_anchors_first_lists_at_once_the_newer_stays(inboxes: Inboxes):
    first, second = seeker_list("s1", 1, ["p1"]), seeker_list("s1", 2, ["p2"])
    for order in ([first, second], [second, first]):
        for list_ in order:
            await inboxes.store.save_lists([list_], {})
        kept = await inboxes.store.kept(["seeker:s1"])
        assert kept["seeker:s1"].revision == 2


async def test_trimmed_after_a_while(inboxes: Inboxes, take: Take):
    await take(seeker_list("s1", 1, ["p1", "p2"]))
    await bring_up_to_date(inboxes, "seeker:s1")
    await take(seeker_list("s1", 2, ["p2"]))
    assert (await bring_up_to_date(inboxes, "seeker:s1")).seq == 3
    await trim(inboxes, timedelta(days=1))
    assert len(await inboxes.store.after("seeker:s1", 0, 10)) == 2
    await trim(inboxes, timedelta(0))
    assert len(await inboxes.store.after("seeker:s1", 0, 10)) == 1
    assert (await inboxes.store.inbox("seeker:s1")).trimmed_to == 3


async def test_acting_on_a_foreign_item_changes_nothing(inboxes: Inboxes, take: Take):
    await take(seeker_list("s1", 1, ["p1"]))
    await bring_up_to_date(inboxes, "seeker:s1")
    (item,) = await inboxes.store.after("seeker:s1", 0, 10)
    assert await act(inboxes, "seeker:s2", item.id, State.READ) is None
    assert await act(inboxes, "seeker:s1", item.id, State.READ) == await act(inboxes, "seeker:s1", item.id, State.READ)
    assert (await inboxes.store.inbox("seeker:s1")).seq == 2


async def test_postings_keep_their_newest_version(inboxes: Inboxes):
    store, day = inboxes.store, timedelta(days=1)

    async def taken(*postings: object, tombstones: dict[str, int] | None = None) -> None:
        await taking.take_postings(store, postings, tombstones or {}, day)  # type: ignore[arg-type]

    await taken(a_posting("p1", 2, "Second"), a_posting("p1", 1, "First"))
    await taken(a_posting("p1", 1, "First"))
    assert (await store.cards(["p1"]))["p1"].title == {"en": "Second"}
    await taken(tombstones={"p1": 3})
    await taken(a_posting("p1", 2, "Second"))
    assert await store.cards(["p1"]) == {}


async def test_a_reader_waits_a_moment_for_the_card_of_a_new_posting(inboxes: Inboxes, take: Take):
    await take(seeker_list("s1", 1, ["p1"]))
    await bring_up_to_date(inboxes, "seeker:s1")
    items = await inboxes.store.after("seeker:s1", 0, 10)
    assert await cards(inboxes, items) == {}, "who does not wait sees none"

    waiting = asyncio.create_task(cards(replace(inboxes, cards_awaited_s=20), items))
    await asyncio.sleep(0.1)
    assert not waiting.done()
    await taking.take_postings(inboxes.store, [a_posting("p1", 1, "Welder")], {}, timedelta(days=1))
    assert (await waiting)["p1"].title == {"en": "Welder"}


async def test_nobody_waits_for_the_card_of_what_is_retracted(inboxes: Inboxes, take: Take):
    await take(seeker_list("s1", 1, ["p1"]))
    await bring_up_to_date(inboxes, "seeker:s1")
    await take(seeker_list("s1", 2, []))
    await bring_up_to_date(inboxes, "seeker:s1")
    items = await inboxes.store.after("seeker:s1", 0, 10)
    async with asyncio.timeout(5):
        assert await cards(replace(inboxes, cards_awaited_s=60), items) == {}
