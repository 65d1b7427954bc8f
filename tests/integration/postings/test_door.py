"""Partners' records over HTTP: who may, what is written, what cannot be, what a cut-off upload comes to, Kafka away.

The door alone, on the real Kafka and MongoDB; from the door to the receipt: `test_door_open.py`.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import AsyncIterator, Callable, Iterable
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from aiokafka import ConsumerRecord, TopicPartition
from fastapi import FastAPI

from deploy.servers import Servers
from services.postings import api
from services.postings.domain.employer import PartnerState, PartnerTerms
from services.postings.settings import PostingsSettings
from services.postings.usecases import partners
from services.postings.usecases.records import MAX_RECORD
from shared import http
from shared.auth import JWKS, Authenticator, ensure_dev_keys, mint
from shared.broker import Outgoing, Producer, reader
from shared.contracts.envelope import decode
from shared.contracts.registry import channel
from shared.errors import Unavailable
from shared.settings import ServiceSettings
from shared.topics import create_partner_topics
from tests.integration.postings.conftest import World

OWN = {"id": "A-1", "title": {"zh": "焊工"}}
REMOVAL = {"id": "A-1"}
AD = {"id": "7", "headline": "Svetsare"}
LD = {"@context": "https://schema.org", "@type": "JobPosting", "identifier": "L-1", "title": "Welder"}
CLOUD = {
    "specversion": "1.0",
    "type": "PartnerPostingSubmitted",
    "source": "urn:x",
    "id": "1",
    "data": OWN | {"id": "C"},
}
NDJSON = {"content-type": "application/x-ndjson"}


class Door:
    """One partner with a topic of its own, and its door."""

    def __init__(self, world: World, keys: Path, servers: Servers, settings: PostingsSettings) -> None:
        self.world, self.keys, self.settings = world, keys, settings
        self.partner = f"p-{uuid4().hex[:8]}"
        self.topic = f"partner.{self.partner}.postings.v1"
        self.kafka = ServiceSettings(kafka_bootstrap=servers.addresses.kafka)
        ensure_dev_keys(keys)
        app = FastAPI()
        http.install(app)
        app.include_router(api.router(world.context, Authenticator(keys / JWKS), settings))
        self.client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://postings")

    def headers(self, **headers: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {mint(self.keys, 'partner', 'p', partner=self.partner)}"} | NDJSON | headers

    async def post(self, content: Any, **headers: str) -> httpx.Response:  # noqa: ANN401 - whatever httpx sends
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.client.post(
            f"/partners/{self.partner}/records", content=content, headers=self.headers(**named)
        )

    async def written(self) -> list[ConsumerRecord[bytes, bytes]]:
        """All that is in the topic."""
        consumer = reader(self.kafka, "test", prompt=True)
        await consumer.start()
        try:
            where = TopicPartition(self.topic, 0)
            consumer.assign([where])
            consumer.seek(where, 0)
            (end,) = (await consumer.end_offsets([where])).values()
            found: list[ConsumerRecord[bytes, bytes]] = []
            while len(found) < end:
                found += (await consumer.getmany(where, timeout_ms=500)).get(where, [])
            return found
        finally:
            await consumer.stop()

    async def ids(self) -> list[str]:
        return [json.loads(record.value)["id"] for record in await self.written()]


@pytest.fixture
async def make_door(world: World, tmp_path: Path, servers: Servers) -> AsyncIterator[Callable[..., Any]]:
    doors: list[Door] = []
    producer = Producer(ServiceSettings(kafka_bootstrap=servers.addresses.kafka), "door")

    async def make(**settings: Any) -> Door:  # noqa: ANN401 - settings
        door = Door(world, tmp_path, servers, PostingsSettings(**settings))
        world.producer = producer
        await create_partner_topics(door.kafka, door.partner)
        await partners.put(world.context, door.partner, PartnerTerms(name="Test"))
        doors.append(door)
        return door

    yield make
    for door in doors:
        await door.client.aclose()
    await producer.close()


@pytest.fixture
async def door(make_door: Callable[..., Any]) -> Door:
    made: Door = await make_door()
    return made


def lines(*records: Any) -> bytes:  # noqa: ANN401 - JSON, or bytes as they are
    return b"\n".join(one if isinstance(one, bytes) else json.dumps(one).encode() for one in records)


def posting(number: int, **more: object) -> dict[str, object]:
    return {"id": f"N-{number}", "title": {"en": "Welder"}, **more}


async def test_every_form_is_written_as_it_would_be_sent_by_kafka(door: Door) -> None:
    answer = await door.post(lines(OWN, REMOVAL, AD, LD, CLOUD))
    assert answer.status_code == 202
    body = answer.json()
    assert [one["record"] for one in body["results"]] == [f"{door.topic}/0/{n}" for n in range(5)]
    assert (body["lines"], body["written"], body["refused"], body["repeated"]) == (5, 5, 0, 0)
    assert body["receipts"] == f"/partners/{door.partner}/receipts"
    found = await door.written()
    kinds = [decode(channel(door.topic), record.headers, record.value).type for record in found]
    assert kinds == [
        "PartnerPostingSubmitted",
        "PartnerPostingRemoved",
        "JobTechAdPublished",
        "JobPostingPublished",
        "PartnerPostingSubmitted",
    ]
    assert [record.key for record in found] == [b"A-1", b"A-1", b"7", b"L-1", b"C"]
    assert {dict(record.headers).get("ce_source") for record in found[:4]} == {f"urn:partner:{door.partner}".encode()}


async def test_a_bad_line_in_the_middle_does_no_harm_to_the_others(door: Door) -> None:
    large = posting(2, x="y" * MAX_RECORD)
    deep = b"[" * 300 + b"]" * 300
    answer = await door.post(lines(posting(1), b'{"id": ', b"", large, b"17", deep, b"\xff", {"no": "id"}, posting(9)))
    results = answer.json()["results"]
    assert [(one["line"], one.get("record", one.get("fault", {}).get("code"))) for one in results] == [
        (1, f"{door.topic}/0/0"),
        (2, "line_not_json"),
        (4, "line_too_large"),
        (5, "line_not_json"),
        (6, "line_not_json"),
        (7, "line_not_json"),
        (8, f"{door.topic}/0/1"),  # its receipt says what is wrong with it
        (9, f"{door.topic}/0/2"),
    ]
    assert set(results[1]["fault"]["reason"]) == {"zh", "en"}
    assert (answer.json()["written"], answer.json()["refused"]) == (3, 5)
    assert [record.key for record in await door.written()] == [b"N-1", None, b"N-9"]


async def test_gzip_in_one_member_or_several_cut_anywhere(door: Door) -> None:
    packed = gzip.compress(lines(posting(1), posting(2)) + b"\n") + gzip.compress(lines(posting(3)))

    async def trickle() -> AsyncIterator[bytes]:
        for at in range(len(packed)):
            yield packed[at : at + 1]

    assert (await door.post(trickle(), content_encoding="gzip")).json()["written"] == 3
    assert await door.ids() == ["N-1", "N-2", "N-3"]


@pytest.mark.parametrize(
    ("content", "headers", "status", "code"),
    [
        (b"not gzip", {"content_encoding": "gzip"}, 400, "invalid_gzip"),
        (gzip.compress(b'{"id": "A"}\n' * 9)[:-9], {"content_encoding": "gzip"}, 400, "cut_off"),
        (b"{}", {"content_encoding": "br"}, 415, "unsupported_encoding"),
        (b"{}", {"content_type": "application/json"}, 415, "unsupported_media_type"),
        (b"{}", {"upload_offset": "3"}, 400, "missing"),
        (b"x" * 100_001, {}, 413, "body_too_large"),
        (gzip.compress(b"0" * 50_000_000), {"content_encoding": "gzip"}, 413, "body_too_large"),
        (b"\n" * 2_000, {}, 413, "too_many_lines"),
    ],
)
async def test_what_is_not_taken_in(
    make_door: Callable[..., Any], content: bytes, headers: dict[str, str], status: int, code: str
) -> None:
    door: Door = await make_door(upload_bytes=100_000, upload_unpacked_bytes=1_000_000, upload_lines=1_000)
    answer = await door.post(content, **headers)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert set(answer.json()["reason"]) == {"zh", "en"}
    assert await door.written() == []


async def test_a_body_without_a_length_is_bounded_too(make_door: Callable[..., Any]) -> None:
    door: Door = await make_door(upload_bytes=100_000)
    asked = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal asked
        while True:
            asked += 1
            yield lines(posting(asked, text="x" * 900)) + b"\n"

    answer = await door.post(endless(), idempotency_key="k")
    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")
    assert asked < 110


async def test_who_may(door: Door) -> None:
    path = f"/partners/{door.partner}/records"

    async def status(role: str, **claims: str) -> int:
        token = mint(door.keys, role, "someone", **claims)  # type: ignore[arg-type] # roles
        headers = NDJSON | {"Authorization": f"Bearer {token}"}
        return (await door.client.post(path, content=lines(OWN), headers=headers)).status_code

    assert (await door.client.post(path, content=b"", headers=NDJSON)).status_code == 401
    assert await status("seeker") == 403
    assert await status("employer", employer="e") == 403
    assert await status("partner", partner="another") == 404
    assert await door.written() == []
    assert await status("operator") == 202
    door.partner = "nobody"
    assert (await door.post(lines(OWN))).status_code == 404


class Failing:
    """Writes so many chunks, and then none."""

    def __init__(self, producer: Producer, chunks: int) -> None:
        self._producer, self._chunks = producer, chunks

    async def send_all(self, records: Iterable[Outgoing]) -> list[int]:
        if not self._chunks:
            raise Unavailable("Kafka is away")
        self._chunks -= 1
        return await self._producer.send_all(list(records))


async def test_kafka_away_says_so_and_nothing_is_half_said(door: Door) -> None:
    up, door.world.producer = door.world.producer, None
    answer = await door.post(lines(OWN))
    assert (answer.status_code, answer.json()["code"], answer.headers["retry-after"]) == (503, "unavailable", "1")
    assert answer.headers["upload-offset"] == "0"
    door.world.producer = up
    assert await door.written() == []


async def test_an_upload_that_was_cut_off_goes_on_where_it_was(door: Door) -> None:
    body = lines(*(posting(number) if number != 7 else b"broken" for number in range(1, 501)))
    up = door.world.producer
    assert up is not None
    door.world.producer = Failing(up, 1)  # type: ignore[assignment] # half a producer
    cut = await door.post(body, idempotency_key="k")
    assert (cut.status_code, cut.headers["upload-offset"]) == (503, "200")
    door.world.producer = up

    changed = await door.post(body.replace(b'"N-3"', b'"N-x"'), idempotency_key="k")
    shorter = await door.post(body[:2_000], idempotency_key="k")
    assert [(one.status_code, one.json()["code"]) for one in (changed, shorter)] == [
        (422, "idempotency_key_reused"),
        (422, "idempotency_key_reused"),
    ]
    whole = (await door.post(body, idempotency_key="k")).json()
    assert (whole["lines"], whole["written"], whole["refused"], whole["repeated"]) == (500, 499, 1, 200)
    ids = [f"N-{number}" for number in range(1, 501) if number != 7]
    assert await door.ids() == ids
    assert [one["line"] for one in whole["results"]] == list(range(1, 501))
    records = {int(one["record"].rpartition("/")[2]) for one in whole["results"] if "record" in one}
    assert records == set(range(499))

    again = (await door.post(body, idempotency_key="k")).json()
    assert again == whole | {"repeated": 500}
    assert len(await door.written()) == 499
    # another key, or none, is another upload: its records are written again, and are answered `unchanged`
    assert (await door.post(body, idempotency_key="k2")).json()["repeated"] == 0
    assert len(await door.written()) == 998


async def test_an_upload_goes_on_behind_a_line(door: Door) -> None:
    first = await door.post(lines(*(posting(number) for number in range(1, 4))), idempotency_key="k")
    assert first.json()["lines"] == 3
    wrong = await door.post(lines(posting(9)), idempotency_key="k", upload_offset="2")
    assert (wrong.status_code, wrong.json()["code"], wrong.headers["upload-offset"]) == (
        409,
        "upload_is_elsewhere",
        "3",
    )
    rest = (await door.post(lines(posting(4), posting(5)), idempotency_key="k", upload_offset="3")).json()
    assert (rest["lines"], rest["written"], rest["repeated"]) == (5, 5, 3)
    assert [one["line"] for one in rest["results"]] == [1, 2, 3, 4, 5]
    whole = lines(*(posting(number) for number in range(1, 7)))
    assert (await door.post(whole, idempotency_key="k")).json()["repeated"] == 5
    assert await door.ids() == [f"N-{number}" for number in range(1, 7)]


async def test_a_body_that_breaks_off_ends_before_its_last_line(door: Door) -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield lines(posting(1), posting(2)) + b'\n{"id": "N-3", "title": {"en": "We'
        raise ConnectionError

    with pytest.raises(ConnectionError):
        await door.post(broken(), idempotency_key="k")
    assert "N-3" not in await door.ids()


async def test_a_pause_is_felt_in_the_middle_of_an_upload(door: Door) -> None:
    async def body() -> AsyncIterator[bytes]:
        yield lines(*(posting(number) for number in range(200))) + b"\n"
        await partners.change_state(door.world.context, door.partner, PartnerState.PAUSED)
        yield lines(posting(200)) + b"\n"

    answer = await door.post(body())
    assert (answer.status_code, answer.json()["code"]) == (403, "partner_paused")
    assert answer.headers["upload-offset"] == "200"
    assert len(await door.written()) == 200
