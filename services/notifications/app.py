"""Composition root of notifications."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

from fastapi import FastAPI

from services.notifications import api, handlers
from services.notifications.settings import NotificationsSettings
from services.notifications.store import Store
from services.notifications.usecases import inbox, taking
from services.notifications.usecases.streams import Calls
from shared.contracts.registry import POSTING_LISTS, POSTINGS, SEEKER_LISTS
from shared.service import Service, serve


def create_app(settings: NotificationsSettings) -> FastAPI:
    """The service, not started yet."""
    service = Service("notifications", settings)
    store = Store(service.mongo.db)
    inboxes = inbox.Inboxes(service.mongo, store, settings.cards_awaited_s)
    calls = Calls(service.redis, settings)
    kept_for = timedelta(seconds=settings.tombstones_kept_s)
    again = timedelta(seconds=settings.erased_again_after_s)
    retracted = timedelta(seconds=settings.retracted_kept_s)

    service.on_start(store.create_indexes)
    service.consume_versioned(
        "notifications.lists",
        partial(handlers.take_lists, store=store, calls=calls, kept_for=kept_for),
        topics=[POSTING_LISTS, SEEKER_LISTS],
    )
    service.consume_versioned(
        "notifications.postings",
        partial(handlers.take_postings, store=store, kept_for=kept_for),
        topics=[POSTINGS],
        patient_ms=settings.cards_patient_ms,
    )
    service.background(calls.listen, "calls")
    service.background(lambda: calls.close_when(service.stopping), "streams")
    service.every(
        settings.erased_again_after_s / 5,
        lambda: taking.erase_again(store, again),
        "erase-again",
        leased=True,
    )
    service.every(60, lambda: inbox.trim(inboxes, retracted), "trim", leased=True)
    service.include(api.router(inboxes, calls, service.auth, settings))
    return service.app


if __name__ == "__main__":
    serve(create_app, NotificationsSettings())
