"""Partners: registered by operators, and what they read of their receipts."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Final

from services.postings.domain.employer import Partner, PartnerTerms, register
from services.postings.usecases.context import Context
from shared.contracts.registry import PARTNER_POSTINGS, PARTNER_RECEIPTS
from shared.http import not_found
from shared.mongo import DuplicateKey

if TYPE_CHECKING:
    from shared.auth import Principal
    from shared.contracts.partners import Receipt
    from shared.mongo import Session

_LOOK_EVERY_S: Final = 0.2


async def put(context: Context, partner_id: str, terms: PartnerTerms) -> Partner:
    """Register or change a partner, and make its topics if they are absent.

    It is registered first, so that no record of it can be refused. Raises Unavailable while Kafka is away:
    then the same call makes up for it later.
    """
    topics = (PARTNER_POSTINGS.format(partner=partner_id), PARTNER_RECEIPTS.format(partner=partner_id))

    async def work(session: Session) -> Partner:
        known = await context.store.partner(partner_id, session)
        partner = register(known, partner_id, terms, topics, context.now())
        if partner is not known:
            await context.store.save_partner(partner, session)
        return partner

    try:
        partner = await context.mongo.transaction(work)
    except DuplicateKey:  # registered by another call meanwhile: now it is known
        partner = await context.mongo.transaction(work)
    await context.create_partner_topics(partner_id)
    return partner


async def receipts(
    context: Context, caller: Principal, partner_id: str, after: int, limit: int, *, wait_s: float = 0
) -> tuple[list[Receipt], bool]:
    """At most `limit` receipts for records above offset `after`, and whether there are more.

    If there is none yet, the answer waits for one, at most so long. For the partner itself and for operators. Raises
    Problem 404.
    """
    if caller.role != "operator" and caller.partner != partner_id:
        raise not_found()
    if await context.store.partner(partner_id) is None:
        raise not_found()
    deadline = time.monotonic() + wait_s
    found = await context.store.receipts(partner_id, after, limit + 1)
    while not found and time.monotonic() < deadline:
        await asyncio.sleep(_LOOK_EVERY_S)
        found = await context.store.receipts(partner_id, after, limit + 1)
    return found[:limit], len(found) > limit
