"""In which order records are taken from a consumer that has a flood of some partitions buffered."""

from __future__ import annotations

from collections import Counter
from typing import Any, cast

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from shared.turns import FEW, LATELY_S, SHARE, Turns


def partner(name: str) -> TopicPartition:
    return TopicPartition(f"partner.{name}.postings.v1", 0)


class Buffered:
    """The part of aiokafka's consumer that `Turns` uses, as it does it: a partition's buffer before the next one's."""

    def __init__(self, **buffered: int) -> None:
        self.left = {partner(name): list(range(count)) for name, count in buffered.items()}
        self.broken: set[TopicPartition] = set()
        self.waited: list[int] = []

    def assignment(self) -> set[TopicPartition]:
        return set(self.left)

    async def getmany(
        self, *wheres: TopicPartition, timeout_ms: int, max_records: int
    ) -> dict[TopicPartition, list[Any]]:
        if timeout_ms:
            self.waited.append(timeout_ms)
        found: dict[TopicPartition, list[Any]] = {}
        for where in wheres or self.left:
            if where in self.broken:
                self.broken.discard(where)
                raise KafkaError
            room = max_records - sum(map(len, found.values()))
            taken, self.left[where] = self.left[where][:room], self.left[where][room:]
            if taken:
                found[where] = [(where.topic.split(".")[1], offset) for offset in taken]
        return found


async def batch(turns: Turns, consumer: Buffered) -> Counter[str]:
    records = await turns.take(cast("AIOKafkaConsumer", consumer))
    return Counter(name for name, _ in cast("Any", records))


class Clock:
    """Time that stands still until it is told to move."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


async def test_a_flood_beside_single_records_comes_in_few_and_rests_in_proportion():
    clock, consumer = Clock(), Buffered(a=20_000, b=3)
    turns = Turns(200, 500, 10, clock)
    assert await batch(turns, consumer) == {"a": 200, "b": 3}
    clock.now = 0.1  # so long it took
    for moment in (0.1, 0.2):
        clock.now = moment
        consumer.left[partner("b")] += [1]
        assert await batch(turns, consumer) == {"b": 1}
    assert await batch(turns, consumer) == {}
    assert consumer.waited == [10]
    clock.now = 0.1 + 0.1 * (1 / SHARE - 1) + 0.01
    consumer.left[partner("b")] += [1]
    assert await batch(turns, consumer) == {"a": FEW, "b": 1}


async def test_who_waits_for_single_records_does_not_sleep_past_the_rest_of_a_flood():
    clock, consumer = Clock(), Buffered(a=20_000, b=3)
    turns = Turns(200, 500, 10_000, clock)
    await batch(turns, consumer)
    clock.now = 0.1  # so long it took, and 0.15 s of rest follow
    assert await batch(turns, consumer) == {}
    assert consumer.waited == [150]


async def test_a_flood_gets_its_share_of_the_time_while_others_send():
    clock, consumer = Clock(), Buffered(a=20_000, b=1)
    turns, busy = Turns(200, 500, 10, clock), 0.0
    await batch(turns, consumer)
    while clock.now < 60:
        consumer.left[partner("b")] = [1]
        found = await batch(turns, consumer)
        assert found["b"] == 1
        took = 0.001 + 0.003 * found["a"]
        busy += took if found["a"] else 0.0
        clock.now += took
    assert 0.8 * SHARE < busy / clock.now < 1.2 * SHARE


async def test_a_flood_is_taken_as_fast_as_it_goes_once_nobody_else_sends():
    clock, consumer = Clock(), Buffered(a=20_000, b=3)
    turns = Turns(200, 500, 10, clock)
    await batch(turns, consumer)
    clock.now = LATELY_S + 0.1
    for _ in range(5):
        assert await batch(turns, consumer) == {"a": 200}


async def test_of_many_floods_who_had_none_lately_comes_first():
    names = "abcdefgh"
    turns, consumer = Turns(200, 500, 10), Buffered(**dict.fromkeys(names, 10_000))
    taken: Counter[str] = Counter()
    for _ in range(16):
        found = await batch(turns, consumer)
        assert found.total() == 500
        assert max(found.values()) <= 200
        taken += found
    assert set(taken) == set(names)
    assert max(taken.values()) - min(taken.values()) <= 200
    consumer.left[partner("new")] = [0]
    assert (await batch(turns, consumer))["new"] == 1


async def test_each_partitions_records_come_once_and_in_their_order():
    turns, consumer = Turns(3, 7, 10), Buffered(a=20, b=5, c=9)
    seen: dict[str, list[int]] = {"a": [], "b": [], "c": []}
    while records := await turns.take(cast("AIOKafkaConsumer", consumer)):
        for name, offset in cast("Any", records):
            seen[name].append(offset)
    assert seen == {"a": list(range(20)), "b": list(range(5)), "c": list(range(9))}


async def test_it_waits_only_where_there_is_nothing():
    turns, consumer = Turns(200, 500, 10), Buffered(a=0)
    assert await batch(turns, consumer) == {}
    assert consumer.waited == [10]


async def test_a_partition_that_cannot_be_read_costs_no_record_of_another():
    turns, consumer = Turns(200, 500, 10), Buffered(a=5, b=5)
    consumer.broken = {partner("b")}
    assert await batch(turns, consumer) == {"a": 5}
    consumer.broken = {partner("b")}
    with pytest.raises(KafkaError):
        await batch(turns, consumer)
    assert await batch(turns, consumer) == {"b": 5}


async def test_a_partition_that_somebody_else_has_now_is_not_asked_for():
    turns, consumer = Turns(1, 10, 10), Buffered(a=5, b=5)
    assert await batch(turns, consumer) == {"a": 1, "b": 1}
    del consumer.left[partner("a")]
    assert await batch(turns, consumer) == {"b": 1}
