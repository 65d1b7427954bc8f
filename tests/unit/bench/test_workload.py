from collections import Counter

import pytest

from services.matcher.domain import Index, load
from shared.contracts.postings import Posting
from shared.contracts.profiles import Profile
from shared.contracts.recommendations import AnchorKind
from shared.regions import ancestors
from tests.bench.measures import share_passing
from tests.bench.mixes import CHUNK
from tests.bench.workload import Workload, posting_id, seeker_id

POLICY = load()
WORKLOAD = Workload()


def test_everything_is_as_the_contracts_want_it():
    for profile in WORKLOAD.profiles(0, 300):
        assert Profile.model_validate_json(profile.model_dump_json()) == profile
    for posting in WORKLOAD.postings(0, 300):
        assert Posting.model_validate_json(posting.model_dump_json()) == posting


def test_the_same_seed_gives_the_same_people_in_whatever_pieces():
    whole = list(Workload().profiles(CHUNK - 5, CHUNK + 5))
    assert [*WORKLOAD.profiles(CHUNK - 5, CHUNK - 2), *WORKLOAD.profiles(CHUNK - 2, CHUNK + 5)] == whole
    assert [one.id for one in whole] == [seeker_id(number) for number in range(CHUNK - 5, CHUNK + 5)]
    assert next(Workload(seed=2).profiles(0, 1)) != next(WORKLOAD.profiles(0, 1))


def test_the_code_lists_have_their_sizes():
    assert (len(set(WORKLOAD.skills)), len(set(WORKLOAD.occupations))) == (3_000, 500)
    assert len(WORKLOAD.regions) == 400 + 100 + 25
    assert all(set(ancestors(one)) <= {*WORKLOAD.regions, "iso3166-1:CN"} for one in WORKLOAD.regions)


def test_skills_follow_zipf_and_are_as_many_as_said():
    profiles, postings = list(WORKLOAD.profiles(0, 2_000)), list(WORKLOAD.postings(0, 500))
    assert {len(one.skills) for one in profiles} == set(range(5, 21))
    assert {len(one.required_skills) + len(one.preferred_skills) for one in postings} == set(range(3, 11))
    owners = Counter(skill.key for one in profiles for skill in one.skills)
    first, tenth = (owners[WORKLOAD.skills[place]] for place in (0, 9))
    assert 2 < first / tenth < 10  # less than ten, because nobody has a skill twice
    anywhere = [one for one in profiles if not one.regions or one.regions[0].code.endswith("0000")]
    assert len(anywhere) / len(profiles) == pytest.approx(0.03, abs=0.01)


def test_everybody_changes_once_before_anybody_changes_again():
    changed = list(WORKLOAD.changed_profiles(50, 120, version=7))
    assert {one.id for one in changed[:50]} == {seeker_id(number) for number in range(50)}
    assert [one.version for one in changed] == [7] * 50 + [8] * 50 + [9] * 20
    assert {one.id for one in WORKLOAD.changed_postings(3, 3, version=2)} == {posting_id(n) for n in range(3)}


def test_breadths_let_about_so_many_through():
    index = Index(POLICY)
    people = [one.id for one in WORKLOAD.profiles(0, 5_000) if index.upsert_profile(one)]
    for meant, postings in WORKLOAD.breadths(0, 2).items():
        for posting in postings:
            index.upsert_posting(posting)
            assert share_passing(index, posting.id, people) == pytest.approx(float(meant), rel=0.2, abs=0.1)


def test_few_lists_are_empty():
    index = Index(POLICY)
    for one in WORKLOAD.profiles(0, 5_000):
        index.upsert_profile(one)
    postings = [one for one in WORKLOAD.postings(0, 100) if index.upsert_posting(one)]
    assert sum(bool(index.top(AnchorKind.POSTING, one.id, one.changed_at)) for one in postings) > 60
