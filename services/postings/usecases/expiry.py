"""Closes postings whose time has passed: their own, or the time for which nobody has renewed them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Final

from services.postings.domain.employer import Renews
from services.postings.domain.posting import close, is_over
from services.postings.usecases.context import Context, posting_rows
from shared import outbox
from shared.contracts.postings import CloseReason

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from services.postings.domain.employer import Partner
    from shared.contracts.postings import Posting
    from shared.mongo import Session

    Find = Callable[[Session], Awaitable[Sequence[Posting]]]

BATCH: Final = 500
"""Most postings closed in one transaction."""


@dataclass(frozen=True, slots=True)
class Lifetimes:
    """How long postings of partners stay open by themselves."""

    unseen: timedelta
    """After the last record that named it, at a partner that renews by snapshot."""
    unchanged: timedelta
    """After the last record that changed it, at any other partner; only without `valid_through`."""


async def expire(context: Context) -> int:
    """Close all open postings whose `valid_through` has passed; how many. Raises Unavailable."""

    async def due(session: Session) -> list[Posting]:
        now = context.now()
        # Mongo keeps milliseconds: a posting found there may have a fraction of one left
        return [posting for posting in await context.store.due(now, BATCH, session) if is_over(posting, now)]

    return await _close_all(context, due)


async def expire_forgotten(context: Context, lifetimes: Lifetimes) -> int:
    """Close all open postings of partners that were not renewed in time; how many. Raises Unavailable."""
    return sum(
        [await _close_all(context, _forgotten(context, one, lifetimes)) for one in await context.store.partners()]
    )


def _forgotten(context: Context, partner: Partner, lifetimes: Lifetimes) -> Find:
    store, now = context.store, context.now()
    if partner.renews is Renews.SNAPSHOT:
        return partial(store.not_renewed, partner.id, now - lifetimes.unseen, BATCH)
    return partial(store.unchanged, partner.id, now - lifetimes.unchanged, BATCH)


async def _close_all(context: Context, find: Find) -> int:
    total = 0
    while True:
        closed = await context.mongo.transaction(partial(_close_batch, context, find))
        total += closed
        if closed:
            await context.wake_relay()
        if closed < BATCH:
            return total


async def _close_batch(context: Context, find: Find, session: Session) -> int:
    now = context.now()
    steps = [(posting, close(posting, CloseReason.EXPIRED, now)) for posting in await find(session)]
    await context.store.save_postings([after for _, after in steps], session)
    await outbox.add(context.store.db, session, posting_rows(steps))
    return len(steps)
