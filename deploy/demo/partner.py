"""The partner's side: publishes postings, and reads its receipts from Kafka, as a partner region does."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Sequence
from types import TracebackType
from typing import Final, Self

from aiokafka import TopicPartition
from pydantic import TypeAdapter

from deploy.demo.front import Front
from deploy.demo.season import PartnerPosting
from shared.broker import Outgoing, Producer, reader
from shared.contracts.envelope import event_headers
from shared.contracts.partners import PostingReceipt, Receipt, SnapshotReceipt
from shared.contracts.registry import PARTNER_POSTINGS, PARTNER_RECEIPTS
from shared.settings import ServiceSettings

POLL_MS = 100
_RECEIPT: TypeAdapter[Receipt] = TypeAdapter(Receipt)
_ANSWERS: Final = {("ce_type", b"PostingReceipt"), ("ce_type", b"SnapshotReceipt")}
_PLAIN = "PartnerPostingSubmitted"
"""A line that needs no envelope: the door tells its form by its fields."""


class Partner:
    """One partner, from `async with` on; its topics must be there."""

    def __init__(self, kafka: str, partner: str, *, patient: bool = False) -> None:
        """`patient`: nobody waits for a receipt, so it is read a quarter of a second later, and at less cost."""
        settings = ServiceSettings(kafka_bootstrap=kafka)
        self.id = partner
        self.receipts: dict[str, PostingReceipt] = {}
        """By the partner's posting id, the newest."""
        self.outcomes: Counter[str] = Counter()
        self.answered: dict[int, Receipt] = {}
        """By the offset of the record that is answered."""
        self.contradicted: set[int] = set()
        """Offsets that were answered twice and not the same."""
        self.first = 0
        """Offset of the first record of this run."""
        self.sent = 0
        self._topic = PARTNER_POSTINGS.format(partner=partner)
        self._producer = Producer(settings, "partner")
        self._reader = reader(settings, "partner", prompt=not patient)
        self._reading: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        """Connect, and begin to read receipts from here on."""
        await self._reader.start()
        records = TopicPartition(self._topic, 0)
        receipts = TopicPartition(PARTNER_RECEIPTS.format(partner=self.id), 0)
        ends = await self._reader.end_offsets([records, receipts])
        self.first = ends[records]
        self._reader.assign([receipts])
        self._reader.seek(receipts, ends[receipts])
        self._reading = asyncio.create_task(self._read())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Disconnect."""
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.gather(self._reading, return_exceptions=True)
        await self._reader.stop()
        await self._producer.close()

    async def publish(self, postings: Sequence[PartnerPosting], traceparent: str | None = None) -> None:
        """Write these records and return when Kafka has acknowledged them all. Raises Unavailable."""
        records = [self._record(posting, traceparent) for posting in postings]
        await self._producer.send_all(records)
        self.sent += len(postings)

    async def upload(self, front: Front, postings: Sequence[PartnerPosting]) -> None:
        """The same through the HTTP door. Raises CallError."""
        written = await front.upload(self.id, [_line(posting) for posting in postings])
        self.sent += written

    def _record(self, posting: PartnerPosting, traceparent: str | None) -> Outgoing:
        headers = event_headers(
            source=f"urn:partner:{self.id}",
            event_type=posting.event_type,
            subject=posting.id,
            topic_family=PARTNER_POSTINGS,
            traceparent=traceparent,
        )
        return Outgoing(self._topic, posting.id.encode(), posting.body, headers)

    async def _read(self) -> None:
        while True:
            batch = await self._reader.getmany(timeout_ms=POLL_MS, max_records=2000)
            for records in batch.values():
                for record in records:
                    # other words, like the counts of a day, are of no record
                    if not _ANSWERS.isdisjoint(record.headers):
                        self._take(_RECEIPT.validate_json(record.value))

    def _take(self, receipt: Receipt) -> None:
        offset = receipt.offset
        if offset < self.first:
            return
        before = self.answered.setdefault(offset, receipt)
        if before is not receipt:
            if before != receipt:
                self.contradicted.add(offset)
            return
        if isinstance(receipt, SnapshotReceipt):
            self.outcomes[f"snapshot {receipt.outcome}"] += 1
            return
        self.outcomes[receipt.outcome] += 1
        if receipt.partner_posting_id is not None:
            self.receipts[receipt.partner_posting_id] = receipt

    def missing(self) -> list[int]:
        """Offsets of records that have no receipt yet. Raises what ended the reading, if anything did."""
        if self._reading is not None and self._reading.done():
            self._reading.result()
        return [offset for offset in range(self.first, self.first + self.sent) if offset not in self.answered]


def _line(posting: PartnerPosting) -> bytes:
    """A record as the HTTP door takes it: what is no posting, as a CloudEvent that says so."""
    if posting.event_type == _PLAIN:
        return posting.body
    event = {"specversion": "1.0", "id": posting.id, "type": posting.event_type, "data": json.loads(posting.body)}
    return json.dumps(event, ensure_ascii=False).encode()
