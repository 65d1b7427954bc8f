"""One recipient's inbox: brought up to date when somebody looks, read, and acted upon."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from secrets import token_urlsafe
from typing import TYPE_CHECKING, Final

from services.notifications import domain
from shared import metrics
from shared.contracts.recommendations import AnchorKind

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from services.notifications.domain import Holding, Inbox, Item, Recipient, State
    from services.notifications.store import Card, Store
    from shared.mongo import Mongo, Session

_LOOK_AGAIN_S: Final = 0.02


@dataclass(frozen=True, slots=True)
class Inboxes:
    """Where inboxes are kept."""

    mongo: Mongo
    store: Store
    cards_awaited_s: float = 0.0
    """Longest that a reader waits for the card of a posting that was published just now."""


async def bring_up_to_date(inboxes: Inboxes, recipient: Recipient) -> Inbox:
    """Compare the inbox with what the lists hold now, save what changed, and say where it stands.

    Two that do this at once for one inbox both write its number, so the second looks again.
    """
    store = inboxes.store

    async def work(session: Session) -> tuple[Inbox, list[Item]]:
        inbox = await store.inbox(recipient, session)
        holdings = await store.holdings(recipient, session)
        items = await store.all_items(recipient, session)
        erased = await store.erased(_anchors(holdings), session) if holdings else ()
        held = domain.merged(holding for holding in holdings if not _is_erased(holding, erased))
        changed = domain.brought_up_to_date(inbox.seq, items, held, _now(), _new_id)
        if not changed:
            return inbox, changed
        await store.save_items(recipient, changed, session)
        return domain.Inbox(changed[-1].seq, inbox.trimmed_to), changed

    inbox, changed = await inboxes.mongo.transaction(work)
    side = "seeker" if domain.is_seeker(recipient) else "employer"
    for item in changed:
        metrics.PAIRS_TOLD.labels(side, domain.event_of(item, item.seq - 1)).inc()
    return inbox


async def cards(inboxes: Inboxes, items: Collection[Item]) -> Mapping[str, Card]:
    """What these items show of their postings, by posting id.

    A card is stored in no hurry, so it may come a moment after the list that names its posting: it is waited for.
    """
    postings = {item.key.posting for item in items}
    recommended = {item.key.posting for item in items if item.live}
    until = time.monotonic() + inboxes.cards_awaited_s
    found = await inboxes.store.cards(postings)
    while not recommended <= found.keys() and time.monotonic() < until:
        await asyncio.sleep(_LOOK_AGAIN_S)
        found = await inboxes.store.cards(postings)
    return found


def _now() -> datetime:
    """In whole milliseconds, as it is stored."""
    now = datetime.now(UTC)
    return now.replace(microsecond=now.microsecond // 1000 * 1000)


def _new_id() -> str:
    return token_urlsafe(16)


def _anchors(holdings: Collection[Holding]) -> set[str]:
    postings = {domain.anchor_id(AnchorKind.POSTING, holding.key.posting) for holding in holdings}
    return postings | {
        domain.anchor_id(AnchorKind.SEEKER, holding.key.seeker) for holding in holdings if holding.key.seeker
    }


def _is_erased(holding: Holding, erased: Collection[str]) -> bool:
    posting, seeker = holding.key
    return domain.anchor_id(AnchorKind.POSTING, posting) in erased or (
        seeker is not None and domain.anchor_id(AnchorKind.SEEKER, seeker) in erased
    )


async def act(inboxes: Inboxes, recipient: Recipient, item_id: str, state: State) -> Item | None:
    """Note what the recipient did with an item: the item as it is then, None if it is not in this inbox."""
    store = inboxes.store

    async def work(session: Session) -> Item | None:
        item = await store.item(recipient, item_id, session)
        if item is None:
            return None
        inbox = await store.inbox(recipient, session)
        changed = domain.acted(item, state, inbox.seq, _now())
        if changed is None:
            return item
        await store.save_items(recipient, [changed], session)
        return changed

    return await inboxes.mongo.transaction(work)


async def trim(inboxes: Inboxes, kept_for: timedelta) -> None:
    """Forget what was retracted longer ago than `kept_for`."""
    before = datetime.now(UTC) - kept_for
    while await inboxes.mongo.transaction(lambda session: inboxes.store.trim(before, session)):
        pass
