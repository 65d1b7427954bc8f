"""Effects and offsets are saved together, once, whatever fails, races or comes twice."""

import asyncio
import json
import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import cast

import pytest
from aiokafka import TopicPartition

from shared.consuming import Batch, Record, decode_all
from shared.dead_letters import DeadLetters
from shared.errors import Rejected, Unavailable
from shared.inbox import OFFSETS, Inbox, VersionedInbox, waiting
from shared.mongo import Mongo, Session
from tests.integration.shared.ledger import Ledger

REMOVED = ("ce_type", b"PartnerPostingRemoved")


class NoLetters:
    """Keeps what would be written; fails as often as it is told."""

    def __init__(self, failures: int = 0) -> None:
        self.failures = failures
        self.letters: list[str] = []

    async def write(self, rejected: Sequence[tuple[Record, Rejected]]) -> None:
        if rejected and self.failures:
            self.failures -= 1
            raise Unavailable("no dead letters now")
        self.letters += [record.id for record, _ in rejected]


def ends_of(
    ends: Mapping[TopicPartition, int] | None,
) -> Callable[[Sequence[TopicPartition]], Awaitable[dict[TopicPartition, int]]]:
    async def end_offsets(_: Sequence[TopicPartition]) -> dict[TopicPartition, int]:
        return dict(ends or {TopicPartition(TOPIC, number): 10_000 for number in range(9)})

    return end_offsets


def inbox_of(
    ledger: Ledger,
    letters: NoLetters | None = None,
    ends: Mapping[TopicPartition, int] | None = None,
    group: str = "test.group",
) -> Inbox:
    return Inbox(ledger.mongo, group, ledger, cast("DeadLetters", letters or NoLetters()), ends_of(ends))


def versioned_of(
    ledger: Ledger, letters: NoLetters | None = None, ends: Mapping[TopicPartition, int] | None = None
) -> VersionedInbox:
    async def handler(batch: Batch) -> list[tuple[Record, Rejected]]:
        return await ledger(batch, None)

    return VersionedInbox(
        ledger.mongo, "test.group", handler, cast("DeadLetters", letters or NoLetters()), ends_of(ends)
    )


TOPIC = "partner.made-up.postings.v1"


def records(first: int, last: int, partition: int = 0, bad: Sequence[int] = ()) -> list[Record]:
    return [
        Record(
            TOPIC,
            partition,
            offset,
            b"k",
            b"{" if offset in bad else json.dumps({"id": str(offset)}).encode(),
            (REMOVED,),
            datetime(2026, 11, 23, tzinfo=UTC),
        )
        for offset in range(first, last + 1)
    ]


def ids(first: int, last: int, partition: int = 0) -> list[str]:
    return [f"{TOPIC}/{partition}/{offset}" for offset in range(first, last + 1)]


async def test_what_is_delivered_again_is_skipped_and_what_is_new_is_handled(mongo: Mongo):
    ledger, letters = Ledger(mongo), NoLetters()
    inbox = inbox_of(ledger, letters)
    await inbox.process(decode_all(records(0, 9, bad=[3])))
    await inbox.process(decode_all(records(0, 9, bad=[3])))
    await inbox.process(decode_all([*records(5, 12), *records(0, 1, partition=1)]))
    everything = [*ids(0, 2), *ids(4, 12), *ids(0, 1, partition=1)]
    assert await ledger.effects() == everything
    assert letters.letters == ids(3, 3)
    assert await ledger.offsets() == {f"test.group|{TOPIC}|0": 13, f"test.group|{TOPIC}|1": 2}


async def test_groups_do_not_share_offsets(mongo: Mongo):
    ledger = Ledger(mongo)
    await inbox_of(ledger).process(decode_all(records(0, 1)))
    other = inbox_of(ledger, group="other.group")
    await other.process(decode_all(records(0, 1)))
    assert await ledger.effects() == [*ids(0, 1), *ids(0, 1)]


async def test_a_handler_that_fails_leaves_nothing_behind(mongo: Mongo):
    async def fails(_: Batch) -> None:
        raise ValueError("a fault of the handler")

    ledger = Ledger(mongo, fails)
    with pytest.raises(ValueError, match="a fault"):
        await inbox_of(ledger).process(decode_all(records(0, 4)))
    assert await ledger.effects() == []
    assert await ledger.offsets() == {}
    ledger.trouble = None
    await inbox_of(ledger).process(decode_all(records(0, 4)))
    assert await ledger.effects() == ids(0, 4)


async def test_a_transaction_that_is_tried_again_has_its_effects_and_letters_once(mongo: Mongo):
    """Somebody else changes what the handler changes, so MongoDB aborts the first attempt."""
    await mongo.db["shared"].insert_one({"_id": 1, "n": 0})
    ledger, letters = Ledger(mongo), NoLetters()

    async def handler(batch: Batch, session: Session) -> list[tuple[Record, Rejected]]:
        rejected = await ledger(batch, session)
        if ledger.calls == 1:
            await mongo.db["shared"].update_one({"_id": 1}, {"$inc": {"n": 1}})
        await mongo.db["shared"].update_one({"_id": 1}, {"$inc": {"n": 1}}, session=session)
        return rejected

    inbox = inbox_of(ledger, letters)
    inbox._handler = handler
    await inbox.process(decode_all(records(0, 4, bad=[2])))
    assert ledger.calls == 2
    assert await ledger.effects() == [*ids(0, 1), *ids(3, 4)]
    assert letters.letters == ids(2, 2)


async def test_a_commit_that_is_aborted_after_the_letters_writes_them_once(mongo: Mongo):
    """The offset is taken by another member while the letters are written."""
    ledger, letters = Ledger(mongo), NoLetters()
    inbox = inbox_of(ledger, letters)
    await inbox.process(decode_all(records(0, 0)))
    written = letters.write

    async def overtaken(rejected: Sequence[tuple[Record, Rejected]]) -> None:
        await written(rejected)
        await mongo.db[OFFSETS].update_one({"next": 1}, {"$set": {"next": 3}})

    letters.write = overtaken  # type: ignore[method-assign]
    await inbox.process(decode_all(records(1, 4, bad=[1, 4])))
    assert await ledger.effects() == [*ids(0, 0), *ids(3, 3)]
    assert letters.letters == [*ids(1, 1), *ids(4, 4)]
    assert set((await ledger.offsets()).values()) == {5}


async def test_of_two_members_with_the_same_records_one_has_effects(mongo: Mongo):
    async def takes_its_time(_: Batch) -> None:
        await asyncio.sleep(random.uniform(0, 0.01))

    ledger = Ledger(mongo, takes_its_time)
    members = [inbox_of(ledger), inbox_of(ledger)]
    for turn in range(15):
        first = turn * 4
        batches = [decode_all(records(first, first + 3)), decode_all(records(first, first + 3 + turn % 2))]
        ended = await asyncio.gather(
            *(member.process(batch) for member, batch in zip(members, batches, strict=True)),
            return_exceptions=True,
        )
        assert all(end is None or isinstance(end, Unavailable) for end in ended), ended
    for member in members:
        await member.process(decode_all(records(0, 59)))
    assert sorted(await ledger.effects()) == sorted(ids(0, 59))


async def test_the_offset_is_held_while_dead_letters_cannot_be_written(mongo: Mongo):
    ledger, letters = Ledger(mongo, rejects={"2"}), NoLetters(failures=1)
    inbox = inbox_of(ledger, letters)
    with pytest.raises(Unavailable):
        await inbox.process(decode_all(records(0, 3, bad=[1])))
    assert await ledger.offsets() == {}
    assert await ledger.effects() == []
    await inbox.process(decode_all(records(0, 3, bad=[1])))
    assert sorted(letters.letters) == ids(1, 2)
    assert await ledger.effects() == [*ids(0, 0), *ids(2, 3)]


async def test_a_topic_that_was_made_anew_halts_its_partition_and_no_other(mongo: Mongo):
    ends = {TopicPartition(TOPIC, 0): 3, TopicPartition(TOPIC, 1): 10}
    ledger = Ledger(mongo)
    inbox = inbox_of(ledger, ends=ends)
    await inbox.process(decode_all([*records(0, 9), *records(0, 4, partition=1)]))
    before = await ledger.effects()
    with pytest.raises(Unavailable, match="halted"):
        await inbox.process(decode_all(records(0, 2)))
    await inbox.process(decode_all(records(3, 5, partition=1)))
    assert await ledger.effects() == [*before, *ids(5, 5, partition=1)]


async def test_versioned_what_this_process_has_handled_is_skipped_and_offsets_follow(mongo: Mongo):
    ledger, letters = Ledger(mongo, rejects={"4"}), NoLetters()
    inbox = versioned_of(ledger, letters)
    await inbox.process(decode_all(records(0, 9, bad=[3])))
    await inbox.process(decode_all(records(0, 9, bad=[3])))
    await inbox.process(decode_all([*records(5, 12), *records(0, 1, partition=1)]))
    assert await ledger.effects() == [*ids(0, 2), *ids(4, 12), *ids(0, 1, partition=1)]
    assert letters.letters == ids(3, 4)
    async with asyncio.timeout(5):
        while await ledger.offsets() != {f"test.group|{TOPIC}|0": 13, f"test.group|{TOPIC}|1": 2}:  # noqa: ASYNC110 - what is looked at is in MongoDB
            await asyncio.sleep(0.05)
    await versioned_of(ledger).process(decode_all(records(0, 13)))
    assert (await ledger.effects())[-1:] == ids(13, 13), "the next process goes on where this one was"


async def test_versioned_what_a_crash_left_unsaved_is_handled_again(mongo: Mongo):
    ledger = Ledger(mongo)
    await versioned_of(ledger).process(decode_all(records(0, 1)))
    await versioned_of(ledger).process(decode_all(records(0, 2)))
    assert await ledger.effects() == [*ids(0, 1), *ids(0, 2)]


async def test_versioned_a_failure_and_unwritten_letters_hold_the_offset(mongo: Mongo):
    ledger, letters = Ledger(mongo), NoLetters(failures=1)
    inbox = versioned_of(ledger, letters)
    with pytest.raises(Unavailable):
        await inbox.process(decode_all(records(0, 3, bad=[1])))
    await inbox.close()
    assert await ledger.offsets() == {}
    await inbox.process(decode_all(records(0, 3, bad=[1])))
    await inbox.close()
    assert letters.letters == ids(1, 1)
    assert set((await ledger.offsets()).values()) == {4}


async def test_versioned_an_offset_that_another_member_saved_does_not_go_back(mongo: Mongo):
    ledger = Ledger(mongo)
    late, ahead = versioned_of(ledger), versioned_of(ledger)
    await late.process(decode_all(records(0, 3)))
    await ahead.process(decode_all(records(0, 7)))
    await ahead.close()
    await late.close()
    assert set((await ledger.offsets()).values()) == {8}


async def test_versioned_a_topic_that_was_made_anew_halts_its_partition(mongo: Mongo):
    ledger = Ledger(mongo)
    first = versioned_of(ledger)
    await first.process(decode_all(records(0, 9)))
    await first.close()
    with pytest.raises(Unavailable, match="halted"):
        await versioned_of(ledger, ends={TopicPartition(TOPIC, 0): 3}).process(decode_all(records(0, 2)))


async def test_what_a_group_has_still_to_handle(mongo: Mongo):
    ends = ends_of({TopicPartition(TOPIC, 0): 12})
    assert await waiting(mongo, "test.group", ends, TOPIC) == 12
    await inbox_of(Ledger(mongo)).process(decode_all(records(0, 5)))
    assert await waiting(mongo, "test.group", ends, TOPIC) == 6
    assert await waiting(mongo, "another.group", ends, TOPIC) == 12
