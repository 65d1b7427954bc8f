"""What a snapshot closes, whatever comes between, before and after it."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from services.postings.domain.snapshots import (
    KEPT,
    History,
    Limits,
    State,
    begin,
    closing_below,
    discarded,
    end,
    released,
)
from shared.contracts.partners import PartnerSnapshotBegun, PartnerSnapshotEnded
from tests.unit.postings.examples import NOW
from tests.unit.postings.region import Begin, Cut, End, Happening, Job, Region, Reject, Release, Remove, Said, Submit

# ------------------------------------------------------------------------------------------ properties

ids = st.sampled_from("abcdef")
epochs = st.integers(0, 4)
happenings = st.lists(
    st.one_of(
        st.builds(Begin, epochs, st.integers(0, 6)),
        st.builds(End, epochs),
        st.builds(Submit, ids, st.integers(0, 9), st.sampled_from("AB")),
        st.builds(Submit, ids, st.just(9)),
        st.builds(Remove, ids, st.integers(0, 9)),
        st.builds(Reject, ids | st.none()),
        st.builds(Job, st.integers(1, 3)),
        st.just(Cut()),
        st.builds(Release, epochs),
    ),
    max_size=60,
)
limits = st.builds(Limits, st.sampled_from([0.0, 0.3, 0.5, 1.0]), st.integers(0, 4))
LOOSE = Limits(1.0, 1000)


@given(happenings, limits)
@settings(max_examples=400)
@example(  # what comes late for a posting that is about to be closed does not save it
    [Submit("a", 5), Cut(), Begin(1, 0), End(1), Cut(), Submit("a", 3), Reject("a"), Cut(), Job(3)], LOOSE
)
@example(  # a snapshot begins while the one before is still closing: its closures are not counted twice
    [*(Submit(one, 1) for one in "abcd"), Begin(1, 0), End(1), Cut(), Begin(2, 0), End(2)], Limits(0.0, 4)
)
@example(  # what a snapshot closes is gone for the share of the next one, in the same batch
    [
        *(Submit(one, 1) for one in "abcdef"),
        Cut(),
        *(Begin(1, 3), Submit("a", 2), Submit("b", 2), Submit("c", 2), End(1)),
        *(Begin(2, 1), Submit("a", 3), End(2)),
    ],
    Limits(0.6, 0),
)
def test_batches_chunks_and_crashes_make_no_difference(happened: list[Happening], bounds: Limits) -> None:
    region, said = Region(bounds), Said(bounds)
    region.run(happened)
    said.run(happened)
    assert [receipt.outcome.value for receipt in region.receipts] == said.outcomes
    stands = {
        name: (row.open, row.title if row.open else None, row.version) for name, row in said.rows.items() if row.version
    }
    found = {
        one.source.id: (one.status == "open", one.title["en"] if one.status == "open" else None, one.version)
        for one in region.postings.values()
    }
    assert found == stands
    for versions in region.versions.values():
        assert all(after == before + 1 for before, after in pairwise(versions)), "each step is told once"
    assert not region.unseen(closing_below(region.history)), "nothing is left to close"


@given(happenings, st.sets(ids), st.lists(st.builds(Submit, ids, st.just(10), st.just("C")), max_size=4), st.data())
def test_what_is_open_is_what_the_newest_complete_snapshot_says_and_what_came_later(
    before: list[Happening], told: set[str], later: list[Submit], data: st.DataObject
) -> None:
    sent: list[Happening] = [Submit(one, 10, "S") for one in told]
    sent += data.draw(st.lists(st.sampled_from([*sent, Begin(9, len(told)), Begin(3, 1), End(2), Cut()])))  # repeats
    sent = data.draw(st.permutations(sent))
    region = Region(LOOSE)
    again: tuple[Happening, ...] = (End(9), End(3), Cut(), Job(1))
    ends: list[Happening] = [End(9), *data.draw(st.lists(st.sampled_from(again)))]
    happened: list[Happening] = [*before, Begin(9, len(told)), *sent, *ends, *later]
    region.run(happened)
    assert region.open == dict.fromkeys(told, "S") | {one.id: "C" for one in later}


@given(st.integers(0, 60), st.integers(0, 60), st.integers(0, 3), limits)
def test_what_is_held_and_what_is_not(stays: int, goes: int, unsent: int, bounds: Limits) -> None:
    names = [f"n{number}" for number in range(stays + goes)]
    region = Region(bounds)
    region.run([Submit(name, 1) for name in names])
    kept = names[:stays]
    region.run([Begin(1, stays + unsent), *(Submit(name, 2) for name in kept)])
    region.run([End(1)])
    (held,) = (one for one in region.history if one.epoch == 1)
    many = goes > bounds.number and goes > bounds.share * (stays + goes)
    assert (held.state is State.HELD) == (goes > 0 and (many or unsent > 0))
    assert len(region.open) == stays + (goes if held.state is State.HELD else 0)
    region.run([Submit(name, 3) for name in names[stays : stays + 1]])  # seen since, so it stays at a release
    region.run([Release(1), Cut(), Release(1)])
    assert len(region.open) == stays + min(goes, 1)


# -------------------------------------------------------------------------------------------- examples


def test_the_faults_say_why() -> None:
    region = Region(Limits(0.2, 1))
    region.run([*(Submit(one, 1) for one in "abc"), End(4), Begin(5, 2), Begin(5, 3), Begin(4, 1), End(4), End(5)])
    said = [(one.outcome.value, [(f.code, f.pointer) for f in one.faults]) for one in region.receipts[3:]]
    assert said == [
        ("rejected", [("snapshot_not_begun", "/epoch")]),
        ("accepted", []),
        ("rejected", [("epoch_used", "/epoch")]),
        ("stale", [("epoch_old", "/epoch")]),
        ("stale", [("epoch_old", "/epoch")]),
        ("held", [("snapshot_incomplete", ""), ("closes_many", "")]),
    ]
    for receipt in region.receipts:
        assert all(set(one.reason) == {"zh", "en"} for one in receipt.faults)
    (last,) = region.receipts[-1:]
    assert last.model_dump(include={"count", "named", "closes"}) == {"count": 2, "named": 0, "closes": 3}


def test_an_incomplete_snapshot_that_closes_nothing_waits_for_nobody() -> None:
    region = Region(Limits(0.2, 1))
    region.run([Submit("a", 1), Begin(1, 7), Submit("a", 2), End(1)])
    assert region.receipts[-1].outcome == "accepted"


def test_a_posting_from_before_anybody_looked_counts_as_unseen() -> None:
    region = Region(LOOSE)
    region.run([Submit("a", 1), Submit("b", 1)])
    region.seen.clear()
    region.run([Begin(1, 1), Submit("b", 1), End(1)])
    assert set(region.open) == {"b"}


@pytest.mark.parametrize("decide", ["release", "discard"])
def test_an_operator_decides_once(decide: str) -> None:
    begun = begin((), PartnerSnapshotBegun(epoch=1, count=9), 0, 9, NOW).history
    held = end(begun, PartnerSnapshotEnded(epoch=1), 3, LOOSE, NOW).history
    assert held[0].state is State.HELD

    def act(history: History, epoch: int = 1) -> History | None:
        if decide == "release":
            return released(history, epoch, 2, "op", NOW)
        return discarded(history, epoch, "op", NOW)

    done = act(held)
    assert done is not None
    assert (done[0].state, done[0].decided_by) == (
        (State.CLOSING, "op") if decide == "release" else (State.DISCARDED, "op")
    )
    assert act(done) is done, "said twice is said once"
    other = discarded(done, 1, "op", NOW) if decide == "release" else released(done, 1, 2, "op", NOW)
    assert other is None, "and not taken back"
    assert act(held, 2) is None
    assert act(begun) is None
    newer = begin(held, PartnerSnapshotBegun(epoch=2, count=0), 5, 9, NOW).history
    assert newer[0].state is State.SUPERSEDED
    assert act(newer) is None


def test_few_snapshots_are_remembered_but_never_too_few() -> None:
    history = begin((), PartnerSnapshotBegun(epoch=0, count=0), 0, 2, NOW).history
    history = end(history, PartnerSnapshotEnded(epoch=0), 2, LOOSE, NOW).history
    for epoch in range(1, 200):
        history = begin(history, PartnerSnapshotBegun(epoch=epoch, count=0), epoch, 2, NOW).history
    assert len(history) <= KEPT + 1
    assert closing_below(history) == 0, "what is closing still is closed"
