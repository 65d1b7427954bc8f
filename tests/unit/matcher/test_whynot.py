"""Every count and change that is claimed, against the oracle on bodies that were changed."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from random import Random
from typing import Any

import pytest

from services.matcher.domain import Index, Policy, load, reasons
from services.matcher.domain.changes import Change, What, nearest, pay_steps, trials
from services.matcher.domain.columns import UNKNOWN
from services.matcher.domain.reasons import BEST, STEPS, Outlook, outlook
from shared.contracts.postings import Posting
from shared.contracts.profiles import Profile
from shared.contracts.recommendations import AnchorKind
from tests.oracle import facts, worlds
from tests.oracle.oracle import GATES, judge
from tests.oracle.sides import Person, Work
from tests.unit.matcher import examples
from tests.unit.matcher.examples import TAXONOMY, TIES
from tests.unit.matcher.test_index_is_exact import other_policy

Body = dict[str, Any]
POLICY = load()
NOW = worlds.START
POSTING, SEEKER = AnchorKind


@pytest.fixture(autouse=True)
def _small_taxonomy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(facts.Told, "now", facts.Known(TAXONOMY))


class World:
    """The index, and the bodies that it was told."""

    def __init__(self, seed: int, policy: Policy = POLICY) -> None:
        random = Random(seed)
        self.index = Index(policy, TIES)
        self.postings = {f"p{n}": worlds.posting(random, f"p{n}") for n in range(25)}
        self.seekers = {f"s{n}": worlds.profile(random, f"s{n}") for n in range(90)}
        self.works = {name: Work(body) for name, body in self.postings.items()}
        self.people = {name: Person(body) for name, body in self.seekers.items()}
        for body in self.postings.values():
            self.index.upsert_posting(Posting.model_validate(body))
        for body in self.seekers.values():
            self.index.upsert_profile(Profile.model_validate(body))

    def fitting(self, kind: AnchorKind, anchor: Body, *, over: bool = True) -> set[str]:
        """Counterparts that qualify; with `over=False` also where the posting's time is over."""
        now = NOW if over else datetime(2000, 1, 1, tzinfo=UTC)
        if kind is POSTING:
            work = Work(anchor)
            return {name for name, person in self.people.items() if judge(work, person, now)}
        person = Person(anchor)
        return {name for name, work in self.works.items() if judge(work, person, now)}

    def shut_out(self, kind: AnchorKind, anchor: Body, now: set[str]) -> dict[str, int]:
        """By gate, how many would qualify without it; the score stays."""
        found = {}
        on = list(facts.POLICY["gates"])
        for gate in on:
            with pytest.MonkeyPatch.context() as patch:
                patch.setitem(facts.POLICY, "gates", [one for one in on if one != gate])
                found[gate] = len(self.fitting(kind, anchor) - now)
        found["valid"] = len(self.fitting(kind, anchor, over=False) - now)
        return {gate: count for gate, count in found.items() if count}

    def check(self, kind: AnchorKind, name: str) -> Outlook:
        """All that is said of an anchor is right, and of what is not said nothing brings more."""
        found = outlook(self.index, kind, name, NOW)
        assert found is not None
        with pytest.MonkeyPatch.context() as patch:  # shared out among threads it is the same
            patch.setattr(reasons, "MOST_ROWS", 10)
            patch.setattr(reasons, "CORES", 3)
            assert outlook(self.index, kind, name, NOW) == found
        anchor = (self.postings if kind is POSTING else self.seekers)[name]
        now = self.fitting(kind, anchor)
        assert found.qualified == len(now)
        assert dict(found.shut_out) == self.shut_out(kind, anchor, now)
        for gain in found.gains:
            if gain.change.what == "skills":
                assert gain.gained == self.completed(anchor, gain.change.names[0])
            else:
                then = self.fitting(kind, changed(anchor, gain.change))
                assert (gain.gained, gain.lost) == (len(then - now), len(now - then)), gain
        if found.active:
            self.check_unsaid(kind, anchor, now, found)
        return found

    def check_unsaid(self, kind: AnchorKind, anchor: Body, now: set[str], found: Outlook) -> None:
        said = {gain.change: gain.gained for gain in found.gains}
        side = self.index.postings if kind is POSTING else self.index.seekers
        most: dict[str, int] = {}
        for trial in trials(self.index, kind, side.row_of[anchor["id"]], self.index.policy.numbers.gates):
            what, gained = trial.change.what, said.get(trial.change)
            if gained is None:
                gained = len(self.fitting(kind, changed(anchor, trial.change)) - now)
                assert gained <= most.get(what, 0) or len(by_what(found, what)) == BEST
            elif what in STEPS:
                most[what] = gained

    def completed(self, seeker: Body, skill: str) -> int:
        """Postings of which all gates pass and all required skills are there with this one."""
        person = Person(seeker)
        works = self.works.values()
        return sum(set(work.required) - person.skills == {skill} and all_pass(work, person) for work in works)


def all_pass(work: Work, person: Person) -> bool:
    over = work.until is not None and work.until <= NOW
    answers = {name: gate(work, person) for name, gate in GATES.items() if name in facts.POLICY["gates"]}
    return work.live and person.live and not over and "no" not in answers.values()


def code(key: str) -> Body:
    scheme, _, rest = key.partition(":")
    return {"scheme": scheme, "code": rest}


def changed(body: Body, change: Change) -> Body:
    """The body as the change says it would be."""
    mine, names = change.of is POSTING, change.names
    types = [*body.get("employment_types", []), *names]
    left = [one for one in body["licences"] or () if f"{one['scheme']}:{one['code']}" not in names]
    more: dict[What, Callable[[], Body]] = {
        "pay": lambda: {"pay": body["pay"] | {"max": change.to}} if mine else floor(body, change),
        "experience": lambda: {"experience_months": change.to},
        "education": lambda: {"education": names[0]},
        "employment_type": lambda: {"employment_type": names[0]} if mine else {"employment_types": types},
        "licences": lambda: {"licences": left if mine else [*body["licences"], *map(code, names)]},
        "region": lambda: {"regions": [*body["regions"], *map(code, names)]},
        "remote": lambda: {"remote": True},
    }
    return body | more[change.what]()


def floor(body: Body, change: Change) -> Body:
    return {"pay_floor": body["pay_floor"] | {"amount": change.to}}


def by_what(found: Outlook, what: str) -> list[tuple[tuple[str, ...], int]]:
    return [(gain.change.names, gain.gained) for gain in found.gains if gain.change.what == what]


def best(counts: Mapping[str, int]) -> list[tuple[tuple[str, ...], int]]:
    ordered = sorted(((-count, key) for key, count in counts.items() if count))
    return [((key,), -count) for count, key in ordered[:BEST]]


@pytest.mark.parametrize("seed", range(3))
def test_every_change_of_a_posting_brings_whom_it_says(seed: int):
    world = World(seed)
    said = [gain for name in world.postings for gain in world.check(POSTING, name).gains]
    assert {gain.change.what for gain in said} == {
        "pay", "experience", "education", "employment_type", "remote", "region", "licences"
    }  # fmt: skip
    assert any(gain.lost for gain in said)


@pytest.mark.parametrize("seed", range(3))
def test_every_change_of_a_seeker_brings_what_it_says_and_the_best_are_named(seed: int):
    world = World(seed)
    seen: set[str] = set()
    for name, body in world.seekers.items():
        found = world.check(SEEKER, name)
        seen |= {gain.change.what for gain in found.gains}
        if found.active:
            check_best(world, body, found)
    assert seen == {"pay", "experience", "education", "employment_type", "remote", "region", "licences", "skills"}


def check_best(world: World, body: Body, found: Outlook) -> None:
    """Of all codes that anybody names, those that bring most."""
    now = world.fitting(SEEKER, body)

    def counts(what: What, keys: list[str]) -> dict[str, int]:
        changes = [Change(SEEKER, what, (key,)) for key in keys]
        return {one.names[0]: len(world.fitting(SEEKER, changed(body, one)) - now) for one in changes}

    index, on = world.index, facts.POLICY["gates"]
    regions = counts("region", index.regions.keys) if body["regions"] and "region" in on else {}
    licences = counts("licences", index.licences.keys) if body["licences"] is not None and "licences" in on else {}
    skills = {key: world.completed(body, key) for key in index.skills.keys}
    assert by_what(found, "region") == best(regions)
    assert by_what(found, "licences") == best(licences)
    assert by_what(found, "skills") == best(skills)


@pytest.mark.parametrize("seed", range(4))
def test_under_another_policy(seed: int, monkeypatch: pytest.MonkeyPatch):
    body = other_policy(seed)
    monkeypatch.setattr(facts, "POLICY", body)
    world = World(seed, Policy.model_validate(body))
    for name in world.postings:
        world.check(POSTING, name)
    for name, seeker in list(world.seekers.items())[:30]:
        found = world.check(SEEKER, name)
        if found.active:
            check_best(world, seeker, found)


def test_the_nearest_change_opens_each_gate_of_a_pair_and_a_smaller_one_does_not():
    world = World(1)
    opened: set[str] = set()
    for posting, work in world.postings.items():
        for seeker, person in world.seekers.items():
            judged = world.index.judge(posting, seeker, NOW)
            assert judged is not None
            changes = nearest(world.index, posting, seeker, judged.failed)
            gates = {"region" if one.what == "remote" else str(one.what): set[AnchorKind]() for one in changes}
            for one in changes:
                gate = "region" if one.what == "remote" else one.what
                gates[gate].add(one.of)
                pair = (changed(work, one), person) if one.of is POSTING else (work, changed(person, one))
                assert GATES[gate](Work(pair[0]), Person(pair[1])) != "no"
                if one.by:
                    assert one.to is not None
                    less = replace(one, to=one.to + (1 if (one.of is SEEKER) == (one.what == "pay") else -1))
                    pair = (changed(work, less), person) if one.of is POSTING else (work, changed(person, less))
                    assert GATES[gate](Work(pair[0]), Person(pair[1])) == "no"
            assert gates == {gate: {POSTING, SEEKER} for gate in judged.failed if gate in GATES}
            opened |= gates.keys()
    assert opened == GATES.keys()


@pytest.mark.parametrize(
    ("amount", "steps"),
    [
        (7_000, [100, 200, 300, 500, 1_000, 2_000]),
        (2_000, [100, 200, 300, 500, 1_000]),
        (32_000, [1_000, 2_000, 3_000, 5_000, 10_000]),
        (10, [1, 2, 3, 5]),
        (0, []),
        (UNKNOWN, []),
    ],
)
def test_steps_of_pay_are_round(amount: int, steps: list[int]):
    assert pay_steps(amount) == steps


def test_regions_around_a_posting_are_tried_before_those_beside_it():
    index = Index(POLICY)
    index.upsert_posting(examples.posting(regions=[examples.region("370102")]))
    for number, place in enumerate(["370103", "370104", "370104", "370200", "370102", "370000", "500233"]):
        index.upsert_profile(examples.profile(f"s{number}", regions=[examples.region(place)]))
    index.flush()
    tried = [one.change.names for one in trials(index, POSTING, 0, POLICY.numbers.gates) if one.change.what == "region"]
    assert tried == [("gbt2260:370100",), ("gbt2260:370104",), ("gbt2260:370103",)]


def test_the_best_step_of_pay_brings_most_for_each_unit():
    index = Index(POLICY)
    index.upsert_posting(examples.posting(pay={"max": 7_000, "currency": "CNY"}))
    for number, least in enumerate([7_100, 7_150, 7_180, 7_200, 7_500, 9_500]):
        index.upsert_profile(examples.profile(f"s{number}", pay_floor={"amount": least, "currency": "CNY"}))
    found = outlook(index, POSTING, "p", NOW)
    assert found is not None
    assert found.shut_out == (("pay", 6),)
    pay = [(one.change.by, one.gained, one.best) for one in found.gains if one.change.what == "pay"]
    assert pay == [(100, 1, False), (200, 4, True), (500, 5, False)]


def test_nobody_is_counted_for_what_is_closed_and_nothing_said_of_what_is_unknown():
    index = Index(POLICY)
    index.upsert_posting(examples.posting(status="closed", close_reason="filled"))
    index.upsert_profile(examples.profile())
    assert outlook(index, POSTING, "p", NOW) == Outlook(1, active=False)
    assert nearest(index, "p", "s", ("open",)) == ()
    assert outlook(index, POSTING, "x", NOW) is None
