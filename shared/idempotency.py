"""`Idempotency-Key`: a command repeated by the same caller within 24 hours has its effect once.

The answer is stored in the service's own database, in the transaction of the effect, so both are there or
neither is. Only answers are stored: a command that raised had no effect and is tried anew when repeated.
Whoever stores an answer takes care that nothing personal is in it, for it outlives what it tells of.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Final

from shared.http import Problem
from shared.mongo import Database, Document, DuplicateKey, Mongo, Session

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

KEPT_FOR: Final = timedelta(hours=24)
MAX_KEY: Final = 255
_COLLECTION: Final = "idempotency"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command answers: status, JSON body, headers."""

    status: int
    body: Document
    headers: Mapping[str, str] = field(default_factory=dict)


async def create_indexes(db: Database) -> None:
    """Answers go away when they expire. To be called once by each service that uses `once`."""
    await db[_COLLECTION].create_index("expires_at", expireAfterSeconds=0)


async def once(
    mongo: Mongo,
    principal_key: str,
    idempotency_key: str | None,
    fingerprint: bytes,
    work: Callable[[Session], Awaitable[Answer]],
) -> Answer:
    """Run `work` in a transaction, or give the stored answer to the same key of the same caller.

    `fingerprint` tells two requests apart. Without a key `work` simply runs. Raises Problem 400 for a key
    that is none, 422 for a key that came with another request, and whatever `work` raises; `DuplicateKey` is
    to be caught around `once`, not in `work`.
    """
    if idempotency_key is None:
        return await mongo.transaction(work)
    _check(idempotency_key)
    row_id = hashlib.sha256(f"{principal_key}\0{idempotency_key}".encode()).hexdigest()

    answers = mongo.db[_COLLECTION]

    async def attempt(session: Session, *, anew: bool = False) -> Answer:
        answer = await work(session)
        row = {
            "_id": row_id,
            "fingerprint": fingerprint,
            "status": answer.status,
            "body": answer.body,
            "headers": dict(answer.headers),
            "expires_at": datetime.now(UTC) + KEPT_FOR,
        }
        if anew:
            await answers.replace_one({"_id": row_id}, row, upsert=True, session=session)
        else:
            await answers.insert_one(row, session=session)
        return answer

    try:
        # nearly every command comes once: what comes again fails here, at the latest where its answer is stored
        return await mongo.transaction(attempt)
    except (DuplicateKey, Problem):
        stored = await answers.find_one({"_id": row_id})
        if stored is None:
            raise
        if stored["expires_at"] > datetime.now(UTC):
            return _replay(stored, fingerprint)
        return await mongo.transaction(partial(attempt, anew=True))


def _check(idempotency_key: str) -> None:
    if not idempotency_key or len(idempotency_key) > MAX_KEY:
        en = f"An Idempotency-Key has 1 to {MAX_KEY} characters."
        zh = f"Idempotency-Key 应为 1 至 {MAX_KEY} 个字符。"
        raise Problem(400, "invalid_idempotency_key", en, zh)


def _replay(stored: Document, fingerprint: bytes) -> Answer:
    if stored["fingerprint"] != fingerprint:
        raise Problem(
            422,
            "idempotency_key_reused",
            "This Idempotency-Key came with another request before.",
            "此 Idempotency-Key 已用于另一请求。",
        )
    return Answer(stored["status"], stored["body"], stored["headers"])
