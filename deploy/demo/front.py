"""The HTTP side: an operator's, employers' and seekers' calls, each with its own development token."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self
from uuid import uuid4

import aiohttp

from shared.auth import Role, mint

CONNECTIONS: Final = 50
TOKEN_S: Final = 86_400

Json = dict[str, Any]
"""An answer's body."""


class CallError(RuntimeError):
    """A service answered with something else than success; says what."""


class Front:
    """Calls the services, from `async with` on; `urls` by service name."""

    def __init__(self, urls: dict[str, str], keys_dir: Path) -> None:
        self.urls = urls
        self._keys_dir = keys_dir
        self._tokens: dict[tuple[Role, str], str] = {}

    async def __aenter__(self) -> Self:
        """Connections are made as they are needed."""
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=CONNECTIONS),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=30, sock_read=120),
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Disconnect."""
        await self._session.close()

    def token(self, role: Role, sub: str) -> str:
        """A development token of that person; an employer's or a partner's `sub` is its id."""
        who = (role, sub)
        if who not in self._tokens:
            employer, partner = (sub if role == one else None for one in ("employer", "partner"))
            self._tokens[who] = mint(self._keys_dir, role, sub, employer=employer, partner=partner, ttl_s=TOKEN_S)
        return self._tokens[who]

    async def get(self, role: Role, sub: str, service: str, path: str, **params: str | int) -> Json:
        """The body of a GET. Raises CallError."""
        return await self._call("GET", self.urls[service] + path, self._headers(role, sub), params=params)

    async def put(self, role: Role, sub: str, service: str, path: str, body: Json) -> Json:
        """The body that a PUT answers. Raises CallError."""
        return await self._call("PUT", self.urls[service] + path, self._headers(role, sub), json=body)

    async def register(self, sub: str, submission: bytes) -> Json:
        """`POST /seekers` as that seeker. Raises CallError."""
        headers = {**self._headers("seeker", sub), "content-type": "application/json"}
        return await self._call("POST", f"{self.urls['profiles']}/seekers", headers, data=submission)

    async def import_seekers(self, lines: Sequence[bytes]) -> Json:
        """`POST /seekers:import` as an operator; safe to repeat. Raises CallError."""
        headers = {
            **self._headers("operator", "operator"),
            "content-type": "application/x-ndjson",
            "idempotency-key": uuid4().hex,
        }
        return await self._call("POST", f"{self.urls['profiles']}/seekers:import", headers, data=b"\n".join(lines))

    async def upload(self, partner: str, lines: Sequence[bytes]) -> int:
        """`POST /partners/{id}/records` as that partner, gzipped; how many were written. Raises CallError."""
        headers = {
            **self._headers("partner", partner),
            "content-type": "application/x-ndjson",
            "content-encoding": "gzip",
            "idempotency-key": uuid4().hex,
        }
        url = f"{self.urls['postings']}/partners/{partner}/records"
        answer = await self._call("POST", url, headers, data=gzip.compress(b"\n".join(lines), compresslevel=1))
        return int(answer["written"])

    async def stream(self, role: Role, sub: str, after: int, opened: asyncio.Event) -> AsyncIterator[tuple[str, Json]]:
        """Events of `GET /stream` (name and body) after that number, until the caller stops listening."""
        headers = {**self._headers(role, sub), "last-event-id": str(after)}
        async with self._session.get(f"{self.urls['notifications']}/stream", headers=headers) as response:
            await _succeeded(response)
            opened.set()
            name = ""
            async for line in response.content:
                field, _, value = line.decode().rstrip("\n").partition(": ")
                if field == "event":
                    name = value
                elif field == "data":
                    yield name, json.loads(value)

    async def _call(self, method: str, url: str, headers: dict[str, str], **rest: object) -> Json:
        async with self._session.request(method, url, headers=headers, **rest) as response:  # type: ignore[arg-type]
            await _succeeded(response)
            body: Json = await response.json()
            return body

    def _headers(self, role: Role, sub: str) -> dict[str, str]:
        return {"authorization": f"Bearer {self.token(role, sub)}"}


async def _succeeded(response: aiohttp.ClientResponse) -> None:
    if not response.ok:
        text = (await response.text())[:300]
        raise CallError(f"{response.method} {response.url.path} answered {response.status}: {text}")
