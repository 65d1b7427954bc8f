"""Fetches the feeds of partners that have no Kafka: to their own topics, and from there on as by Kafka.

How far a feed has come is saved once Kafka has its records. Killed in between, the next fetch begins where the last
one that was saved began: records are written twice then, and answered `unchanged`.
"""

from __future__ import annotations

import asyncio
import random
import time
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import TYPE_CHECKING, Final

import structlog

from services.postings.domain.feeds import FeedCutter, NoFeedError
from services.postings.domain.pull_faults import STOPS, code_of, trouble
from services.postings.domain.pulling import (
    DIGEST,
    PullState,
    Seen,
    address,
    begun,
    changed_at,
    conditions,
    failed,
    retry_after,
    succeeded,
)
from services.postings.usecases.partners import writing
from services.postings.usecases.records import CHUNK_BYTES, CHUNK_RECORDS, MAX_RECORD, outgoing, record_in
from shared import metrics
from shared.errors import Unavailable
from shared.fetching import FetchError
from shared.http import Problem
from shared.lease import Lease
from shared.mongo import away
from shared.telemetry import current_traceparent, span

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from services.postings.domain.employer import Partner
    from services.postings.domain.pulling import Pull
    from services.postings.usecases.context import Context
    from shared.broker import Outgoing
    from shared.fetching import Answer, Fetcher

log = structlog.get_logger()

_OK: Final = 200
_NOT_MODIFIED: Final = 304
_SUSPICIOUS: Final = 3
"""Failures in a row from which the metrics tell of a feed."""
_RENEWALS: Final = 3


class _FeedError(Exception):
    """A feed's answer that is of no use."""

    def __init__(self, code: str, status: int | None = None, after_s: float | None = None) -> None:
        super().__init__(code)
        self.code, self.status, self.after_s = code, status, after_s


class _LostError(Exception):
    """Another process fetches this feed now, or it is not to be fetched any more."""


@dataclass(slots=True)
class _Taking:
    """One answer on its way into the topic."""

    partner: str
    seen: Seen
    chunk: list[Outgoing] = field(default_factory=list)
    size: int = 0
    records: int = 0
    repeated: int = 0
    refused: int = 0


class Puller:
    """Fetches feeds that are due, several at a time, each in one process at a time."""

    def __init__(
        self,
        context: Context,
        fetcher: Fetcher,
        *,
        at_once: int,
        fetch_s: float,
        lease_s: float,
        chance: Callable[[], float] = random.random,
    ) -> None:
        """`at_once` feeds at a time, each for at most `fetch_s` seconds."""
        self._context = context
        self._fetcher = fetcher
        self._at_once = at_once
        self._fetch_s = fetch_s
        self._lease_s = lease_s
        self._chance = chance
        self._running: dict[str, asyncio.Task[None]] = {}

    async def look(self) -> None:
        """Begin with what is due, the longest due first, and go on without waiting: a slow feed holds up no other.

        Raises what went wrong in a fetch, if it is nothing that passes by itself.
        """
        for ended in [one for one, task in self._running.items() if task.done()]:
            self._running.pop(ended).result()
        pulls, now = self._context.store.pulls, self._context.now()
        states = await pulls.states()
        partners = await pulls.pulled()
        fetched = {partner.id: states.get(partner.id) for partner in partners}
        metrics.PULLS_FAILING.set(
            sum(one is not None and (one.stopped or one.failures >= _SUSPICIOUS) for one in fetched.values())
        )
        due = [one for one in partners if one.id not in self._running and _is_due(one.pull, fetched[one.id], now)]
        due.sort(key=lambda one: states[one.id].next_at.timestamp() if one.id in states else 0.0)
        for partner in due[: self._at_once - len(self._running)]:
            self._running[partner.id] = asyncio.create_task(self.fetch(partner.id), name=f"pull-{partner.id}")

    async def close(self) -> None:
        """End all fetches, wherever they are."""
        for task in self._running.values():
            task.cancel()
        await asyncio.gather(*self._running.values(), return_exceptions=True)

    async def fetch(self, partner_id: str) -> None:
        """Fetch a partner's feed if it is due, unless another process does."""
        lease = Lease(self._context.store.db, f"pull:{partner_id}", self._lease_s)
        try:
            if await lease.acquire():
                try:
                    await self._fetch_held(partner_id, lease)
                finally:
                    with suppress(Exception):  # it ends by itself
                        await lease.release()
        except _LostError:
            pass
        except Exception as error:
            if not away(error):
                raise
            log.warning("a fetch waits", partner=partner_id, error=str(error))

    async def _fetch_held(self, partner_id: str, lease: Lease) -> None:
        store, now = self._context.store, self._context.now()
        partner, before = await store.partner(partner_id), await store.pulls.state(partner_id)
        if partner is None or partner.pull is None or not _is_due(partner.pull, before, now):
            return  # another process was quicker
        pull = partner.pull
        if before is None or before.url != pull.url:
            before = begun(pull, now)
        state = before.model_copy(update={"fetched_at": now})
        try:
            with span("pull"):
                state = await self._fetched(partner, pull, state, lease)
        except (FetchError, _FeedError, TimeoutError, Unavailable) as error:
            state = self._failed(partner_id, state, error)
        metrics.PULLS.labels(state.trouble.code if state.trouble else "ok").inc()
        await store.pulls.save(partner_id, state)

    def _failed(self, partner: str, state: PullState, error: Exception) -> PullState:
        now = self._context.now()
        after_s = error.after_s if isinstance(error, _FeedError) else None
        match error:
            case FetchError() | _FeedError():
                code = error.code
            case TimeoutError():
                code = "timed_out"
            case _:
                code = "unavailable"
        why = trouble(code, now, error.status if isinstance(error, _FeedError) else None)
        log.warning("a feed could not be fetched", partner=partner, code=code, error=str(error))
        return failed(state, why, now, self._chance(), stop=code in STOPS, after_s=after_s)

    async def _fetched(self, partner: Partner, pull: Pull, state: PullState, lease: Lease) -> PullState:
        """The state after its answer. Raises FetchError, _FeedError, TimeoutError, Unavailable; _LostError."""
        asked, now = address(pull, state), self._context.now()
        accept = {"accept": "application/jsonl, application/x-ndjson, application/json;q=0.9"}
        async with (
            asyncio.timeout(self._fetch_s),
            self._fetcher.get(asked, accept | conditions(state, asked)) as answer,
        ):
            if answer.status == _NOT_MODIFIED:
                return succeeded(state, pull, self._context.now(), self._chance(), records=0, repeated=0, refused=0)
            if answer.status != _OK:
                raise _FeedError(code_of(answer.status), answer.status, retry_after(answer.headers, now))
            taking = _Taking(partner.id, Seen(state, now, pull.overlap_s))
            await self._take(answer, taking, lease)
        newest = taking.seen.newest
        return succeeded(
            state,
            pull,
            self._context.now(),
            self._chance(),
            cursor=state.cursor if newest is None else max(state.cursor, newest),
            newest=newest,
            known=taking.seen.known(),
            asked=asked,
            etag=answer.headers.get("etag", ""),
            modified=answer.headers.get("last-modified", ""),
            records=taking.records,
            repeated=taking.repeated,
            refused=taking.refused,
        )

    async def _take(self, answer: Answer, taking: _Taking, lease: Lease) -> None:
        """Write all records of an answer, in their order."""
        cutter = FeedCutter(MAX_RECORD, answer.headers.get("content-type", ""))
        renew_at = time.monotonic() + self._lease_s / _RENEWALS
        try:
            async for piece in answer.pieces:
                for value in cutter.cut(piece):
                    taking.refused += not self._packed(taking, value)
                    if len(taking.chunk) >= CHUNK_RECORDS or taking.size >= CHUNK_BYTES:
                        await self._write(taking)
                if time.monotonic() > renew_at:
                    await _renew(lease)
                    renew_at = time.monotonic() + self._lease_s / _RENEWALS
            for value in cutter.rest():
                if not self._packed(taking, value):  # a line without an end that is no record was cut off
                    raise _FeedError("broke_off")
        except NoFeedError as error:
            raise _FeedError("no_feed") from error
        except EOFError as error:
            raise _FeedError("broke_off") from error
        await self._write(taking)
        await _renew(lease)

    def _packed(self, taking: _Taking, value: bytes | None) -> bool:
        """Pack a record, unless Kafka has it; False if it is none."""
        body = None if value is None else record_in(value)
        if value is None or body is None:
            return False
        if taking.seen.is_known(blake2b(value.strip(), digest_size=DIGEST).digest(), changed_at(body)):
            taking.repeated += 1
        else:
            taking.chunk.append(outgoing(taking.partner, value, body, current_traceparent()))
            taking.size += len(value)
        return True

    async def _write(self, taking: _Taking) -> None:
        """Raises Unavailable if Kafka has not acknowledged all of them, _LostError once the partner may not write."""
        try:
            await writing(self._context, taking.partner)
        except Problem as problem:
            raise _LostError from problem
        if taking.chunk:
            await self._context.write(taking.chunk)
        taking.records += len(taking.chunk)
        taking.chunk, taking.size = [], 0


async def _renew(lease: Lease) -> None:
    if not await lease.acquire():
        raise _LostError


def _is_due(pull: Pull | None, state: PullState | None, now: datetime) -> bool:
    if pull is None:
        return False
    if state is None or state.url != pull.url:
        return True
    return not state.stopped and state.next_at <= now
