"""The operator's kit and dead letters: what lies there is found, mended and sent again, each letter once."""

from __future__ import annotations

import asyncio
import json
import stat
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest

from deploy.operator.__main__ import main
from deploy.processes import Platform
from deploy.servers import Servers
from shared.broker import MAX_RECORD_BYTES, Producer
from shared.consuming import Record
from shared.contracts.envelope import EPOCH_HEADER, WRITER_HEADER
from shared.contracts.registry import POSTINGS, SEEKER_LISTS
from shared.dead_letters import DeadLetters
from shared.errors import Rejected
from shared.settings import ServiceSettings
from tests.system.doors import Desk, Json, desk_of, postings_alone
from tests.system.topics import Raw, Topics
from tests.waiting import until

DEAD = "postings.partners.dead"
TYPE = ("ce_type", b"PartnerPostingSubmitted")
GOOD = json.dumps({"id": "A-1", "title": {"zh": "焊工", "en": "Welder"}}, ensure_ascii=False).encode()
PERSON = "张三 13800000000"
BAD = json.dumps({"id": "A-1", "title": PERSON}, ensure_ascii=False).encode()
REASON = "dict_type"


@pytest.fixture(scope="module")
def platform(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    with postings_alone(servers, tmp_path_factory.mktemp("letters")) as running:
        yield running


@pytest.fixture
def desk(servers: Servers, platform: Platform, monkeypatch: pytest.MonkeyPatch) -> Desk:
    return desk_of(servers, platform, monkeypatch)


@pytest.fixture
async def partner(desk: Desk) -> str:
    return (await desk.onboard(f"north-{uuid4().hex[:8]}")).partner


@pytest.fixture
async def giving_up(servers: Servers, platform: Platform) -> AsyncIterator[Producer]:
    """As the services write dead letters; their topics are there, for postings has made them all."""
    assert platform["postings"].running
    producer = Producer(ServiceSettings(kafka_bootstrap=servers.addresses.kafka), "test")
    yield producer
    await producer.close()


async def letters_of(topics: Topics, topic: str, dead: str = DEAD) -> list[Raw]:
    """The dead letters of one topic's records."""
    named = ("__connect.errors.topic", topic.encode())
    return [raw for raw in await topics.read(dead) if named in raw.headers]


async def given_up(
    topics: Topics, partner: str, *bodies: bytes, headers: tuple[tuple[str, bytes], ...] = ()
) -> list[str]:
    """Send these to the partner's topic: the addresses of their dead letters."""
    topic = f"partner.{partner}.postings.v1"
    before = len(await letters_of(topics, topic))
    for body in bodies:
        await topics.write(topic, b"A-1", body, [TYPE, *headers])

    async def there() -> list[str]:
        found = (await letters_of(topics, topic))[before:]
        return [f"{raw.topic}/{raw.partition}/{raw.offset}" for raw in found] if len(found) == len(bodies) else []

    return await until(there, "each record has its dead letter", 30)


async def outcomes(topics: Topics, partner: str, count: int) -> list[str]:
    """Of the partner's receipts, once there are so many, in the order of the records that they answer."""

    async def there() -> list[str]:
        found = {raw.body["id"]: raw.body["outcome"] for raw in await topics.read(f"partner.{partner}.receipts.v1")}
        by_offset = sorted(found, key=lambda one: int(one.rpartition("/")[2]))
        return [found[one] for one in by_offset] if len(found) >= count else []

    return await until(there, f"{count} receipts", 30)


async def test_a_letter_is_mended_and_sent_again_once(desk: Desk, topics: Topics, partner: str, tmp_path: Path) -> None:
    (letter,) = await given_up(topics, partner, BAD, headers=(("x-own", b"\xff"), ("ce_id", b"7")))
    topic, file = f"partner.{partner}.postings.v1", tmp_path / "body.json"

    mended = await desk.do("dead-letters", "mend", letter, str(file))
    assert file.read_bytes() == BAD
    assert mended["bytes"] == len(BAD)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    status, said = await desk.ask("dead-letters", "mend", letter, str(file))
    assert (status, said["error"]) == (4, "file_exists")
    file.write_bytes(GOOD)

    would = await desk.do("dead-letters", "replay", letter, "--body", str(file))
    assert (would["dry_run"], would["sent"], would["steps"][0]["verdict"]) == (True, 0, "send")
    assert len(await topics.read(topic)) == 1, "a dry run writes nothing"

    done = await desk.do("dead-letters", "replay", letter, "--body", str(file), "--yes")
    assert (done["dry_run"], done["sent"]) == (False, 1)
    first, again = await topics.read(topic)
    assert (again.key, again.value) == (first.key, GOOD)
    assert list(again.headers) == [*first.headers, ("ce_replayedfrom", letter.encode())]
    assert await outcomes(topics, partner, 2) == ["rejected", "accepted"]

    for body in ([], ["--body", str(file)]):
        done = await desk.do("dead-letters", "replay", letter, *body, "--yes")
        assert (done["sent"], done["steps"][0]["verdict"]) == (0, "sent before")
    assert len(await topics.read(topic)) == 2


async def test_all_of_a_topic_with_a_reason_are_sent_again_and_what_fails_again_can_be_too(
    desk: Desk, topics: Topics, partner: str
) -> None:
    topic = f"partner.{partner}.postings.v1"
    first = await given_up(topics, partner, BAD, b"no json", BAD, BAD)
    wanted = [one for one in first if one != first[1]]
    everything = ("dead-letters", "replay", DEAD, "--reason", REASON, "--yes")
    steps = {step["letter"]: step["verdict"] for step in (await desk.do(*everything))["steps"]}
    assert {one: steps.get(one) for one in first} == {one: "send" if one in wanted else None for one in first}

    async def failed_again() -> list[Raw]:
        found = await letters_of(topics, topic)
        return found if len(found) == 7 else []

    newest = (await until(failed_again, "three letters more", 30))[-1]
    at = f"{newest.topic}/{newest.partition}/{newest.offset}"
    assert replayed_from(newest) == [wanted[-1]]

    done = await desk.do("dead-letters", "replay", at, "--yes")
    assert done["sent"] == 1
    assert replayed_from((await topics.read(topic))[-1]) == [at]
    done = await desk.do("dead-letters", "replay", *first, "--yes")
    assert [step["verdict"] for step in done["steps"]] == ["sent before", "send", "sent before", "sent before"]
    assert len(await topics.read(topic)) == 9


def replayed_from(raw: Raw) -> list[str]:
    return [(value or b"").decode() for name, value in raw.headers if name == "ce_replayedfrom"]


async def test_what_lies_there_is_listed_and_shown_without_what_persons_wrote(
    desk: Desk, topics: Topics, partner: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (letter, other) = await given_up(topics, partner, BAD, b"no json", headers=(("x-note", PERSON.encode()),))
    listed = await desk.do("dead-letters", "list")
    row = next(row for row in listed["topics"] if row["topic"] == DEAD)
    assert row["letters"] >= 2
    assert row["reasons"][REASON] >= 1
    assert row["from"][f"partner.{partner}.postings.v1"] == 2
    assert {"matcher.postings.dead", "notifications.lists.dead"} <= {row["topic"] for row in listed["topics"]}

    every = await desk.do("dead-letters", "list", DEAD, "--reason", REASON, "--limit", "1000")
    found = {row["letter"]: row for row in every["letters"]}
    assert other not in found
    assert (found[letter]["code"], found[letter]["key"], found[letter]["bytes"]) == (REASON, "A-1", len(BAD))
    assert found[letter]["from"].startswith(f"partner.{partner}.postings.v1/0/")
    few = await desk.do("dead-letters", "list", DEAD, "--limit", "1")
    assert (len(few["letters"]), few["more"] > 0) == (1, True)

    shown = await desk.do("dead-letters", "show", letter)
    assert ["x-note", None] in shown["headers"]
    assert ["ce_type", "PartnerPostingSubmitted"] in shown["headers"]
    assert PERSON not in json.dumps([listed, every, shown], ensure_ascii=False)
    assert PERSON in (await desk.do("dead-letters", "show", letter, "--body"))["body"]

    capsys.readouterr()
    for language, word in (("zh", "可能含个人信息"), ("en", "personal data")):
        assert await asyncio.to_thread(main, ["dead-letters", "show", letter, "--lang", language]) == 0
        said = capsys.readouterr().out
        assert word in said
        assert PERSON not in said


async def test_what_is_not_there_is_said(desk: Desk) -> None:
    for arguments, code in (
        (("list", "nobody.dead"), "unknown_topic"),
        (("list", POSTINGS), "unknown_topic"),
        (("show", f"{DEAD}/0/99999999"), "unknown_letter"),
        (("show", f"{DEAD}/7/0"), "unknown_letter"),
        (("show", f"{POSTINGS}/0/0"), "no_address"),
        (("replay", "17"), "unknown_topic"),
    ):
        status, said = await desk.ask("dead-letters", *arguments)
        assert (status, said["error"]) == (3, code), arguments
        assert set(said["message"]) == {"zh", "en"}


async def test_a_partners_own_header_sends_its_record_nowhere_else(desk: Desk, topics: Topics, partner: str) -> None:
    forged = tuple(
        (f"__connect.errors.{name}", value) for name, value in (("topic", b"profiles.v1"), ("partition", b"3"))
    )
    (letter,) = await given_up(topics, partner, BAD, headers=forged)
    before = len(await topics.read("profiles.v1"))
    done = await desk.do("dead-letters", "replay", letter, "--yes")
    assert done["steps"][0]["to"] == f"partner.{partner}.postings.v1/0"
    again = (await topics.read(f"partner.{partner}.postings.v1"))[-1]
    assert [name for name, _ in again.headers] == ["ce_type", "ce_replayedfrom"]
    assert len(await topics.read("profiles.v1")) == before


async def give_up(producer: Producer, topics: Topics, group: str, record: Record) -> str:
    """A dead letter as a service writes it; its address."""
    before = len(await topics.read(f"{group}.dead"))
    await DeadLetters(producer, group).write([(record, Rejected("made up", code="made_up"))])
    found = await topics.read(f"{group}.dead")
    assert len(found) == before + 1
    return f"{group}.dead/0/{found[-1].offset}"


def record(raw: Raw, value: bytes | None = None) -> Record:
    body = raw.value if value is None else value
    headers = tuple(raw.headers)
    return Record(raw.topic, raw.partition, raw.offset, raw.key, body, headers, datetime.now(UTC))


async def test_on_a_state_topic_it_cannot_stay_the_last_word(desk: Desk, topics: Topics, giving_up: Producer) -> None:
    key = uuid4().hex.encode()
    for topic, group, name, foreign in (
        (POSTINGS, "matcher.postings", EPOCH_HEADER, b"0"),
        (SEEKER_LISTS, "notifications.lists", WRITER_HEADER, b"operator"),
    ):
        sent = [
            await topics.write(topic, key, b"{}", [(name, b"5"), ("ce_aggregateversion", b"1")], partition=2)
            for _ in range(2)
        ]
        old, new = [
            next(raw for raw in await topics.read(topic) if (raw.partition, raw.offset) == (2, one.offset))
            for one in sent
        ]
        superseded, newest = [await give_up(giving_up, topics, group, record(raw)) for raw in (old, new)]
        done = await desk.do("dead-letters", "replay", superseded, newest, "--yes")
        assert [step["verdict"] for step in done["steps"]] == ["superseded", "send"]
        last = [raw for raw in await topics.read(topic) if raw.key == key][-1]
        assert last.partition == 2
        assert dict(last.headers) == {name: foreign, "ce_aggregateversion": b"1", "ce_replayedfrom": newest.encode()}
        done = await desk.do("dead-letters", "replay", newest, "--yes")
        assert [step["verdict"] for step in done["steps"]] == ["sent before"]


async def test_what_cannot_go_back_is_said_and_nothing_is_written(
    desk: Desk, topics: Topics, partner: str, giving_up: Producer, tmp_path: Path
) -> None:
    topic = f"partner.{partner}.postings.v1"
    await topics.write(topic, b"A-1", GOOD, [TYPE])
    (raw,) = await topics.read(topic)
    bomb = await give_up(giving_up, topics, "postings.partners", record(raw, b" " * (MAX_RECORD_BYTES + 1)))
    elsewhere = await give_up(giving_up, topics, "matcher.postings", record(raw))
    lost = Record("partner.never-was.postings.v1", 0, 0, b"k", b"{}", (TYPE,), datetime.now(UTC))
    gone = await give_up(giving_up, topics, "postings.partners", lost)
    every = await topics.names()

    for letter, verdict in ((bomb, "no body"), (elsewhere, "no way back"), (gone, "no way back")):
        status, said = await desk.ask("dead-letters", "replay", letter, "--yes")
        assert (status, said["sent"], said["steps"][0]["verdict"]) == (4, 0, verdict)
    assert len(await topics.read(topic)) == 1
    assert await topics.names() == every

    file = tmp_path / "body.json"
    file.write_bytes(GOOD)
    status, said = await desk.ask("dead-letters", "replay", bomb, elsewhere, "--body", str(file), "--yes")
    assert (status, said["error"]) == (4, "one_body")
    done: Json = await desk.do("dead-letters", "replay", bomb, "--body", str(file), "--yes")
    assert done["sent"] == 1
    assert [one.value for one in await topics.read(topic)] == [GOOD, GOOD]
    status, said = await desk.ask("dead-letters", "replay", bomb, "--body", str(tmp_path / "none"), "--yes")
    assert (status, said["error"]) == (4, "no_file")
