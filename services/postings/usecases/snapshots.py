"""Partners' snapshots: closing what was not named, and an operator's yes or no where that is held."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from services.postings.domain.posting import close
from services.postings.domain.snapshots import (
    History,
    Snapshot,
    State,
    all_closed,
    closing_below,
    discarded,
    released,
)
from services.postings.usecases.context import Context, must_be_own, posting_rows
from shared import metrics, outbox
from shared.contracts.postings import CloseReason
from shared.http import Problem, not_found

if TYPE_CHECKING:
    from shared.auth import Principal
    from shared.mongo import Session


async def close_unseen(context: Context, chunk: int) -> int:
    """Close what closing snapshots did not name, `chunk` postings a transaction; how many. Raises Unavailable.

    Killed anywhere, the next call goes on: what is left to close is asked of the postings themselves.
    """
    total = 0
    for partner in await context.store.with_state(State.CLOSING):
        closed = chunk
        while closed == chunk:
            closed = await context.mongo.transaction(partial(_close_chunk, context, partner, chunk))
            total += closed
            if closed:
                await context.wake_relay()
    return total


async def _close_chunk(context: Context, partner: str, chunk: int, session: Session) -> int:
    history = (await context.store.histories([partner], session))[partner]
    unseen = await context.store.unseen(partner, closing_below(history), chunk, session)
    now = context.now()
    steps = [(posting, close(posting, CloseReason.REMOVED_BY_PARTNER, now)) for posting in unseen]
    await context.store.save_postings([after for _, after in steps], session)
    await outbox.add(context.store.db, session, posting_rows(steps))
    if len(steps) < chunk:
        await context.store.save_histories({partner: all_closed(history)}, session)
    return len(steps)


async def count_held(context: Context) -> None:
    """Tell the metrics how many snapshots wait for an operator."""
    held = await context.store.with_state(State.HELD)
    metrics.SNAPSHOTS_HELD.set(len(held))  # of a partner only the newest can be held


async def page(context: Context, caller: Principal, partner: str) -> list[Snapshot]:
    """A partner's snapshots, the newest first. For the partner itself and for operators. Raises Problem 404."""
    must_be_own(caller, partner)
    history = (await context.store.histories([partner])).get(partner)
    if history is None:
        raise not_found()
    return list(reversed(history))


async def release(context: Context, caller: Principal, partner: str, epoch: int) -> Snapshot:
    """Have a held snapshot close what was not seen since its begin, by now. Raises Problem 404, 409."""

    async def work(session: Session) -> Snapshot:
        history = await _history(context, partner, session)
        meant = _meant(history, epoch)
        unseen = 0
        if meant.state is State.HELD:
            unseen = await context.store.count_unseen(partner, closing_below(history), meant.begin, session)
        return await _save(
            context, partner, meant, released(history, epoch, unseen, caller.sub, context.now()), session
        )

    return await context.mongo.transaction(work)


async def discard(context: Context, caller: Principal, partner: str, epoch: int) -> Snapshot:
    """Have a held snapshot close nothing. Raises Problem 404, 409."""

    async def work(session: Session) -> Snapshot:
        history = await _history(context, partner, session)
        meant = _meant(history, epoch)
        return await _save(context, partner, meant, discarded(history, epoch, caller.sub, context.now()), session)

    return await context.mongo.transaction(work)


async def _history(context: Context, partner: str, session: Session) -> History:
    return (await context.store.histories([partner], session)).get(partner, ())


def _meant(history: History, epoch: int) -> Snapshot:
    for one in history:
        if one.epoch == epoch:
            return one
    raise not_found()


async def _save(context: Context, partner: str, meant: Snapshot, history: History | None, session: Session) -> Snapshot:
    if history is None:
        en, zh = "This snapshot is not held any more: read where it stands.", "该快照已不在待批状态，请查看其现状。"
        raise Problem(409, "not_held", en, zh)
    after = _meant(history, meant.epoch)
    if after is not meant:
        await context.store.save_histories({partner: history}, session)
    return after
