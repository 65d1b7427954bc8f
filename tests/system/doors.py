"""The operator's kit as it is called, and a partner as it connects: what the tests of the doors are written in."""

from __future__ import annotations

import asyncio
import io
import json
import ssl
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError
from aiokafka.protocol.admin import DescribeAclsRequest
from aiokafka.protocol.fetch import FetchRequest
from aiokafka.protocol.produce import ProduceRequest
from aiokafka.structs import RecordMetadata

from deploy.operator.__main__ import main
from deploy.processes import Platform
from deploy.servers import Servers
from tests.system.conftest import ENV

Json = dict[str, Any]

POSTING = {"id": "A-1", "title": {"zh": "焊工", "en": "Welder"}}


@contextmanager
def postings_alone(servers: Servers, root: Path) -> Iterator[Platform]:
    """The one service that partners have to do with, on servers that were emptied."""
    if not servers.addresses.partners:
        pytest.skip("the servers were given, and KAFKA_PARTNERS_BOOTSTRAP does not say where partners come in")
    servers.reset()
    with Platform(servers.addresses, root, env={"*": ENV}) as running:
        running.start("postings").wait_ready()
        yield running


def new_id(name: str = "north") -> str:
    return f"{name}-{uuid4().hex[:8]}"


@dataclass(frozen=True)
class Desk:
    """An operator at the command line."""

    servers: Servers

    def run(self, *arguments: str) -> tuple[int, Json]:
        """The exit status, and the JSON object that was printed."""
        out = io.StringIO()
        with redirect_stdout(out):
            status = main([*arguments, "--json"])
        found: Json = json.loads(out.getvalue())
        return status, found

    async def ask(self, *arguments: str) -> tuple[int, Json]:
        """The same from a test's own loop."""
        return await asyncio.to_thread(self.run, *arguments)

    async def do(self, *arguments: str) -> Json:
        """What must succeed."""
        status, found = await self.ask(*arguments)
        assert status == 0, found
        return found

    async def onboard(self, partner: str) -> Account:
        """A new partner's account."""
        return self.account(await self.do("partner", "onboard", partner, "--name", f"{partner} 示例"))

    def account(self, answer: Json) -> Account:
        """The account that a command printed."""
        at = self.servers.addresses
        return Account(at.partners, at.partners_ca, answer["user"], answer["password"])


def desk_of(servers: Servers, platform: Platform, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """The desk of an operator whose surroundings name these servers and this platform's service."""
    monkeypatch.setenv("KAFKA_BOOTSTRAP", servers.addresses.kafka)
    monkeypatch.setenv("POSTINGS_URL", platform["postings"].url)
    monkeypatch.setenv("KEYS_DIR", str(platform.root / "keys"))
    return Desk(servers)


@dataclass(frozen=True)
class Account:
    """What a partner was given, and what it does with it: by aiokafka, as docs/partners.md shows."""

    address: str
    ca: str
    user: str
    password: str

    @property
    def partner(self) -> str:
        """Whose it is."""
        return self.user.rpartition("~")[0]

    @property
    def security(self) -> Json:
        """Aiokafka's settings."""
        return {
            "bootstrap_servers": self.address,
            "security_protocol": "SASL_SSL",
            "sasl_mechanism": "SCRAM-SHA-512",
            "sasl_plain_username": self.user,
            "sasl_plain_password": self.password,
            "ssl_context": ssl.create_default_context(cafile=self.ca),
        }

    @property
    def librdkafka(self) -> dict[str, str | int | float | bool]:
        """The same for kcat and confluent-kafka."""
        return {
            "bootstrap.servers": self.address,
            "security.protocol": "SASL_SSL",
            "sasl.mechanism": "SCRAM-SHA-512",
            "sasl.username": self.user,
            "sasl.password": self.password,
            "ssl.ca.location": self.ca,
            "log_level": 0,
        }

    async def send(self, body: Json, **headers: str) -> RecordMetadata:
        """Write one record of ours to its topic, on a connection of its own."""
        producer = AIOKafkaProducer(**self.security, enable_idempotence=True)
        await producer.start()
        try:
            return await write(producer, self.partner, body, **headers)
        finally:
            await producer.stop()

    async def receipts(self, count: int, group: str = "receipts") -> list[Json]:
        """The next receipts of a group of its own."""
        consumer = AIOKafkaConsumer(
            f"partner.{self.partner}.receipts.v1",
            **self.security,
            group_id=f"partner.{self.partner}.{group}",
            auto_offset_reset="earliest",
            enable_auto_commit=False,
        )
        await consumer.start()
        try:
            async with asyncio.timeout(30):
                found: list[ConsumerRecord[Any, Any]] = [await consumer.getone() for _ in range(count)]
            await consumer.commit()
            return [json.loads(record.value) for record in found]
        finally:
            await consumer.stop()


async def write(producer: AIOKafkaProducer, partner: str, body: Json, **headers: str) -> RecordMetadata:
    """Write one submission by a producer that is open already."""
    named = {"ce_type": "PartnerPostingSubmitted", **headers}
    async with asyncio.timeout(20):
        found: RecordMetadata = await producer.send_and_wait(
            f"partner.{partner}.postings.v1",
            json.dumps(body).encode(),
            str(body.get("id")).encode(),
            headers=[(name, value.encode()) for name, value in named.items()],
        )
    return found


async def comes_in(account: Account, **other: object) -> bool:
    producer = AIOKafkaProducer(**{**account.security, **other}, request_timeout_ms=5000)
    try:
        async with asyncio.timeout(20):
            await producer.start()
    except (KafkaError, OSError, TimeoutError):
        return False
    finally:
        await producer.stop()
    return True


@dataclass(frozen=True)
class Wire:
    """Requests as they go over the wire: a client library refuses of itself what the broker might let through."""

    admin: AIOKafkaAdminClient

    async def fetch(self, topic: str) -> tuple[int, bytes]:
        """Kafka's error code, and what it gave of partition 0."""
        most = 1024 * 1024
        answer = await self._ask(FetchRequest(200, 1, most, 0, [(topic, [(0, 0, most)])]))
        ((_, ((_, code, *_, records),)),) = answer.topics
        return code, records or b""

    async def produce(self, topic: str, records: bytes) -> int:
        """Kafka's error code."""
        answer = await self._ask(ProduceRequest(None, -1, 10_000, [(topic, [(0, records)])]))
        ((_, ((_, code, *_),)),) = answer.topics
        return int(code)

    async def read_rights(self) -> tuple[int, Sequence[object]]:
        """Kafka's error code, and the rights that it named."""
        answer = await self._ask(DescribeAclsRequest(1, None, 1, None, None, 1, 1))  # 1 is any; None too
        return answer.error_code, answer.resources or ()

    async def _ask(self, request: object) -> Any:  # noqa: ANN401 - as each version of the protocol has it
        node = next(iter(self.admin._client.cluster.brokers())).nodeId
        return await self.admin._send_request_to_node(node, request)


@asynccontextmanager
async def wire(account: Account) -> AsyncIterator[Wire]:
    admin = AIOKafkaAdminClient(**account.security)
    await admin.start()
    try:
        yield Wire(admin)
    finally:
        await admin.close()
