"""The servers that everything else is tested on: that they work, come back, can be emptied, and go away."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import docker
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from pymongo import AsyncMongoClient
from redis.asyncio import Redis

from deploy.servers import PROJECT, Addresses, ServerError, Servers, running_servers
from deploy.servers.containers import why_no_containers
from tests.waiting import gone, within_seconds

TOPIC = "servers-test"


async def create_topic(bootstrap: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        answer = await admin.create_topics([NewTopic(TOPIC, num_partitions=2, replication_factor=1)])
        assert [code for _, code, *_ in answer.topic_errors] == [0]
    finally:
        await admin.close()


async def produce(bootstrap: str, value: bytes) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, enable_idempotence=True)
    await producer.start()
    try:
        await producer.send_and_wait(TOPIC, value, partition=0)
    finally:
        await producer.stop()


async def consume(bootstrap: str, count: int, group: str | None = None) -> list[bytes]:
    consumer = AIOKafkaConsumer(
        TOPIC,
        bootstrap_servers=bootstrap,
        group_id=group,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        session_timeout_ms=1000,
        heartbeat_interval_ms=300,
    )
    await consumer.start()
    try:
        values = [(await consumer.getone()).value for _ in range(count)]
        if group is not None:
            await consumer.commit()
        return values
    finally:
        await consumer.stop()


async def test_a_killed_kafka_comes_back_with_its_records(servers: Servers) -> None:
    servers.reset()
    at = servers.addresses.kafka
    await create_topic(at)
    await produce(at, b"before")
    assert await consume(at, 1) == [b"before"]

    servers.kafka.kill()
    servers.kafka.start()

    assert await consume(at, 1) == [b"before"]
    await produce(at, b"after")
    assert await consume(at, 2) == [b"before", b"after"]


async def test_mongo_has_transactions_and_keeps_what_was_acknowledged(servers: Servers) -> None:
    servers.reset()
    client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(servers.addresses.mongo)
    try:
        async with client.start_session() as session, await session.start_transaction():
            await client.postings.one.insert_one({"_id": 1}, session=session)
            await client.postings.two.insert_one({"_id": 2}, session=session)
        servers.mongo.kill()
        servers.mongo.start()
        assert await client.postings.two.find_one() == {"_id": 2}
    finally:
        await client.close()


async def test_redis_answers_and_comes_back(servers: Servers) -> None:
    async with Redis.from_url(servers.addresses.redis) as redis:
        assert await redis.ping()
    servers.redis.kill()
    servers.redis.start()
    # A new client: an old connection's next command fails, which is for its user to repeat.
    async with Redis.from_url(servers.addresses.redis) as redis:
        assert await redis.ping()


async def test_reset_empties_all_and_names_can_be_used_again_at_once(servers: Servers) -> None:
    at = servers.addresses
    client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(at.mongo)
    redis = Redis.from_url(at.redis)
    try:
        for turn in range(3):
            servers.reset()
            await create_topic(at.kafka)
            await produce(at.kafka, str(turn).encode())
            # The group starts at the earliest record again: its offsets went with the topic.
            assert await consume(at.kafka, 1, "servers-test-group") == [str(turn).encode()]
            assert await client.matcher.things.find_one() is None
            await client.matcher.things.insert_one({})
            assert await redis.dbsize() == 0
            await redis.set("key", "value")
    finally:
        await client.close()
        await redis.aclose()


async def test_reset_removes_groups_whose_members_were_killed(servers: Servers) -> None:
    servers.reset()
    await create_topic(servers.addresses.kafka)
    consumer = AIOKafkaConsumer(
        TOPIC, bootstrap_servers=servers.addresses.kafka, group_id="left-behind", session_timeout_ms=30_000
    )
    await consumer.start()
    try:
        started = time.monotonic()
        # This loop is blocked meanwhile, so the member neither answers nor leaves, as if it were killed.
        servers.reset()
        assert time.monotonic() - started < 10
        admin = AIOKafkaAdminClient(bootstrap_servers=servers.addresses.kafka)
        await admin.start()
        groups = await admin.list_consumer_groups()
        await admin.close()
        assert groups == []
    finally:
        await consumer.stop()


def test_given_servers_are_used_but_neither_stopped_nor_emptied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = Addresses("kafka:1", "mongodb://mongo:2", "redis://redis:3")
    for name, value in given.env().items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("ALLOW_WIPE", raising=False)
    monkeypatch.delenv("SERVERS", raising=False)
    with running_servers(tmp_path) as servers:
        assert (servers.kind, servers.addresses) == ("given", given)
        with pytest.raises(ServerError, match="given in the environment"):
            servers.kafka.kill()
        with pytest.raises(ServerError, match="ALLOW_WIPE=1"):
            servers.reset()
    assert list(tmp_path.iterdir()) == []


ENDS = [None, signal.SIGTERM, signal.SIGKILL]
OWNER = """
import sys, time
from pathlib import Path
from deploy.servers.running import running_servers
with running_servers(Path(sys.argv[1])) as servers:
    three = (servers.kafka, servers.mongo, servers.redis)
    print(*(server.pid if servers.kind == "local" else server.container_id for server in three), flush=True)
    if sys.argv[2] == "stay":
        time.sleep(600)
"""


@pytest.mark.slow
@pytest.mark.parametrize("end", ENDS)
def test_no_local_server_outlives_its_owner(tmp_path: Path, end: signal.Signals | None) -> None:
    pids = [int(pid) for pid in started_and_ended("local", tmp_path, end)]
    assert len(pids) == 3
    assert within_seconds(20, lambda: all(gone(pid) for pid in pids))


@pytest.mark.slow
@pytest.mark.parametrize("end", ENDS)
def test_no_container_outlives_its_owner(tmp_path: Path, end: signal.Signals | None) -> None:
    if reason := why_no_containers():
        pytest.skip(reason)
    engine = docker.from_env()
    try:
        ids = started_and_ended("docker", tmp_path, end)
        assert len(ids) == 3

        def all_removed() -> bool:
            return not {container.id for container in engine.containers.list(all=True)} & set(ids)

        assert within_seconds(60, all_removed)
    finally:
        engine.close()


def started_and_ended(kind: str, root: Path, end: signal.Signals | None) -> list[str]:
    """Let another process own servers of this kind until it leaves or gets the signal; what it owned."""
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER, str(root), "stay" if end else "leave"],
        cwd=PROJECT,
        env={**os.environ, "SERVERS": kind, "PYTHONPATH": str(PROJECT)},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert owner.stdout is not None
    with owner.stdout as output:
        owned = output.readline().split()
        if end is not None:
            owner.send_signal(end)
        owner.wait(timeout=60)
    return owned
