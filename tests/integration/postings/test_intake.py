"""Partners' records against the real database: receipts, events, dead letters, round trips."""

from __future__ import annotations

import json
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from services.postings.domain.employer import PartnerTerms
from services.postings.handlers import partner_records
from services.postings.usecases import partners
from services.postings.usecases.intake import keep_receipts
from shared.consuming import Batch, Record, decode_all
from shared.linking.reader import Reader
from tests.unit.postings.examples import NOW

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shared.errors import Rejected
    from shared.linking.reading import Ad, Found
    from shared.mongo import Document, Session
    from tests.integration.postings.conftest import World


def record(offset: int, body: object, kind: str = "PartnerPostingSubmitted", partner: str = "north") -> Record:
    value = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
    key = str(body["id"]).encode() if isinstance(body, dict) and "id" in body else b"k"
    headers: tuple[tuple[str, bytes | None], ...] = (("ce_type", kind.encode()),)
    return Record(f"partner.{partner}.postings.v1", 0, offset, key, value, headers, NOW)


def posting(sequence: int, title: str = "焊工", **more: object) -> dict[str, Any]:
    return {"id": "A1", "title": {"zh": title}, "sequence": sequence, **more}


async def take(world: World, records: Sequence[Record]) -> list[tuple[Record, Rejected]]:
    batch: Batch = decode_all(records)

    async def work(session: Session) -> list[tuple[Record, Rejected]]:
        return list(
            await partner_records(
                batch,
                session,
                store=world.store,
                reader=world.reader,
                limits=world.limits,
                clock=lambda: world.now,
                name=world.exchange_name,
            )
        )

    return await world.mongo.transaction(work)


async def register(world: World, partner: str = "north") -> None:
    await partners.put(world.context, partner, PartnerTerms(name="North"))


def receipts(rows: list[Document]) -> list[dict[str, Any]]:
    return [json.loads(row["payload"]) for row in rows if row["type"] == "PostingReceipt"]


def events(rows: list[Document]) -> list[tuple[str, int]]:
    return [(row["type"], row["version"]) for row in rows if row["aggregatetype"] == "postings.v1"]


async def test_one_batch_handles_the_records_of_one_posting_in_order(world: World) -> None:
    await register(world)
    refused = await take(
        world,
        [
            record(0, posting(1)),
            record(1, posting(2, "高级焊工")),
            record(2, posting(1, "旧")),
            record(3, posting(3, "高级焊工")),
            record(4, {"id": "A1", "sequence": 4}, "PartnerPostingRemoved"),
            record(5, posting(5)),
        ],
    )
    rows = await world.outbox()
    assert refused == []
    assert events(rows) == [
        ("PostingPublished", 1),
        ("PostingChanged", 2),
        ("PostingClosed", 3),
        ("PostingPublished", 4),
    ]
    found = receipts(rows)
    assert [receipt["outcome"] for receipt in found] == [
        "accepted",
        "accepted",
        "stale",
        "unchanged",
        "accepted",
        "accepted",
    ]
    assert [receipt["version"] for receipt in found] == [1, 2, 2, 2, 3, 4]
    assert [receipt["id"] for receipt in found] == [f"partner.north.postings.v1/0/{n}" for n in range(6)]
    stored = await world.store.posting(found[0]["posting_id"])
    assert stored is not None
    assert (stored.version, stored.status, stored.title) == (4, "open", {"zh": "焊工"})


async def test_the_next_batch_knows_what_was_taken(world: World) -> None:
    await register(world)
    await take(world, [record(0, posting(5))])
    await take(world, [record(1, posting(4, "旧")), record(2, posting(6))])
    await take(world, [record(3, posting(5, "旧"))])
    outcomes = [receipt["outcome"] for receipt in receipts(await world.outbox())]
    assert outcomes == ["accepted", "stale", "unchanged", "stale"]


async def test_every_record_gets_a_receipt_whatever_it_is(world: World) -> None:
    await register(world)
    batch = [
        record(0, b"{no json"),
        record(1, None),
        record(2, {"id": "A2", "title": {}}),
        record(3, posting(1), "PostingChangedTwice"),
        record(4, {"id": "J1", "headline": " "}, "JobTechAdPublished"),
        record(5, {"id": "J2", "headline": "Svetsare"}, "JobTechAdPublished"),
        record(6, {"id": "gone"}, "PartnerPostingRemoved"),
    ]
    refused = await take(world, batch)
    rows = await world.outbox()
    assert refused == []  # what could not be decoded, the plumbing writes to the dead letters itself
    found = receipts(rows)
    assert [(receipt["outcome"], receipt.get("partner_posting_id")) for receipt in found] == [
        ("rejected", "k"),
        ("rejected", "k"),
        ("rejected", "A2"),
        ("rejected", "A1"),
        ("rejected", "J1"),
        ("accepted", "J2"),
        ("unchanged", "gone"),
    ]
    faults = [(fault["code"], fault["pointer"]) for receipt in found for fault in receipt.get("faults", ())]
    assert faults == [
        ("json_invalid", ""),
        ("null_body", ""),
        ("too_short", "/title"),
        ("unknown_type", ""),
        ("missing", "/headline"),
    ]
    assert {row["aggregatetype"] for row in rows if row["type"] == "PostingReceipt"} == {"partner.north.receipts.v1"}
    assert [row["headers"]["ce_id"] for row in rows if row["type"] == "PostingReceipt"] == [one.id for one in batch]


async def test_nobody_knows_this_partner(world: World) -> None:
    await register(world)
    refused = await take(world, [record(0, posting(1), partner="south"), record(0, posting(1))])
    assert [(one.topic, why.code) for one, why in refused] == [("partner.south.postings.v1", "unknown_partner")]
    assert {row["aggregatetype"] for row in await world.outbox()} == {
        "postings.v1",
        "partner.north.receipts.v1",
    }
    kept = await world.store.receipts("south", -1, 10)
    assert [receipt.faults[0].code for receipt in kept] == ["unknown_partner"]


async def test_receipts_are_kept_once_they_are_published_and_once_only(world: World) -> None:
    await register(world)
    await take(world, [record(0, posting(1)), record(1, posting(1))])
    assert await world.store.receipts("north", -1, 10) == []
    rows = await world.outbox()
    await keep_receipts(world.store, lambda: world.now, rows[:2])
    await keep_receipts(world.store, lambda: world.now, rows)
    kept = await world.store.receipts("north", -1, 10)
    assert [(receipt.offset, receipt.outcome) for receipt in kept] == [(0, "accepted"), (1, "unchanged")]
    assert await world.store.receipts("north", 0, 10) == kept[1:]


async def test_a_batch_costs_a_constant_number_of_commands(world: World) -> None:
    await register(world)

    async def cost(first: int, count: int) -> int:
        before = await _commands(world)
        await take(world, [record(first + n, posting(1) | {"id": f"B{first + n}"}) for n in range(count)])
        return await _commands(world) - before

    await cost(0, 1)
    assert abs(await cost(10, 500) - await cost(1, 2)) <= 4  # the server's own background commands


async def _commands(world: World) -> int:
    status = await world.mongo.db.command("serverStatus")
    counters = status["metrics"]["commands"]
    return sum(int(counters[name]["total"]) for name in ("find", "insert", "update", "delete"))


async def test_a_time_stamp_from_before_our_time_stops_nothing(world: World) -> None:
    await register(world)
    odd = record(0, posting(1))
    old = Record(odd.topic, 0, 0, odd.key, odd.value, odd.headers, NOW.replace(year=1970))
    await take(world, [old])
    (receipt,) = receipts(await world.outbox())
    assert datetime.fromisoformat(receipt["received_at"]) == NOW


def published(rows: list[Document]) -> list[dict[str, Any]]:
    return [json.loads(row["payload"]) for row in rows if row["aggregatetype"] == "postings.v1"]


async def test_what_a_posting_says_in_words_becomes_codes(world: World) -> None:
    await register(world)
    forged = {"scheme": "esco", "code": "forged", "confidence": 1.0}
    body = posting(1, "电焊工", description={"zh": "要求：会看图纸，持电工证优先。"}, required_skills=[forged])
    await take(world, [record(0, body)])
    (first,) = published(await world.outbox())
    read = first["required_skills"] + first["preferred_skills"]
    assert first["linker"] == world.reader.version
    assert read
    assert all(0 < skill["confidence"] <= 1 and skill["label"]["zh"] for skill in read)
    assert "forged" not in {skill["code"] for skill in read}, "who sends a confidence has not read for us"


async def test_words_that_did_not_change_are_neither_read_nor_told_again(world: World) -> None:
    await register(world)
    body = posting(1, "电焊工", description={"zh": "要求会看图纸"})
    await take(world, [record(0, body)])
    world.reader = Reader(partial(NeverReads, world.reader.version))
    await world.reader.start()
    await take(world, [record(1, body | {"sequence": 2}), record(2, body | {"sequence": 3, "openings": 5})])
    rows = await world.outbox()
    assert [receipt["outcome"] for receipt in receipts(rows)] == ["accepted", "unchanged", "accepted"]
    first, second = published(rows)
    assert second["openings"] == 5
    assert second["required_skills"] == first["required_skills"]


class NeverReads:
    """Has the version of what read before, and is never asked."""

    def __init__(self, version: str) -> None:
        self.version = version

    def ads(self, ads: Sequence[Ad]) -> list[Found]:
        assert not ads
        return []

    def seekers(self, texts: Sequence[str]) -> list[Found]:
        raise AssertionError(texts)


async def test_what_has_no_place_in_a_posting_is_kept_beside_it_and_goes_with_it(world: World) -> None:
    await register(world)
    job = {
        "@type": "JobPosting",
        "identifier": "J1",
        "title": "Welder",
        "shift": "nights",
        "applicationContact": {"x": 1},
    }
    await take(
        world,
        [
            record(0, posting(2, pay={"min": 5, "currency": "CNY", "period": "hour"}, note="Ring 070-123 45 67")),
            record(1, posting(1, shade="an older record says nothing any more")),
            record(2, job | {"jobLocation": "Atlantis"}, "JobPostingPublished"),
        ],
    )
    mine, stale, theirs = receipts(await world.outbox())
    assert (mine["outcome"], mine["unmapped"], stale["outcome"]) == ("accepted", ["pay.period", "note"], "stale")
    assert (theirs["partner_posting_id"], theirs["unmapped"]) == ("J1", ["shift"])
    assert [(note["pointer"], note["code"]) for note in theirs["notes"]] == [("/jobLocation", "unknown_place")]

    async def kept(receipt: dict[str, Any]) -> Any:  # noqa: ANN401 - JSON
        row = await world.mongo.db["postings"].find_one({"_id": receipt["posting_id"]})
        return row and row["rest"] and json.loads(row["rest"])

    assert await kept(mine) == {"pay": {"period": "hour"}, "note": "Ring …"}
    assert await kept(theirs) == {"shift": "nights"}
    await take(world, [record(3, {"id": "A1", "sequence": 3}, "PartnerPostingRemoved")])
    assert await kept(mine) == {"pay": {"period": "hour"}, "note": "Ring …"}, "a closed posting is one still"
    await take(world, [record(4, posting(4))])
    assert await kept(mine) is None
    await world.mongo.db["postings"].delete_one({"_id": theirs["posting_id"]})
    assert await kept(theirs) is None, "there is no other place where it would be left"


async def test_a_record_that_once_stopped_its_partition(world: World) -> None:
    await register(world)
    ad = {"id": "1", "headline": "Svetsare", "version": "abc"}
    refused = await take(world, [record(0, ad, "JobTechAdPublished"), record(1, posting(1))])
    assert refused == []
    assert [receipt["outcome"] for receipt in receipts(await world.outbox())] == ["accepted", "accepted"]
