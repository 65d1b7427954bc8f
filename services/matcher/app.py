"""The matcher: its parts, and how they fit together."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING
from uuid import uuid4

from services.matcher import api
from services.matcher.domain.index import Index, warm
from services.matcher.domain.policy import load
from services.matcher.handlers import groups
from services.matcher.handlers.policies import PolicyReader
from services.matcher.handlers.reading import IndexReader, ListTail
from services.matcher.settings import MatcherSettings
from services.matcher.usecases.answering import Answering
from services.matcher.usecases.lists import Lists
from services.matcher.usecases.matching import Matching
from services.matcher.usecases.questions import Questions
from services.matcher.usecases.taxonomy import ties_of
from services.matcher.usecases.upkeep import Fillers, Snapshots
from services.matcher.usecases.world import TOPIC_OF, World
from shared.broker import PATIENT_MS
from shared.contracts.recommendations import AnchorKind
from shared.service import Service, serve
from shared.topics import delete_retention_ms, partitions

if TYPE_CHECKING:
    from fastapi import FastAPI

GROUP_OF = {AnchorKind.POSTING: "matcher.postings", AnchorKind.SEEKER: "matcher.profiles"}


def create_app(settings: MatcherSettings) -> FastAPI:
    """Put the service together; nothing is connected before it starts."""
    service = Service("matcher", settings, stores=False)
    policy = load()
    warm(policy)
    index = Index(policy, ties_of(settings))
    world = World(index, {kind: partitions(settings, topic) for kind, topic in TOPIC_OF.items()})
    woken = asyncio.Event()
    lists = {kind: Lists(kind, world, woken) for kind in AnchorKind}
    writer = uuid4().hex
    reader = IndexReader(settings, world, lists, settings.reader_records)
    matching = Matching(world, lists, reader.ends, service.producer.send_all, writer, settings.answer_records)
    policies = PolicyReader(settings, world, lists)
    snapshots = Snapshots(settings, world, delete_retention_ms(settings, TOPIC_OF[AnchorKind.SEEKER]))

    service.on_start(partial(_begin, policies, snapshots))
    service.background(reader.run, "index")
    service.background(policies.run, "policies")
    for kind, group in GROUP_OF.items():
        tail = ListTail(settings, kind, lists[kind], world, writer)
        service.observe(
            group,
            partial(groups.changed, kind=kind, world=world, lists=lists[kind], matching=matching),
            topics=[TOPIC_OF[kind]],
            listener=groups.Share(tail),
            patient_ms=PATIENT_MS,
        )
        service.background(tail.run, f"tail-{kind.value}")
    service.background(Answering(lists, matching, woken, settings).run, "answers")
    fillers = Fillers(lists, service.producer, settings.filler_every_s)
    service.every(min(60.0, settings.filler_every_s / 2), fillers.fill, "fillers")
    service.every(settings.snapshot_every_s, snapshots.save, "snapshot")
    service.on_stop(snapshots.save)
    service.ready_when("index", world.caught_up.is_set)
    service.include(api.router(Questions(world, matching), service.auth))
    return service.app


async def _begin(policies: PolicyReader, snapshots: Snapshots) -> None:
    """What the index begins with. The policy first: a snapshot holds sums of its weights."""
    await policies.load()
    await snapshots.load()


if __name__ == "__main__":
    serve(create_app, MatcherSettings())
