"""Sending dead letters again, each once: the topic that they go back to is itself the memory of what went back.

A record that is sent again names its letter in a header. Before anything is written, what lies on the partition
behind the record that was given up is read: who finds the letter's name there sends nothing. (A partner's topic keeps
its records longer than dead letters are kept.) Two operators who replay the same letter in the same second may both
send it; a partner's record is `unchanged` the second time, and a state topic's an old version.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from deploy.operator.letters import REPLAYED_FROM, Letter, letter_of, read_range, sent_again

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from aiokafka import AIOKafkaConsumer, TopicPartition

    from shared.broker import Outgoing, Producer

Verdict = Literal["send", "sent before", "superseded", "no body", "no way back"]

_CHUNK: Final = 100
_CHUNK_BYTES: Final = 8 * 1024 * 1024


@dataclass(frozen=True)
class Step:
    """What is to be done with one letter."""

    letter: Letter
    verdict: Verdict


async def plan(consumer: AIOKafkaConsumer, letters: Sequence[Letter], *, mended: bool) -> list[Step]:
    """What a replay of these would do; `mended`: they get another body."""
    going = [one for one in letters if one.has_way_back]
    before = await _sent_before(consumer, going)
    return [Step(letter, _verdict(letter, before, mended=mended)) for letter in letters]


def _verdict(letter: Letter, before: _Before, *, mended: bool) -> Verdict:
    if letter.origin is None or not letter.has_way_back:
        return "no way back"
    where = letter.origin.where
    if (where, str(letter.at)) in before.names:
        return "sent before"
    if letter.state and before.newest.get((where, letter.key), -1) > letter.origin.offset:
        return "superseded"
    if letter.left_out and not mended:
        return "no body"
    return "send"


@dataclass(frozen=True)
class _Before:
    names: set[tuple[TopicPartition, str]]
    """Where a letter was sent again, and its address: what a partner writes on its topic says nothing of others'."""
    newest: Mapping[tuple[TopicPartition, bytes | None], int]
    """On state topics: the highest offset of each key that is asked for."""


async def _sent_before(consumer: AIOKafkaConsumer, letters: Sequence[Letter]) -> _Before:
    starts: dict[TopicPartition, int] = {}
    keys: set[tuple[TopicPartition, bytes | None]] = set()
    for letter in letters:
        if letter.origin is not None:
            where, behind = letter.origin.where, letter.origin.offset + 1
            starts[where] = min(behind, starts.get(where, behind))
            if letter.state:
                keys.add((where, letter.key))
    names: set[tuple[TopicPartition, str]] = set()
    newest: dict[tuple[TopicPartition, bytes | None], int] = {}
    async for record in read_range(consumer, starts, {}):
        for name, value in record.headers:
            if name == REPLAYED_FROM:
                names.add((record.where, (value or b"").decode(errors="replace")))
        if (record.where, record.key) in keys:
            newest[record.where, record.key] = record.offset
    return _Before(names, newest)


async def send(
    consumer: AIOKafkaConsumer, producer: Producer, steps: Sequence[Step], body: bytes | None
) -> list[Letter]:
    """Send what is to be sent, in the order in which the letters lie; gives these back.

    Raises Unavailable: then some may have been sent, and the same command goes on where this one broke off.
    """
    wanted = {str(step.letter.at) for step in steps if step.verdict == "send"}
    starts: dict[TopicPartition, int] = {}
    stops: dict[TopicPartition, int] = {}
    for step in steps:
        if step.verdict == "send":
            at = step.letter.at
            starts[at.where] = min(at.offset, starts.get(at.where, at.offset))
            stops[at.where] = max(at.offset + 1, stops.get(at.where, 0))
    sent: list[Letter] = []
    chunk: list[Outgoing] = []
    size = 0
    async for record in read_range(consumer, starts, stops):
        if record.id in wanted:
            letter = letter_of(record)
            chunk.append(sent_again(record, letter, body))
            sent.append(letter)
            size += len(chunk[-1].value or b"")
            if len(chunk) >= _CHUNK or size > _CHUNK_BYTES:
                await producer.send_all(chunk)
                chunk, size = [], 0
    if chunk:
        await producer.send_all(chunk)
    return sent
