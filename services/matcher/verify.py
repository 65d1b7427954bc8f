"""`make verify-lists`: every list that lies on its topic is computed again from what it says that it saw.

Both state topics are read whole and taken in once more, up to each list's `as_of` in turn; what the matcher would
write then, under the matching policy and by the taxonomy that the list names, must be the list's bytes. That holds on
a system at rest from whose topics nothing was compacted away, so offsets that are gone fail like a list that differs.

    KAFKA_BOOTSTRAP=localhost:9092 python -m services.matcher.verify
"""

# ruff: noqa: T201 - a command talks to people

from __future__ import annotations

import asyncio
import sys
from bisect import bisect_left
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Never

from aiokafka import TopicPartition

from services.matcher.domain.index import Index
from services.matcher.domain.policy import Policy, parse
from services.matcher.domain.ties import NO_TIES, Ties
from services.matcher.handlers.changes import changes_of
from services.matcher.handlers.policies import read_policies
from services.matcher.settings import MatcherSettings
from services.matcher.usecases.matching import LISTS_OF, Matching
from services.matcher.usecases.taxonomy import ties_of
from services.matcher.usecases.waiting import Cause
from services.matcher.usecases.world import TOPIC_OF, World
from shared.broker import reader
from shared.consuming import Record, decode_all, record_of
from shared.contracts.lists import AsOfBody, ListBody, encode
from shared.contracts.recommendations import AnchorKind, AsOf
from shared.topics import partitions

SHOWN: Final = 5
"""Differences that are printed."""
AROUND: Final = 60
"""Bytes that are shown from a little before the first one that differs."""
PROGRESS_LISTS: Final = 5_000
_KIND_OF: Final = {topic: kind for kind, topic in LISTS_OF.items()}

Topics = Mapping[TopicPartition, Sequence[Record]]
"""The records of whole partitions, in the order of their offsets."""


@dataclass(frozen=True, slots=True)
class Written:
    """One list as it lies on its topic."""

    record: Record
    kind: AnchorKind
    anchor: str
    """The record's key."""
    body: ListBody


async def read(settings: MatcherSettings, names: Iterable[str]) -> tuple[Topics, Mapping[TopicPartition, int]]:
    """These topics up to their present ends, and the ends. Raises KafkaError."""
    wheres = [TopicPartition(name, number) for name in names for number in range(partitions(settings, name))]
    found: dict[TopicPartition, list[Record]] = {where: [] for where in wheres}
    consumer = reader(settings, "matcher-verify", prompt=True)
    await consumer.start()
    try:
        consumer.assign(wheres)
        ends = dict(await consumer.end_offsets(wheres))
        await consumer.seek_to_beginning()
        while [where for where in wheres if await consumer.position(where) < ends[where]]:
            for where, batch in (await consumer.getmany(timeout_ms=500)).items():
                found[where] += [record_of(raw) for raw in batch if raw.offset < ends[where]]
    finally:
        await consumer.stop()
    return found, ends


def written(topics: Topics) -> tuple[list[Written], list[str]]:
    """The lists of the list topics, tombstones apart, and what is no list."""
    batch = decode_all([record for where, part in topics.items() if where.topic in _KIND_OF for record in part])
    lists = [
        Written(event.record, _KIND_OF[event.record.topic], event.key, event.model)
        for event in batch.events
        if isinstance(event.model, ListBody)
    ]
    return lists, [f"{record.id} is no list: {reason}" for record, reason in batch.undecodable]


def absent(topics: Topics, ends: Mapping[TopicPartition, int], lists: Iterable[Written]) -> dict[TopicPartition, int]:
    """By partition, how many offsets are gone: below its end, or below what a list says that it saw."""
    needed = dict(ends)
    for one in lists:
        for where, end in _seen(one.body.as_of).items():
            needed[where] = max(needed[where], end)
    return {where: gone for where, end in needed.items() if (gone := end - len(topics[where]))}


def passes(lists: Iterable[Written]) -> list[list[Written]]:
    """The lists in as few orders as come easily, in each of which every list saw at least what the one before saw.

    An index only goes forward. What one process wrote is one such order; what several wrote at once may not be,
    because each reads the partitions in its own turns.
    """
    found: list[list[Written]] = []
    for one in sorted(lists, key=lambda one: sum(_offsets(one.body.as_of))):
        saw = _offsets(one.body.as_of)
        for order in found:
            before = _offsets(order[-1].body.as_of)
            if all(earlier <= later for earlier, later in zip(before, saw, strict=True)):
                order.append(one)
                break
        else:
            found.append([one])
    return found


async def recomputed(
    topics: Topics, policies: Mapping[str, Policy], taxonomies: Mapping[str | None, Ties], order: Sequence[Written]
) -> AsyncIterator[tuple[Written, bytes]]:
    """Each list, and the bytes that the matcher would write in its place; empty if it would write a tombstone.

    `policies` and `taxonomies` by version: all that the lists name; None for no taxonomy.
    """
    counts = {kind: sum(where.topic == topic for where in topics) for kind, topic in TOPIC_OF.items()}
    world = World(Index(policies[order[0].body.policy], taxonomies[order[0].body.taxonomy]), counts)
    matching = Matching(world, {}, _never, _never, writer="", chunk=1)
    for one in order:
        await _see(world, topics, one.body.as_of)
        # the empty list of who left is the same by any taxonomy, and names none
        taxonomy = one.body.taxonomy if one.body.active else world.index.ties.version
        if world.index.made_by != (one.body.policy, taxonomy):
            world.index.adopt(policies[one.body.policy], taxonomies[taxonomy])
        cause = Cause(one.record.partition, one.body.now)
        body = matching.current(one.kind, one.anchor, cause, world.as_of(), one.body.revision)
        yield one, b"" if body is None else encode(body)


async def _see(world: World, topics: Topics, as_of: AsOf | AsOfBody) -> None:
    """Take in what lies between where the world is and `as_of`."""
    seen, positions = _seen(world.as_of()), _seen(as_of)
    between: list[Record] = []
    for where, end in positions.items():
        if end > seen[where]:
            start, stop = (bisect_left(topics[where], offset, key=_offset) for offset in (seen[where], end))
            between += topics[where][start:stop]
    await world.apply((change for record in between for change in changes_of(record)), positions, lambda _change: None)


def _offset(record: Record) -> int:
    return record.offset


def _offsets(as_of: AsOf | AsOfBody) -> tuple[int, ...]:
    return *as_of.postings, *as_of.profiles


def _seen(as_of: AsOf | AsOfBody) -> dict[TopicPartition, int]:
    sides = {AnchorKind.POSTING: as_of.postings, AnchorKind.SEEKER: as_of.profiles}
    return {
        TopicPartition(TOPIC_OF[kind], number): end for kind, ends in sides.items() for number, end in enumerate(ends)
    }


async def _never(_: object) -> Never:
    """Nobody asks here for ends, and nothing is written."""
    raise AssertionError("a verification only reads")


def difference(one: Written, right: bytes) -> str:
    """Which list it is, and both texts from shortly before the first byte that differs."""
    found = one.record.value or b""
    same = next((place for place, pair in enumerate(zip(found, right, strict=False)) if pair[0] != pair[1]), None)
    start = max(0, (min(len(found), len(right)) if same is None else same) - AROUND // 3)
    there, here = (text[start : start + AROUND].decode(errors="replace") for text in (found, right))
    name = f"{one.kind.value} {one.anchor}, revision {one.body.revision} ({one.record.id})"
    return f"{name}, from byte {start}:\n    written    {there}\n    recomputed {here}"


async def verify(settings: MatcherSettings) -> bool:
    """Read, recompute and report; True if every list is as it should be. Raises KafkaError."""
    topics, ends = await read(settings, (*TOPIC_OF.values(), *LISTS_OF.values()))
    lists, wrong = written(topics)
    known = (await read_policies(settings)).versions()
    wrong += [f"nobody knows the policy {name}" for name in {one.body.policy for one in lists} - known.keys()]
    ties = ties_of(settings)
    taxonomies = {None: NO_TIES, ties.version: ties}
    absent_versions = {one.body.taxonomy for one in lists} - taxonomies.keys()
    wrong += [f"there is no taxonomy {name}: TAXONOMY_FILE says which one is here" for name in absent_versions]
    lists = [one for one in lists if one.body.policy in known and one.body.taxonomy in taxonomies]
    policies = {version: parse(one.text) for version, one in known.items()}
    print(f"{sum(map(len, topics.values()))} records, {len(lists)} of them lists")
    gone = absent(topics, ends, lists)
    for where, count in gone.items():
        print(f"{where.topic}/{where.partition}: {count} offsets are gone, compacted or deleted")
    orders, done = passes(lists), 0
    for number, order in enumerate(orders, 1):
        print(f"pass {number} of {len(orders)}: {len(order)} lists")
        async for one, right in recomputed(topics, policies, taxonomies, order):
            done += 1
            if right != one.record.value:
                wrong.append(difference(one, right))
            if done % PROGRESS_LISTS == 0:
                print(f"{done} lists, {len(wrong)} differ")
    for what in wrong[:SHOWN]:
        print(what)
    print(f"{done} lists recomputed in {len(orders)} passes over the topics: {len(wrong)} differ")
    return not wrong and not gone


if __name__ == "__main__":
    sys.exit(0 if asyncio.run(verify(MatcherSettings())) else 1)
