"""Snapshots against the real database: chunks and crashes, held ones, repeats, what renews and what is forgotten."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar

import httpx
import pytest

from services.postings.domain.employer import PartnerTerms, Renews
from services.postings.domain.posting import partner_posting_id
from services.postings.domain.snapshots import Limits, State
from services.postings.usecases import partners
from services.postings.usecases.expiry import Lifetimes, expire, expire_forgotten
from services.postings.usecases.intake import keep_receipts
from services.postings.usecases.snapshots import close_unseen, count_held
from shared import metrics
from shared.errors import Unavailable
from tests.integration.postings.conftest import As, World
from tests.integration.postings.test_intake import _commands, events, receipts, record, register, take

if TYPE_CHECKING:
    from shared.consuming import Record
    from shared.mongo import Document, Session

T = TypeVar("T")
CHUNK = 4
LIFETIMES = Lifetimes(unseen=timedelta(days=40), unchanged=timedelta(days=180))


class Feed:
    """A partner's topic: each record at the next offset."""

    def __init__(self, world: World, partner: str = "north") -> None:
        self.world, self.partner, self.offset = world, partner, 0

    def of(self, body: object, kind: str = "PartnerPostingSubmitted") -> Record:
        self.offset += 1
        return record(self.offset, body, kind, self.partner)

    def submits(self, names: Iterable[str]) -> list[Record]:
        return [self.of({"id": name, "title": {"zh": "焊工"}}) for name in names]

    def begin(self, epoch: int, count: int) -> Record:
        return self.of({"epoch": epoch, "count": count}, "PartnerSnapshotBegun")

    def end(self, epoch: int) -> Record:
        return self.of({"epoch": epoch}, "PartnerSnapshotEnded")

    async def snapshot(self, epoch: int, names: list[str], count: int | None = None) -> dict[str, Any]:
        """One batch; the receipt of its end."""
        begin = self.begin(epoch, len(names) if count is None else count)
        await take(self.world, [begin, *self.submits(names), self.end(epoch)])
        return (await answers(self.world))[-1]


async def answers(world: World) -> list[dict[str, Any]]:
    rows = await world.outbox()
    found = [row for row in rows if row["type"] == "SnapshotReceipt"]
    return [{"outcome": "", **_body(row)} for row in found]


def _body(row: Document) -> dict[str, Any]:
    return receipts([{**row, "type": "PostingReceipt"}])[0]


async def still_open(world: World, partner: str = "north") -> set[str]:
    rows = world.mongo.db["postings"].find({"partner": partner, "status": "open"})
    return {row["body"]["source"]["id"] async for row in rows}


async def states(world: World) -> list[tuple[int, str]]:
    return [(one.epoch, one.state.value) for one in (await world.store.histories(["north"]))["north"]]


@pytest.fixture
async def feed(world: World) -> Feed:
    await register(world)
    return Feed(world)


def names(first: int, last: int) -> list[str]:
    return [f"N{number}" for number in range(first, last)]


async def test_what_was_not_named_is_closed_and_the_receipts_say_how_much(world: World, feed: Feed) -> None:
    await take(world, feed.submits(names(0, 10)))
    begin, end = (await answers(world)), await feed.snapshot(1, names(0, 7))
    assert begin == []
    first, last = await answers(world)
    assert (first["outcome"], first["epoch"], first["count"], "closes" in first) == ("accepted", 1, 7, False)
    assert (end, last["count"], last["named"], last["closes"]) == (last, 7, 7, 3)
    assert last["id"] == f"partner.north.postings.v1/0/{feed.offset}"
    assert await states(world) == [(1, "closing")]
    assert await close_unseen(world.context, CHUNK) == 3
    assert await close_unseen(world.context, CHUNK) == 0
    assert await still_open(world) == set(names(0, 7))
    assert await states(world) == [(1, "closed")]
    gone = await world.store.posting(partner_posting_id("north", "N8"))
    assert gone is not None
    assert (gone.version, gone.close_reason) == (2, "removed_by_partner")


@pytest.mark.parametrize("inside", [False, True], ids=["between two chunks", "in the middle of a chunk"])
@pytest.mark.parametrize("after", range(5))
async def test_killed_anywhere_it_goes_on_and_closes_each_once(
    world: World, feed: Feed, monkeypatch: pytest.MonkeyPatch, after: int, *, inside: bool
) -> None:
    world.limits = Limits(1, 1000)
    await take(world, feed.submits(names(0, 15)))
    await feed.snapshot(1, ["N0"])
    with monkeypatch.context() as patched:
        dies(patched, world, after, inside=inside)
        with pytest.raises(Unavailable, match="killed"):
            await close_unseen(world.context, CHUNK)
    # 14 are closed in chunks of 4, 4, 4 and 2
    assert len(await still_open(world)) == max(15 - CHUNK * after, 1)
    await take(world, feed.submits(["N14", "N3"]))  # closed or not by now: first closed, then open again
    await close_unseen(world.context, CHUNK)
    await close_unseen(world.context, CHUNK)
    assert await still_open(world) == {"N0", "N3", "N14"}
    told = Counter(row["aggregateid"] for row in await world.outbox() if row["type"] == "PostingClosed")
    assert len(told) == 14
    assert set(told.values()) == {1}
    again = await world.store.posting(partner_posting_id("north", "N3"))
    assert again is not None
    assert (again.version, again.status) == (3, "open")
    assert await states(world) == [(1, "closed")]


def dies(patched: pytest.MonkeyPatch, world: World, after: int, *, inside: bool) -> None:
    """After so many transactions this process is gone, or just before it would commit the next one."""
    begun, transaction = 0, world.mongo.transaction

    async def mortal(work: Callable[[Session], Awaitable[T]]) -> T:
        nonlocal begun
        begun += 1
        if begun <= min(after, 4):
            result = await transaction(work)
            if begun == after == 4:
                raise Unavailable("killed")
            return result
        if not inside:
            raise Unavailable("killed")

        async def cut_off(session: Session) -> T:
            await work(session)
            raise Unavailable("killed")

        return await transaction(cut_off)

    patched.setattr(world.mongo, "transaction", mortal)


async def test_the_same_end_again_closes_nothing_more(world: World, feed: Feed) -> None:
    await take(world, feed.submits(names(0, 3)))
    await feed.snapshot(1, ["N0"])
    await take(world, [feed.end(1)])
    await close_unseen(world.context, CHUNK)
    await take(world, feed.submits(["N7"]))
    await take(world, [feed.end(1), feed.begin(1, 1)])
    said = [(one["outcome"], one.get("closes")) for one in (await answers(world))[1:]]
    assert said == [("accepted", 2), ("unchanged", 2), ("unchanged", 2), ("stale", 2)]
    assert await close_unseen(world.context, CHUNK) == 0
    assert await still_open(world) == {"N0", "N7"}


async def test_a_rejected_record_and_one_that_is_stale_are_there(world: World, feed: Feed) -> None:
    old = {"id": "old", "title": {"zh": "焊工"}, "sequence": 5}
    await take(world, [*feed.submits(["broken", "gone"]), feed.of(old)])
    begin = feed.begin(1, 3)
    bad = [feed.of({"id": "broken", "title": {}}), feed.of(old | {"sequence": 4}), feed.of({"id": "new", "title": {}})]
    twice = feed.of({"id": "broken", "title": {}})
    await take(world, [begin, *bad, twice, feed.end(1)])
    end = (await answers(world))[-1]
    assert (end["outcome"], end["named"], end["closes"]) == ("accepted", 3, 1)
    await close_unseen(world.context, CHUNK)
    assert await still_open(world) == {"broken", "old"}


async def test_a_control_record_that_cannot_be_read_is_rejected(world: World, feed: Feed) -> None:
    await take(world, [feed.of({"epoch": -1, "count": 3}, "PartnerSnapshotBegun"), feed.end(7)])
    rows = await world.outbox()
    assert [(one["outcome"], one["faults"][0]["pointer"]) for one in receipts(rows)] == [("rejected", "/epoch")]
    (end,) = await answers(world)
    assert (end["outcome"], end["faults"][0]["code"]) == ("rejected", "snapshot_not_begun")
    assert set(end["faults"][0]["reason"]) == {"zh", "en"}


async def test_a_shrunken_snapshot_waits_for_an_operator(
    world: World,
    feed: Feed,
    client: httpx.AsyncClient,
    as_: As,
) -> None:
    world.limits = Limits(0.2, 2)
    operator, own = as_("operator"), as_("partner", partner="north")
    await take(world, feed.submits(names(0, 10)))
    held = await feed.snapshot(1, [*names(0, 6), "new"])
    assert (held["outcome"], held["closes"], held["faults"][0]["code"]) == ("held", 4, "closes_many")
    assert await close_unseen(world.context, CHUNK) == 0
    await count_held(world.context)
    assert metrics.SNAPSHOTS_HELD._value.get() == 1
    assert await still_open(world) == {*names(0, 10), "new"}, "what was sent was taken, what was not stays"
    await take(world, feed.submits(["N9"]))  # seen since

    where = "/partners/north/snapshots"
    (shown,) = (await client.get(where, headers=own)).json()["items"]
    assert (shown["epoch"], shown["state"], shown["open"], shown["closes"]) == (1, "held", 10, 4)
    assert (await client.get(where, headers=as_("partner", partner="south"))).status_code == 404
    assert (await client.get("/partners/none/snapshots", headers=operator)).status_code == 404
    assert (await client.post(f"{where}/1/release", headers=own)).status_code == 403
    assert (await client.post(f"{where}/2/release", headers=operator)).status_code == 404
    assert (await client.post(f"{where}/x/release", headers=operator)).status_code == 422

    for _ in range(2):
        released = await client.post(f"{where}/1/release", headers=operator)
        assert (released.status_code, released.json()["closes"]) == (200, 3)
        await close_unseen(world.context, CHUNK)
    assert await still_open(world) == {*names(0, 6), "N9", "new"}
    assert (await client.post(f"{where}/1/discard", headers=operator)).status_code == 409
    (shown,) = (await client.get(where, headers=operator)).json()["items"]
    assert (shown["state"], shown["decided_by"]) == ("closed", "someone")
    await count_held(world.context)
    assert metrics.SNAPSHOTS_HELD._value.get() == 0


async def test_an_incomplete_snapshot_is_superseded_by_a_complete_one(
    world: World,
    feed: Feed,
    client: httpx.AsyncClient,
    as_: As,
) -> None:
    operator = as_("operator")
    await take(world, feed.submits(names(0, 5)))
    assert (await feed.snapshot(1, ["N0"], count=4))["outcome"] == "held"
    await take(world, [feed.begin(2, 4), *feed.submits(["N1"])])  # and its sender dies
    assert await states(world) == [(1, "superseded"), (2, "begun")]
    for epoch in (1, 2):
        late = await client.post(f"/partners/north/snapshots/{epoch}/release", headers=operator)
        assert (late.status_code, late.json()["code"]) == (409, "not_held")
    assert (await feed.snapshot(3, ["N0", "N2", "N3", "N4"]))["outcome"] == "accepted"
    await take(world, [feed.end(2), feed.end(1), feed.begin(2, 4)])
    assert [one["outcome"] for one in (await answers(world))[-3:]] == ["stale"] * 3
    await close_unseen(world.context, CHUNK)
    assert await still_open(world) == {"N0", "N2", "N3", "N4"}
    assert await states(world) == [(1, "superseded"), (2, "superseded"), (3, "closed")]


async def test_a_discarded_snapshot_closes_nothing(
    world: World,
    feed: Feed,
    client: httpx.AsyncClient,
    as_: As,
) -> None:
    await take(world, feed.submits(names(0, 5)))
    await feed.snapshot(1, ["N0"], count=4)
    for _ in range(2):
        done = await client.post("/partners/north/snapshots/1/discard", headers=as_("operator"))
        assert (done.status_code, done.json()["state"]) == (200, State.DISCARDED)
    assert await close_unseen(world.context, CHUNK) == 0
    assert await still_open(world) == set(names(0, 5))


async def test_partners_are_counted_apart_in_one_batch(world: World, feed: Feed) -> None:
    await partners.put(world.context, "south", PartnerTerms(name="South"))
    south = Feed(world, "south")
    await take(world, [*feed.submits(names(0, 4)), *south.submits(names(0, 6))])
    await take(world, [south.begin(8, 1)])
    both = [feed.begin(3, 1), *feed.submits(["N0"]), feed.end(3), *south.submits(["N5"]), south.end(8)]
    await take(world, both)
    assert [(one["epoch"], one["closes"]) for one in (await answers(world))[-2:]] == [(3, 3), (8, 5)]
    assert await close_unseen(world.context, CHUNK) == 8
    assert (await still_open(world), await still_open(world, "south")) == ({"N0"}, {"N5"})


async def test_a_snapshot_costs_a_constant_number_of_commands(world: World, feed: Feed) -> None:
    async def cost(epoch: int, count: int) -> int:
        before = await _commands(world)
        await feed.snapshot(epoch, [f"{epoch}-{number}" for number in range(count)])
        return await _commands(world) - before

    await cost(1, 1)
    assert abs(await cost(2, 480) - await cost(3, 2)) <= 4  # the server's own background commands


async def test_receipts_of_snapshots_are_kept_and_read_like_others(
    world: World,
    feed: Feed,
    client: httpx.AsyncClient,
    as_: As,
) -> None:
    await feed.snapshot(5, ["N0"])
    await keep_receipts(world.store, lambda: world.now, await world.outbox())
    page = (await client.get("/partners/north/receipts", headers=as_("operator"))).json()
    assert [(one.get("epoch"), one["outcome"]) for one in page["items"]] == [
        (5, "accepted"),
        (None, "accepted"),
        (5, "accepted"),
    ]


async def test_a_partner_that_is_registered_anew_keeps_its_snapshots(world: World, feed: Feed) -> None:
    await feed.snapshot(1, ["N0"])
    changed = await partners.put(world.context, "north", PartnerTerms(name="North", renews=Renews.SNAPSHOT))
    assert (changed.version, changed.renews) == (2, "snapshot")
    assert await states(world) == [(1, "closed")]


async def test_a_snapshot_partners_postings_expire_when_nobody_names_them(world: World) -> None:
    await partners.put(world.context, "north", PartnerTerms(name="North", renews=Renews.SNAPSHOT))
    feed, start = Feed(world), world.now
    ends = {"id": "ends", "title": {"zh": "焊工"}, "valid_through": (start + timedelta(days=3)).isoformat()}
    await take(world, [*feed.submits(["kept", "lost"]), feed.of(ends)])
    world.now = start + timedelta(days=30)
    await take(world, [*feed.submits(["kept"]), feed.of({"id": "broken", "title": {}})])
    assert await expire(world.context) == 1
    world.now = start + timedelta(days=39)
    assert await expire_forgotten(world.context, LIFETIMES) == 0
    world.now = start + timedelta(days=40)
    assert await expire_forgotten(world.context, LIFETIMES) == 1
    assert await still_open(world) == {"kept"}
    world.now = start + timedelta(days=200)
    assert await expire_forgotten(world.context, LIFETIMES) == 1
    assert events(await world.outbox())[-1] == ("PostingClosed", 2)
    lost = await world.store.posting(partner_posting_id("north", "lost"))
    assert lost is not None
    assert lost.close_reason == "expired"


async def test_other_partners_postings_live_until_their_end_or_half_a_year_after_a_change(world: World) -> None:
    await register(world)
    feed, start = Feed(world), world.now
    late = {"id": "late", "title": {"zh": "焊工"}, "valid_through": (start + timedelta(days=400)).isoformat()}
    await take(world, [*feed.submits(["same", "changed"]), feed.of(late)])
    world.now = start + timedelta(days=100)
    await take(world, [*feed.submits(["same"]), feed.of({"id": "changed", "title": {"zh": "电工"}})])
    world.now = start + timedelta(days=179)
    assert await expire_forgotten(world.context, LIFETIMES) == 0
    world.now = start + timedelta(days=180)
    assert await expire_forgotten(world.context, LIFETIMES) == 1
    assert await still_open(world) == {"changed", "late"}
    world.now = start + timedelta(days=399)
    assert (await expire_forgotten(world.context, LIFETIMES), await expire(world.context)) == (1, 0)
    assert await still_open(world) == {"late"}


async def test_what_was_never_there_is_forgotten_and_what_is_there_never(world: World, feed: Feed) -> None:
    async def forgotten_at(name: str) -> Any:  # noqa: ANN401 - a document's field
        row = await world.mongo.db["postings"].find_one({"_id": partner_posting_id("north", name)})
        return row and row.get("forget_at")

    removal = {"id": "early", "sequence": 4}
    await take(world, [feed.of(removal, "PartnerPostingRemoved"), feed.of({"id": "bad", "title": {}})])
    assert await forgotten_at("early") == await forgotten_at("bad") == world.now + timedelta(days=90)
    indexes = await world.mongo.db["postings"].index_information()
    assert indexes["forget_at_1"]["expireAfterSeconds"] == 0
    await take(world, [feed.of({"id": "early", "title": {"zh": "焊工"}, "sequence": 3})])
    assert await forgotten_at("early") is not None, "stale: the removal is remembered"
    await take(world, [feed.of({"id": "early", "title": {"zh": "焊工"}, "sequence": 5}), *feed.submits(["bad"])])
    assert await forgotten_at("early") is await forgotten_at("bad") is None
    await take(world, [feed.of(removal | {"sequence": 6}, "PartnerPostingRemoved"), feed.of({"id": "bad"})])
    assert await forgotten_at("early") is await forgotten_at("bad") is None
    assert await world.mongo.db["postings"].count_documents({"body": {"$exists": True}}) == 2
