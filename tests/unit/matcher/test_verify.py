"""In which order lists are computed again, and which offsets are missed."""

from __future__ import annotations

import pytest
from aiokafka import TopicPartition

from services.matcher.verify import Written, absent, passes
from shared.consuming import Record
from shared.contracts.lists import AsOfBody, ListBody
from shared.contracts.recommendations import AnchorKind
from shared.contracts.registry import POSTING_LISTS, POSTINGS, PROFILES
from tests.unit.matcher.examples import NOW, POLICY


def a_record(topic: str, offset: int) -> Record:
    return Record(topic, 0, offset, b"p", b"", (), NOW)


def a_list(saw: tuple[int, int]) -> Written:
    """A list that saw so much of the only partition of postings.v1, and of profiles.v1."""
    body = ListBody(
        kind=AnchorKind.POSTING,
        anchor="p",
        revision=1,
        anchor_version=1,
        as_of=AsOfBody(postings=saw[:1], profiles=saw[1:]),
        now=NOW,
        policy=POLICY.version,
    )
    return Written(a_record(POSTING_LISTS, 0), AnchorKind.POSTING, "p", body)


@pytest.mark.parametrize(
    ("lists", "orders"),
    [
        ([], []),
        ([(2, 2), (1, 1), (1, 1), (1, 2)], [[(1, 1), (1, 1), (1, 2), (2, 2)]]),
        ([(1, 2), (2, 1)], [[(1, 2)], [(2, 1)]]),
        ([(1, 2), (2, 1), (2, 2), (2, 3), (3, 2)], [[(1, 2), (2, 2), (2, 3)], [(2, 1), (3, 2)]]),
    ],
)
def test_what_was_seen_only_grows_within_a_pass(lists: list[tuple[int, int]], orders: list[list[tuple[int, int]]]):
    found = passes(map(a_list, lists))
    assert [[(*one.body.as_of.postings, *one.body.as_of.profiles) for one in order] for order in found] == orders


@pytest.mark.parametrize(
    ("offsets", "end", "saw", "gone"),
    [
        ([0, 1, 2], 3, 3, 0),
        ([0, 2], 3, 3, 1),
        ([1, 2], 3, 3, 1),
        ([0, 1], 2, 4, 2),
    ],
)
def test_offsets_that_were_compacted_away_or_never_came_are_missed(offsets: list[int], end: int, saw: int, gone: int):
    postings, profiles = TopicPartition(POSTINGS, 0), TopicPartition(PROFILES, 0)
    topics = {postings: [a_record(POSTINGS, offset) for offset in offsets], profiles: []}
    assert absent(topics, {postings: end, profiles: 0}, [a_list((saw, 0))]) == ({postings: gone} if gone else {})
