"""What a process believes was issued, while partitions come and go."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

import pytest
from aiokafka import TopicPartition

from services.matcher.domain import Index
from services.matcher.handlers.reading import ListTail
from services.matcher.usecases.lists import Lists
from services.matcher.usecases.world import World
from shared.contracts.lists import AsOfBody, ListBody
from shared.contracts.recommendations import AnchorKind
from shared.settings import ServiceSettings
from tests.unit.matcher.examples import NOW, POLICY, posting


def a_list(revision: int, version: int = 1) -> ListBody:
    return ListBody(
        kind=AnchorKind.POSTING,
        anchor="p",
        revision=revision,
        anchor_version=version,
        as_of=AsOfBody(postings=(0,), profiles=(0,)),
        now=NOW,
        policy=POLICY.version,
    )


@pytest.fixture
def world() -> World:
    found = World(Index(POLICY), dict.fromkeys(AnchorKind, 1))
    found.index.upsert_posting(posting())
    found.known[AnchorKind.POSTING][0].add("p")
    return found


@pytest.fixture
def lists(world: World) -> Lists:
    found = Lists(AnchorKind.POSTING, world, asyncio.Event())
    found.own([0])
    return found


@pytest.mark.parametrize(
    ("revisions", "asked", "following"),
    [
        ([1, 2, 3], [], 4),
        ([1, 5, 3], ["p"], 6),
        ([1, 5, 5], ["p"], 6),
        ([1, 5, 3, 4], ["p"], 6),
        ([1, 5, 3, 6], [], 7),
    ],
)
def test_a_late_record_that_nobody_answered_is_answered_by_the_next_owner(
    lists: Lists, revisions: list[int], asked: list[str], following: int
):
    for revision in revisions:
        lists.load("p", 0, a_list(revision), revision)
    lists.finish_load(0)
    assert list(lists.asked) == asked
    assert lists.next_revision("p") == following


async def test_who_waits_for_a_partition_that_leaves_and_comes_back_waits_no_more(lists: Lists):
    waiting = asyncio.create_task(lists.loaded([0]))
    await asyncio.sleep(0)
    lists.own([])
    lists.own([0])
    await asyncio.wait_for(waiting, 1)
    assert not lists.owns(0)


@dataclass
class AtTheEnd:
    """A consumer that has read everything."""

    end: int

    async def position(self, _: TopicPartition) -> int:
        return self.end


async def test_a_partition_that_left_while_it_was_loaded_is_loaded_from_its_beginning(world: World, lists: Lists):
    tail = ListTail(ServiceSettings(), AnchorKind.POSTING, lists, world, "me")
    tail._targets = {0: 7}
    consumer: Any = AtTheEnd(7)
    async with world.lock:
        finishing = asyncio.create_task(tail._finish(consumer))
        await asyncio.sleep(0)
        tail.own([])
        tail.own([0])
    await finishing
    assert not lists.owns(0)
    assert tail._positions == {}
