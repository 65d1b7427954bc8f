"""The postings service, put together."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

from fastapi import FastAPI

from services.postings import api, handlers
from services.postings.domain.snapshots import Limits
from services.postings.settings import PostingsSettings
from services.postings.store import Store
from services.postings.usecases.context import Context, restate
from services.postings.usecases.counts import count
from services.postings.usecases.duplicates import count_doubts, examine
from services.postings.usecases.exchange import note_changed, send
from services.postings.usecases.expiry import Lifetimes, expire, expire_forgotten
from services.postings.usecases.intake import keep_receipts
from services.postings.usecases.pulling import Puller
from services.postings.usecases.replays import publish
from services.postings.usecases.snapshots import close_unseen, count_held
from shared.contracts.registry import PARTNER_POSTINGS_PATTERN, POSTINGS
from shared.fetching import Fetcher, FetchLimits
from shared.inbox import waiting
from shared.linking.linker import load
from shared.linking.reader import Reader
from shared.service import Service, serve
from shared.topics import create_partner_topics

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shared.mongo import Document

PARTNERS = "postings.partners"
"""The group that takes partners' records."""
_PULL_LOOK_S = 1.0
"""Seconds between two looks for feeds that are due."""
_PULL_LEASES = 9
"""A fetch renews its lease with what comes, so the lease outlasts the longest silence of a feed."""
_REPLAY_EVERY_S, _REPLAY_CHUNK = 0.5, 200
"""Receipts that are published once more: so many a partner in so many seconds, that events of others come between."""
_COUNT_S = 10.0
"""How often each process counts what its metrics tell."""


def create_app(settings: PostingsSettings) -> FastAPI:
    """Everything constructed, nothing started."""
    service = Service("postings", settings)
    store = Store(
        service.mongo.db,
        receipts_kept_days=settings.receipts_kept_days,
        removals_kept_days=settings.removals_kept_days,
    )
    limits = Limits(settings.snapshot_hold_share, settings.snapshot_hold_number)
    lifetimes = Lifetimes(timedelta(days=settings.renew_days), timedelta(days=settings.unchanged_days))
    closing = partial(close_unseen, chunk=settings.snapshot_closing_chunk)
    examining = partial(examine, chunk=settings.duplicates_chunk, share=settings.duplicates_share)
    reader = Reader(partial(load, settings))
    fetcher = Fetcher(FetchLimits(settings.pull_bytes, settings.pull_unpacked_bytes), settings.pull_private_hosts)
    context = Context(
        mongo=service.mongo,
        store=store,
        now=now,
        wake_relay=service.wake_relay,
        reader=reader,
        create_partner_topics=partial(create_partner_topics, settings),
        write=service.producer.send_all,
        waiting=partial(waiting, service.mongo, PARTNERS, service.ends_of(PARTNERS)),
        check_url=fetcher.check,
        exchange_name=settings.exchange_name,
    )
    puller = Puller(
        context,
        fetcher,
        at_once=settings.pull_at_once,
        fetch_s=settings.pull_fetch_s,
        lease_s=settings.lease_s * _PULL_LEASES,
    )

    async def keep(rows: Sequence[Document]) -> None:
        await keep_receipts(store, now, rows)
        await note_changed(store, rows)

    service.on_start(store.create_indexes)
    service.on_start(reader.start)
    service.consume(
        PARTNERS,
        partial(
            handlers.partner_records, store=store, reader=reader, limits=limits, clock=now, name=settings.exchange_name
        ),
        pattern=PARTNER_POSTINGS_PATTERN,
        each=settings.partner_records,
    )
    service.relay({POSTINGS: partial(restate, store=store)}, keep=keep)
    service.every(settings.expiry_every_s, partial(expire, context), "expiry", leased=True)
    service.every(settings.forgotten_every_s, partial(expire_forgotten, context, lifetimes), "forgotten", leased=True)
    service.every(settings.snapshot_closing_every_s, partial(closing, context), "snapshots", leased=True)
    service.every(settings.duplicates_every_s, partial(examining, context), "duplicates", leased=True)
    service.every(_COUNT_S, partial(count_doubts, context), "duplicates-doubted")
    sending = partial(send, context, settings.exchange_chunk)
    service.every(settings.exchange_every_s, sending, "exchange", leased=True)
    service.every(_REPLAY_EVERY_S, partial(publish, context, _REPLAY_CHUNK), "replays", leased=True)
    service.every(_PULL_LOOK_S, puller.look, "pulls")
    service.on_stop(puller.close)
    service.every(_COUNT_S, partial(count_held, context), "snapshots-held")
    counting = partial(count, context, partial(handlers.recommended, settings))
    service.every(settings.counts_every_s, counting, "counts", leased=True)
    service.include(api.router(context, service.auth, settings))
    return service.app


def now() -> datetime:
    """The time, in UTC."""
    return datetime.now(UTC)


if __name__ == "__main__":
    serve(create_app, PostingsSettings())
