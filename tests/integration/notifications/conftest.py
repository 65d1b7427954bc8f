"""A fresh database for each test on the session's servers, and the routes behind a real HTTP server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
import uvicorn
from fastapi import FastAPI
from httpx import AsyncClient

from deploy.servers import Servers
from services.notifications import api
from services.notifications.settings import NotificationsSettings
from services.notifications.store import Store
from services.notifications.usecases import taking
from services.notifications.usecases.inbox import Inboxes
from services.notifications.usecases.streams import Calls
from shared import http
from shared.auth import Authenticator, Role, ensure_dev_keys, mint
from shared.contracts.lists import ListBody
from shared.mongo import Mongo
from shared.redis import Redis

Take = Callable[..., Awaitable[set[str]]]
Token = Callable[..., dict[str, str]]


@pytest.fixture
def settings(servers: Servers) -> NotificationsSettings:
    return NotificationsSettings(
        mongo_url=servers.addresses.mongo,
        redis_url=servers.addresses.redis,
        stream_keep_alive_s=0.3,
        stream_poll_s=30,
    )


@pytest.fixture
async def inboxes(settings: NotificationsSettings) -> AsyncIterator[Inboxes]:
    mongo = Mongo(settings.mongo_url, f"notifications-{uuid4().hex[:12]}")
    store = Store(mongo.db)
    await store.create_indexes()
    yield Inboxes(mongo, store)
    await mongo.db.client.drop_database(mongo.db.name)
    await mongo.close()


@pytest.fixture
def take(inboxes: Inboxes) -> Take:
    """Take lists and tombstones (anchor id to version) in, in one batch."""

    async def taken(*lists: ListBody, tombstones: Mapping[str, int] | None = None) -> set[str]:
        return await taking.take_lists(inboxes.store, lists, tombstones or {}, timedelta(days=2))

    return taken


@pytest.fixture
async def calls(settings: NotificationsSettings) -> AsyncIterator[Calls]:
    redis = Redis(settings.redis_url)
    calls = Calls(redis, settings)
    listening = asyncio.create_task(calls.listen())
    yield calls
    listening.cancel()
    await asyncio.gather(listening, return_exceptions=True)
    await redis.close()


@pytest.fixture
def token(tmp_path: Path) -> Token:
    """Headers of a caller."""
    ensure_dev_keys(tmp_path)

    def headers(role: Role, sub: str, employer: str | None = None, ttl_s: int = 60) -> dict[str, str]:
        return {"Authorization": "Bearer " + mint(tmp_path, role, sub, employer=employer, ttl_s=ttl_s)}

    return headers


@pytest.fixture
async def client(
    inboxes: Inboxes, calls: Calls, settings: NotificationsSettings, tmp_path: Path
) -> AsyncIterator[AsyncClient]:
    ensure_dev_keys(tmp_path)
    app = FastAPI()
    http.install(app)
    app.include_router(api.router(inboxes, calls, Authenticator(tmp_path / "jwks.json"), settings))
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="warning", timeout_graceful_shutdown=5))
    running = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
        await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    async with AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=10) as client:
        yield client
    stopping = asyncio.Event()
    stopping.set()
    await calls.close_when(stopping)
    server.should_exit = True
    await running
