"""The same vacancy from two sources: found beside intake, said by operators, told to whose posting it is."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

from services.postings.domain.duplicates import Pair, PairState, decided, judged, moved, pair_id, primaries
from services.postings.domain.likeness import blocks, may_be_alike
from services.postings.domain.sources import is_sandbox
from services.postings.store.pairs import Lying
from services.postings.usecases.context import Context, own_partner, posting_rows, receipt_row
from shared import metrics, outbox
from shared.contracts.partners import MergeOutcome, MergeReceipt
from shared.contracts.postings import Posting, PostingStatus
from shared.http import Problem, not_found

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from shared.auth import Principal
    from shared.mongo import Session

_STRETCH_S: Final = 3.0
"""The lease of the job must be renewed now and then."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A pair with both postings, for a person to compare."""

    pair: Pair
    first: Posting
    second: Posting


async def examine(context: Context, chunk: int, share: float) -> int:
    """Look at postings that changed, `chunk` a transaction, all of them or for some seconds; how many.

    It takes at most this share of the time, so that a flood is taken in first. Killed anywhere, the next call goes on:
    what is left to look at is asked of the postings themselves. Raises Unavailable.
    """
    total, looked, end = 0, chunk, time.monotonic() + _STRETCH_S
    while looked == chunk and time.monotonic() < end:
        began = time.monotonic()
        looked = await context.mongo.transaction(partial(_examine_changed, context, chunk))
        total += looked
        if looked:
            await context.wake_relay()
            await asyncio.sleep((time.monotonic() - began) * (1 / share - 1))
    return total


async def count_doubts(context: Context) -> None:
    """Tell the metrics how many pairs wait for an operator."""
    metrics.DUPLICATE_DOUBTS.set(await context.store.pairs.count(PairState.DOUBT))


async def page(context: Context, state: PairState, after: str, limit: int) -> tuple[list[Shown], str | None]:
    """At most `limit` pairs of a state with ids above `after`, and the id after which there are more."""
    pairs = await context.store.pairs.page(state, after, limit + 1)
    found = pairs[:limit]
    postings = await context.mongo.transaction(
        partial(context.store.postings, {one for pair in found for one in pair.ids})
    )
    shown = [_shown(pair, postings) for pair in found]
    return shown, found[-1].id if len(pairs) > limit else None


async def merged(
    context: Context, caller: Principal, partner: str, after: str, limit: int
) -> tuple[list[Posting], bool]:
    """At most `limit` of a partner's postings that are merged now, and whether there are more.

    For the partner itself and for operators. Raises Problem 404.
    """
    await own_partner(context, caller, partner)
    found = await context.store.pairs.merged(partner, after, limit + 1)
    return found[:limit], len(found) > limit


async def decide(context: Context, caller: Principal, ids: tuple[str, str], *, accepted: bool) -> Shown:
    """Say that two postings are one vacancy, or that they are not: it takes effect at once.

    A no is for good until the same is said to be one; a yes until one of them says something else. Safe to repeat.
    Raises Problem 404, or 422 for postings that cannot be one: of the same source, or of a sandbox partner.
    """

    async def work(session: Session) -> Shown:
        pairs = context.store.pairs
        await pairs.take_turn(session)
        postings = await context.store.postings(ids, session)
        if len(postings) < len(set(ids)):
            raise not_found()
        both = [postings[one] for one in sorted(set(ids))]
        if len({one.source.partner for one in both}) == 1 or any(is_sandbox(one.source.partner) for one in both):
            en = "Name two postings of different sources, none of them a sandbox partner's."
            zh = "请指明两个来源不同的岗位，且均不属于沙箱合作方。"
            raise Problem(422, "one_source", en, zh)
        said = decided(both[0], both[1], accepted=accepted, by=caller.sub, now=context.now())
        before = (await pairs.of(ids, session)).get(said.id)
        if before is None or (before.state, before.digest) != (said.state, said.digest):
            await pairs.save({} if before is None else {said.id: before}, {said.id: said}, session)
            await _examine(context, both, session)
        else:
            said = before
        return _shown(said, await context.store.postings(said.ids, session))

    shown = await context.mongo.transaction(work)
    await context.wake_relay()
    return shown


async def _examine_changed(context: Context, chunk: int, session: Session) -> int:
    changed = await context.store.pairs.unexamined(chunk, session)
    if changed:  # a turn is a write: none while there is nothing to do
        await context.store.pairs.take_turn(session)
        await _examine(context, changed, session)
    return len(changed)


async def _examine(context: Context, changed: Sequence[Posting], session: Session) -> None:
    """Compare these postings with those that may be the same, and merge and part what comes of it."""
    pairs, now = context.store.pairs, context.now()
    looked = {posting.id: posting for posting in changed}
    known = await pairs.of(looked, session)
    lying = {posting.id: _blocks(posting) for posting in changed}
    meetings = await _meetings(context, looked, lying, session)
    meetings |= {pair.ids for pair in known.values()}
    there = looked | await _more(context, {one for ids in meetings for one in ids}, looked, session)
    # comparing takes time: the service goes on meanwhile
    kept = await asyncio.to_thread(_judged, known, meetings, there, now)
    await pairs.save(known, kept, session)
    agreeing = await _connected(context, looked, known, kept, session)
    group = {one for pair in agreeing.values() for one in pair.ids} | {
        one for pair in known.values() for one in pair.ids
    }
    there |= await _more(context, group, there, session)
    into = primaries(there, agreeing.values())
    steps = [
        (posting, after)
        for one, posting in there.items()
        if (one in group or one in looked)
        and posting.status is PostingStatus.OPEN
        and (after := moved(posting, into.get(one))) is not posting
    ]
    await pairs.save_postings([after for _, after in steps], lying, session)
    rows = posting_rows(steps)
    rows += [
        receipt_row(after.source.partner, after.source.id, _receipt(after, now))
        for _, after in steps
        if after.source.partner is not None
    ]
    await outbox.add(context.store.db, session, rows)


def _judged(
    known: Mapping[str, Pair], meetings: Iterable[tuple[str, str]], there: Mapping[str, Posting], now: datetime
) -> dict[str, Pair]:
    found = [
        judged(known.get(pair_id(first, second)), there[first], there[second], now)
        for first, second in meetings
        if first in there and second in there
    ]
    return {pair.id: pair for pair in found if pair is not None}


async def _meetings(
    context: Context, looked: Mapping[str, Posting], lying: Mapping[str, Sequence[str]], session: Session
) -> set[tuple[str, str]]:
    """Two ids each, the lesser first: who shares a block, and not the source, with one that is looked at.

    But for those whose titles rule it out: most, and so they are not read whole.
    """
    where = {
        one: Lying(posting.source.partner, set(lying[one]), posting.title)
        for one, posting in looked.items()
        if lying[one]
    }
    blocks_of: dict[str | None, set[str]] = {}
    for one in where.values():
        blocks_of.setdefault(one.source, set()).update(one.blocks)
    everyone = await context.store.pairs.beside(blocks_of, session)
    everyone = {one: found for one, found in everyone.items() if one not in looked} | where
    in_block: dict[str, list[str]] = {}
    for name, one in everyone.items():
        for block in one.blocks:
            in_block.setdefault(block, []).append(name)
    return {
        (min(name, other), max(name, other))
        for name, one in where.items()
        for other in {other for block in one.blocks for other in in_block[block]}
        if everyone[other].source != one.source and may_be_alike(one.title, everyone[other].title)
    }


async def _connected(
    context: Context,
    looked: Iterable[str],
    known: Mapping[str, Pair],
    kept: Mapping[str, Pair],
    session: Session,
) -> dict[str, Pair]:
    """All pairs that agree and hang together with those that are looked at, or that hung together with them before."""
    agreeing = {one: pair for one, pair in kept.items() if pair.agrees}
    reached = set(looked)
    edge = {one for pair in (*agreeing.values(), *known.values()) for one in pair.ids} - reached
    while edge:
        reached |= edge
        found = {one: pair for one, pair in (await context.store.pairs.of(edge, session)).items() if pair.agrees}
        agreeing |= found
        edge = {one for pair in found.values() for one in pair.ids} - reached
    return agreeing


async def _more(
    context: Context, ids: Iterable[str], there: Mapping[str, Posting], session: Session
) -> dict[str, Posting]:
    wanted = set(ids) - there.keys()
    return await context.store.postings(wanted, session) if wanted else {}


def _blocks(posting: Posting) -> tuple[str, ...]:
    """Where it may meet others: nowhere, if it is closed or only a trial."""
    here = posting.status is PostingStatus.OPEN and not is_sandbox(posting.source.partner)
    return blocks(posting) if here else ()


def _shown(pair: Pair, postings: Mapping[str, Posting]) -> Shown:
    return Shown(pair, postings[pair.first], postings[pair.second])


def _receipt(posting: Posting, now: datetime) -> MergeReceipt:
    return MergeReceipt(
        id=f"{posting.id}/{posting.version}",
        partner_posting_id=posting.source.id,
        posting_id=posting.id,
        version=posting.version,
        outcome=MergeOutcome.PARTED if posting.merged_into is None else MergeOutcome.MERGED,
        merged_into=posting.merged_into,
        at=now,
    )
