"""Events in: partners' records, and how far postings are recommended."""

from __future__ import annotations

import asyncio
import time
from contextlib import aclosing
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import msgspec
from aiokafka.errors import KafkaError

from services.postings.domain.books import Control, Incoming
from services.postings.domain.faults import fault, undecoded
from services.postings.domain.forms import named_in, read
from services.postings.domain.intake import received
from services.postings.domain.sources import names_another
from services.postings.usecases.intake import take
from shared.consuming import is_filler
from shared.contracts.common import Contract
from shared.contracts.partners import PartnerPostingSubmitted
from shared.contracts.registry import POSTING_LISTS, partner_of
from shared.errors import Unavailable
from shared.reading import whole

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from services.postings.domain.forms import Content
    from services.postings.domain.snapshots import Limits
    from services.postings.store import Store
    from shared.consuming import Batch, Event, Record
    from shared.errors import Rejected
    from shared.linking.reader import Reader
    from shared.mongo import Session
    from shared.settings import ServiceSettings


async def partner_records(  # noqa: PLR0913 - all named
    batch: Batch,
    session: Session,
    *,
    store: Store,
    reader: Reader,
    limits: Limits,
    clock: Callable[[], datetime],
    name: str = "",
) -> Sequence[tuple[Record, Rejected]]:
    """A batch of partners' records, decoded or not; gives back those that nobody may send.

    `name` is this deployment's in the exchange with others.
    """
    now = clock()
    records = {record.id: record for record in batch.records}
    incoming = [_own(_decoded(event, now), event, name) for event in batch.events]
    incoming += [_undecoded(record, reason, now) for record, reason in batch.undecodable]
    incoming.sort(key=lambda one: (one.partner, one.offset))
    refused = await take(store, reader, limits, session, incoming, now)
    return [(records[record_id], reason) for record_id, reason in refused.items()]


def _own(incoming: Incoming, event: Event, name: str) -> Incoming:
    """Rejected, whatever else it says, if it says that another partner sent it, or that it has been here before."""
    if names_another(incoming.partner, event.headers.get("ce_source", "")):
        return replace(incoming, content=(fault("foreign_source"),))
    if isinstance(event.model, PartnerPostingSubmitted) and event.model.origin and name in event.model.origin.passed:
        return replace(incoming, content=(fault("came_from_here", "/origin"),))
    return incoming


def _decoded(event: Event, now: datetime) -> Incoming:
    if not isinstance(event.model, Contract) or event.data is None:
        message = "a partner's topic has no tombstones"
        raise TypeError(message)
    if isinstance(event.model, Control):
        return _incoming(event.record, None, event.model, now, event.traceparent)
    reading = read(event.model, event.data)
    return _incoming(event.record, reading.posting, reading.content, now, event.traceparent)


def _undecoded(record: Record, reason: Rejected, now: datetime) -> Incoming:
    return _incoming(record, named_in(record.value, record.key), (undecoded(reason),), now)


def _incoming(
    record: Record,
    posting: str | None,
    content: Content | Control,
    now: datetime,
    traceparent: str | None = None,
) -> Incoming:
    return Incoming(
        record_id=record.id,
        partner=partner_of(record.topic),
        offset=record.offset,
        posting=posting,
        content=content,
        received_at=received(record.timestamp, now),
        traceparent=traceparent,
    )


_READ_S: Final = 1_200.0
"""Longest that all lists are read for."""


class _Length(msgspec.Struct):
    """Of a list, only how long it is."""

    entries: list[msgspec.Raw] = []


async def recommended(settings: ServiceSettings) -> dict[str, int]:
    """To how many seekers each posting is recommended now, if to any. Raises Unavailable.

    Nobody waits for it: it rests as long as it works.
    """
    found: dict[bytes, int] = {}
    try:
        async with asyncio.timeout(_READ_S), aclosing(whole(settings, "postings-counts", POSTING_LISTS)) as parts:
            began = time.monotonic()
            async for records in parts:
                for record in records:
                    if record.key is not None and not is_filler(record):
                        found[record.key] = _length(record.value)
                await asyncio.sleep(time.monotonic() - began)
                began = time.monotonic()
    except (KafkaError, OSError, TimeoutError) as error:
        raise Unavailable(repr(error)) from error
    return {key.decode(errors="replace"): length for key, length in found.items() if length}


def _length(value: bytes | None) -> int:
    """How many entries a list has; what is no list recommends nothing."""
    try:
        return len(msgspec.json.decode(value or b"{}", type=_Length).entries)
    except msgspec.MsgspecError:
        return 0
