"""Receipts once more: for a partner that has lost what it read, from a time on, under the ids that they had."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from services.postings.domain.employer import PartnerState
from services.postings.usecases.context import own_partner, receipt_row
from services.postings.usecases.partners import retired
from shared import outbox
from shared.contracts.partners import PostingReceipt

if TYPE_CHECKING:
    from datetime import datetime

    from services.postings.usecases.context import Context
    from shared.auth import Principal
    from shared.contracts.partners import Receipt
    from shared.mongo import Session


async def begin(context: Context, caller: Principal, partner_id: str, since: datetime) -> int:
    """Have all kept receipts published once more that were given since then; how many.

    For the partner itself and for operators. One that is under way is replaced. Raises Problem 404, or 403 for a
    partner that is retired.
    """
    partner = await own_partner(context, caller, partner_id)
    if partner.state is PartnerState.RETIRED:
        raise retired(403)
    span = await context.store.replays.span_since(partner_id, since)
    if span is None:
        return 0
    await context.store.replays.begin(partner_id, span)
    return span.number


async def publish(context: Context, chunk: int) -> int:
    """Hand the next receipts of each replay to the outbox, `chunk` a partner; how many. Raises Unavailable.

    So few at a time, because events of others come behind them. Killed anywhere, the next call goes on.
    """
    total = 0
    for partner in await context.store.replays.replaying():
        total += await context.mongo.transaction(partial(_publish_chunk, context, partner, chunk))
    if total:
        await context.wake_relay()
    return total


async def _publish_chunk(context: Context, partner: str, chunk: int, session: Session) -> int:
    receipts = await context.store.replays.take(partner, chunk, session)
    await outbox.add(context.store.db, session, [receipt_row(partner, _key(one), one) for one in receipts])
    return len(receipts)


def _key(receipt: Receipt) -> str | None:
    return receipt.partner_posting_id if isinstance(receipt, PostingReceipt) else None
