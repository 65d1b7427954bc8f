"""The profiles service: its parts, and how they fit together."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from services.profiles import api
from services.profiles.domain.contacts import read_keys
from services.profiles.settings import ProfilesSettings
from services.profiles.store import Store
from services.profiles.usecases import seekers
from services.profiles.usecases.context import Context
from shared.contracts.registry import PROFILES
from shared.linking.linker import load
from shared.linking.reader import Reader
from shared.service import Service, serve

if TYPE_CHECKING:
    from fastapi import FastAPI


def create_app(settings: ProfilesSettings) -> FastAPI:
    """Put the service together; nothing is connected before it starts."""
    service = Service("profiles", settings)
    store = Store(service.mongo.db)
    reader = Reader(partial(load, settings))
    context = Context(service.mongo, store, read_keys(settings.keys_dir), reader, service.wake_relay)
    service.on_start(store.create_indexes)
    service.on_start(reader.start)
    service.relay({PROFILES: partial(seekers.restate, context)})
    service.include(api.router(context, service.auth, settings))
    return service.app


if __name__ == "__main__":
    serve(create_app, ProfilesSettings())
