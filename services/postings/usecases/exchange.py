"""The exchange: our postings for the partners that watch their regions, and removals of what is theirs no more."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from services.postings.domain.exchange import Sent, Watch, next_sent, record_of, watch_of
from services.postings.usecases.context import SOURCE, Context
from shared import outbox
from shared.contracts.envelope import TRACEPARENT
from shared.contracts.registry import PARTNER_EXCHANGE, POSTINGS
from shared.mongo import DuplicateKey

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from services.postings.store import Store
    from shared.contracts.postings import Posting
    from shared.mongo import Document, Session


async def note_changed(store: Store, rows: Sequence[Document]) -> None:
    """Of rows of the outbox that are published, remember which postings changed, if anybody watches any.

    Called before they are deleted, so none is missed. If nobody watches yet, whoever begins to looks at all postings,
    and these are among them.
    """
    changed = {row["aggregateid"]: row["headers"].get(TRACEPARENT) for row in rows if row["aggregatetype"] == POSTINGS}
    if changed and await store.exchanges.is_watched():
        await store.exchanges.note(changed)


async def send(context: Context, chunk: int) -> int:
    """Tell partners what is new to them, `chunk` postings a transaction; how many were looked at. Raises Unavailable.

    Killed anywhere, the next call goes on. What changed comes first; between two chunks of it, each partner whose
    regions changed gets on by one.
    """
    total = 0
    try:
        while True:
            looked = await context.mongo.transaction(partial(_send_due, context, chunk))
            for partner in await context.store.exchanges.surveyed():
                looked += await context.mongo.transaction(partial(_survey, context, partner, chunk))
            if not looked:
                return total
            total += looked
            await context.wake_relay()
    except DuplicateKey:  # another process has told a partner the same meanwhile: the next call sees it
        return total


async def _send_due(context: Context, chunk: int, session: Session) -> int:
    due = await context.store.exchanges.take_due(chunk, session)
    if due:
        watches = [watch_of(partner) for partner in await context.store.exchanges.watching(session)]
        await _tell(context, watches, due, session)
    return len(due)


async def _survey(context: Context, partner_id: str, chunk: int, session: Session) -> int:
    exchanges = context.store.exchanges
    after, partner = await exchanges.survey(partner_id, session), await context.store.partner(partner_id, session)
    if after is None or partner is None:  # ended by another process meanwhile
        return 0
    watch = watch_of(partner)
    ids = await exchanges.page(partner_id, after, chunk, session, only_sent=not watch.regions)
    await _tell(context, [watch], dict.fromkeys(ids), session)
    await exchanges.move_survey(partner_id, ids[-1] if len(ids) == chunk else None, session)
    return len(ids)


async def _tell(context: Context, watches: Sequence[Watch], traces: Mapping[str, str | None], session: Session) -> None:
    """Each watching partner what is new to it of these postings, by id with the trace of their change."""
    exchanges = context.store.exchanges
    postings = await context.store.postings(traces, session)
    before = await exchanges.sent([watch.partner for watch in watches], postings, session)
    news: dict[tuple[str, str], Sent] = {}
    rows: list[Document] = []
    for posting in postings.values():
        for watch in watches:
            after = next_sent(watch, posting, before.get((watch.partner, posting.id)))
            if after is not None:
                news[watch.partner, posting.id] = after
                rows.append(_row(context, watch, posting, after, traces[posting.id]))
    await exchanges.save_sent(news, session)
    await outbox.add(context.store.db, session, rows)


def _row(context: Context, watch: Watch, posting: Posting, sent: Sent, traceparent: str | None) -> Document:
    record = record_of(posting, sent, context.exchange_name)
    return outbox.outbox_row(
        channel_topic=PARTNER_EXCHANGE,
        topic=PARTNER_EXCHANGE.format(partner=watch.partner),
        key=posting.id,
        event_type=type(record).__name__,
        body=record,
        version=sent.sequence,
        source=SOURCE,
        traceparent=traceparent,
    )
