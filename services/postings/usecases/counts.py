"""What became of partners' postings, counted once a day and told to them."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Final

from services.postings.domain.counts import counted
from services.postings.usecases.context import receipt_row
from shared import outbox
from shared.mongo import DuplicateKey

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from services.postings.usecases.context import Context
    from shared.mongo import Session


_GRACE: Final = timedelta(minutes=5)
"""So long after midnight: what was decided before it is committed by then, and clocks that differ agree."""


async def count(context: Context, seekers: Callable[[], Awaitable[Mapping[str, int]]]) -> int:
    """Count the day that has ended last (UTC), unless that was done; the number of partners that are told.

    `seekers` reads to how many seekers each posting is recommended now. Killed anywhere, the next call begins anew; of
    two at once one counts. Raises Unavailable.
    """
    store, now = context.store, context.now()
    day = _ended(now)
    if await store.scorecards.is_counted(day):
        return 0
    partners = await store.partners()
    open_ids: dict[str, list[str]] = defaultdict(list)
    async for partner, posting in store.scorecards.open_ids():
        open_ids[partner].append(posting)
    closed = await store.scorecards.closed_on(day)
    # nobody's posting is open: no need to read what is recommended
    reach = await seekers() if open_ids else {}
    if _ended(context.now()) != day:  # it took too long: that would be counts of another day
        return 0
    counts = counted(day, partners, open_ids, reach, closed, now)

    async def work(session: Session) -> None:
        await store.scorecards.save_counts(day, counts, session)
        rows = [receipt_row(partner, one.id, one) for partner, one in counts.items()]
        await outbox.add(store.db, session, rows)

    try:
        await context.mongo.transaction(work)
    except DuplicateKey:  # another was quicker
        return 0
    await context.wake_relay()
    return len(counts)


def _ended(now: datetime) -> date:
    """The day that has ended last."""
    return (now - _GRACE).date() - timedelta(days=1)
