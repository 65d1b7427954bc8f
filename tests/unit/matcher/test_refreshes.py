"""In which order lists are refreshed, and that events go first."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import cast

import pytest

from services.matcher.domain import Index
from services.matcher.settings import MatcherSettings
from services.matcher.usecases import answering
from services.matcher.usecases.answering import AT_ONCE, Answering
from services.matcher.usecases.lists import Issued, Lists
from services.matcher.usecases.matching import Asked, Causes, Matching
from services.matcher.usecases.waiting import WHOLE, Cause, Refreshes, weight
from services.matcher.usecases.world import World
from shared.contracts.recommendations import AnchorKind
from tests.unit.matcher.examples import NOW, POLICY, posting, profile

CAUSE = Cause(0, NOW)
POSTING, SEEKER = AnchorKind.POSTING, AnchorKind.SEEKER
EARLIER, PRESENT = "2020.1", POLICY.version


def test_the_list_that_lost_most_of_its_best_is_first():
    waiting = Refreshes()
    waiting.add("its last", CAUSE, 1 << 19)
    waiting.add("its first", CAUSE, 1)
    waiting.add("its second and third", CAUSE, 0b110)
    waiting.add("all", CAUSE, WHOLE)
    assert list(waiting.take(3)) == ["all", "its second and third", "its first"]
    assert list(waiting) == ["its last"]


def test_losses_add_up_and_one_place_is_lost_once():
    waiting = Refreshes()
    waiting.add("a", CAUSE, 0b10)
    waiting.add("b", CAUSE, 0b1)
    waiting.add("a", CAUSE, 0b10)
    assert weight(0b11) == 39
    assert list(waiting.take(1)) == ["b"]
    waiting.add("b", CAUSE, 0b1)
    waiting.add("a", CAUSE, 0b100)
    assert list(waiting.take(9)) == ["a", "b"]
    assert not waiting


def test_who_was_answered_meanwhile_waits_no_more():
    waiting = Refreshes()
    waiting.add("a", CAUSE, 1)
    waiting.add("b", Cause(1, NOW), 1)
    waiting.pop("a")
    waiting.forget(1)
    assert waiting.take(9) == {}


@pytest.mark.parametrize(
    ("before", "cause", "kept"),
    [
        (None, Cause(0, NOW, 2), Cause(0, NOW, 2)),
        (Cause(0, NOW, 3, "t"), Cause(0, NOW, 2), Cause(0, NOW, 3, "t")),
        (Cause(0, NOW, 2, force=True), Cause(0, NOW, 3), Cause(0, NOW, 3, force=True)),
        (Cause(0, NOW, 3), Cause(0, NOW, force=True), Cause(0, NOW, 3, force=True)),
    ],
)
def test_two_causes_in_one(before: Cause | None, cause: Cause, kept: Cause):
    assert cause.after(before) == kept


@pytest.fixture
def lists() -> dict[AnchorKind, Lists]:
    """Nothing is issued yet."""
    world = World(Index(POLICY), dict.fromkeys(AnchorKind, 1))
    woken = asyncio.Event()
    found = {kind: Lists(kind, world, woken) for kind in AnchorKind}
    for kind in AnchorKind:
        found[kind].own([0])
        found[kind].finish_load(0)
    return found


def hold(lists: Lists, anchor: str, *entries: str, policy: str = PRESENT, active: bool = True) -> None:
    lists.put(anchor, Issued(0, 1, 1, active, entries, (policy, None)))


def test_a_posting_that_closes_is_no_event_that_others_wait_for(lists: dict[AnchorKind, Lists]):
    world = lists[POSTING]._world
    world.index.upsert_posting(posting("p", 1))
    world.index.upsert_posting(posting("q", 1, status="closed", close_reason="filled"))
    for anchor in "pq":
        lists[POSTING].mark(anchor, Cause(0, NOW, 1))
    assert list(lists[POSTING].asked) == ["p"]
    assert list(lists[POSTING].dirty) == ["q"]
    world.index.upsert_posting(posting("p", 2, status="closed", close_reason="filled"))
    lists[POSTING].mark("p", Cause(0, NOW, 2))
    assert not lists[POSTING].asked
    assert lists[POSTING].dirty.take(9)["p"].version == 2


def test_what_a_closed_posting_leaves_behind_is_refreshed_by_its_place(lists: dict[AnchorKind, Lists]):
    for seeker in ("s1", "s2"):
        lists[SEEKER]._world.index.upsert_profile(profile(seeker))
    hold(lists[SEEKER], "s1", "other", "closed")
    hold(lists[SEEKER], "s2", "closed", "other")
    lists[SEEKER].counterpart_changed("closed", NOW)
    assert list(lists[SEEKER].dirty.take(9)) == ["s2", "s1"]


def test_a_loss_is_mended_though_the_event_beside_it_was_answered_already(lists: dict[AnchorKind, Lists]):
    own = lists[SEEKER]
    own._world.index.upsert_profile(profile("s"))
    hold(own, "s", "closed")
    own.mark("s", Cause(0, NOW, 1))
    own.counterpart_changed("closed", NOW)
    assert own.take_asked(9)["s"].version == 1
    assert list(own.dirty) == ["s"]


def test_a_list_that_was_just_computed_is_what_all_waited_for_but_for_what_it_has_not_seen(
    lists: dict[AnchorKind, Lists],
):
    own = lists[SEEKER]
    own._world.index.upsert_profile(profile("s"))
    causes = [Cause(0, NOW, 1), Cause(0, NOW)]
    for cause, left in (*((one, []) for one in causes), (Cause(0, NOW, 2), ["s"]), (Cause(0, NOW, force=True), ["s"])):
        own.mark("s", cause)
        own.answered("s", Issued(0, 1, 1, active=True, entries=()))
        assert [*own.asked, *own.dirty] == left
        own.take_asked(9)


def test_a_new_policy_makes_live_lists_outdated_the_longest_unrefreshed_first(lists: dict[AnchorKind, Lists]):
    own = lists[SEEKER]
    for anchor in ("a", "b", "c"):
        hold(own, anchor, policy=EARLIER)
    hold(own, "left", policy=EARLIER, active=False)
    hold(own, "new")
    hold(own, "a", policy=EARLIER)
    own.policy_changed()
    assert list(own.take_outdated(2)) == ["b", "c"]
    hold(own, "a", "answered meanwhile")
    assert own.take_outdated(9) == {}
    assert not own.outdated


def test_another_taxonomy_makes_live_lists_outdated(lists: dict[AnchorKind, Lists]):
    own = lists[SEEKER]
    own.put("by another", Issued(0, 1, 1, active=True, entries=(), made_by=(PRESENT, "esco-0")))
    hold(own, "by the same")
    own.policy_changed()
    assert list(own.take_outdated(9)) == ["by another"]


class Recorded:
    """Computes nothing and remembers what was to be computed; time is up after ten refreshes."""

    def __init__(self, refreshed: Callable[[int], None] = lambda _: None) -> None:
        """`refreshed` is told how often it has been."""
        self.done: list[tuple[str, list[str]]] = []
        self._refreshed = refreshed

    async def answer(self, causes: Causes) -> None:
        self.done.append(("answer", [anchor for asked in causes.values() for anchor in asked]))

    async def refresh(self, waiting: Sequence[Asked], _: float) -> list[Asked]:
        self.done.append(("refresh", [anchor for _, anchor, _ in waiting[:10]]))
        self._refreshed(len(self.done))
        return list(waiting[10:])


async def run(lists: dict[AnchorKind, Lists], matching: Recorded, seconds: float, refresh_per_s: float) -> None:
    settings = MatcherSettings(refresh_per_s=refresh_per_s)
    answering = Answering(lists, cast("Matching", matching), lists[SEEKER].woken, settings)
    task = asyncio.create_task(answering.run())
    await asyncio.sleep(seconds)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_losses_then_seekers_then_postings_and_nothing_is_left_out(lists: dict[AnchorKind, Lists]):
    for kind, name in ((POSTING, "p"), (SEEKER, "s")):
        for number in range(40):
            hold(lists[kind], f"{name}{number}", policy=EARLIER)
        lists[kind].policy_changed()
    lists[POSTING].mark("lost", CAUSE, 1)
    matching = Recorded()
    await run(lists, matching, 0.2, refresh_per_s=100_000)
    order = [anchor for _, chunk in matching.done for anchor in chunk]
    assert order == ["lost", *(f"s{n}" for n in range(40)), *(f"p{n}" for n in range(40))]
    assert max(len(chunk) for _, chunk in matching.done) <= AT_ONCE


async def test_an_event_in_the_middle_of_refreshing_is_next(lists: dict[AnchorKind, Lists]):
    lists[POSTING]._world.index.upsert_posting(posting("event"))
    for number in range(100):
        hold(lists[SEEKER], f"s{number}", policy=EARLIER)
    lists[SEEKER].policy_changed()

    def happens(refreshes: int) -> None:
        if refreshes == 3:
            lists[POSTING].mark("event", Cause(0, NOW, 1))

    matching = Recorded(happens)
    await run(lists, matching, 0.2, refresh_per_s=100_000)
    assert [what for what, _ in matching.done[:5]] == ["refresh", "refresh", "refresh", "answer", "refresh"]


async def test_what_is_lost_goes_also_where_events_leave_no_time(
    lists: dict[AnchorKind, Lists], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(answering, "STARVED_S", 0.05)
    own = lists[POSTING]
    own._world.index.upsert_posting(posting("event"))
    own.mark("lost", CAUSE, 1)
    own.mark("event", Cause(0, NOW, 1))

    class Busy(Recorded):
        async def answer(self, causes: Causes) -> None:
            await super().answer(causes)
            await asyncio.sleep(0.005)
            own.mark("event", Cause(0, NOW, 1))

    matching = Busy()
    await run(lists, matching, 0.3, refresh_per_s=100_000)
    assert ("refresh", ["lost"]) in matching.done
    assert len([what for what, _ in matching.done if what == "answer"]) >= 10


async def test_no_more_go_out_than_can_be_stored(lists: dict[AnchorKind, Lists]):
    for number in range(1_000):
        hold(lists[SEEKER], f"s{number}", policy=EARLIER)
    lists[SEEKER].policy_changed()
    matching = Recorded()
    await run(lists, matching, 0.5, refresh_per_s=100)
    done = sum(len(chunk) for _, chunk in matching.done)
    assert 20 <= done <= 70
