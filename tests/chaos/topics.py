"""All that was ever written to the topics, and when nothing more is to come."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from pymongo import MongoClient

from deploy.servers import Addresses
from shared.contracts.registry import CHANNELS, PARTNER_POSTINGS, PARTNER_RECEIPTS
from shared.topics import declared

Body = dict[str, Any]
QUIET_S = 4.0
"""Longer than any poll, lease or wait of a service at rest."""


@dataclass(frozen=True, slots=True)
class Written:
    """One record, fillers apart."""

    partition: int
    offset: int
    key: str
    body: Body | None
    """None: a tombstone."""
    version: int
    """An aggregate's version or a list's revision; 0 on topics without state."""
    writer: bytes
    """The relay's lease or the matcher's process; empty for whoever needs to name none."""


@dataclass(frozen=True)
class Topics:
    """The topics of one run: the fixed ones, and two for each partner."""

    addresses: Addresses
    file: Path
    partners: tuple[str, ...]

    def partitions(self) -> dict[str, int]:
        """How many, by topic."""
        fixed, templates = declared(self.file)
        found = {topic.name: topic.partitions for topic in fixed}
        for template in templates:
            found |= {template.name.format(partner=name): template.partitions for name in self.partners}
        return found

    def wheres(self, names: Iterable[str]) -> list[TopicPartition]:
        counts = self.partitions()
        return [TopicPartition(name, number) for name in names for number in range(counts[name])]

    async def read(self, topic: str) -> list[Written]:
        """The whole topic, in order within each partition."""
        return [one for raw in await self.raw(topic) if (one := _written(raw))]

    async def raw(self, topic: str) -> list[Any]:
        """The same as aiokafka's records, with fillers."""
        found: list[Any] = []
        async with reading(self.addresses) as consumer:
            wheres = self.wheres([topic])
            ends = await consumer.end_offsets(wheres)
            consumer.assign(wheres)
            await consumer.seek_to_beginning()
            while [where for where in wheres if await consumer.position(where) < ends[where]]:
                batches = await consumer.getmany(timeout_ms=500)
                found += [raw for part in batches.values() for raw in part]
        return sorted(found, key=lambda record: (record.partition, record.offset))

    async def settled(self, within_s: float = 150) -> None:
        """Wait until all is handled and published, and nothing has been written for a while."""
        deadline, since = time.monotonic() + within_s, time.monotonic()
        before: dict[TopicPartition, int] = {}
        mongo: MongoClient[Body] = MongoClient(self.addresses.mongo)
        admin = AIOKafkaAdminClient(bootstrap_servers=self.addresses.kafka)
        await admin.start()
        try:
            async with reading(self.addresses) as consumer:
                while time.monotonic() - since < QUIET_S:
                    ends = dict(await consumer.end_offsets(self.wheres(self.partitions())))
                    waiting = await self._waiting(admin, ends)
                    waiting += [f"outbox of {name}" for name in ("postings", "profiles") if _outbox(mongo, name)]
                    if waiting or ends != before:
                        since = time.monotonic()
                    assert time.monotonic() < deadline, f"never at rest: {waiting or 'lists go on'}"
                    before = ends
                    await asyncio.sleep(0.25)
        finally:
            await admin.close()
            mongo.close()

    async def _waiting(self, admin: AIOKafkaAdminClient, ends: dict[TopicPartition, int]) -> list[str]:
        """Which group has not committed the end of which partition."""
        waiting = []
        for group, names in self._groups().items():
            committed = await admin.list_consumer_group_offsets(group)
            for where in self.wheres(names):
                done = committed[where].offset if where in committed else 0
                if done < ends[where]:
                    waiting.append(f"{group} at {done} of {ends[where]} in {where.topic}/{where.partition}")
        return waiting

    def _groups(self) -> dict[str, list[str]]:
        groups: dict[str, list[str]] = {}
        for channel in CHANNELS:
            for names in channel.consumers.values():
                for group in names:
                    groups.setdefault(group, []).extend(self._named(channel.topic))
        return groups

    def _named(self, topic: str) -> Sequence[str]:
        if topic in (PARTNER_POSTINGS, PARTNER_RECEIPTS):
            return [topic.format(partner=name) for name in self.partners]
        return [topic]


def last(records: Iterable[Written]) -> dict[str, Written]:
    """What stands on a topic in the end, by key."""
    return {record.key: record for record in records}


@asynccontextmanager
async def reading(addresses: Addresses) -> AsyncIterator[AIOKafkaConsumer]:
    """A consumer without a group."""
    consumer = AIOKafkaConsumer(bootstrap_servers=addresses.kafka, max_partition_fetch_bytes=8 << 20)
    await consumer.start()
    try:
        yield consumer
    finally:
        await consumer.stop()


def _written(raw: Any) -> Written | None:  # noqa: ANN401 - aiokafka ships no types
    headers = dict(raw.headers)
    if "ce_filler" in headers:
        return None
    return Written(
        raw.partition,
        raw.offset,
        raw.key.decode(),
        None if raw.value is None else json.loads(raw.value),
        int(headers.get("ce_aggregateversion", b"0")),
        headers.get("ce_relayepoch") or headers.get("ce_writer") or b"",
    )


def _outbox(mongo: MongoClient[Body], service: str) -> bool:
    return mongo[service]["outbox"].find_one() is not None
