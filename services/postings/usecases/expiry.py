"""Closes postings whose time has passed."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from services.postings.domain.posting import close, is_over
from services.postings.usecases.context import Context, posting_row
from shared import outbox
from shared.contracts.postings import CloseReason

if TYPE_CHECKING:
    from shared.mongo import Session

BATCH: Final = 500
"""Most postings closed in one transaction."""


async def expire(context: Context) -> int:
    """Close all open postings whose `valid_through` has passed; how many. Raises Unavailable."""
    total = 0
    while True:
        closed = await context.mongo.transaction(partial(_expire_batch, context))
        total += closed
        if closed:
            await context.wake_relay()
        if closed < BATCH:
            return total


async def _expire_batch(context: Context, session: Session) -> int:
    now = context.now()
    # Mongo keeps milliseconds: a posting found there may have a fraction of one left
    due = [posting for posting in await context.store.due(now, BATCH, session) if is_over(posting, now)]
    steps = [(posting, close(posting, CloseReason.EXPIRED, now)) for posting in due]
    await context.store.save_postings([after for _, after in steps], session)
    await outbox.add(context.store.db, session, [posting_row(before, after) for before, after in steps])
    return len(steps)
