"""Events in: translate and delegate."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from services.notifications import domain
from services.notifications.usecases import taking
from shared import metrics
from shared.contracts.postings import Posting
from shared.contracts.recommendations import AnchorKind, RecommendationsRefreshed
from shared.contracts.registry import POSTING_LISTS, POSTINGS, SEEKER_LISTS
from shared.errors import Rejected

if TYPE_CHECKING:
    from collections.abc import Sequence

    from services.notifications.store import Store
    from services.notifications.usecases.streams import Calls
    from shared.consuming import Batch, Event, Record

KINDS: Final = {POSTING_LISTS: AnchorKind.POSTING, SEEKER_LISTS: AnchorKind.SEEKER}


@dataclass(slots=True)
class _Sorted:
    """What a batch holds, by kind."""

    lists: list[RecommendationsRefreshed] = field(default_factory=list)
    postings: list[Posting] = field(default_factory=list)
    erased_anchors: dict[str, int] = field(default_factory=dict)
    """By anchor id, the tombstone's version."""
    erased_postings: dict[str, int] = field(default_factory=dict)
    """By posting id, the tombstone's version."""
    refused: list[tuple[Record, Rejected]] = field(default_factory=list)


async def take(batch: Batch, *, store: Store, calls: Calls, kept_for: timedelta) -> Sequence[tuple[Record, Rejected]]:
    """Keep what a batch says, then call the streams that may have something new to show."""
    found = _sorted_out(batch.events)
    touched, _ = await asyncio.gather(
        taking.take_lists(store, found.lists, found.erased_anchors, kept_for),
        taking.take_postings(store, found.postings, found.erased_postings, kept_for),
    )
    now = datetime.now(UTC)
    for list_ in found.lists:
        metrics.LISTS_TAKEN.labels(list_.kind.value).inc()
        metrics.LIST_LATENCY.labels(list_.kind.value).observe((now - list_.now).total_seconds())
    await calls.call(touched)
    return found.refused


def _sorted_out(events: Sequence[Event]) -> _Sorted:
    found = _Sorted()
    for event in events:
        match event.model:
            case None if event.record.topic == POSTINGS:
                found.erased_postings[event.key] = event.version
            case None:
                found.erased_anchors[domain.anchor_id(KINDS[event.record.topic], event.key)] = event.version
            case Posting() as posting if posting.id == event.key:
                found.postings.append(posting)
            case RecommendationsRefreshed() as list_ if _is_of(list_, event):
                found.lists.append(list_)
            case _:
                wrong = Rejected("neither the posting nor the list of this key and topic", code="wrong_key")
                found.refused.append((event.record, wrong))
    return found


def _is_of(list_: RecommendationsRefreshed, event: Event) -> bool:
    return list_.kind is KINDS[event.record.topic] and list_.anchor == event.key
