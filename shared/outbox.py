"""Events that were decided in a transaction and wait to be published by the relay.

Rows are named as Debezium's MongoDB outbox event router expects (`_id, aggregatetype, aggregateid, type,
payload`), so that Debezium could take the relay's place; the other fields are ours.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from shared.contracts.envelope import TOMBSTONE, event_headers
from shared.mongo import after_commit
from shared.telemetry import current_traceparent

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from shared.contracts.common import Contract
    from shared.mongo import Database, Document, Session

    Listener = Callable[[Sequence[Document]], None]

OUTBOX = "outbox"
_listeners: dict[Database, list[Listener]] = {}


def outbox_row(  # noqa: PLR0913 - one attribute of the event each
    *,
    channel_topic: str,
    key: str,
    event_type: str,
    body: Contract | None,
    version: int | None,
    source: str,
    topic: str | None = None,
    event_id: str | None = None,
    traceparent: str | None = None,
) -> Document:
    """One row. `topic` is the actual topic where the channel is a family; `body` None is a tombstone.

    `version` orders the rows of one aggregate and goes into a header; None where there is no aggregate.
    The trace goes on from `traceparent`, or else from the current span.
    """
    if body is None:
        event_type = TOMBSTONE
    return {
        "aggregatetype": topic or channel_topic,
        "aggregateid": key,
        "type": event_type,
        "payload": None if body is None else body.model_dump_json(exclude_defaults=True),
        "version": version,
        "headers": event_headers(
            source=source,
            event_type=event_type,
            subject=key,
            topic_family=channel_topic,
            version=version,
            event_id=event_id,
            traceparent=traceparent or current_traceparent(),
        ),
    }


async def add(db: Database, session: Session, rows: Sequence[Document]) -> None:
    """Insert the rows, in the caller's transaction; who listens is told of them once they are committed."""
    if rows:
        await db[OUTBOX].insert_many(list(rows), session=session)
        for listener in _listeners.get(db, ()):
            after_commit(session, partial(listener, rows))


def listen(db: Database, listener: Listener) -> None:
    """Have `listener` called with the rows that this process commits, `_id` included, in no promised order."""
    _listeners.setdefault(db, []).append(listener)


async def create_indexes(db: Database) -> None:
    """What the relay looks up: the rows of one aggregate."""
    await db[OUTBOX].create_index([("aggregateid", 1), ("version", 1)])
