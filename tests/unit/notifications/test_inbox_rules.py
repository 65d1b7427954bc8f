"""In whatever order lists come, an inbox ends at what either newest list holds and tells each change once."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count

from hypothesis import given
from hypothesis import strategies as st

from services.notifications import domain
from services.notifications.domain import Holding, Item, Key, Reasons, State
from shared.contracts.lists import AsOfBody, ComponentsBody, EntryBody, ListBody
from shared.contracts.recommendations import AnchorKind

NOW = datetime(2026, 3, 1, tzinfo=UTC)
POSTINGS = ("p1", "p2", "p3")
SEEKERS = ("s1", "s2", "s3")
EMPLOYER_OF = {"p1": "e1", "p2": "e1", "p3": "e2"}
RECIPIENTS = ("seeker:s1", "seeker:s2", "seeker:s3", "employer:e1", "employer:e2")


def a_list(kind: AnchorKind, anchor: str, revision: int, ids: list[str], points: int = 500):
    by_posting = kind is AnchorKind.POSTING
    return ListBody(
        kind=kind,
        anchor=anchor,
        revision=revision,
        anchor_version=1,
        as_of=AsOfBody(postings=(0,), profiles=(0,)),
        now=NOW,
        policy="test",
        employer_id=EMPLOYER_OF[anchor] if by_posting else None,
        entries=tuple(
            EntryBody(
                id=other,
                version=1,
                points=points,
                components=ComponentsBody(occupation=points),
                employer_id=None if by_posting else EMPLOYER_OF[other],
            )
            for other in ids
        ),
    )


POSTING_LISTS = st.builds(
    a_list,
    st.just(AnchorKind.POSTING),
    st.sampled_from(POSTINGS),
    st.integers(1, 6),
    st.lists(st.sampled_from(SEEKERS), unique=True),
    st.integers(400, 402),
)
SEEKER_LISTS = st.builds(
    a_list,
    st.just(AnchorKind.SEEKER),
    st.sampled_from(SEEKERS),
    st.integers(1, 6),
    st.lists(st.sampled_from(POSTINGS), unique=True),
    st.integers(400, 402),
)
STEPS = st.lists(st.one_of(POSTING_LISTS, SEEKER_LISTS, st.sampled_from(RECIPIENTS)), max_size=40)


@dataclass
class World:
    """Lists and inboxes as the store keeps them, in memory."""

    lists: dict[str, ListBody] = field(default_factory=dict)
    items: dict[str, dict[str, Item]] = field(default_factory=lambda: {who: {} for who in RECIPIENTS})
    seqs: dict[str, int] = field(default_factory=lambda: dict.fromkeys(RECIPIENTS, 0))
    ids: count[int] = field(default_factory=count)

    def take(self, *lists: ListBody) -> set[str]:
        touched: set[str] = set()
        for anchor, candidate in domain.newest(lists).items():
            before = self.lists.get(anchor)
            kept = domain.Kept(before.revision, domain.shown(before)) if before else None
            accepted = domain.accepted(candidate, kept, ())
            if accepted is not None:
                self.lists[anchor] = accepted
                touched |= domain.touched(kept, accepted)
        return touched

    def holdings(self, who: str) -> list[Holding]:
        found = []
        for list_ in self.lists.values():
            for entry in list_.entries:
                by_posting = list_.kind is AnchorKind.POSTING
                posting, seeker = (list_.anchor, entry.id) if by_posting else (entry.id, list_.anchor)
                key = Key(posting, None if domain.is_seeker(who) else seeker)
                if who in {domain.seeker_recipient(seeker), domain.employer_recipient(EMPLOYER_OF[posting])}:
                    reasons = Reasons(entry.points, (entry.points,), (), (), (), {"from": list_.anchor})
                    found.append(Holding(key, reasons, own=domain.own_recipient(list_) == who))
        return found

    def look(self, who: str) -> list[Item]:
        held = domain.merged(self.holdings(who))
        items = list(self.items[who].values())
        changed = domain.brought_up_to_date(self.seqs[who], items, held, NOW, lambda: str(next(self.ids)))
        for item in changed:
            assert item.seq == self.seqs[who] + 1
            self.seqs[who] = item.seq
            self.items[who][item.id] = item
        return changed

    def live(self, who: str) -> set[Key]:
        return {item.key for item in self.items[who].values() if item.live}


def held_by_newest(delivered: list[ListBody], who: str) -> set[Key]:
    """By definition: the first delivered of each anchor's highest revision, either side."""
    newest: dict[tuple[AnchorKind, str], ListBody] = {}
    for list_ in delivered:
        known = newest.get((list_.kind, list_.anchor))
        if known is None or list_.revision > known.revision:
            newest[list_.kind, list_.anchor] = list_
    pairs = {
        (list_.anchor, entry.id) if list_.kind is AnchorKind.POSTING else (entry.id, list_.anchor)
        for list_ in newest.values()
        for entry in list_.entries
    }
    name = who.partition(":")[2]
    if domain.is_seeker(who):
        return {Key(posting, None) for posting, seeker in pairs if seeker == name}
    return {Key(posting, seeker) for posting, seeker in pairs if EMPLOYER_OF[posting] == name}


@given(STEPS)
def test_live_is_what_either_newest_list_holds(steps: list[ListBody | str]):
    world = World()
    delivered: list[ListBody] = []
    for step in steps:
        if isinstance(step, str):
            world.look(step)
            assert world.live(step) == held_by_newest(delivered, step)
        else:
            delivered.append(step)
            world.take(step)
    for who in RECIPIENTS:
        world.look(who)
        assert world.live(who) == held_by_newest(delivered, who)
        assert world.look(who) == []


@given(STEPS)
def test_told_exactly_on_transitions(steps: list[ListBody | str]):
    world = World()
    delivered: list[ListBody] = []
    for step in steps:
        if isinstance(step, str):
            continue
        before = {who: held_by_newest(delivered, who) for who in RECIPIENTS}
        delivered.append(step)
        touched = world.take(step)
        for who in RECIPIENTS:
            after = held_by_newest(delivered, who)
            changed = world.look(who)
            events = {(item.key, domain.event_of(item, item.seq - 1)) for item in changed}
            told = {key for key, event in events if event == "recommended"}
            retracted = {key for key, event in events if event == "retracted"}
            assert (told, retracted) == (after - before[who], before[who] - after)
            assert who in touched or not (told or retracted)


@given(STEPS, st.lists(st.tuples(st.sampled_from(RECIPIENTS), st.integers(0, 5), st.sampled_from(State))))
def test_replay_from_any_number_gives_the_same_view(steps: list[ListBody | str], acts: list[tuple[str, int, State]]):
    world = World()
    views: dict[str, list[dict[str, Item]]] = {who: [{}] for who in RECIPIENTS}

    def note(who: str, changed: list[Item]) -> None:
        for item in changed:
            views[who].append({**views[who][-1], item.id: item})

    for number, step in enumerate(steps):
        if not isinstance(step, str):
            world.take(step)
        for who in RECIPIENTS:
            note(who, world.look(who))
        for who, index, state in acts[number : number + 1]:
            items = list(world.items[who].values())
            acted = domain.acted(items[index], state, world.seqs[who], NOW) if index < len(items) else None
            if acted is not None:
                world.seqs[who], world.items[who][acted.id] = acted.seq, acted
                note(who, [acted])
    for who in RECIPIENTS:
        log = sorted(world.items[who].values(), key=lambda item: item.seq)
        for after, view in enumerate(views[who]):
            replayed = {**view, **{item.id: item for item in log if item.seq > after}}
            assert replayed == world.items[who]


def test_the_best_of_what_came_together_is_the_newest():
    world = World()
    world.take(a_list(AnchorKind.SEEKER, "s1", 1, ["p1"], 500), a_list(AnchorKind.POSTING, "p2", 1, ["s1"], 700))
    assert [item.key.posting for item in world.look("seeker:s1")] == ["p1", "p2"]


def test_pairs_of_equal_points_come_in_the_order_of_their_ids():
    held = {Key(name, "s"): Reasons(5, (5,), (), (), (), {"distance_km": km}) for name, km in (("b", 1), ("a", 2))}
    told = domain.brought_up_to_date(0, [], held, NOW, lambda: "i")
    assert [item.key.posting for item in told] == ["a", "b"], "what is evidence cannot be sorted"


def test_new_points_are_an_update_and_no_second_telling():
    world = World()
    world.take(a_list(AnchorKind.SEEKER, "s1", 1, ["p1"], 500))
    (told,) = world.look("seeker:s1")
    world.take(a_list(AnchorKind.SEEKER, "s1", 2, ["p1"], 510))
    (updated,) = world.look("seeker:s1")
    assert (updated.id, domain.event_of(updated, told.seq)) == (told.id, "updated")
    assert domain.event_of(updated, 0) == "recommended", "who has not heard of it yet is told"


def test_a_pair_that_comes_back_keeps_what_its_recipient_did():
    world = World()
    world.take(a_list(AnchorKind.SEEKER, "s1", 1, ["p1"]))
    (told,) = world.look("seeker:s1")
    acted = domain.acted(told, State.NOT_INTERESTED, 1, NOW)
    assert acted is not None
    world.items["seeker:s1"][told.id], world.seqs["seeker:s1"] = acted, acted.seq
    for revision, ids in ((2, []), (3, ["p1"])):
        world.take(a_list(AnchorKind.SEEKER, "s1", revision, ids))
        world.look("seeker:s1")
    (item,) = world.items["seeker:s1"].values()
    assert (item.live, item.state, item.told, item.seq) == (True, State.NOT_INTERESTED, 4, 4)


def test_acting_twice_changes_once():
    item = Item("i", Key("p1", None), 1, 1, live=True, reasons=None, changed_at=NOW)
    read = domain.acted(item, State.READ, 7, NOW)
    assert read is not None
    assert read.seq == 8
    assert domain.acted(read, State.READ, 8, NOW) is None


def test_erased_ids_are_not_taken():
    list_ = a_list(AnchorKind.POSTING, "p1", 1, ["s1", "s2"])
    assert domain.accepted(list_, None, {"posting:p1"}) is None
    accepted = domain.accepted(list_, None, {"seeker:s1"})
    assert accepted is not None
    assert [entry.id for entry in accepted.entries] == ["s2"]


def test_gaps():
    inbox = domain.Inbox(seq=9, trimmed_to=4)
    assert domain.gap(12, inbox) == domain.Gap(12, 9, "reset")
    assert domain.gap(3, inbox) == domain.Gap(3, 4, "trimmed")
    assert domain.gap(0, inbox) is None
    assert domain.gap(4, inbox) is None
    assert domain.gap(9, inbox) is None


def test_of_several_lists_in_a_batch_the_highest_revision_counts():
    lists = [a_list(AnchorKind.POSTING, "p1", revision, [f"s{revision}"]) for revision in (2, 3, 1)]
    assert domain.newest(lists) == {"posting:p1": lists[1]}
