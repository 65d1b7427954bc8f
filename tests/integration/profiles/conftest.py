"""A profiles service over real MongoDB, in a database of its own, called over HTTP."""

import base64
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient, Response

from deploy.servers import Servers
from services.profiles import api
from services.profiles.domain.contacts import read_keys
from services.profiles.settings import ProfilesSettings
from services.profiles.store import Store
from services.profiles.usecases.context import Context
from shared import http, idempotency
from shared.auth import Authenticator, Role, ensure_dev_keys, mint
from shared.linking.reader import Reader
from shared.mongo import Database, Document, Mongo


@dataclass(frozen=True)
class Caller:
    """Somebody with a token."""

    client: AsyncClient
    token: str

    async def __call__(
        self,
        method: str,
        path: str,
        body: Any = None,  # noqa: ANN401 - any JSON
        *,
        content: bytes | None = None,
        **headers: str,
    ) -> Response:
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.client.request(
            method,
            path,
            json=body,
            content=content,
            headers=given | {"Authorization": f"Bearer {self.token}"},
        )


@dataclass(frozen=True)
class Profiles:
    """The service under test."""

    context: Context
    client: AsyncClient
    keys_dir: Path

    @property
    def db(self) -> Database:
        return self.context.mongo.db

    def caller(self, role: Role, sub: str, *, employer: str | None = None, partner: str | None = None) -> Caller:
        return Caller(self.client, mint(self.keys_dir, role, sub, employer, partner))

    async def outbox(self, seeker: str) -> list[Document]:
        return await self.db["outbox"].find({"aggregateid": seeker}).sort("version", 1).to_list(None)


@pytest.fixture
async def profiles(servers: Servers, reader: Reader, tmp_path: Path) -> AsyncIterator[Profiles]:
    ensure_dev_keys(tmp_path)
    mongo = Mongo(servers.addresses.mongo, f"profiles-{uuid4().hex}")
    store = Store(mongo.db)
    await store.create_indexes()
    await idempotency.create_indexes(mongo.db)

    async def nobody_to_wake() -> None:
        """No relay runs: what is emitted stays in the outbox."""

    context = Context(mongo, store, read_keys(tmp_path), reader, nobody_to_wake)
    app = FastAPI()
    http.install(app)
    app.include_router(api.router(context, Authenticator(tmp_path / "jwks.json"), ProfilesSettings(import_chunk=3)))
    async with AsyncClient(transport=ASGITransport(app), base_url="http://test") as client:
        yield Profiles(context, client, tmp_path)
    await mongo.db.client.drop_database(mongo.db.name)
    await mongo.close()


BODY: dict[str, Any] = {
    "skills": [{"scheme": "esco", "code": "underwater-basket-weaving", "level": 4}],
    "pay_floor": {"amount": 4321, "currency": "CNY"},
    "consent": {"matching": True},
    "contact": {"name": "Zhuge Liang", "phone": "+86 138 0013 8000", "email": "kongming@example.org"},
}
TRACES = [b"Zhuge", b"8000", b"kongming", b"underwater", base64.b64encode(b"Zhuge")[:6]]
"""What must not be found anywhere after an erasure."""
