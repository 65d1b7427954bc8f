"""Tails a state topic that this service writes, and finds records of a former relay behind those of a newer one.

The position is stored, so a record that was written while no process ran is found by the next one.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

import structlog
from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from shared import metrics, outbox
from shared.broker import reader
from shared.contracts.envelope import EPOCH_HEADER
from shared.errors import Unavailable
from shared.mongo import away

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from typing import Any

    from aiokafka import AIOKafkaConsumer, ConsumerRecord

    from shared.mongo import Document, Mongo, Session
    from shared.relay import Relay
    from shared.settings import ServiceSettings

    Restate = Callable[[Sequence[str], Session], Awaitable[Sequence[Document]]]
    """Outbox rows with the present state of these aggregates: a tombstone for an id that is not known."""

log = structlog.get_logger()

TAILS: Final = "tails"
_IDLE_S: Final = 1.0


class Guard:
    """Watches one topic while this process's relay leads."""

    def __init__(self, settings: ServiceSettings, topic: str, mongo: Mongo, relay: Relay, restate: Restate) -> None:
        self._settings = settings
        self._topic = topic
        self._mongo = mongo
        self._relay = relay
        self._restate = restate
        self._epochs: dict[int, int] = {}
        self._positions: dict[int, int] = {}

    async def run(self) -> None:
        """Watch, for ever."""
        while True:
            if not self._relay.lease.held:
                await asyncio.sleep(_IDLE_S)
                continue
            consumer = reader(self._settings, f"guard-{self._topic}")
            try:
                await consumer.start()
                await self._watch(consumer)
            except Exception as error:
                if not (isinstance(error, KafkaError | OSError | Unavailable) or away(error)):
                    raise
                log.warning("the topic cannot be watched", topic=self._topic, error=repr(error))
                await asyncio.sleep(_IDLE_S)
            finally:
                await consumer.stop()

    async def _watch(self, consumer: AIOKafkaConsumer) -> None:
        partitions = consumer.partitions_for_topic(self._topic) or await self._discover(consumer)
        if not partitions:
            message = f"there is no topic {self._topic} yet"
            raise Unavailable(message)
        consumer.assign([TopicPartition(self._topic, number) for number in partitions])
        await self._load()
        for number in partitions:
            consumer.seek(TopicPartition(self._topic, number), self._positions.get(number, 0))
        while self._relay.lease.held:
            batches = await consumer.getmany(timeout_ms=500)
            displaced: dict[str, None] = {}
            for where, records in batches.items():
                displaced |= dict.fromkeys(self.examine(where.partition, records))
                self._positions[where.partition] = records[-1].offset + 1
            if batches:
                await self._answer(list(displaced))
                # one look a second is enough, and gathers what is written meanwhile
                await asyncio.sleep(_IDLE_S)

    async def _discover(self, consumer: AIOKafkaConsumer) -> set[int]:
        await consumer._client.set_topics([self._topic])  # noqa: SLF001 - metadata of a topic not subscribed to
        return set(consumer.partitions_for_topic(self._topic) or ())

    def examine(self, partition: int, records: Sequence[ConsumerRecord[Any, Any]]) -> list[str]:
        """The keys of the records that a former relay wrote behind a newer relay's."""
        suspects: list[str] = []
        newest = self._epochs.get(partition, 0)
        for record in records:
            epoch = next((value for name, value in record.headers if name == EPOCH_HEADER), None)
            if epoch is None or not epoch.isdigit():
                continue
            if int(epoch) < newest and record.key is not None:
                suspects.append(record.key.decode(errors="replace"))
            newest = max(newest, int(epoch))
        self._epochs[partition] = newest
        return suspects

    async def _load(self) -> None:
        self._positions.clear()
        self._epochs.clear()
        async for row in self._mongo.db[TAILS].find({"topic": self._topic}):
            self._positions[row["partition"]] = row["next"]
            self._epochs[row["partition"]] = row["epoch"]

    async def _answer(self, displaced: Sequence[str]) -> None:
        """Put the present state of what was displaced into the outbox again, and save the positions."""

        async def work(session: Session) -> None:
            if displaced:
                rows = await self._restate(displaced, session)
                await outbox.add(self._mongo.db, session, rows)
            for number, following in self._positions.items():
                await self._mongo.db[TAILS].replace_one(
                    {"_id": f"{self._topic}|{number}"},
                    {
                        "topic": self._topic,
                        "partition": number,
                        "next": following,
                        "epoch": self._epochs.get(number, 0),
                    },
                    upsert=True,
                    session=session,
                )

        await self._mongo.transaction(work)
        if displaced:
            metrics.DISPLACED.labels(self._topic).inc(len(displaced))
            log.warning("a former relay's late records were answered", topic=self._topic, count=len(displaced))
            await self._relay.wake()
