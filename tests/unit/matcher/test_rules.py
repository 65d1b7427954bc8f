"""The gates one by one, and the points of plain examples."""

from datetime import timedelta
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.matcher.domain import Index
from shared.contracts.common import Benefit, Education
from shared.contracts.postings import Posting
from shared.contracts.profiles import Profile
from shared.contracts.recommendations import Components
from tests.oracle import worlds
from tests.oracle.taxonomies import CENTRES
from tests.unit.matcher.examples import NOW, POLICY, TIES, isco, judged, region, skill

Terms = dict[str, Any]


def test_the_example():
    found = judged()
    assert found.recommendable
    assert found.components == Components(
        occupation=250,
        required_skills=225,
        preferred_skills=0,
        education=60,
        experience=67,
        place=70,
        pay=42,
        benefits=30,
        key_group=0,
    )
    assert (found.failed, found.unknown) == ((), ())
    assert (found.matched, found.missing) == (("esco:weld", "esco:cut", "esco:read"), ("esco:lift",))


@pytest.mark.parametrize(
    ("gate", "work", "person"),
    [
        ("open", {"status": "closed", "close_reason": "filled"}, {}),
        ("valid", {"valid_through": NOW}, {}),
        ("active", {}, {"status": "paused"}),
        ("consent", {}, {"consent": {"matching": False}}),
        ("region", {}, {"regions": [region("500000")]}),
        ("region", {"remote": True}, {"regions": [region("500000")], "remote": False}),
        ("education", {}, {"education": "primary"}),
        ("experience", {}, {"experience_months": 11}),
        ("pay", {}, {"pay_floor": {"amount": 7001, "currency": "CNY"}}),
        ("employment_type", {}, {"employment_types": ["part_time", "seasonal"]}),
        ("licences", {}, {"licences": []}),
    ],
)
def test_a_gate_fails_alone(gate: str, work: Terms, person: Terms):
    found = judged(work, person)
    assert found.failed == (gate,)
    assert not found.recommendable


@pytest.mark.parametrize(
    ("gate", "component", "neutral", "work", "person"),
    [
        ("region", "place", 60, {}, {"regions": []}),
        ("region", "place", 60, {"remote": True}, {"regions": [region("500000")], "remote": None}),
        ("distance", "place", 60, {}, {"lives_in": None}),
        ("distance", "place", 60, {}, {"lives_in": region("130102")}),
        ("distance", "place", 40, {"regions": [region("370000")]}, {"regions": [region("370103")]}),
        ("education", "education", 30, {"education": None}, {}),
        ("education", "education", 30, {}, {"education": None}),
        ("experience", "experience", 45, {"experience_months": None}, {}),
        ("experience", "experience", 45, {}, {"experience_months": None}),
        ("pay", "pay", 30, {"pay": None}, {}),
        ("pay", "pay", 30, {}, {"pay_floor": None}),
        ("pay", "pay", 30, {}, {"pay_floor": {"amount": 9000, "currency": "SEK"}}),
        ("pay", "pay", 30, {"pay": {"min": 4000, "currency": "CNY"}}, {}),
        ("employment_type", None, 0, {"employment_type": None}, {}),
        ("licences", None, 0, {}, {"licences": None}),
        ("occupation", "occupation", 125, {"occupation": None}, {}),
        ("occupation", "occupation", 125, {}, {"occupations": []}),
        ("occupation", "occupation", 125, {}, {"occupations": [{"scheme": "esco", "code": "w"}]}),
    ],
)
def test_unknown_is_not_no(gate: str, component: str | None, neutral: int, work: Terms, person: Terms):
    found = judged(work, person)
    assert found.unknown == (gate,)
    assert found.failed == ()
    if component is not None:
        assert getattr(found.components, component) == neutral


def test_a_posting_without_a_region_has_neither_place_nor_way():
    found = judged({"regions": []})
    assert found.unknown == ("region", "distance")
    assert found.components.place == 50


def test_what_asks_for_nothing_compares_nothing():
    found = judged({"licences": []}, {"licences": None, "employment_types": []})
    assert found.unknown == ()


@pytest.mark.parametrize(
    ("wanted", "points"),
    [
        ([isco("7212")], 250),
        ([isco("7213")], 150),
        ([isco("7221")], 75),
        ([isco("7311")], 0),
        ([isco("7311"), isco("7212")], 225),
        ([{"scheme": "ssyk-2012", "code": "7212"}], 150),
        ([{"scheme": "ssyk-2012", "code": "7299"}], 75),
        ([{"scheme": "ssyk-2012", "code": "7212"}, {"scheme": "esco", "code": "w"}], 150),
        ([{"scheme": "esco", "code": "welder"}], 200),
        ([{"scheme": "esco", "code": "cutter"}], 150),
        ([{"scheme": "cn-2022", "code": "6-18-02-04"}], 200),
        ([{"scheme": "cn-2022", "code": "6-18-04-01"}], 75),
        ([{"scheme": "esco", "code": "unplaced"}, {"scheme": "cn-2022", "code": "6-18-02-04"}], 180),
    ],
)
def test_closeness_of_occupations(wanted: list[Terms], points: int):
    assert judged(person={"occupations": wanted}).components.occupation == points


def test_chinese_occupations_are_close_within_their_groups():
    def points(code: str) -> int:
        work = {"occupation": {"scheme": "cn-2022", "code": "6-18-02-03"}}
        return judged(work, {"occupations": [{"scheme": "cn-2022", "code": code}]}).components.occupation

    codes = ["6-18-02-03", "6-18-02-04", "6-18-04-01", "6-29-02-03"]
    assert [points(code) for code in codes] == [250, 150, 75, 0]


@pytest.mark.parametrize(
    ("regions", "home", "points"),
    [
        (["370102"], "500233", 60),
        (["370100"], "500233", 50),
        (["370102", "370100"], "370102", 80),
        (["370102"], "370103", 80),
        (["370000"], "370200", 50),
        ([], "370100", 60),
    ],
)
def test_place(regions: list[str], home: str, points: int):
    person = {"regions": [region(code) for code in regions], "lives_in": region(home)}
    assert judged(person=person).components.place == points


def test_a_posting_for_a_whole_province_is_vaguer_and_remote_is_as_good_as_here():
    wide = {"regions": [region("CN-SD", "iso3166-2")]}
    assert judged(wide, {"regions": [region("370102")]}).components.place == 30 + 10
    far = {"regions": [region("500000")], "remote": True}
    for home in (None, region("500233")):
        found = judged({"remote": True}, far | {"lives_in": home})
        assert (found.components.place, found.unknown) == (60 + 10, ())


def test_a_rare_skill_counts_more_than_a_common_one():
    common = "03b9b491-fc9b-4868-914a-bf7cd47b5041"
    work = {"required_skills": skill("weld", common)}
    rare = judged(work, {"skills": skill("weld")}).components.required_skills
    assert rare > 150 > judged(work, {"skills": skill(common)}).components.required_skills
    assert rare == 300 * 10 // 18
    rarest = judged({"required_skills": skill("weld", "skill-4")}, {"skills": skill("skill-4")})
    assert rarest.components.required_skills == 300 * 16 // 26


def test_nothing_without_something_in_common():
    lonely = {"occupations": [isco("1111")], "skills": skill("sing")}
    found = judged({"required_skills": [], "preferred_skills": []}, lonely)
    assert found.points >= 400
    assert not found.relevant
    assert not found.recommendable


def test_nothing_below_the_minimum():
    found = judged(person={"occupations": [isco("1111")], "skills": skill("weld")})
    assert (found.relevant, found.failed) == (True, ())
    assert found.points < 400
    assert not found.recommendable


def test_validity_is_judged_to_the_microsecond():
    work = {"valid_through": NOW}
    assert judged(work, now=NOW - timedelta(microseconds=1)).recommendable
    assert judged(work, now=NOW).failed == ("valid",)


names = st.sampled_from(["weld", "cut", "read", "lift", "teach", "sing", "skill-0", "skill-4"])
homes = st.sampled_from([*sorted(CENTRES), "370201", "110101"])
months = st.integers(0, 720)
amounts = st.integers(0, 20_000)


@settings(max_examples=60)
@given(st.sets(names), names)
def test_one_more_skill_never_lowers(has: set[str], more: str):
    work = {"required_skills": skill("weld", "cut", "skill-0", "skill-4")}
    before = judged(work, {"skills": skill(*sorted(has))})
    after = judged(work, {"skills": skill(*sorted(has | {more}))})
    assert after.points >= before.points
    assert after.components.required_skills >= before.components.required_skills
    assert after.recommendable >= before.recommendable


@settings(max_examples=60)
@given(amounts, amounts, st.integers(0, 5000), amounts)
def test_higher_pay_never_lowers(low: int, high: int, more: int, floor: int):
    low, high = sorted((low, high))
    person = {"pay_floor": {"amount": floor, "currency": "CNY"}}
    for ends in (("min",), ("max",), ("min", "max")):
        pay = {"min": low, "max": high}
        before = judged({"pay": {"currency": "CNY"} | {end: pay[end] for end in ends}}, person)
        after = judged({"pay": {"currency": "CNY"} | {end: pay[end] + more for end in ends}}, person)
        assert len(after.failed) <= len(before.failed)
        assert after.components.pay >= before.components.pay
        assert 0 <= after.components.pay <= 60


@settings(max_examples=60)
@given(months, months, st.integers(0, 60))
def test_more_experience_never_lowers(asked: int, has: int, more: int):
    before = judged({"experience_months": asked}, {"experience_months": has})
    after = judged({"experience_months": asked}, {"experience_months": min(has + more, 720)})
    assert after.components.experience >= before.components.experience
    assert len(after.failed) <= len(before.failed)


@settings(max_examples=30)
@given(st.sets(st.sampled_from(list(Benefit))), st.sampled_from(list(Benefit)))
def test_one_more_benefit_never_lowers(offered: set[Benefit], more: Benefit):
    before = judged({"benefits": sorted(offered)})
    assert judged({"benefits": sorted(offered | {more})}).points >= before.points


def test_more_education_never_lowers():
    points = [judged(person={"education": level}) for level in Education]
    assert [one.components.education for one in points] == [0, 0, 60, 60, 60, 60, 60, 60]
    assert [one.recommendable for one in points] == [False, False, *[True] * 6]


@settings(max_examples=60)
@given(st.lists(st.sampled_from(sorted(CENTRES)), min_size=1, max_size=3), homes, homes)
def test_a_shorter_way_never_lowers(works: list[str], home: str, other: str):
    """Wherever in China the seeker would work."""
    terms = {"regions": [region(code) for code in works]}
    found = []
    for lives_in in (home, other):
        person = {"regions": [region("CN", "iso3166-1")], "lives_in": region(lives_in)}
        judgement = judged(terms, person)
        assert judgement.evidence is not None
        way = -1 if judgement.evidence.at_home else judgement.evidence.km
        if way is not None:
            found.append((way, -judgement.components.place))
    assert sorted(found) == sorted(found, key=lambda one: (one[1], one[0]))


@pytest.mark.parametrize(
    ("home", "km", "points"),
    [("370102", None, 80), ("370103", 8, 80), ("370200", 300, 60), ("500233", 1100, 60)],
)
def test_the_way_goes_between_centres(home: str, km: int | None, points: int):
    found = judged(person={"regions": [region("370102")], "lives_in": region(home)})
    assert found.evidence is not None
    assert (found.evidence.at_home, found.components.place) == (km is None, points)
    assert found.evidence.km == (None if km is None else pytest.approx(km, rel=0.02))


def test_to_be_over_qualified_lowers_nothing():
    asked = {"education": "lower_secondary", "experience_months": 0}
    just, far = (
        judged(asked, {"education": level, "experience_months": months})
        for level, months in (("lower_secondary", 24), ("doctor", 720))
    )
    assert far.components == just.components


def test_a_key_group_counts_only_where_the_posting_states_it():
    belongs = {"key_groups": ["veteran", "disabled"]}
    assert judged({"key_groups": []}, belongs).components.key_group == 0
    found = judged({"key_groups": ["veteran"]}, belongs)
    assert found.components.key_group == 40
    assert found.evidence is not None
    assert found.evidence.key_groups == ("veteran",)


@pytest.mark.parametrize("seed", range(3))
def test_no_component_leaves_its_bounds(seed: int):
    random, index = Random(seed), Index(POLICY, TIES)
    for number in range(40):
        index.upsert_posting(Posting.model_validate(worlds.posting(random, f"p{number}", open_share=1)))
        index.upsert_profile(Profile.model_validate(worlds.profile(random, f"s{number}", active_share=1)))
    most = {name: part["maximum"] for name, part in POLICY.model_dump().items() if name in Components.model_fields}
    assert sum(most.values()) == 1000
    for one in range(40):
        for other in range(40):
            found = index.judge(f"p{one}", f"s{other}", NOW)
            assert found is not None
            for name, points in found.components.model_dump().items():
                assert 0 <= points <= most[name]


def test_the_best_that_can_be_is_a_thousand():
    best = {
        "skills": skill("weld", "cut", "read", "lift", "teach"),
        "experience_months": 720,
        "lives_in": region("370102"),
        "regions": [region("370102")],
        "pay_floor": {"amount": 1000, "currency": "CNY"},
        "benefits_needed": ["room"],
        "key_groups": ["veteran"],
    }
    assert judged(person=best).points == 1000
