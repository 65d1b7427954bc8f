"""The whole service with real servers: what reaches Kafka, and what holds while Kafka is away."""

import asyncio
import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaConsumer, ConsumerRecord
from httpx import ASGITransport, AsyncClient

from deploy.servers import Servers
from services.profiles.app import create_app
from services.profiles.settings import ProfilesSettings
from shared.auth import mint
from shared.contracts.registry import PROFILES
from tests.integration.profiles.conftest import BODY, TRACES, Caller

DEAD = "127.0.0.1:9"
"""Nothing listens there (the discard port)."""


@asynccontextmanager
async def running(servers: Servers, folder: Path, kafka: str | None = None) -> AsyncIterator[Caller]:
    """The service, started, and its seeker with a new id."""
    settings = ProfilesSettings(
        kafka_bootstrap=kafka or servers.addresses.kafka,
        mongo_url=servers.addresses.mongo,
        redis_url=servers.addresses.redis,
        keys_dir=folder / "keys",
        dev_keys=True,
        service_state_dir=folder / "state",
        lease_s=1,
    )
    app = create_app(settings)
    me = f"s-{uuid4().hex}"
    transport = ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        AsyncClient(transport=transport, base_url="http://test", headers={"x-seeker": me}) as client,
    ):
        yield Caller(client, mint(settings.keys_dir, "seeker", me))


async def records_of(servers: Servers, seeker: str, *, until: int) -> list[ConsumerRecord[bytes, bytes]]:
    """The records of a seeker on the topic, as soon as one has version `until`."""
    consumer: AIOKafkaConsumer = AIOKafkaConsumer(
        PROFILES,
        bootstrap_servers=servers.addresses.kafka,
        auto_offset_reset="earliest",
        metadata_max_age_ms=500,  # the topic may just be made
    )
    await consumer.start()
    found: list[ConsumerRecord[bytes, bytes]] = []
    deadline = time.monotonic() + 30
    try:
        while not found or version(found[-1]) < until:
            assert time.monotonic() < deadline, f"{len(found)} records came"
            for records in (await consumer.getmany(timeout_ms=200)).values():
                found += [record for record in records if record.key == seeker.encode()]
    finally:
        await consumer.stop()
    return found


def version(record: ConsumerRecord[bytes, bytes]) -> int:
    return int(dict(record.headers)["ce_aggregateversion"])


def own_id(me: Caller) -> str:
    return me.client.headers["x-seeker"]


async def register(me: Caller) -> None:
    """As a client should: with a key, and again while the service, just started, says 503."""
    deadline = time.monotonic() + 20
    while (made := await me("POST", "/seekers", BODY, idempotency_key="first")).status_code == 503:
        assert time.monotonic() < deadline
        await asyncio.sleep(0.1)
    assert made.status_code == 201, made.text


async def test_each_version_reaches_the_topic_and_an_erasure_ends_it(servers: Servers, tmp_path: Path) -> None:
    async with running(servers, tmp_path) as me:
        seeker = own_id(me)
        await register(me)
        await me("PUT", f"/seekers/{seeker}", BODY | {"remote": True}, if_match='"1"')
        before = await records_of(servers, seeker, until=2)
        assert (await me("DELETE", f"/seekers/{seeker}")).status_code == 204
        after = await records_of(servers, seeker, until=3)
    assert [version(record) for record in before] == [1, 2]
    assert (version(after[-1]), after[-1].value) == (3, None)
    told = b"".join((record.value or b"") + repr(record.headers).encode() for record in after)
    assert not [trace for trace in TRACES if trace in told and trace != b"underwater"]


async def test_while_kafka_is_away_commands_succeed_and_say_so(servers: Servers, tmp_path: Path) -> None:
    async with running(servers, tmp_path, kafka=DEAD) as me:
        seeker = own_id(me)
        await register(me)
        deadline = time.monotonic() + 20
        while (await me("POST", f"/seekers/{seeker}/resume")).headers.get("x-publishing") != "delayed":
            assert time.monotonic() < deadline
            await asyncio.sleep(0.1)
        assert (await me("DELETE", f"/seekers/{seeker}")).status_code == 204
        assert (await me("GET", f"/seekers/{seeker}")).status_code == 410
    async with running(servers, tmp_path):
        told = await records_of(servers, seeker, until=2)
    assert [(version(record), record.value) for record in told] == [(2, None)]


async def test_logs_say_nothing_personal(servers: Servers, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    async with running(servers, tmp_path) as me:
        await register(me)
        await me("PUT", f"/seekers/{own_id(me)}", {"contact": {"phone": "kongming"}}, if_match='"1"')
        await me("POST", "/seekers", BODY | {"contact": {"email": "Zhuge"}})
        await records_of(servers, own_id(me), until=1)
        logged, deadline = "", time.monotonic() + 20
        while "started" not in logged:  # the relay may be quicker than the look at the topics
            assert time.monotonic() < deadline
            await asyncio.sleep(0.05)
            logged += "".join(capfd.readouterr())
    logged += "".join(capfd.readouterr())
    assert not re.search("Zhuge|8000|kongming", logged)
