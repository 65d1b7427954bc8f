"""A database of its own for each test, on the real server."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from fastapi import FastAPI

from deploy.servers import Servers
from services.postings import api
from services.postings.domain.snapshots import Limits
from services.postings.settings import PostingsSettings
from services.postings.store import Store
from services.postings.usecases.context import Context
from shared import http, idempotency, outbox
from shared.auth import JWKS, Authenticator, Role, ensure_dev_keys, mint
from shared.broker import Outgoing, Producer
from shared.errors import Unavailable
from shared.fetching import Fetcher, FetchLimits
from shared.linking.reader import Reader
from shared.mongo import Document, Mongo
from tests.unit.postings.examples import NOW

Headers = dict[str, str]
As = Callable[..., Headers]


@dataclass
class World:
    """The service's outer world, with a clock that the test sets."""

    mongo: Mongo
    store: Store
    reader: Reader
    now: datetime = NOW
    woken: int = 0
    topics: list[str] = field(default_factory=list)
    producer: Producer | None = None
    """Without it Kafka is away."""
    waiting: int | None = None
    """Records that are not answered yet; None: Kafka is away."""
    fetcher: Fetcher = field(default_factory=lambda: Fetcher(FetchLimits(1 << 20, 1 << 22), {"127.0.0.1"}))
    """Of feeds. They may lie on this machine."""
    limits: Limits = field(default_factory=lambda: Limits(0.2, 50))
    exchange_name: str = "shandong"

    @property
    def context(self) -> Context:
        return Context(
            self.mongo,
            self.store,
            lambda: self.now,
            self._wake,
            self.reader,
            self._topics,
            self._write,
            self._waiting,
            self.fetcher.check,
            self.exchange_name,
        )

    async def _wake(self) -> None:
        self.woken += 1

    async def _topics(self, partner: str) -> None:
        self.topics.append(partner)

    async def _write(self, records: Sequence[Outgoing]) -> Sequence[int]:
        if self.producer is None:
            raise Unavailable("Kafka is away")
        return await self.producer.send_all(records)

    async def _waiting(self, _: str) -> int:
        if self.waiting is None:
            raise Unavailable("Kafka is away")
        return self.waiting

    async def outbox(self) -> list[Document]:
        """Rows in the order in which they were added."""
        return await self.mongo.db[outbox.OUTBOX].find().sort("_id", 1).to_list(None)


@pytest.fixture
async def world(servers: Servers, reader: Reader) -> AsyncIterator[World]:
    mongo = Mongo(servers.addresses.mongo, f"postings_{uuid4().hex[:12]}")
    store = Store(mongo.db)
    await store.create_indexes()
    await idempotency.create_indexes(mongo.db)
    await outbox.create_indexes(mongo.db)
    yield World(mongo, store, reader)
    await mongo.db.client.drop_database(mongo.db.name)
    await mongo.close()


@pytest.fixture
async def client(world: World, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    ensure_dev_keys(tmp_path)
    app = FastAPI()
    http.install(app)
    app.include_router(api.router(world.context, Authenticator(tmp_path / JWKS), PostingsSettings()))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://postings") as client:
        yield client


@pytest.fixture
def as_(tmp_path: Path) -> As:
    """Headers of a caller: `as_("employer", employer="acme")`."""

    def headers(role: Role, *, key: str | None = None, match: str | None = None, **claims: str) -> Headers:
        sent = {"Authorization": f"Bearer {mint(tmp_path, role, 'someone', **claims)}"}  # type: ignore[arg-type]
        extra = {"Idempotency-Key": key, "If-Match": match}
        return sent | {name: value for name, value in extra.items() if value is not None}

    return headers
