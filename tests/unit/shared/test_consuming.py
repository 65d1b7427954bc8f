"""What a batch becomes, and how a partition waits and is judged; real consumers: tests/integration/shared."""

import asyncio
import time
from types import SimpleNamespace
from typing import Any, cast
from unittest.mock import AsyncMock

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import CommitFailedError, RequestTimedOutError

from shared.consuming import Batch, Consumer, Record, decode_all, record_of
from shared.errors import Unavailable
from shared.settings import ServiceSettings

TOPIC = "partner.chongqing.postings.v1"
GOOD = b'{"id": "CQ-1", "title": {"zh": "x"}}'


def raw(offset: int, value: bytes | None = GOOD, *, partition: int = 0, **fields: Any) -> Any:  # noqa: ANN401
    """Something like aiokafka's record."""
    headers = [("ce_type", b"PartnerPostingSubmitted")]
    basic = {"topic": TOPIC, "partition": partition, "offset": offset, "key": b"CQ-1", "value": value}
    return SimpleNamespace(**{**basic, "headers": headers, "timestamp": 1_764_000_000_000, **fields})


def decoded(*records: Any) -> Batch:  # noqa: ANN401 - as above
    return decode_all([record_of(record) for record in records])


def offsets(records: list[Record]) -> list[int]:
    return [record.offset for record in records]


def test_a_bad_record_does_no_harm_to_its_neighbours():
    batch = decoded(raw(1), raw(2, b"{"), raw(3), raw(4, None), raw(5, key=b"\xff"), raw(6, key=None))
    assert offsets([event.record for event in batch.events]) == [1, 3, 6]
    assert [(r.offset, why.code) for r, why in batch.undecodable] == [
        (2, "json_invalid"),
        (4, "null_body"),
        (5, "invalid_key"),
    ]
    assert batch.events[0].key == "CQ-1"
    assert batch.events[2].key == ""


def test_a_filler_is_no_event_but_is_passed():
    batch = decoded(raw(1), raw(2, None, headers=[("ce_filler", b"1")]), raw(3, headers=[("ce_filler", None)]))
    assert offsets([event.record for event in batch.events]) == [1]
    assert batch.undecodable == []
    assert batch.next_offsets() == {TopicPartition(TOPIC, 0): 4}


def test_next_offsets_are_by_partition():
    batch = decoded(raw(7), raw(8), raw(3, partition=1))
    assert batch.next_offsets() == {TopicPartition(TOPIC, 0): 9, TopicPartition(TOPIC, 1): 4}


@pytest.mark.parametrize("timestamp", [-1, 0, 2**62, -(2**62), 1_764_000_000_000_000_000])
def test_a_record_may_bear_any_time(timestamp: int):
    assert record_of(raw(1, timestamp=timestamp)).timestamp.tzinfo is not None


class Client:
    """The part of aiokafka's consumer that `Consumer` uses."""

    def __init__(self, partitions: int) -> None:
        self.positions = {TopicPartition(TOPIC, number): 0 for number in range(partitions)}
        self.ends = dict.fromkeys(self.positions, 0)
        self.paused: set[TopicPartition] = set()
        self.committed: dict[TopicPartition, int] = {}
        self.refuses_commits = False
        self._fetcher = SimpleNamespace()
        self.getmany = AsyncMock()
        self.answers = asyncio.Event()
        """Commits wait until this is set."""
        self.answers.set()

    def assignment(self) -> set[TopicPartition]:
        return set(self.positions)

    def seek(self, where: TopicPartition, offset: int) -> None:
        self.positions[where] = offset

    def pause(self, where: TopicPartition) -> None:
        self.paused.add(where)

    def resume(self, where: TopicPartition) -> None:
        self.paused.discard(where)

    async def commit(self, moved: dict[TopicPartition, int]) -> None:
        await self.answers.wait()
        if self.refuses_commits:
            raise CommitFailedError
        self.committed |= moved

    def highwater(self, where: TopicPartition) -> int | None:
        return self.ends[where]

    async def position(self, where: TopicPartition) -> int:
        return self.positions[where]


class Handled:
    """Processes batches, except where it is told to fail."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.failing: set[int] = set()

    async def __call__(self, batch: Batch) -> None:
        if any(record.partition in self.failing for record in batch.records):
            raise Unavailable("told to")
        self.done += [record.id.rpartition("postings.v1/")[2] for record in batch.records]


def consuming(client: Client, handled: Handled, **settings: Any) -> Consumer:  # noqa: ANN401 - settings
    consumer = Consumer(ServiceSettings(**settings), "test.group", handled, topics=[TOPIC])
    consumer._consumer = lambda: cast("AIOKafkaConsumer", client)
    return consumer


async def test_a_failing_partition_is_sought_back_and_waits_while_the_others_go_on():
    client, handled = Client(3), Handled()
    handled.failing = {1}
    consumer = consuming(client, handled)
    await consumer._on_batch((raw(4), raw(5, partition=1), raw(6, partition=1), raw(7, partition=2)))
    waiting = TopicPartition(TOPIC, 1)
    assert handled.done == ["0/4", "2/7"]
    assert client.paused == {waiting}
    assert client.positions[waiting] == 5

    handled.failing.clear()
    await asyncio.sleep(0.7)  # the partition waits 0.2 s, a commit 0.5 s
    assert client.committed == {TopicPartition(TOPIC, 0): 5, TopicPartition(TOPIC, 2): 8}
    assert client.paused == set()
    await consumer._on_batch((raw(5, partition=1), raw(6, partition=1)))
    assert handled.done == ["0/4", "2/7", "1/5", "1/6"]


async def test_the_waits_grow(monkeypatch: pytest.MonkeyPatch):
    client, handled, waits = Client(1), Handled(), []
    handled.failing = {0}
    consumer = consuming(client, handled)

    async def waited(_: object, __: object, seconds: float) -> None:
        waits.append(seconds)

    monkeypatch.setattr(consumer, "_resume_later", waited)
    for _ in range(12):
        await consumer._on_batch((raw(5),))
        await asyncio.sleep(0)
    assert waits[:4] == [0.2, 0.4, 0.8, 1.6]
    assert waits[-1] == 30.0
    handled.failing.clear()
    await consumer._on_batch((raw(5),))
    handled.failing.add(0)
    await consumer._on_batch((raw(6),))
    await asyncio.sleep(0)
    assert waits[-1] == 0.2


async def test_a_lost_commit_is_no_failure():
    client, handled = Client(1), Handled()
    client.refuses_commits = True
    await consuming(client, handled)._on_batch((raw(5),))
    await asyncio.sleep(0.7)
    assert handled.done == ["0/5"]
    assert client.committed == {}
    assert client.paused == set()


async def test_what_is_handled_during_a_commit_is_committed_after_it():
    client = Client(1)
    client.answers.clear()
    consumer = consuming(client, Handled())
    await consumer._on_batch((raw(5),))
    await asyncio.sleep(0.6)  # the commit of 6 is under way
    await consumer._on_batch((raw(6),))
    client.answers.set()
    await asyncio.sleep(0.7)
    assert client.committed == {TopicPartition(TOPIC, 0): 7}


async def test_a_commit_that_the_broker_could_not_take_is_tried_again(monkeypatch: pytest.MonkeyPatch):
    client = Client(1)
    consumer = consuming(client, Handled())
    with monkeypatch.context() as broken:
        broken.setattr(client, "commit", AsyncMock(side_effect=RequestTimedOutError))
        await consumer._on_batch((raw(5),))
        await asyncio.sleep(0.6)
    await asyncio.sleep(0.5)
    assert client.committed == {TopicPartition(TOPIC, 0): 6}


async def test_a_partition_that_was_taken_away_meanwhile_is_left_alone():
    client, handled = Client(1), Handled()
    handled.failing = {5}
    await consuming(client, handled)._on_batch((raw(1, partition=5),))
    assert client.paused == set()


async def test_stuck_means_lag_and_no_movement_for_too_long(monkeypatch: pytest.MonkeyPatch):
    client, now = Client(1), 1000.0
    where = TopicPartition(TOPIC, 0)
    consumer = consuming(client, Handled(), stuck_after_s=60)
    monkeypatch.setattr(time, "monotonic", lambda: now)

    async def after(seconds: float, *, position: int, end: int) -> bool:
        nonlocal now
        now += seconds
        client.positions[where], client.ends[where] = position, end
        return await consumer.stuck()

    assert not await after(0, position=5, end=5)
    assert not await after(500, position=5, end=6), "a record that has just come to an idle partition"
    assert not await after(59, position=5, end=9)
    assert not await after(2, position=6, end=9), "it moved"
    assert await after(61, position=6, end=9)
    assert not await after(1, position=9, end=9)


async def test_a_partition_that_comes_back_is_judged_anew(monkeypatch: pytest.MonkeyPatch):
    client, now = Client(1), 1000.0
    consumer = consuming(client, Handled(), stuck_after_s=60)
    monkeypatch.setattr(time, "monotonic", lambda: now)
    where = TopicPartition(TOPIC, 0)
    client.ends[where] = 7
    assert not await consumer.stuck()
    del client.positions[where]
    now += 30
    assert not await consumer.stuck()
    client.positions[where] = 0
    now += 300
    assert not await consumer.stuck()


async def test_a_flood_ends_with_the_first_look_that_finds_nothing():
    client = Client(1)
    client._fetcher = SimpleNamespace(
        _records={}, _fetch_max_wait_ms=0, _fetch_min_bytes=0, _get_actions_per_node=lambda _: None
    )
    found: list[dict[TopicPartition, list[Any]]] = [{TopicPartition(TOPIC, 0): [raw(n) for n in range(50)]}, {}]
    client.getmany = AsyncMock(side_effect=found)
    consumer = consuming(client, Handled(), gather_ms=33, fetch_wait_ms=555)

    async def taken() -> tuple[int, int]:
        records = await consumer._take(cast("AIOKafkaConsumer", client))
        client._fetcher._get_actions_per_node(SimpleNamespace(tps=()))
        return len(records), client._fetcher._fetch_max_wait_ms

    assert await taken() == (50, 33)
    assert await taken() == (0, 555)


async def test_who_is_patient_stays_so():
    client = Client(1)
    client.getmany = AsyncMock(return_value={TopicPartition(TOPIC, 0): [raw(n) for n in range(50)]})
    consumer = Consumer(ServiceSettings(), "test.group", Handled(), topics=[TOPIC], patient_ms=250)
    assert len(await consumer._take(cast("AIOKafkaConsumer", client))) == 50
    assert client._fetcher == SimpleNamespace(), "its fetches are left as they are"
