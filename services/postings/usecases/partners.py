"""Partners: registered by operators, and what they read of their receipts."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Final

from services.postings.domain import scorecard as scorecards
from services.postings.domain.employer import Partner, PartnerState, PartnerTerms, in_state, register
from services.postings.domain.pull_faults import trouble
from services.postings.domain.pulling import status_of
from services.postings.domain.sources import SANDBOX, is_sandbox
from services.postings.usecases.context import Context, own_partner
from shared.contracts.registry import PARTNER_POSTINGS, PARTNER_RECEIPTS
from shared.errors import Unavailable
from shared.fetching import FetchError
from shared.http import Problem, not_found
from shared.mongo import DuplicateKey

if TYPE_CHECKING:
    from services.postings.domain.scorecard import Scorecard
    from shared.auth import Principal
    from shared.contracts.partners import Receipt
    from shared.mongo import Session

_LOOK_EVERY_S: Final = 0.2
_REASONS: Final = 20
"""Kinds of faults on a scorecard."""


async def put(context: Context, partner_id: str, terms: PartnerTerms) -> Partner:
    """Register or change a partner, and make its topics if they are absent.

    It is registered first, so that no record of it can be refused. Raises Unavailable while Kafka is away:
    then the same call makes up for it later. Raises Problem 409 for an id that was given up, 422 if id
    and `sandbox` contradict each other, this deployment has no name to exchange postings by, or its feed's address may
    not be fetched.

    If it watches other regions than before, all postings are looked at for it (`usecases.exchange`). A feed is fetched
    at once, also if that was stopped.
    """
    topics = (PARTNER_POSTINGS.format(partner=partner_id), PARTNER_RECEIPTS.format(partner=partner_id))

    _check(context, partner_id, terms)
    if terms.exchange is not None:  # a record for a topic that is not there would hold up all events
        await context.create_partner_topics(partner_id)

    async def work(session: Session) -> Partner:
        known = await context.store.partner(partner_id, session)
        if known is not None and known.state is PartnerState.RETIRED:
            raise retired(409)
        partner = register(known, partner_id, terms, topics, context.now())
        if partner is not known:
            await context.store.save_partner(partner, session)
        if partner.exchange != (known and known.exchange):
            await context.store.exchanges.begin_survey(partner_id, session)
        if partner.pull is not None:
            await context.store.pulls.ask_again(partner_id, context.now(), session)
        return partner

    try:
        partner = await context.mongo.transaction(work)
    except DuplicateKey:  # registered by another call meanwhile: now it is known
        partner = await context.mongo.transaction(work)
    await context.create_partner_topics(partner_id)
    return partner


def _check(context: Context, partner_id: str, terms: PartnerTerms) -> None:
    """Raises Problem 422 for terms that no partner of this id may have here."""
    if terms.sandbox is not is_sandbox(partner_id):
        en = f"The ids of sandbox partners, and of no others, begin with {SANDBOX}: choose another id, or mend sandbox."
        zh = f"沙箱合作方的编号须以 {SANDBOX} 开头，其他合作方不得如此：请换一个编号，或改正 sandbox。"
        raise Problem(422, "sandbox_id", en, zh, "/sandbox")

    if terms.exchange is not None and not context.exchange_name:
        en = "This deployment has no name to exchange postings by: set EXCHANGE_NAME, then call again."
        zh = "本系统尚无用于互换岗位的名称：请先设置 EXCHANGE_NAME，再重试。"
        raise Problem(422, "no_exchange_name", en, zh, "/exchange")
    if terms.pull is not None:
        try:
            context.check_url(terms.pull.url)
        except FetchError as error:
            reason = trouble(error.code, context.now()).reason
            raise Problem(422, error.code, reason["en"], reason["zh"], "/pull/url") from error


async def change_state(context: Context, partner_id: str, state: PartnerState) -> Partner:
    """Let a partner write, or not. Records that it has written are taken and answered as ever.

    Safe to repeat. Raises Problem 404, or 409 for one that is retired: that is for ever.
    """

    async def work(session: Session) -> Partner:
        known = await context.store.partner(partner_id, session)
        if known is None:
            raise not_found()
        if known.state is PartnerState.RETIRED and state is not PartnerState.RETIRED:
            raise retired(409)
        partner = in_state(known, state)
        if partner is not known:
            await context.store.save_partner(partner, session)
        return partner

    return await context.mongo.transaction(work)


async def writing(context: Context, partner_id: str) -> Partner:
    """The partner, who may write. Raises Problem 404, or 403 while it is paused and when it is retired."""
    partner = await context.store.partner(partner_id)
    if partner is None:
        raise not_found()
    if partner.state is PartnerState.PAUSED:
        raise Problem(
            403,
            "partner_paused",
            "This partner is paused and can write nothing, by Kafka neither. Ask the operator to let it go on, then "
            "send the same again. Receipts of what was written can be read.",
            "该合作方已被暂停，不能写入（Kafka 亦然）。请联系运营方恢复，之后重发同样的内容。"
            "已写入记录的回执仍可读取。",
        )
    if partner.state is PartnerState.RETIRED:
        raise retired(403)
    return partner


def retired(status: int) -> Problem:
    """What a retired partner is told."""
    return Problem(
        status,
        "partner_retired",
        "This partner was retired and its id never comes back. Have the operator register another id.",
        "该合作方已停用，编号不再使用。请由运营方另行登记一个编号。",
    )


async def scorecard(context: Context, caller: Principal, partner_id: str) -> Scorecard:
    """How its feed stands. For the partner itself and for operators. Raises Problem 404."""
    store, partner = context.store, await own_partner(context, caller, partner_id)
    try:
        waiting = await context.waiting(partner.postings_topic)
    except Unavailable:
        waiting = None
    return scorecards.scorecard(
        partner,
        context.now(),
        waiting=waiting,
        answered_at=await store.scorecards.answered_at(partner_id),
        days=await store.scorecards.days(partner_id),
        reasons=await store.scorecards.reasons(partner_id, _REASONS),
        history=(await store.histories({partner_id})).get(partner_id, ()),
        open_now=await store.scorecards.count_open(partner_id),
        became=await store.scorecards.counts(partner_id),
        pull=None
        if partner.pull is None
        else status_of(
            partner.pull,
            await store.pulls.state(partner_id),
            active=partner.state is PartnerState.ACTIVE,
        ),
    )


async def receipts(
    context: Context, caller: Principal, partner_id: str, after: int, limit: int, *, wait_s: float = 0
) -> tuple[list[Receipt], bool]:
    """At most `limit` receipts for records above offset `after`, and whether there are more.

    If there is none yet, the answer waits for one, at most so long. For the partner itself and for operators. Raises
    Problem 404.
    """
    await own_partner(context, caller, partner_id)
    deadline = time.monotonic() + wait_s
    found = await context.store.receipts(partner_id, after, limit + 1)
    while not found and time.monotonic() < deadline:
        await asyncio.sleep(_LOOK_EVERY_S)
        found = await context.store.receipts(partner_id, after, limit + 1)
    return found[:limit], len(found) > limit
