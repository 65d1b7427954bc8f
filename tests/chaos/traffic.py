"""Partners and seekers who keep the platform busy, insist on every answer, and write it into the ledger."""

from __future__ import annotations

import asyncio
import itertools
import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from random import Random
from typing import Any
from uuid import uuid4

from aiokafka import AIOKafkaProducer
from httpx import AsyncClient, HTTPError, Response

from shared.auth import mint
from shared.contracts.envelope import event_headers
from shared.contracts.profiles import ProfileTerms
from shared.contracts.registry import PARTNER_POSTINGS
from tests.chaos import world
from tests.chaos.ledger import PartnerLedger, SeekerLedger, Sent, Terms

PATIENCE_S = 60.0
ANSWER_WITHIN_S = 2.0
"""Who waits longer asks the other process."""
DONE = 400
"""The first status that is no success."""
CHANGED = 412
AWAY = 500


@dataclass
class Caller:
    """Somebody with a token who repeats a command until it is answered, at one process or the other."""

    client: AsyncClient
    urls: Iterator[str]
    token: str

    @classmethod
    def of(cls, client: AsyncClient, urls: Sequence[str], keys: Path, role: Any, sub: str) -> Caller:  # noqa: ANN401
        return cls(client, itertools.cycle(urls), mint(keys, role, sub))

    async def __call__(self, method: str, path: str, **request: Any) -> Response:  # noqa: ANN401
        headers = {"Authorization": f"Bearer {self.token}", **request.pop("headers", {})}
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                answer = await self.client.request(
                    method, next(self.urls) + path, headers=headers, timeout=ANSWER_WITHIN_S, **request
                )
            except HTTPError as error:
                why = repr(error)
            else:
                if answer.status_code < AWAY:
                    return answer
                why = answer.text
            assert time.monotonic() < deadline, f"{method} {path} was not answered: {why}"
            await asyncio.sleep(0.05)


@dataclass
class Partner:
    """A partner region: submits, changes, removes, repeats itself, and sometimes sends what is stale."""

    name: str
    producer: AIOKafkaProducer
    random: Random
    ends: Callable[[], datetime | None] = lambda: None
    """The `valid_through` of the next vacancy."""
    ledger: PartnerLedger = field(default_factory=PartnerLedger)
    _said: dict[str, list[Sent]] = field(default_factory=dict)
    """What was said of each posting, the newest last."""

    @property
    def topic(self) -> str:
        return PARTNER_POSTINGS.format(partner=self.name)

    async def submit(self, count: int) -> None:
        """New vacancies."""
        await self._send([self._new() for _ in range(count)])

    async def stir(self, count: int) -> None:
        """New ones, changes, removals, repetitions and stale records."""
        await self._send([self._next() for _ in range(count)])

    def _new(self) -> Sent:
        name = f"{self.name}-{len(self._said)}"
        return self._say(Sent(name, 1, world.posting_terms(self.random, ends=self.ends())))

    def _next(self) -> Sent:
        what = self.random.random()
        if what < 0.4 or not self._said:
            return self._new()
        last = self.random.choice(list(self._said.values()))[-1]
        if what < 0.7:
            terms = world.posting_terms(self.random, ends=self.ends())
            return self._say(Sent(last.id, last.sequence + self.random.randint(0, 2), terms))
        if what < 0.8:
            return self._say(Sent(last.id, last.sequence + 1, None))
        if what < 0.9:
            return self._say(last)
        # perhaps never sent before, but older than what was
        terms = world.posting_terms(self.random)
        return Sent(last.id, last.sequence - 1, terms) if last.sequence else self._say(last)

    def _say(self, record: Sent) -> Sent:
        self._said.setdefault(record.id, []).append(record)
        return record

    async def _send(self, records: Sequence[Sent]) -> None:
        futures = []
        for record in records:
            body: dict[str, Any] = {"id": record.id, "sequence": record.sequence}
            event = "PartnerPostingRemoved"
            if record.terms is not None:
                event = "PartnerPostingSubmitted"
                body |= record.terms
            headers = event_headers(
                source=self.name, event_type=event, subject=record.id, topic_family=PARTNER_POSTINGS
            )
            futures.append(
                await self.producer.send(
                    self.topic,
                    json.dumps(body).encode(),
                    key=record.id.encode(),
                    headers=[(name, value.encode()) for name, value in headers.items()],
                )
            )
        for record, future in zip(records, futures, strict=True):
            self.ledger.acknowledged((await future).offset, record)


@dataclass
class Seekers:
    """Seekers of one matchmaker: they register, change, pause, come back, leave, and are erased."""

    call: Caller
    random: Random
    ledger: SeekerLedger = field(default_factory=SeekerLedger)
    _busy: set[str] = field(default_factory=set)

    async def register(self, count: int) -> None:
        """Many at once."""
        lines = [world.profile_terms(self.random) for _ in range(count)]
        body = "\n".join(json.dumps(line | {"contact": {"name": "Made-up"}}) for line in lines)
        answer = await self.call("POST", "/seekers:import", content=body, headers={"Idempotency-Key": uuid4().hex})
        found = answer.json()["items"]
        assert [item["outcome"] for item in found] == ["registered"] * count, answer.text
        for item, terms in zip(found, lines, strict=True):
            self.ledger.registered(item["id"], terms)

    async def stir(self, count: int) -> None:
        """Commands one after the other, each of a seeker about whom no other is under way."""
        for _ in range(count):
            free = self.ledger.live().keys() - self._busy
            if not free:
                return
            seeker = self.random.choice(sorted(free))
            self._busy.add(seeker)
            await self._command(seeker)
            self._busy.discard(seeker)

    async def _command(self, seeker: str) -> None:
        what = self.random.random()
        status = self.ledger.standing[seeker].status
        if what < 0.05:
            await self.erase(seeker)
        elif what < 0.15:
            await self._change(seeker, self.ledger.standing[seeker].terms)
        elif what < 0.65:
            await self._change(seeker, world.profile_terms(self.random))
        elif status != "active":
            await self._move(seeker, "resume", "active")
        elif what < 0.85:
            await self._move(seeker, "pause", "paused")
        else:
            await self._move(seeker, "withdraw", "withdrawn")

    async def erase(self, seeker: str) -> None:
        answer = await self.call("DELETE", f"/seekers/{seeker}")
        assert answer.status_code < DONE, answer.text
        self.ledger.erased(seeker)

    async def _move(self, seeker: str, command: str, status: str) -> None:
        key = {"Idempotency-Key": uuid4().hex}
        answer = await self.call("POST", f"/seekers/{seeker}/{command}", headers=key)
        assert answer.status_code < DONE, answer.text
        standing = answer.json()
        assert standing["status"] == status
        self.ledger.now(seeker, standing["version"], status, self.ledger.standing[seeker].terms)

    async def _change(self, seeker: str, terms: Terms) -> None:
        before = self.ledger.standing[seeker]
        match = {"If-Match": f'"{before.version}"'}
        answer = await self.call("PUT", f"/seekers/{seeker}", json=terms, headers=match)
        if answer.status_code == CHANGED:
            # the first answer was lost on its way: it must be this very change that was made
            answer = await self.call("GET", f"/seekers/{seeker}")
            assert ProfileTerms.model_validate(answer.json()) == ProfileTerms.model_validate(terms)
        assert answer.status_code < DONE, answer.text
        self.ledger.now(seeker, answer.json()["version"], before.status, terms)
