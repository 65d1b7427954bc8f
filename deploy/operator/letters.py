"""Dead letters as they lie on `<group>.dead`: where each came from, why, and the way back."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from aiokafka import AIOKafkaConsumer, TopicPartition

from deploy.operator.answers import UNKNOWN, Refusal
from shared.broker import Outgoing
from shared.consuming import record_of
from shared.contracts.envelope import EPOCH_HEADER, WRITER_HEADER
from shared.contracts.registry import channel

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence

    from shared.consuming import Record

DEAD: Final = ".dead"
REPLAYED_FROM: Final = "ce_replayedfrom"
"""Extension attribute of a record that was sent again: its dead letter's `topic/partition/offset`."""
_ERRORS: Final = "__connect.errors."
_LEFT_OUT: Final = "too large to be kept)"
"""How the reason of a letter ends whose record was too large for any topic (`shared.dead_letters`)."""
_ADDRESS: Final = re.compile(r"([A-Za-z0-9._-]+)/([0-9]{1,9})/([0-9]{1,18})")
_FORMER: Final = b"0"
"""Below every relay's fencing number: the guard of a state topic then puts what holds behind the record."""
_NO_MATCHER: Final = b"operator"
"""No matcher's name: the owner of a list then writes it again, above this one."""


@dataclass(frozen=True)
class Address:
    """Where a record lies; written `topic/partition/offset`, as in receipts."""

    topic: str
    partition: int
    offset: int

    def __str__(self) -> str:
        return f"{self.topic}/{self.partition}/{self.offset}"

    @property
    def where(self) -> TopicPartition:
        """Its topic and partition."""
        return TopicPartition(self.topic, self.partition)


def address(text: str) -> Address:
    """Raises Refusal if it is none of a dead letter."""
    found = _ADDRESS.fullmatch(text)
    if found is None or not found[1].endswith(DEAD):
        raise Refusal(
            UNKNOWN,
            "no_address",
            f"{text[:200]} 不是死信地址；地址写作 主题/分区/偏移量，例如 postings.partners.dead/0/17",
            f"{text[:200]} is no dead letter's address; one is topic/partition/offset, "
            "for example postings.partners.dead/0/17",
        )
    return Address(found[1], int(found[2]), int(found[3]))


@dataclass(frozen=True)
class Letter:
    """What a dead letter says of itself, without its body."""

    at: Address
    origin: Address | None
    """The record that was given up; None if the letter does not say."""
    code: str
    reason: str
    """Holds no personal data and no body."""
    given_up: str
    """ISO 8601, UTC."""
    key: bytes | None
    size: int | None
    """Bytes of the body; None if there is none."""
    left_out: bool
    """The record was too large to be kept."""

    @property
    def group(self) -> str:
        """The consumer group that gave it up."""
        return self.at.topic.removesuffix(DEAD)

    @property
    def state(self) -> bool:
        """Whether it came from a state topic, where a newer record of the same key takes its place."""
        return self.origin is not None and channel(self.origin.topic).state

    @property
    def has_way_back(self) -> bool:
        """Whether its group consumes the topic that it names: nobody's header sends a record anywhere else."""
        if self.origin is None:
            return False
        try:
            groups = channel(self.origin.topic).consumers.values()
        except KeyError:
            return False
        return any(self.group in own for own in groups)


def letter_of(record: Record) -> Letter:
    """Of the headers of one name the last counts: those before it came with the record, and may be anyone's."""
    errors: Mapping[str, str] = {
        name.removeprefix(_ERRORS): (value or b"").decode(errors="replace")
        for name, value in record.headers
        if name.startswith(_ERRORS)
    }
    reason = errors.get("exception.message", "")
    return Letter(
        at=Address(record.topic, record.partition, record.offset),
        origin=_origin(errors),
        code=errors.get("exception.class.name", "").removeprefix("Rejected."),
        reason=reason,
        given_up=record.timestamp.isoformat(timespec="seconds"),
        key=record.key,
        size=None if record.value is None else len(record.value),
        left_out=reason.endswith(_LEFT_OUT),
    )


def _origin(errors: Mapping[str, str]) -> Address | None:
    found = _ADDRESS.fullmatch("/".join(errors.get(name, "") for name in ("topic", "partition", "offset")))
    return None if found is None else Address(found[1], int(found[2]), int(found[3]))


def own_headers(record: Record) -> list[tuple[str, bytes | None]]:
    """The headers that the record came with, without those of the letter."""
    return [(name, value) for name, value in record.headers if not name.startswith(_ERRORS)]


def sent_again(record: Record, letter: Letter, body: bytes | None) -> Outgoing:
    """The record for the partition that it came from, as it came; `body` takes the place of its own.

    On a state topic it says that nobody who writes there now has written it, so that it cannot stay the last word.
    """
    if letter.origin is None:
        message = f"{letter.at} has no way back"
        raise ValueError(message)
    headers = [(name, value) for name, value in own_headers(record) if name != REPLAYED_FROM]
    if letter.state:
        foreign = {EPOCH_HEADER: _FORMER, WRITER_HEADER: _NO_MATCHER}
        headers = [(name, foreign.get(name, value)) for name, value in headers]
    key, value = record.key, record.value if body is None else body
    if letter.left_out:
        key = None  # the letter's own empty one: the record's was not kept either
    return Outgoing(
        letter.origin.topic,
        key if key is not None or value is not None else b"",
        value,
        [*headers, (REPLAYED_FROM, str(letter.at).encode())],
        letter.origin.partition,
    )


async def read_range(
    consumer: AIOKafkaConsumer, wheres: Mapping[TopicPartition, int], stop: Mapping[TopicPartition, int]
) -> AsyncIterator[Record]:
    """Every record from these offsets up to, not including, those; what Kafka has forgotten is passed over."""
    if not wheres:
        return
    begins = await consumer.beginning_offsets(list(wheres))
    ends = await consumer.end_offsets(list(wheres))
    until = {where: min(ends[where], stop.get(where, ends[where])) for where in wheres}
    starts = {where: max(begins[where], offset) for where, offset in wheres.items()}
    left = {where for where in wheres if starts[where] < until[where]}
    if not left:
        return
    consumer.assign(sorted(left))
    for where in left:
        consumer.seek(where, starts[where])
    while left:
        batch: Mapping[TopicPartition, Sequence[Any]] = await consumer.getmany(*sorted(left), timeout_ms=200)
        for where, records in batch.items():
            for raw in records:
                if raw.offset < until[where]:
                    yield record_of(raw)
        for where in list(left):
            if await consumer.position(where) >= until[where]:
                left.discard(where)
                consumer.pause(where)
