"""The operator at Kafka's door: shuts it at once, changes passwords without a gap, lets no retired id return."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.errors import ClusterAuthorizationFailedError, KafkaError, TopicAuthorizationFailedError

from deploy.operator.__main__ import main
from deploy.operator.kafka import Rights
from deploy.operator.rights import reading, writing
from deploy.processes import Platform
from deploy.servers import Servers
from tests.system.doors import POSTING, Desk, comes_in, desk_of, new_id, postings_alone, write
from tests.waiting import until


@pytest.fixture(scope="module")
def platform(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    with postings_alone(servers, tmp_path_factory.mktemp("operator")) as running:
        yield running


@pytest.fixture
def desk(servers: Servers, platform: Platform, monkeypatch: pytest.MonkeyPatch) -> Desk:
    return desk_of(servers, platform, monkeypatch)


async def test_who_is_paused_writes_nothing_on_open_connections_and_reads_on(desk: Desk) -> None:
    account = await desk.onboard(new_id())
    producer = AIOKafkaProducer(**account.security)
    await producer.start()
    try:
        await write(producer, account.partner, POSTING)
        await desk.do("partner", "pause", account.partner)
        with pytest.raises(TopicAuthorizationFailedError):
            await write(producer, account.partner, {**POSTING, "id": "A-2"})
        with pytest.raises(ClusterAuthorizationFailedError):
            await account.send(POSTING)  # an idempotent producer that is opened now
        await desk.do("partner", "pause", account.partner)  # again: nothing more
        assert (await account.receipts(1))[0]["outcome"] == "accepted"
        assert (await desk.do("partner", "show", account.partner))["state"] == "paused"
        await desk.do("partner", "resume", account.partner)
        await account.send({**POSTING, "id": "A-3"})
        assert [one["partner_posting_id"] for one in await account.receipts(1)] == ["A-3"]
    finally:
        await producer.stop()


async def test_a_password_is_changed_without_a_gap(desk: Desk) -> None:
    old = await desk.onboard(new_id())
    lost = desk.account(await desk.do("partner", "rotate", old.partner))
    new = desk.account(await desk.do("partner", "rotate", old.partner))
    assert old.user != new.user == lost.user
    assert not await comes_in(lost), "given again, the new account has another password"
    producer = AIOKafkaProducer(**old.security)
    await producer.start()
    try:
        await write(producer, old.partner, POSTING)
        await new.send({**POSTING, "id": "A-2"})
        assert len(await old.receipts(1)) + len(await new.receipts(1)) == 2, "both read, in one group"

        done = await desk.do("partner", "rotate", old.partner, "--finish")
        assert (done["user"], done["removed"]) == (new.user, [old.user])
        with pytest.raises(TopicAuthorizationFailedError):
            await write(producer, old.partner, {**POSTING, "id": "A-3"})
    finally:
        await producer.stop()
    assert not await comes_in(old)
    await new.send({**POSTING, "id": "A-4"})
    assert (await new.receipts(1))[0]["partner_posting_id"] == "A-4"
    assert (await desk.do("partner", "rotate", old.partner, "--finish"))["removed"] == []


async def test_a_paused_partner_stays_paused_when_its_password_is_changed(desk: Desk) -> None:
    old = await desk.onboard(new_id())
    await desk.do("partner", "pause", old.partner)
    new = desk.account(await desk.do("partner", "rotate", old.partner))
    with pytest.raises(KafkaError):
        await new.send(POSTING)
    await desk.do("partner", "resume", old.partner)
    for account in (old, new):
        await account.send(POSTING)


async def test_a_retired_id_never_comes_back(desk: Desk, servers: Servers) -> None:
    account = await desk.onboard(new_id())
    await account.send(POSTING)
    would = await desk.do("partner", "retire", account.partner)
    assert would["would"] == "retire"
    assert await comes_in(account), "without --yes nothing happens"
    producer = AIOKafkaProducer(**account.security)
    await producer.start()
    try:
        await write(producer, account.partner, POSTING)
        await desk.do("partner", "retire", account.partner, "--yes")
        with pytest.raises(TopicAuthorizationFailedError):
            await write(producer, account.partner, POSTING)
    finally:
        await producer.stop()
    assert not await comes_in(account)
    for command in (("onboard", account.partner, "--name", "again"), ("resume", account.partner)):
        status, said = await desk.ask("partner", *command)
        assert (status, said["error"]) == (4, "retired")
        assert set(said["message"]) == {"zh", "en"}
    assert (await desk.do("partner", "show", account.partner))["state"] == "retired"
    await desk.do("partner", "retire", account.partner, "--yes")

    # and should somebody give it rights past this kit, they are worth nothing
    rights = Rights(servers.addresses.kafka)
    rights.allow([*reading(account.partner, 1), writing(account.partner, 1)])
    rights.set_password(account.user, account.password)

    async def back() -> bool:
        return await comes_in(account)

    await until(back, "the account is there")
    with pytest.raises(KafkaError):
        await account.send(POSTING)


async def test_what_an_operator_is_told(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    account = await desk.onboard(new_id())
    partner = account.partner
    status, said = await desk.ask("partner", "onboard", partner, "--name", "again")
    assert (status, said["error"]) == (4, "onboarded")
    status, said = await desk.ask("partner", "onboard", "No.Good", "--name", "x")
    assert (status, said["error"]) == (4, "invalid_id")
    status, said = await desk.ask("partner", "pause", "nobody")
    assert (status, said["error"]) == (3, "unknown_partner")

    shown = await desk.do("partner", "show", partner)
    assert shown["name"] == f"{partner} 示例"
    assert shown["accounts"] == [
        {
            "user": account.user,
            "rights": [
                f"read group partner.{partner}.*",
                f"read topic exchange.{partner}.postings.v1",
                f"read topic partner.{partner}.receipts.v1",
                f"write topic partner.{partner}.postings.v1",
            ],
        }
    ]
    listed = {row["partner"]: row["state"] for row in (await desk.do("partner", "list"))["partners"]}
    assert listed[partner] == "active"
    assert account.password not in json.dumps([shown, listed])

    capsys.readouterr()
    for language, word in (("zh", "已暂停"), ("en", "is paused")):
        assert await asyncio.to_thread(main, ["partner", "pause", partner, "--lang", language]) == 0
        assert word in capsys.readouterr().out


async def test_an_operator_is_told_when_kafka_is_away(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAFKA_BOOTSTRAP", "127.0.0.1:9")
    monkeypatch.setattr("deploy.operator.kafka._PATIENCE_S", 2.0)
    status, said = await desk.ask("partner", "pause", "north")
    assert (status, said["error"]) == (1, "away")
    assert set(said["message"]) == {"zh", "en"}


async def test_what_broke_off_is_finished_by_the_same_command(
    desk: Desk, servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    partner = new_id()

    def broken(*_: object) -> None:
        raise OSError("broken off")

    with monkeypatch.context() as patch:
        patch.setattr(Rights, "set_password", broken)
        status, _ = await desk.ask("partner", "onboard", partner, "--name", "示例")
    assert status == 1
    account = await desk.onboard(partner)
    await account.send(POSTING)

    with monkeypatch.context() as patch:
        patch.setattr(Rights, "take", broken)
        status, _ = await desk.ask("partner", "retire", partner, "--yes")
    assert status == 1
    with pytest.raises(KafkaError):
        await account.send(POSTING)  # the denial came first
    await desk.do("partner", "retire", partner, "--yes")
    assert Rights(servers.addresses.kafka).standings()[partner].rights == ()
