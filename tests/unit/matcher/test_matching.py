"""Answering while partitions come and go, with everything but Kafka."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from aiokafka import TopicPartition

from services.matcher.domain import Index
from services.matcher.usecases.lists import Lists
from services.matcher.usecases.matching import Answer, Asked, Matching
from services.matcher.usecases.waiting import Cause
from services.matcher.usecases.world import World
from shared.broker import Outgoing
from shared.contracts.envelope import VERSION_HEADER
from shared.contracts.lists import AsOfBody, ListBody
from shared.contracts.recommendations import AnchorKind
from tests.unit.matcher.examples import NOW, POLICY, posting, profile

POSTING = AnchorKind.POSTING


@dataclass
class Process:
    """A matcher that owns one partition, and what it has written there."""

    written: list[Outgoing] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.world = World(Index(POLICY), dict.fromkeys(AnchorKind, 1))
        self.lists = {kind: Lists(kind, self.world, asyncio.Event()) for kind in AnchorKind}
        self.own = self.lists[POSTING]
        self.matching = Matching(self.world, self.lists, self.ends, self.write, "me", 64)
        self.while_written: Callable[[], None] = lambda: None
        self.questions = 0
        """How often Kafka was asked for the ends."""

    async def ends(self, wheres: Sequence[TopicPartition]) -> dict[TopicPartition, int]:
        self.questions += 1
        await asyncio.sleep(0)
        return dict.fromkeys(wheres, 0)

    async def write(self, records: Sequence[Outgoing]) -> None:
        self.while_written()
        self.written += records

    def take_over(self, revision: int) -> None:
        """The partition is ours, and the list of `p` lies there in this revision, for its first version."""
        self.own.own([0])
        body = ListBody(
            kind=POSTING,
            anchor="p",
            revision=revision,
            anchor_version=1,
            as_of=AsOfBody(postings=(0,), profiles=(0,)),
            now=NOW,
            policy=POLICY.version,
        )
        self.own.load("p", 0, body, revision)

    async def answer(self, version: int) -> None:
        async with asyncio.timeout(5):
            await self.matching.answer({POSTING: {"p": Cause(0, NOW, version=version)}})

    def revisions(self) -> list[int]:
        return [int(str(dict(record.headers)[VERSION_HEADER])) for record in self.written]


async def test_a_tombstone_that_was_forgotten_is_no_reason_to_ask_for_ever():
    process = Process()
    process.own.own([0])
    process.own.finish_load(0)
    process.world.index.upsert_posting(posting())
    process.world.index.remove_posting("p", 2, NOW)
    process.world.index.forget_tombstones(NOW + timedelta(days=3))
    await process.answer(version=2)
    assert [record.value for record in process.written] == [None]


async def test_nothing_is_written_for_a_partition_that_left_and_came_back_while_it_was_computed():
    process = Process()
    process.world.index.upsert_posting(posting(version=2))
    process.world.known[POSTING][0].add("p")
    process.take_over(7)
    process.own.finish_load(0)
    process.own.asked.clear()
    compute, loop = process.matching._compute, asyncio.get_running_loop()

    async def left_and_back() -> None:
        process.own.own([])
        process.take_over(7)

    def meanwhile(chunk: Sequence[Asked], seconds: float) -> tuple[list[Answer], list[Asked]]:
        asyncio.run_coroutine_threadsafe(left_and_back(), loop).result()
        return compute(chunk, seconds)

    process.matching._compute = meanwhile  # type: ignore[method-assign]
    await process.answer(version=2)
    assert process.written == []
    process.own.finish_load(0)
    assert list(process.own.asked) == ["p"]


async def test_what_was_under_way_when_the_partition_left_is_answered_above_its_revision():
    process = Process()
    process.world.index.upsert_posting(posting(version=2))
    process.world.index.upsert_profile(profile())
    process.world.known[POSTING][0].add("p")
    process.take_over(7)
    process.own.finish_load(0)
    process.own.asked.clear()

    def left_and_back() -> None:
        process.while_written = lambda: None
        process.own.own([])
        process.take_over(7)
        process.world.index.upsert_profile(profile(version=2, status="paused"))
        process.own.finish_load(0)

    process.while_written = left_and_back
    await process.answer(version=2)
    await process.matching.answer({POSTING: process.own.take_asked(9)})
    assert process.revisions() == [8, 9]
    assert b'"points"' in (process.written[0].value or b"")
    assert b'"points"' not in (process.written[1].value or b"")


async def test_what_was_answered_while_somebody_waited_to_answer_it_costs_no_question():
    process = Process()
    process.world.index.upsert_posting(posting(version=2))
    process.own.own([0])
    process.own.finish_load(0)
    await asyncio.gather(process.answer(version=2), process.answer(version=2), process.answer(version=1))
    assert (process.revisions(), process.questions) == ([1], 1)
