"""Events in: translate and delegate."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from services.notifications import domain
from services.notifications.usecases import taking
from shared import metrics
from shared.contracts.lists import ListBody
from shared.contracts.postings import Posting
from shared.contracts.recommendations import AnchorKind
from shared.contracts.registry import POSTING_LISTS, SEEKER_LISTS
from shared.errors import Rejected

if TYPE_CHECKING:
    from collections.abc import Sequence

    from services.notifications.store import Store
    from services.notifications.usecases.streams import Calls
    from shared.consuming import Batch, Event, Record

KINDS: Final = {POSTING_LISTS: AnchorKind.POSTING, SEEKER_LISTS: AnchorKind.SEEKER}

Refused = list[tuple["Record", Rejected]]


async def take_lists(batch: Batch, *, store: Store, calls: Calls, kept_for: timedelta) -> Refused:
    """Keep the lists, then call the streams that may have something new to show, and say how long it took."""
    lists, tombstones, refused = _sorted_out(batch.events)
    touched = await taking.take_lists(store, lists, tombstones, kept_for)
    now = datetime.now(UTC)
    for kind in AnchorKind:
        of_kind = [list_ for list_ in lists if list_.kind is kind]
        metrics.LISTS_TAKEN.labels(kind.value).inc(len(of_kind))
        latency = metrics.LIST_LATENCY.labels(kind.value)
        for list_ in of_kind:
            latency.observe((now - list_.now).total_seconds())
    await calls.call(touched)
    return refused


def _sorted_out(events: Sequence[Event]) -> tuple[list[ListBody], dict[str, int], Refused]:
    lists: list[ListBody] = []
    tombstones: dict[str, int] = {}
    refused: Refused = []
    for event in events:
        kind, list_ = KINDS[event.record.topic], event.model
        if list_ is None:
            tombstones[domain.anchor_id(kind, event.key)] = event.version
        elif isinstance(list_, ListBody) and _is_of(list_, kind, event.key):
            lists.append(list_)
        else:
            refused.append((event.record, Rejected("no list of this key and topic", code="wrong_key")))
    return lists, tombstones, refused


def _is_of(list_: ListBody, kind: AnchorKind, key: str) -> bool:
    return list_.kind is kind and list_.anchor == key


async def take_postings(batch: Batch, *, store: Store, kept_for: timedelta) -> Refused:
    """Keep what items show of postings."""
    postings: list[Posting] = []
    tombstones: dict[str, int] = {}
    refused: Refused = []
    for event in batch.events:
        if event.model is None:
            tombstones[event.key] = event.version
        elif not isinstance(event.model, Posting) or event.model.id != event.key:
            refused.append((event.record, Rejected("not the posting of this key", code="wrong_key")))
        else:
            postings.append(event.model)
    await taking.take_postings(store, postings, tombstones, kept_for)
    return refused
