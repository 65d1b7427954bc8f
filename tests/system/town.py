"""A running platform, and those who call it: what the system tests are written in."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

from httpx import AsyncClient, Response

from deploy.processes import Platform
from deploy.servers import Servers
from shared.auth import Role, mint

T = TypeVar("T")
Json = dict[str, Any]

JINAN = {"scheme": "gbt2260", "code": "370102"}


@dataclass(frozen=True)
class Caller:
    """Who calls, by the claims of the token."""

    role: Role
    sub: str
    employer: str | None = None
    partner: str | None = None
    ttl_s: int = 3600


OPERATOR = Caller("operator", "op-1")


def seeker_caller(seeker: str) -> Caller:
    return Caller("seeker", seeker)


def employer_caller(employer: str) -> Caller:
    return Caller("employer", f"clerk-of-{employer}", employer=employer)


def code_of(trade: str) -> dict[str, str]:
    return {"scheme": "esco", "code": trade}


def own_skill(trade: str) -> str:
    """A skill that no posting asks for: wherever it is found, a seeker's profile is."""
    return f"glass-harp-{trade}"


def posting_body(trade: str, **more: object) -> Json:
    return {
        "title": {"zh": "焊工", "en": "Welder"},
        "occupation": code_of(trade),
        "required_skills": [code_of(trade)],
        "regions": [JINAN],
        "pay": {"min": 6000, "max": 9000, "currency": "CNY"},
        "employment_type": "full_time",
        **more,
    }


def seeker_body(trade: str, **more: object) -> Json:
    return {
        "occupations": [code_of(trade)],
        "skills": [{**code_of(trade), "level": 4}, code_of(own_skill(trade))],
        "regions": [JINAN],
        "pay_floor": {"amount": 5000, "currency": "CNY"},
        "consent": {"matching": True},
        **more,
    }


@dataclass
class Town:
    """The platform, its servers, and HTTP to every service."""

    servers: Servers
    platform: Platform
    http: AsyncClient
    trade: str = field(default_factory=lambda: f"trade-{uuid4().hex[:8]}")
    """Occupation and skill of everyone in this test, so that they match each other and nobody else."""

    @property
    def keys(self) -> Path:
        """The development keys of this platform."""
        return self.platform.root / "keys"

    def token(self, who: Caller) -> str:
        return mint(self.keys, who.role, who.sub, who.employer, who.partner, who.ttl_s)

    def headers(self, who: Caller) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token(who)}"}

    def url(self, service: str, path: str) -> str:
        return self.platform[service].url + path

    async def ask(
        self,
        who: Caller,
        method: str,
        service: str,
        path: str,
        body: Json | None = None,
        **headers: str,
    ) -> Response:
        """One request; `if_match='"1"'` becomes the header If-Match."""
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.http.request(method, self.url(service, path), json=body, headers=self.headers(who) | given)

    async def new_employer(self) -> str:
        """Register one; its id."""
        employer = f"e-{uuid4().hex[:12]}"
        body = {"name": "示例焊接厂 Example Welding"}
        made = await self.ask(employer_caller(employer), "PUT", "postings", f"/employers/{employer}", body)
        assert made.status_code == 201, made.text
        return employer

    async def new_posting(self, employer: str, **more: object) -> str:
        """Publish one; its id."""
        made = await self.ask(
            employer_caller(employer), "POST", "postings", "/postings", posting_body(self.trade, **more)
        )
        assert made.status_code == 201, made.text
        return str(made.json()["id"])

    async def new_seeker(self, **more: object) -> str:
        """Register one under a new id; the id."""
        seeker = f"s-{uuid4().hex[:12]}"
        made = await self.ask(seeker_caller(seeker), "POST", "profiles", "/seekers", seeker_body(self.trade, **more))
        assert made.status_code == 201, made.text
        return seeker

    async def inbox(self, who: Caller) -> list[Json]:
        """The items of the caller's own inbox, the newest first."""
        answer = await self.ask(who, "GET", "notifications", "/inbox?limit=200")
        assert answer.status_code == 200, answer.text
        return list(answer.json()["items"])

    async def live_postings(self, seeker: str) -> set[str]:
        """The postings that are recommended to this seeker now."""
        items = await self.inbox(seeker_caller(seeker))
        return {item["posting"]["id"] for item in items if item["live"]}

    async def live_seekers(self, employer: str) -> set[str]:
        """The seekers that are recommended to this employer now."""
        return {i["seeker"] for i in await self.inbox(employer_caller(employer)) if i["live"]}


@dataclass
class Stream:
    """A reader of /stream: its events as they come."""

    events: asyncio.Queue[tuple[str, str, Json]] = field(default_factory=asyncio.Queue)
    """Event name, id, data."""
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    async def next(self, seconds: float = 10) -> tuple[str, str, Json]:
        async with asyncio.timeout(seconds):
            return await self.events.get()

    async def follow(self, lines: AsyncIterator[str]) -> None:
        """Read until the stream ends, in order or not."""
        fields: dict[str, str] = {}
        try:
            async for line in lines:
                if line:
                    name, _, value = line.partition(":")
                    fields[name] = value.removeprefix(" ")
                elif "data" in fields:
                    self.events.put_nowait((fields["event"], fields["id"], json.loads(fields["data"])))
                    fields = {}
        finally:
            self.ended.set()


@asynccontextmanager
async def stream(town: Town, who: Caller, last: str | None = None) -> AsyncIterator[Stream]:
    """An open stream of the caller's inbox, from after event id `last`."""
    headers = town.headers(who) | ({"Last-Event-ID": last} if last is not None else {})
    reader = Stream()
    async with town.http.stream("GET", town.url("notifications", "/stream"), headers=headers, timeout=None) as answer:
        assert answer.status_code == 200, await answer.aread()
        reading = asyncio.create_task(reader.follow(answer.aiter_lines()))
        try:
            yield reader
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)
