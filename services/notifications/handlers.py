"""Events in: translate and delegate."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from services.notifications import domain
from services.notifications.usecases import taking
from shared import metrics
from shared.contracts.postings import Posting
from shared.contracts.recommendations import AnchorKind, RecommendationsRefreshed
from shared.contracts.registry import POSTING_LISTS, SEEKER_LISTS
from shared.errors import Rejected

if TYPE_CHECKING:
    from collections.abc import Sequence

    from services.notifications.domain import Recipient
    from services.notifications.store import Store
    from services.notifications.usecases.streams import Calls
    from shared.consuming import Batch, Event, Record
    from shared.mongo import Session

KINDS: Final = {POSTING_LISTS: AnchorKind.POSTING, SEEKER_LISTS: AnchorKind.SEEKER}

Refused = list[tuple["Record", Rejected]]


class Lists:
    """Takes lists in; once they are committed it calls the streams and says how long they took."""

    def __init__(self, store: Store, calls: Calls, kept_for: timedelta) -> None:
        self._store = store
        self._calls = calls
        self._kept_for = kept_for
        self._stored: list[RecommendationsRefreshed] = []
        self._touched: set[Recipient] = set()

    async def take(self, batch: Batch, session: Session) -> Sequence[tuple[Record, Rejected]]:
        """Inside the batch's transaction, which may run more than once."""
        lists, tombstones, refused = _sorted_out(batch.events)
        self._touched = await taking.take_lists(self._store, lists, tombstones, self._kept_for, session)
        self._stored = lists
        return refused

    async def committed(self) -> None:
        """After the batch is committed."""
        now = datetime.now(UTC)
        for list_ in self._stored:
            metrics.LISTS_TAKEN.labels(list_.kind.value).inc()
            metrics.LIST_LATENCY.labels(list_.kind.value).observe((now - list_.now).total_seconds())
        touched, self._touched, self._stored = self._touched, set(), []
        await self._calls.call(touched)


def _sorted_out(events: Sequence[Event]) -> tuple[list[RecommendationsRefreshed], dict[str, int], Refused]:
    lists: list[RecommendationsRefreshed] = []
    tombstones: dict[str, int] = {}
    refused: Refused = []
    for event in events:
        kind, list_ = KINDS[event.record.topic], event.model
        if list_ is None:
            tombstones[domain.anchor_id(kind, event.key)] = event.version
        elif isinstance(list_, RecommendationsRefreshed) and _is_of(list_, kind, event.key):
            lists.append(list_)
        else:
            refused.append((event.record, Rejected("no list of this key and topic", code="wrong_key")))
    return lists, tombstones, refused


def _is_of(list_: RecommendationsRefreshed, kind: AnchorKind, key: str) -> bool:
    return list_.kind is kind and list_.anchor == key


async def take_postings(
    store: Store, kept_for: timedelta, batch: Batch, session: Session
) -> Sequence[tuple[Record, Rejected]]:
    """What items show of postings."""
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
    await taking.take_postings(store, postings, tombstones, kept_for, session)
    return refused
