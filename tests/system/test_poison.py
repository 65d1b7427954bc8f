"""Records that will never work: each ends where it should, and nobody behind it waits."""

from __future__ import annotations

import asyncio
import json
import random
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from uuid import uuid4

import pytest
from aiokafka.record.util import calc_crc32c
from aiokafka.structs import RecordMetadata

from shared.contracts.envelope import VERSION_HEADER
from shared.contracts.registry import POSTING_LISTS, POSTINGS, PROFILES, SEEKER_LISTS
from tests.system.topics import Headers, Raw, Topics, headers_of, topics_of
from tests.system.town import OPERATOR, Town, posting_body
from tests.waiting import until

pytestmark = pytest.mark.slow

PARTNER = "chongqing"
SUBMITTED = f"partner.{PARTNER}.postings.v1"
RECEIPTS = f"partner.{PARTNER}.receipts.v1"
REPLIES = "replies"
MB = 1024 * 1024
DELAY_S = 1.0
"""What good records may wait longer because of poison in front of them."""
TRIES = 3
NOISE = random.Random(1).randbytes(4 * MB).hex().encode()
"""Cannot be compressed to less than half."""

EVENT_OF = {
    SUBMITTED: "PartnerPostingSubmitted",
    POSTINGS: "PostingPublished",
    PROFILES: "ProfileRegistered",
    POSTING_LISTS: "RecommendationsRefreshed",
    SEEKER_LISTS: "RecommendationsRefreshed",
}
GROUPS = {
    SUBMITTED: ["postings.partners"],
    POSTINGS: ["matcher.postings", "notifications.postings"],
    PROFILES: ["matcher.profiles"],
    POSTING_LISTS: ["notifications.lists"],
    SEEKER_LISTS: ["notifications.lists"],
}


@dataclass(frozen=True)
class Poison:
    """One record, and the code under which it is refused."""

    code: str
    value: bytes | None
    headers: Headers
    key: bytes | None = b"poison"
    timestamp_ms: int | None = None


def with_header(headers: Headers, name: str, value: bytes | None) -> Headers:
    return [*((n, v) for n, v in headers if n != name), (name, value)]


def poison(topic: str) -> Iterable[Poison]:
    """What is wrong on every topic."""
    good = headers_of(EVENT_OF[topic], topic)
    other = good[-1][1] or b""
    yield Poison("json_invalid", b'{"id": ', good)
    yield Poison("json_invalid", b'{"id": "\xff"}', good)
    yield Poison("json_invalid", b"", good)
    yield Poison("too_deep", b'{"id":' + b"[" * 100_000 + b"]" * 100_000 + b"}", good)
    yield Poison("json_invalid", b'{"id":"x","version":' + b"9" * 10_000 + b"}", good)
    yield Poison("json_invalid", b"garbage" * (2 * MB // 7), good)
    yield Poison("missing", b"{}", good)
    yield Poison("missing", b"{}", good, timestamp_ms=0)
    yield Poison("missing", b"{}", good, timestamp_ms=-(10**15))
    yield Poison("missing", b"{}", [*good, ("reply_to", REPLIES.encode()), ("correlation_id", b"1")])
    yield Poison("invalid_header", b"{}", with_header(good, "ce_type", b"\xff\xfe"))
    unnamed = [(name, value) for name, value in good if name != "ce_dataschema"]
    yield Poison("unknown_type", b"{}", with_header(unnamed, "ce_type", None))
    yield Poison("unknown_type", b"{}", with_header(unnamed, "ce_type", b"SomethingHappened"))
    yield Poison("unknown_type", b"{}", [])
    yield Poison("unknown_schema_version", b"{}", with_header(good, "ce_dataschema", other[:-1] + b"2"))
    structured = with_header(good, "content-type", b"application/cloudevents+json")
    yield Poison("too_deep", b'{"data":' + b"[" * 100_000, structured)
    yield Poison("invalid_json", b'{"data":', structured)


def poison_of_partners() -> Iterable[Poison]:
    """What is wrong on a partner's topic alone."""
    good = headers_of(EVENT_OF[SUBMITTED], SUBMITTED)
    yield Poison("null_body", None, good)
    # its schema names the form
    yield Poison("missing", b"{}", with_header(good, "ce_type", None))
    yield Poison("missing", b"{}", with_header(good, "ce_type", b"SomethingHappened"))
    yield Poison("unknown_type", b"{}", with_header([], "content-type", b"application/json"))
    yield Poison("string_too_long", submitted(description={"en": NOISE[: 2 * MB].decode()}), good)
    yield Poison("json_invalid", NOISE[: 2 * MB], good)
    yield Poison("json_invalid", NOISE[: int(3.9 * MB)], good)
    yield Poison("string_pattern_mismatch", submitted(title={NOISE[: 2 * MB].decode(): "x"}), good)


def poison_of_state() -> Iterable[Poison]:
    """What is wrong where a null body is a tombstone."""
    good = headers_of(EVENT_OF[POSTINGS], POSTINGS)
    yield Poison("unknown_type", b"{}", with_header(good, "ce_type", b"SomethingHappened"))
    yield Poison("missing_version", None, [])
    yield Poison("missing_version", None, [(VERSION_HEADER, None)])
    yield Poison("missing_version", None, [(VERSION_HEADER, b"9" * 10_000)])
    yield Poison("missing_version", None, [(VERSION_HEADER, b"9" * 30)])


def submitted(**more: object) -> bytes:
    body = posting_body("welding", id=f"k-{uuid4().hex}", employer_name="示例 Example", **more)
    return json.dumps(body).encode()


@pytest.fixture
async def packed(town: Town) -> AsyncIterator[Topics]:
    """Topics for records that are small on the wire and large when they are read."""
    async with topics_of(town.servers.addresses.kafka, compression="zstd") as found:
        yield found


@pytest.fixture
async def partner(town: Town, topics: Topics) -> None:
    made = await town.ask(OPERATOR, "PUT", "postings", f"/partners/{PARTNER}", {"name": "重庆 Chongqing"})
    assert made.status_code == 200, made.text
    if REPLIES not in await topics.names():
        await topics.create(REPLIES)
    first = await topics.write(SUBMITTED, b"k", submitted(), headers_of(EVENT_OF[SUBMITTED], SUBMITTED))
    await receipts(topics, [first])


async def receipts(topics: Topics, records: Sequence[RecordMetadata]) -> list[Raw]:
    """The receipts of these records, in their order."""
    ids = [f"{SUBMITTED}/0/{record.offset}" for record in records]

    async def all_there() -> list[Raw]:
        found = {raw.body["id"]: raw for raw in await topics.read(RECEIPTS)}
        return [found[record] for record in ids] if found.keys() >= set(ids) else []

    return await until(all_there, "each record has its receipt", 30)


async def letters(topics: Topics, group: str, records: Sequence[RecordMetadata]) -> list[Raw]:
    """The dead letters of these records, in their order."""
    wanted = [(record.topic, record.partition, record.offset) for record in records]

    async def all_there() -> list[Raw]:
        found = {origin(raw): raw for raw in await topics.read(f"{group}.dead")}
        return [found[record] for record in wanted] if found.keys() >= set(wanted) else []

    return await until(all_there, f"each record is in {group}.dead", 30)


def connect(letter: Raw, name: str) -> str:
    return next(value.decode() for header, value in letter.headers if value and header == f"__connect.errors.{name}")


def origin(letter: Raw) -> tuple[str, int, int]:
    return connect(letter, "topic"), int(connect(letter, "partition")), int(connect(letter, "offset"))


def check(letter: Raw, sent: Poison) -> None:
    """As Kafka Connect writes them: what came is kept, and why it is here is in headers."""
    assert (letter.key, letter.value) == (sent.key or b"", sent.value)
    assert list(letter.headers)[: len(sent.headers)] == list(sent.headers)
    assert connect(letter, "exception.class.name") == f"Rejected.{sent.code}"
    assert connect(letter, "exception.message").startswith(sent.code)
    assert connect(letter, "stage") in {"VALUE_CONVERTER", "HEADER_CONVERTER", "KEY_CONVERTER"}


async def write(topics: Topics, topic: str, sent: Sequence[Poison], partition: int) -> list[RecordMetadata]:
    """All of them, as fast as Kafka takes them."""
    acknowledged = [
        await topics.producer.send(
            topic, p.value, p.key, partition, timestamp_ms=p.timestamp_ms, headers=list(p.headers)
        )
        for p in sent
    ]
    return list(await asyncio.gather(*acknowledged))


async def delay(
    send: Callable[[], Awaitable[list[RecordMetadata]]], measure: Callable[[], Awaitable[list[float]]], what: str
) -> list[RecordMetadata]:
    """Send poison, and good records behind it: these may take so much longer than without. What was sent last.

    There are some tries, because others may be busy on the same machine.
    """
    tries = 0
    while True:
        plain = max(await measure())
        sent = await send()
        behind = max(await measure())
        tries += 1
        print(f"{what}: {plain:.3f} s, behind {len(sent)} poisonous records {behind:.3f} s")
        if behind <= plain + DELAY_S or tries == TRIES:
            assert behind <= plain + DELAY_S
            return sent


async def receipt_seconds(topics: Topics) -> list[float]:
    """How long good records of a partner take from their append to their receipt's."""
    headers = headers_of(EVENT_OF[SUBMITTED], SUBMITTED)
    sent = [await topics.write(SUBMITTED, b"good", submitted(), headers) for _ in range(5)]
    found = await receipts(topics, sent)
    assert {raw.body["outcome"] for raw in found} == {"accepted"}
    return [(raw.timestamp - record.timestamp) / 1000 for raw, record in zip(found, sent, strict=True)]


@pytest.mark.usefixtures("partner")
async def test_poison_of_a_partner(town: Town, topics: Topics) -> None:
    small, large = list(poison(SUBMITTED)), list(poison_of_partners())
    measure, what = partial(receipt_seconds, topics), "append to receipt"
    sent = await delay(partial(write, topics, SUBMITTED, small, 0), measure, what)
    for one in large:
        sent += await delay(partial(write, topics, SUBMITTED, [one], 0), measure, what)
    bad = [*small, *large]

    found = await receipts(topics, sent)
    for sent_, raw in zip(bad, found, strict=True):
        receipt = raw.body
        assert receipt["outcome"] == "rejected", sent_.code
        assert receipt["faults"][0]["reason"].keys() == {"zh", "en"}
        assert len(raw.value or b"") < 10_000, "a receipt does not repeat what it refuses"
    for sent_, letter in zip(bad, await letters(topics, "postings.partners", sent), strict=True):
        check(letter, sent_)
        assert sum(len(value or b"") for _, value in letter.headers) < 10_000

    async def kept() -> list[str]:
        """By record; receipts are kept a moment after they are published."""
        asked = await town.ask(OPERATOR, "GET", "postings", f"/partners/{PARTNER}/receipts?limit=200")
        by_id = {receipt["id"]: receipt["outcome"] for receipt in asked.json()["items"]}
        answered = [f"{SUBMITTED}/0/{record.offset}" for record in sent]
        return [by_id[one] for one in answered] if by_id.keys() >= set(answered) else []

    assert set(await until(kept, "each receipt is kept")) == {"rejected"}
    assert await topics.read(REPLIES) == []


@pytest.mark.usefixtures("partner")
async def test_odd_but_good_records_of_a_partner_are_accepted(topics: Topics) -> None:
    good = headers_of(EVENT_OF[SUBMITTED], SUBMITTED)
    odd = [
        Poison("", submitted(), [*good, ("x-null", None), ("x-other", b"\xff\xfe")]),
        Poison("", submitted(), [*good, ("reply_to", REPLIES.encode())]),
        Poison("", submitted(), good, timestamp_ms=0),
        Poison("", submitted(), good, timestamp_ms=-(10**15)),
        Poison("", submitted(), good, key=None),
        Poison("", submitted(), good, key=b""),
        Poison("", submitted(unknown=NOISE[: 2 * MB].decode()), good),
        Poison("", submitted(unknown=NOISE[: int(3.9 * MB)].decode()), good),
    ]
    sent = await write(topics, SUBMITTED, odd, 0)
    for raw in await receipts(topics, sent):
        assert raw.body["outcome"] == "accepted", raw.value
    assert await topics.read(REPLIES) == []


@pytest.mark.usefixtures("partner")
async def test_a_record_without_key_and_body(topics: Topics) -> None:
    """Our own client refuses to write one; others do not."""
    batch = topics.producer.create_batch()
    batch.append(key=None, value=None, timestamp=None, headers=[("x", b"1")])
    sent = await (await topics.producer.send_batch(batch, SUBMITTED, partition=0))
    assert max(await receipt_seconds(topics)) < 5
    (receipt,) = await receipts(topics, [sent])
    assert receipt.body["outcome"] == "rejected"
    (letter,) = await letters(topics, "postings.partners", [sent])
    assert letter.value is None
    assert letter.headers[0] == ("x", b"1")


@pytest.mark.usefixtures("partner")
async def test_a_header_name_that_is_not_utf_8(topics: Topics) -> None:
    """The client library gives up on it; then nobody's records would be read any more."""
    batch = topics.producer.create_batch()
    batch.append(key=b"k", value=b"{}", timestamp=None, headers=[("??", b"1")])
    build = batch._build

    def spoilt() -> bytes:
        raw = bytearray(build().replace(b"??", b"\xff\xfe"))
        struct.pack_into(">I", raw, 17, calc_crc32c(bytes(raw[21:])))  # the batch's checksum, of what comes after it
        return bytes(raw)

    batch._build = spoilt
    sent = await (await topics.producer.send_batch(batch, SUBMITTED, partition=0))
    assert max(await receipt_seconds(topics)) < 5
    (receipt,) = await receipts(topics, [sent])
    assert receipt.body["outcome"] == "rejected"
    (letter,) = await letters(topics, "postings.partners", [sent])
    assert (letter.key, letter.value, letter.headers[0]) == (b"k", b"{}", ("\\xff\\xfe", b"1"))


@pytest.mark.usefixtures("partner")
async def test_more_than_a_letter_can_hold(topics: Topics, packed: Topics) -> None:
    """Small on the wire, 20 MB when read: nobody can keep it, and still the next ones are not held up."""
    good = headers_of(EVENT_OF[SUBMITTED], SUBMITTED)
    sent = await packed.write(SUBMITTED, b"bomb", b" " * (20 * MB), good)
    assert max(await receipt_seconds(topics)) < 5
    (receipt,) = await receipts(topics, [sent])
    assert receipt.body["outcome"] == "rejected"
    (letter,) = await letters(topics, "postings.partners", [sent])
    assert (letter.key, letter.value) == (b"", None)
    assert "left out: " in connect(letter, "exception.message")


async def list_seconds(town: Town, topics: Topics, employer: str) -> list[float]:
    """How long new postings take from their append to their list's."""
    made = [await town.new_posting(employer) for _ in range(5)]

    async def all_there() -> list[float]:
        posted = {raw.key.decode(): raw.timestamp for raw in await topics.read(POSTINGS)}
        listed = {raw.key.decode(): raw.timestamp for raw in await topics.read(POSTING_LISTS) if raw.value}
        there = set(made) <= listed.keys() & posted.keys()
        return [(listed[posting] - posted[posting]) / 1000 for posting in made] if there else []

    return await until(all_there, "each posting has its list")


@pytest.mark.parametrize("topic", [POSTINGS, PROFILES, POSTING_LISTS, SEEKER_LISTS])
async def test_poison_on_a_state_topic(town: Town, packed: Topics, topic: str) -> None:
    employer, seeker = await town.new_employer(), await town.new_seeker()
    bad = [*poison(topic), *poison_of_state()]

    async def write_everywhere() -> list[RecordMetadata]:
        return [record for number in range(8) for record in await write(packed, topic, bad, number)]

    sent = await delay(write_everywhere, partial(list_seconds, town, packed, employer), f"{topic}: append to list")
    for group in GROUPS[topic]:
        for sent_, letter in zip(bad * 8, await letters(packed, group, sent), strict=True):
            check(letter, sent_)

    async def shown() -> bool:
        return len(await town.live_postings(seeker)) >= 10

    await until(shown, "what came behind the poison reached the seeker")


async def test_a_profile_with_an_absurd_time_or_version(town: Town, packed: Topics) -> None:
    """Only profiles writes there. But a list's `now` is that time, and the index holds 64 bits of a version."""
    await town.new_posting(await town.new_employer())
    seeker = await town.new_seeker()

    async def record() -> list[Raw]:
        return [raw for raw in await packed.read(PROFILES) if raw.key == seeker.encode()]

    (raw,) = await until(record, "the profile is published")
    profile = raw.body

    async def say(version: int, timestamp_ms: int | None = None) -> RecordMetadata:
        value = json.dumps(profile | {"version": version}).encode()
        return await packed.write(PROFILES, raw.key, value, raw.headers, timestamp_ms=timestamp_ms)

    too_large = await say(10**30)
    await letters(packed, "matcher.profiles", [too_large])
    for version, at in ((2, 0), (3, -(10**15))):
        await say(version, at)

        async def listed(version: int = version) -> bool:
            lists = [raw.body for raw in await packed.read(SEEKER_LISTS) if raw.key == seeker.encode()]
            return any(body.get("anchor_version") == version for body in lists)

        await until(listed, "the list of this version is written")
    await asyncio.sleep(0.5)
    assert [letter for letter in await packed.read("notifications.lists.dead") if letter.key == raw.key] == []
    live = await town.http.get(town.url("matcher", "/health/live"))
    assert live.status_code == 200, live.text
