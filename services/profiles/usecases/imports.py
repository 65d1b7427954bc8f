"""Many seekers at once, in transactions of some hundred, safe to repeat after any interruption."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from services.profiles.domain import imports
from services.profiles.usecases.context import event_row
from services.profiles.usecases.seekers import new, new_id
from shared import outbox
from shared.http import Problem
from shared.idempotency import Answer, once

if TYPE_CHECKING:
    from collections.abc import Sequence

    from services.profiles.domain.imports import ImportResult, Line, LineResult
    from services.profiles.store import Stored
    from services.profiles.usecases.context import Context
    from shared.auth import Principal
    from shared.linking.reading import Found
    from shared.mongo import Document, Session


@dataclass(frozen=True, slots=True)
class _Chunk:
    lines: list[Line]
    numbers: list[int]
    """Of the lines that can be registered, in the order of `seekers` and `rows`."""
    seekers: list[Stored]
    rows: list[Document]


async def load(
    context: Context, caller: Principal, body: bytes, idempotency_key: str, *, most: int, chunk: int
) -> ImportResult:
    """Register each line of `body` (NDJSON) that is valid; the others are answered with their faults.

    Each chunk of lines is one transaction with its own stored answer, so an import that was cut off goes on
    where it was when it is sent again with the same key. Raises Problem 413 above `most` lines, 422 for a key
    that came with another body.
    """
    lines = imports.lines_of(body)
    if len(lines) > most:
        raise too_large(f"An import has at most {most} lines.", f"每次导入最多 {most} 行。")
    fingerprint = context.keys.fingerprint(b"import", body)
    items: list[LineResult] = []
    for start in range(0, len(lines), chunk):
        # parsing and encrypting some hundred lines would hold up the event loop
        read = await asyncio.to_thread(imports.read, lines[start : start + chunk])
        found = await context.reader.seekers([_words(line) for line in read])
        ready = await asyncio.to_thread(_prepare, context, caller, read, found)
        # a line feed cannot be part of a header: this is nobody's own key
        items += await _save(context, caller, ready, f"{idempotency_key}\n{start}", fingerprint)
        await context.wake_relay()
    registered = sum(item.outcome == "registered" for item in items)
    return imports.ImportResult(registered=registered, rejected=len(items) - registered, items=tuple(items))


def too_large(en: str, zh: str) -> Problem:
    """The import has too many lines or bytes: 413."""
    return Problem(413, "too_large", en, zh)


def _words(line: Line) -> str:
    return (line.submission and line.submission.words) or ""


def _prepare(context: Context, caller: Principal, lines: list[Line], found: Sequence[Found]) -> _Chunk:
    now = datetime.now(UTC)
    matchmakers = (caller.sub,) if caller.role == "matchmaker" else ()
    ready = _Chunk(lines, [], [], [])
    for line, named in zip(lines, found, strict=True):
        if line.submission is not None:
            stored = new(context, new_id(), line.submission, named, matchmakers, now)
            ready.numbers.append(line.number)
            ready.seekers.append(stored)
            ready.rows.append(event_row(stored.profile))
    return ready


async def _save(context: Context, caller: Principal, ready: _Chunk, key: str, fingerprint: bytes) -> list[LineResult]:
    """Save one chunk, or find that it was saved before.

    Only line numbers and ids are stored as its answer. Faults name parts of the body, which can hold
    anything; they are found again.
    """

    async def work(session: Session) -> Answer:
        await context.store.insert(ready.seekers, session)
        await outbox.add(context.mongo.db, session, ready.rows)
        ids = [seeker.profile.id for seeker in ready.seekers]
        return Answer(200, {"registered": [list(pair) for pair in zip(ready.numbers, ids, strict=True)]})

    answer = await once(context.mongo, caller.key, key, fingerprint, work)
    ids: dict[int, str] = dict(answer.body["registered"])
    return [imports.result(line, ids.get(line.number)) for line in ready.lines]
