"""The HTTP side: an operator's, employers' and seekers' calls, each with its own development token."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self
from uuid import uuid4

import httpx

from shared.auth import Role, mint

OK: Final = 200
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
        self._client = httpx.AsyncClient(timeout=httpx.Timeout(30, read=120), limits=httpx.Limits(max_connections=50))

    async def __aenter__(self) -> Self:
        """Nothing to wait for."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Disconnect."""
        await self._client.aclose()

    def token(self, role: Role, sub: str) -> str:
        """A development token of that person; an employer's `sub` is the employer's id."""
        who = (role, sub)
        if who not in self._tokens:
            employer = sub if role == "employer" else None
            self._tokens[who] = mint(self._keys_dir, role, sub, employer=employer, ttl_s=TOKEN_S)
        return self._tokens[who]

    async def get(self, role: Role, sub: str, service: str, path: str, **params: str | int) -> Json:
        """The body of a GET. Raises CallError."""
        response = await self._client.get(self.urls[service] + path, params=params, headers=self._headers(role, sub))
        return _body(response)

    async def put(self, role: Role, sub: str, service: str, path: str, body: Json) -> Json:
        """The body that a PUT answers. Raises CallError."""
        response = await self._client.put(self.urls[service] + path, json=body, headers=self._headers(role, sub))
        return _body(response)

    async def register(self, sub: str, submission: bytes) -> Json:
        """`POST /seekers` as that seeker. Raises CallError."""
        response = await self._client.post(
            f"{self.urls['profiles']}/seekers",
            content=submission,
            headers={**self._headers("seeker", sub), "content-type": "application/json"},
        )
        return _body(response)

    async def import_seekers(self, lines: Sequence[bytes]) -> Json:
        """`POST /seekers:import` as an operator; safe to repeat. Raises CallError."""
        response = await self._client.post(
            f"{self.urls['profiles']}/seekers:import",
            content=b"\n".join(lines),
            headers={
                **self._headers("operator", "operator"),
                "content-type": "application/x-ndjson",
                "idempotency-key": uuid4().hex,
            },
        )
        return _body(response)

    async def stream(self, role: Role, sub: str, after: int, opened: asyncio.Event) -> AsyncIterator[tuple[str, Json]]:
        """Events of `GET /stream` (name and body) after that number, until the caller stops listening."""
        headers = {**self._headers(role, sub), "last-event-id": str(after)}
        async with self._client.stream("GET", f"{self.urls['notifications']}/stream", headers=headers) as response:
            if response.status_code != OK:
                await response.aread()
                _body(response)
            opened.set()
            name = ""
            async for line in response.aiter_lines():
                field, _, value = line.partition(": ")
                if field == "event":
                    name = value
                elif field == "data":
                    yield name, json.loads(value)

    def _headers(self, role: Role, sub: str) -> dict[str, str]:
        return {"authorization": f"Bearer {self.token(role, sub)}"}


def _body(response: httpx.Response) -> Json:
    if response.is_success:
        body: Json = response.json()
        return body
    request = response.request
    raise CallError(f"{request.method} {request.url.path} answered {response.status_code}: {response.text[:300]}")
