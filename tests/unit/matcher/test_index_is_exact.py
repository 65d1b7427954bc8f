"""Index.top, judge and holds against the oracle, on random worlds that change."""

import tomllib
from datetime import datetime, timedelta
from random import Random
from typing import Any

import numpy as np
import pytest

from services.matcher.domain import Index, Policy, entries, load
from services.matcher.domain.facts import micros
from services.matcher.domain.lookups import of_posting, of_seeker
from services.matcher.domain.policy import CURRENT, parse
from services.matcher.domain.questions import weigh
from services.matcher.domain.search import candidates, maybe, scratch
from services.matcher.domain.ties import NO_TIES, Ties
from services.matcher.near import rewritten
from shared.contracts.lists import EntryBody, encode
from shared.contracts.postings import Posting
from shared.contracts.profiles import Profile
from shared.contracts.recommendations import AnchorKind, Entry
from tests.chaos.exactness import evidence_of
from tests.oracle import facts, worlds
from tests.oracle.oracle import judge, oracle_list
from tests.oracle.sides import Person, Work
from tests.unit.matcher.examples import TAXONOMY, TIES

POLICY = load()
Body = dict[str, Any]


@pytest.fixture(autouse=True)
def _small_taxonomy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(facts.Told, "now", facts.Known(TAXONOMY))


class World:
    """The index, and beside it what it was told."""

    def __init__(self, seed: int, postings: int, seekers: int, policy: Policy = POLICY, ties: Ties = TIES) -> None:
        self.random = Random(seed)
        self.index = Index(policy, ties)
        self.bodies: dict[AnchorKind, dict[str, Body]] = {kind: {} for kind in AnchorKind}
        for number in range(postings):
            self.put(AnchorKind.POSTING, f"p{number}", 1)
        for number in range(seekers):
            self.put(AnchorKind.SEEKER, f"s-{number}", 1)

    def put(self, kind: AnchorKind, name: str, version: int) -> None:
        if kind is AnchorKind.POSTING:
            body = worlds.posting(self.random, name, version)
            assert self.index.upsert_posting(Posting.model_validate(body))
        else:
            body = worlds.profile(self.random, name, version)
            assert self.index.upsert_profile(Profile.model_validate(body))
        self.bodies[kind][name] = body

    def remove(self, kind: AnchorKind, name: str) -> None:
        version = self.bodies[kind].pop(name)["version"] + 1
        posting = kind is AnchorKind.POSTING
        remove = self.index.remove_posting if posting else self.index.remove_profile
        assert remove(name, version, worlds.START)

    def change(self, times: int) -> None:
        for time in range(times):
            kind = self.random.choice(list(AnchorKind))
            name = self.random.choice(list(self.bodies[kind]))
            what = self.random.random()
            if what < 0.2:
                self.remove(kind, name)
                self.put(kind, f"new-{time}-{self.random.random()}", 1)
            else:
                self.put(kind, name, self.bodies[kind][name]["version"] + 1)

    def read(self) -> dict[AnchorKind, dict[str, Any]]:
        return {
            AnchorKind.POSTING: {n: Work(body) for n, body in self.bodies[AnchorKind.POSTING].items()},
            AnchorKind.SEEKER: {n: Person(body) for n, body in self.bodies[AnchorKind.SEEKER].items()},
        }

    def check_all(self, now: datetime, k: int = 20) -> int:
        """Every list equals the oracle's; gives how many entries there were."""
        read, count = self.read(), 0
        for kind, other in zip(AnchorKind, reversed(AnchorKind), strict=True):
            for name, anchor in read[kind].items():
                expected = oracle_list(kind.value, anchor, read[other], now, k)
                found = self.index.top(kind, name, now, k)
                assert [plain(e) for e in entries(self.index, kind, name, found)] == expected
                count += len(expected)
        return count


def plain(listed: EntryBody) -> Body:
    entry = Entry.model_validate_json(encode(listed))
    assert entry.model_dump_json(exclude_defaults=True).encode() == encode(listed)
    body = entry.model_dump(mode="json", exclude={"employer_id", "evidence"})
    assert entry.evidence is not None
    return body | {"evidence": evidence_of(entry.evidence.model_dump(mode="json", exclude_defaults=True))}


@pytest.mark.parametrize("seed", range(8))
def test_small_worlds_that_change(seed: int):
    world = World(seed, postings=30, seekers=40)
    count = world.check_all(worlds.START)
    for hour in range(1, 4):
        world.change(30)
        count += world.check_all(worlds.START + timedelta(hours=hour), k=5)
    assert count > 300


def test_a_medium_world_whose_arrays_grow():
    world = World(99, postings=300, seekers=2000)
    assert world.check_all(worlds.START) > 10_000


def test_ties_at_the_end_of_the_list_go_by_id():
    world = World(7, postings=1, seekers=0)
    posting = worlds.posting(Random(1), "p0", 2, open_share=1.0)
    posting |= {"valid_through": None, "occupation": worlds.one(Random(1), worlds.OCCUPATIONS[:1])}
    world.index.upsert_posting(Posting.model_validate(posting))
    profile = worlds.profile(Random(1), "x", active_share=1.0)
    profile |= {"consent": {"matching": True}, "occupations": [posting["occupation"]], "regions": []}
    profile |= {"education": None, "experience_months": None, "licences": None, "pay_floor": None}
    profile |= {"employment_types": [], "skills": posting["required_skills"]}
    names = [f"{'a' * length}{number}" for length in (1, 7, 8, 9, 62) for number in range(10)]
    names += ["A", "Z", "0", "a.b", "a-b", "a_b", "a:b"]
    for name in Random(3).sample(names, len(names)):
        world.index.upsert_profile(Profile.model_validate(profile | {"id": name}))
    top = world.index.top(AnchorKind.POSTING, "p0", worlds.START)
    assert len({one.points for one in top}) == 1
    assert [one.id for one in top] == sorted(names)[:20]


def test_judge_and_holds_agree_with_the_oracle_for_every_pair():
    world = World(5, postings=40, seekers=40)
    read, now = world.read(), worlds.START
    for posting, work in read[AnchorKind.POSTING].items():
        right = {seeker: judge(work, person, now) for seeker, person in read[AnchorKind.SEEKER].items()}
        held = world.index.holds(AnchorKind.POSTING, posting, list(right), now)
        assert held.tolist() == [entry is not None for entry in right.values()]
        for seeker, entry in right.items():
            found = world.index.judge(posting, seeker, now)
            assert found is not None
            assert found.recommendable == (entry is not None)
            assert world.index.holds(AnchorKind.SEEKER, seeker, [posting], now)[0] == found.recommendable
            assert found.points == sum(found.components.model_dump().values())
            if entry is not None:
                assert found.failed == ()
                assert found.components.model_dump() == entry["components"]
                assert list(found.missing) == entry["missing"]
                assert list(found.unknown) == entry["unknown"]


def other_policy(seed: int) -> Body:
    """Some gates off, other weights, and many related concepts."""
    random = Random(seed)
    body = tomllib.loads(CURRENT.read_text())
    body |= {"version": f"other-{seed}", "minimum": 250, "gates": random.sample(body["gates"], 4)}
    body["skill_weights"]["default"] = 7
    for table, pool in (("related_skills", worlds.SKILLS), ("related_occupations", worlds.OCCUPATIONS)):
        named = [f"{scheme}:{code}" for scheme, code in pool]
        body[table] = {
            one: {other: random.randint(1, 999) for other in random.sample(named, 4) if other != one}
            for one in random.sample(named, 8)
        }
    return body


@pytest.mark.parametrize("seed", range(6))
def test_under_another_policy(seed: int, monkeypatch: pytest.MonkeyPatch):
    body = other_policy(seed)
    monkeypatch.setattr(facts, "POLICY", body)
    world = World(seed, 40, 60, Policy.model_validate(body))
    assert world.check_all(worlds.START) > 300
    world.change(60)
    assert world.check_all(worlds.START + timedelta(hours=1)) > 300


def test_under_written_tables_of_near_concepts(monkeypatch: pytest.MonkeyPatch):
    random = Random(11)
    skills, occupations = (
        [f"{scheme}:{code}" for scheme, code in pool if scheme == of]
        for pool, of in ((worlds.SKILLS, "esco"), (worlds.OCCUPATIONS, "isco-08"))
    )
    near = {one: {o: random.randrange(200, 850, 50) for o in random.sample(skills, 9) if o != one} for one in skills}
    both_ways = {occupations[0]: {occupations[2]: 850, occupations[4]: 400}}
    text = rewritten(CURRENT.read_text(), {"related_skills": near, "related_occupations": both_ways})
    policy = parse(text)
    assert policy.related_skills == near
    monkeypatch.setattr(facts, "POLICY", policy.model_dump())
    assert World(4, 40, 60, policy).check_all(worlds.START) > 300


def before_the_taxonomy() -> Body:
    """A policy as it was written when only prefixes said which occupations are close."""
    body = tomllib.loads(CURRENT.read_text()) | {"version": "2026-11.1"}
    del body["occupation"]["unit_group"], body["place"]["ways"], body["place"]["way_unknown"]
    del body["skill_weights"]["rarity"]
    body["skill_weights"]["weights"] = {"esco:03b9b491-fc9b-4868-914a-bf7cd47b5041": 4}
    return body


def test_an_older_policy_gives_what_it_gave(monkeypatch: pytest.MonkeyPatch):
    body = before_the_taxonomy()
    monkeypatch.setattr(facts, "POLICY", body)
    worlds_of = [World(1, 40, 60, Policy.model_validate(body), ties) for ties in (TIES, NO_TIES)]
    assert worlds_of[0].check_all(worlds.START) > 300
    told = [
        [[(one.id, one.points) for one in world.index.top(kind, name, worlds.START)] for name in world.bodies[kind]]
        for world in worlds_of
        for kind in AnchorKind
    ]
    assert told[:2] == told[2:], "the taxonomy says nothing to it"


def test_without_a_taxonomy(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(facts.Told, "now", facts.Known(None))
    assert World(2, 40, 60, ties=NO_TIES).check_all(worlds.START) > 300


@pytest.mark.parametrize("seed", range(3))
def test_a_policy_may_change_under_a_living_index(seed: int, monkeypatch: pytest.MonkeyPatch):
    world = World(seed, 40, 60)
    before = world.check_all(worlds.START)
    body = other_policy(seed)
    with monkeypatch.context() as other:
        other.setattr(facts, "POLICY", body)
        world.index.adopt(Policy.model_validate(body))
        world.change(30)
        assert world.check_all(worlds.START) != before
    world.index.adopt(POLICY)
    assert world.check_all(worlds.START) > 300


@pytest.mark.parametrize("seed", range(5))
def test_no_sum_exceeds_its_bound(seed: int):
    """What `search` leaves out by its bound could not have been on the list."""
    policy = Policy.model_validate(other_policy(seed)) if seed % 2 else POLICY
    world = World(seed, 60, 120, policy)
    index, now = world.index, micros(worlds.START)
    everything = scratch(200)
    for kind in AnchorKind:
        by_posting = kind is AnchorKind.POSTING
        own, others = (index.postings, index.seekers) if by_posting else (index.seekers, index.postings)
        index.flush()
        given = (index.postings.columns, index.seekers.columns, index._tables(), index._weights)
        for row in own.row_of.values():
            lookups = (of_posting if by_posting else of_seeker)(row, own.columns, *given[2:])
            postings, seekers, _, weights = given
            listed = maybe(by_posting, row, others.used, lookups.near, postings, seekers, weights, everything)
            count = candidates(by_posting, row, now, 0, listed, weights.minimum, lookups, *given, everything)
            rows = everything.rows[:count].astype(np.int64)
            weighed = weigh(index._view(), by_posting, row, rows, now)
            assert (weighed.parts.sum(axis=1) <= everything.bounds[:count]).all()
            everybody = np.arange(others.used)
            fits = weigh(index._view(), by_posting, row, everybody, now).points
            assert set(everybody[fits >= 0]) <= set(rows.tolist())
