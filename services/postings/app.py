"""The postings service, put together."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial

from fastapi import FastAPI

from services.postings import api, handlers
from services.postings.settings import PostingsSettings
from services.postings.store import Store
from services.postings.usecases.context import Context, restate
from services.postings.usecases.expiry import expire
from services.postings.usecases.intake import keep_receipts
from shared.contracts.registry import PARTNER_POSTINGS_PATTERN, POSTINGS
from shared.linking.linker import load
from shared.linking.reader import Reader
from shared.service import Service, serve
from shared.topics import create_partner_topics


def create_app(settings: PostingsSettings) -> FastAPI:
    """Everything constructed, nothing started."""
    service = Service("postings", settings)
    store = Store(service.mongo.db, receipts_kept_days=settings.receipts_kept_days)
    reader = Reader(partial(load, settings))
    context = Context(
        mongo=service.mongo,
        store=store,
        now=now,
        wake_relay=service.wake_relay,
        reader=reader,
        create_partner_topics=partial(create_partner_topics, settings),
        write=service.producer.send_all,
    )
    service.on_start(store.create_indexes)
    service.on_start(reader.start)
    service.consume(
        "postings.partners",
        partial(handlers.partner_records, store=store, reader=reader, clock=now),
        pattern=PARTNER_POSTINGS_PATTERN,
        each=settings.partner_records,
    )
    service.relay({POSTINGS: partial(restate, store=store)}, keep=partial(keep_receipts, store, now))
    service.every(settings.expiry_every_s, partial(expire, context), "expiry", leased=True)
    service.include(api.router(context, service.auth, settings))
    return service.app


def now() -> datetime:
    """The time, in UTC."""
    return datetime.now(UTC)


if __name__ == "__main__":
    serve(create_app, PostingsSettings())
