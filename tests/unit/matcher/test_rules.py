"""The gates one by one, and the points of plain examples."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.contracts.common import Benefit, Education
from shared.contracts.recommendations import Components
from tests.unit.matcher.examples import NOW, isco, judged, region, skill

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
        place=50,
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
        ("region", "place", 40, {"regions": []}, {}),
        ("region", "place", 40, {}, {"regions": []}),
        ("region", "place", 40, {"remote": True}, {"regions": [region("500000")], "remote": None}),
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
        ([{"scheme": "ssyk-2012", "code": "7212"}], 75),
        ([{"scheme": "ssyk-2012", "code": "7212"}, {"scheme": "esco", "code": "w"}], 75),
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
        (["370102"], "500000", 60),
        (["370100"], "500000", 50),
        (["370102", "370100"], "370102", 80),
        ([], "370100", 60),
    ],
)
def test_place(regions: list[str], home: str, points: int):
    person = {"regions": [region(code) for code in regions], "lives_in": region(home)}
    assert judged(person=person).components.place == points


def test_a_posting_for_a_whole_province_is_vaguer_and_remote_is_as_good_as_here():
    wide = {"regions": [region("CN-SD", "iso3166-2")]}
    assert judged(wide, {"regions": [region("370102")]}).components.place == 30
    far = {"regions": [region("500000")], "remote": True}
    assert judged({"remote": True}, far).components.place == 60


def test_a_rare_skill_counts_more_than_a_common_one():
    common = "03b9b491-fc9b-4868-914a-bf7cd47b5041"
    work = {"required_skills": skill("weld", common)}
    rare = judged(work, {"skills": skill("weld")}).components.required_skills
    assert rare > 150 > judged(work, {"skills": skill(common)}).components.required_skills
    assert rare == 300 * 10 // 14


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


names = st.sampled_from(["weld", "cut", "read", "lift", "teach", "sing"])
months = st.integers(0, 720)
amounts = st.integers(0, 20_000)


@settings(max_examples=60, deadline=None)
@given(st.sets(names), names)
def test_one_more_skill_never_lowers(has: set[str], more: str):
    before = judged(person={"skills": skill(*sorted(has))})
    after = judged(person={"skills": skill(*sorted(has | {more}))})
    assert after.points >= before.points
    assert after.components.required_skills >= before.components.required_skills
    assert after.recommendable >= before.recommendable


@settings(max_examples=60, deadline=None)
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


@settings(max_examples=60, deadline=None)
@given(months, months, st.integers(0, 60))
def test_more_experience_never_lowers(asked: int, has: int, more: int):
    before = judged({"experience_months": asked}, {"experience_months": has})
    after = judged({"experience_months": asked}, {"experience_months": min(has + more, 720)})
    assert after.components.experience >= before.components.experience
    assert len(after.failed) <= len(before.failed)


@settings(max_examples=30, deadline=None)
@given(st.sets(st.sampled_from(list(Benefit))), st.sampled_from(list(Benefit)))
def test_one_more_benefit_never_lowers(offered: set[Benefit], more: Benefit):
    before = judged({"benefits": sorted(offered)})
    assert judged({"benefits": sorted(offered | {more})}).points >= before.points


def test_more_education_never_lowers():
    points = [judged(person={"education": level}) for level in Education]
    assert [one.components.education for one in points] == [0, 0, 60, 60, 60, 60, 60, 60]
    assert [one.recommendable for one in points] == [False, False, *[True] * 6]


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
