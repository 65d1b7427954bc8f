"""Partners at Kafka's door: each comes in by its own account, and may do what is its own and nothing else."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import ssl
import sys
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from aiokafka.errors import ClusterAuthorizationFailedError, TopicAuthorizationFailedError
from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import (
    AclBinding,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ConfigResource,
    NewTopic,
    ResourcePatternType,
    ResourceType,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialUpsertion,
)

from deploy.operator.kafka import EVERY_RIGHT
from deploy.processes import Platform
from deploy.servers import PROJECT, Servers
from tests.system.doors import POSTING, Account, Desk, comes_in, desk_of, new_id, postings_alone, wire
from tests.system.topics import Topics

TOPIC_DENIED, GROUP_DENIED, CLUSTER_DENIED = (
    "TOPIC_AUTHORIZATION_FAILED",
    "GROUP_AUTHORIZATION_FAILED",
    "CLUSTER_AUTHORIZATION_FAILED",
)


@pytest.fixture(scope="module")
def platform(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    with postings_alone(servers, tmp_path_factory.mktemp("doors")) as running:
        yield running


@pytest.fixture
def desk(servers: Servers, platform: Platform, monkeypatch: pytest.MonkeyPatch) -> Desk:
    return desk_of(servers, platform, monkeypatch)


@dataclass(frozen=True)
class Two:
    """A partner, and another one whose id begins with the first one's."""

    one: Account
    other: Account


@pytest.fixture
async def two(desk: Desk, topics: Topics) -> Two:
    first = new_id()
    found = Two(await desk.onboard(first), await desk.onboard(f"{first}-2"))
    for account in (found.one, found.other):
        await topics.create(f"exchange.{account.partner}.postings.v1")
    return found


# ------------------------------------------------------------------------------------- what is its own


async def test_a_partner_publishes_and_reads_its_receipts_with_its_own_group(desk: Desk) -> None:
    account = await desk.onboard(new_id())
    await account.send(POSTING, ce_source=f"urn:partner:{account.partner}")
    await account.send({"id": "A-2"})
    outcomes = {one["partner_posting_id"]: one["outcome"] for one in await account.receipts(2)}
    assert outcomes == {"A-1": "accepted", "A-2": "rejected"}
    await account.send(POSTING)
    (third,) = await account.receipts(1)  # the group's position was kept
    assert third["outcome"] == "unchanged"


async def test_a_partner_reads_its_exchange_topic(two: Two, topics: Topics) -> None:
    await topics.write(f"exchange.{two.one.partner}.postings.v1", b"p-1", b"ours", [])
    assert await asyncio.to_thread(read_one, two.one, f"exchange.{two.one.partner}.postings.v1") == b"ours"


@pytest.mark.parametrize("claimed", ["urn:partner:other", "URN:PARTNER:other:feed", "urn:partner:"])
async def test_a_record_that_names_another_partner_is_answered_as_rejected(desk: Desk, claimed: str) -> None:
    account = await desk.onboard(new_id())
    await account.send(POSTING, ce_source=claimed)
    structured = {"specversion": "1.0", "id": "1", "type": "PartnerPostingSubmitted", "source": claimed}
    content = {"content-type": "application/cloudevents+json"}
    await account.send({**structured, "data": {**POSTING, "id": "A-2"}}, **content)
    await account.send(POSTING, ce_source=f"urn:partner:{account.partner}:feed")
    first, second, third = sorted(await account.receipts(3), key=lambda one: int(one["id"].rpartition("/")[2]))
    for receipt in (first, second):
        assert receipt["outcome"] == "rejected"
        (fault,) = receipt["faults"]
        assert (fault["code"], fault["pointer"]) == ("foreign_source", "")
        assert set(fault["reason"]) == {"zh", "en"}
    assert (first["partner_posting_id"], second["partner_posting_id"]) == ("A-1", "A-2")
    assert (third["outcome"], third["version"]) == ("accepted", 1), "what was rejected left nothing behind"


GUIDE = (PROJECT / "docs" / "partners.md").read_text("utf-8")


def example(account: Account, kind: str, word: str) -> str:
    """The one of this kind with this word in the partner guide, with what this partner was given in its places."""
    blocks: list[tuple[str, str]] = re.findall(r"^```(\w*)\n(.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL)
    (found,) = [text for language, text in blocks if language == kind and word in text]
    for there, here in (
        ("kafka.example.org:9094", account.address),
        ("chongqing~1", account.user),
        ("chongqing", account.partner),
        ("password=…", f"password={account.password}"),
    ):
        found = found.replace(there, here)
    return found


async def test_the_guides_example_in_python_works_as_it_stands(desk: Desk, tmp_path: Path) -> None:
    account = await desk.onboard(new_id())
    shutil.copy(account.ca, tmp_path / "ca.pem")
    (tmp_path / "password").write_text(f"{account.password}\n", "ascii")
    program = await asyncio.create_subprocess_exec(
        sys.executable, "-c", example(account, "python", "aiokafka"), cwd=tmp_path, stdout=asyncio.subprocess.PIPE
    )
    assert program.stdout is not None
    try:
        async with asyncio.timeout(60):
            receipt = json.loads(await program.stdout.readline())
    finally:
        program.kill()
        await program.wait()
    assert (receipt["partner_posting_id"], receipt["outcome"]) == ("A-2026-17", "accepted")


async def test_the_guides_settings_for_kcat_are_librdkafkas(desk: Desk, tmp_path: Path) -> None:
    account = await desk.onboard(new_id())
    shutil.copy(account.ca, tmp_path / "ca.pem")
    settings = dict(line.split("=", 1) for line in example(account, "", "sasl.mechanism").splitlines())
    settings["ssl.ca.location"] = str(tmp_path / settings["ssl.ca.location"])

    def send() -> int:
        producer = Producer({**settings, "log_level": 0})
        topic = f"partner.{account.partner}.postings.v1"
        producer.produce(topic, json.dumps(POSTING), "A-1", headers={"ce_type": "PartnerPostingSubmitted"})
        return producer.flush(20)

    assert await asyncio.to_thread(send) == 0
    assert (await account.receipts(1))[0]["outcome"] == "accepted"


# --------------------------------------------------------------------------------- and nothing else


def reason(error: BaseException) -> str:
    """Kafka's name of what it answered."""
    return str(error.args[0].name())


def read_one(account: Account, topic: str, group: str | None = None) -> bytes:
    """The first record of a topic, by partition or as a member of a group. Raises KafkaException."""
    own = f"partner.{account.partner}.reading"
    settings = {**account.librdkafka, "group.id": group or own, "auto.offset.reset": "earliest"}
    consumer = Consumer({**settings, "enable.auto.commit": False})
    try:
        if group is None:
            consumer.assign([TopicPartition(topic, 0, 0)])
        else:
            consumer.subscribe([topic])
        found = consumer.poll(20)
        assert found is not None, f"nothing came of {topic}"
        if error := found.error():
            raise KafkaException(error)
        return found.value() or b""
    finally:
        consumer.close()


def all_done(futures: Mapping[Any, Future[Any]]) -> None:
    for future in futures.values():
        future.result(20)


def denied(work: Callable[[], object], why: str) -> None:
    with pytest.raises(KafkaException) as caught:
        work()
    assert reason(caught.value) == why


async def test_a_partner_reads_nothing_of_others(two: Two, topics: Topics) -> None:
    other = two.other.partner
    await two.other.send(POSTING)
    await two.other.receipts(1)
    await topics.write(f"exchange.{other}.postings.v1", b"p-1", b"secret", [])
    every = await topics.names()
    assert {f"partner.{other}.postings.v1", f"partner.{other}.receipts.v1", f"exchange.{other}.postings.v1"} <= every
    own = {f"partner.{two.one.partner}.receipts.v1", f"exchange.{two.one.partner}.postings.v1"}

    async with wire(two.one) as sent:
        for topic in sorted(every - own):
            assert await sent.fetch(topic) == (TopicAuthorizationFailedError.errno, b""), topic
        receipts, ours = [await sent.fetch(topic) for topic in sorted(own)]
    assert (receipts[0], ours[0]) == (0, 0)


async def test_a_partner_writes_nowhere_but_to_its_postings(two: Two, topics: Topics) -> None:
    own = f"partner.{two.one.partner}.postings.v1"
    others = await topics.names() - {own}
    assert {f"partner.{two.one.partner}.receipts.v1", "postings.v1", "profiles.v1", "policies.v1"} <= others
    batch = topics.producer.create_batch()
    batch.append(key=b"A-1", value=b"forged", timestamp=None)
    records = bytes(batch._build())
    async with wire(two.one) as sent:
        for topic in sorted(others):
            assert await sent.produce(topic, records) == TopicAuthorizationFailedError.errno, topic
        assert await sent.produce(own, records) == 0
    await two.one.receipts(1)
    forged = {raw.topic for raw in await topics.read(own, *sorted(others)) if raw.value == b"forged"}
    assert forged == {own, "postings.partners.dead"}, "its own record, which was no JSON, and nothing else"


async def test_a_partner_joins_no_group_of_others(two: Two) -> None:
    receipts = f"partner.{two.one.partner}.receipts.v1"
    await two.one.send(POSTING)
    groups = ["postings.partners", "matcher.postings", f"partner.{two.other.partner}.receipts", "partner", "mine"]

    def join_them_all() -> None:
        for group in groups:
            denied(lambda group=group: read_one(two.one, receipts, group), GROUP_DENIED)  # type: ignore[misc]
        read_one(two.one, receipts, f"partner.{two.one.partner}.any")

    await asyncio.to_thread(join_them_all)


async def test_a_partner_sees_and_changes_nothing_of_the_cluster(two: Two) -> None:
    partner = two.one.partner
    own, ask = f"partner.{partner}.postings.v1", {"request_timeout": 20}
    right = AclBinding(
        ResourceType.TOPIC,
        "postings.v1",
        ResourcePatternType.LITERAL,
        f"User:{two.one.user}",
        "*",
        AclOperation.READ,
        AclPermissionType.ALLOW,
    )
    mechanism = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, 4096)

    def try_everything() -> None:
        admin = AdminClient(two.one.librdkafka)
        assert set(admin.list_topics(timeout=20).topics) == {
            own,
            f"partner.{partner}.receipts.v1",
            f"exchange.{partner}.postings.v1",
        }
        listed: Any = admin.list_consumer_groups(**ask)
        assert {group.group_id for group in listed.result(20).valid} <= {f"partner.{partner}.reading"}

        attempts: dict[str, tuple[Callable[[], object], str]] = {
            "create a topic": (lambda: all_done(admin.create_topics([NewTopic("mine", 1, 1)], **ask)), TOPIC_DENIED),
            "create one of its name": (
                lambda: all_done(admin.create_topics([NewTopic(f"partner.{partner}.more.v1", 1, 1)], **ask)),
                TOPIC_DENIED,
            ),
            "delete its topic": (lambda: all_done(admin.delete_topics([own], **ask)), TOPIC_DENIED),
            "delete its records": (
                lambda: all_done(admin.delete_records([TopicPartition(own, 0, 1)], **ask)),
                TOPIC_DENIED,
            ),
            "read its topic's settings": (
                lambda: all_done(admin.describe_configs([ConfigResource("topic", own)], **ask)),
                TOPIC_DENIED,
            ),
            "read the broker's settings": (
                lambda: all_done(admin.describe_configs([ConfigResource("broker", "1")], **ask)),
                CLUSTER_DENIED,
            ),
            "give itself a right": (lambda: all_done(admin.create_acls([right], **ask)), CLUSTER_DENIED),
            "take a right": (lambda: all_done(admin.delete_acls([EVERY_RIGHT], **ask)), CLUSTER_DENIED),
            "begin a transaction": (
                lambda: Producer({**two.one.librdkafka, "transactional.id": own}).init_transactions(20),
                "TRANSACTIONAL_ID_AUTHORIZATION_FAILED",
            ),
            "set a password": (
                lambda: all_done(
                    admin.alter_user_scram_credentials(
                        [UserScramCredentialUpsertion(two.other.user, mechanism, b"mine")], **ask
                    )
                ),
                CLUSTER_DENIED,
            ),
        }
        for what, (attempt, why) in attempts.items():
            print(what)
            denied(attempt, why)

    await asyncio.to_thread(try_everything)
    async with wire(two.one) as sent:
        assert await sent.read_rights() == (ClusterAuthorizationFailedError.errno, ())


# -------------------------------------------------------------------------------------- who comes in


async def test_nobody_comes_in_without_tls_and_the_right_password(two: Two) -> None:
    one = two.one
    assert await comes_in(one)
    assert not await comes_in(replace(one, password=two.other.password))
    assert not await comes_in(replace(one, user="nobody~1"))
    assert not await comes_in(replace(one, user="ANONYMOUS", password=""))
    assert not await comes_in(one, sasl_mechanism="PLAIN")
    assert not await comes_in(one, sasl_mechanism="SCRAM-SHA-256")
    assert not await comes_in(one, security_protocol="PLAINTEXT")
    assert not await comes_in(one, security_protocol="SASL_PLAINTEXT")
    assert not await comes_in(one, security_protocol="SSL")
    assert not await comes_in(one, ssl_context=ssl.create_default_context()), "another authority vouches for nothing"
