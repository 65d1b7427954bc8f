from typing import Any

import pytest

from shared.contracts.common import Texts
from shared.contracts.postings import PostingTerms
from shared.contracts.profiles import ProfileTerms
from shared.contracts.recommendations import Components, Entry, Evidence
from shared.refusals import Facts, explain_gate
from shared.rendering import explain

LABELS: dict[str, Texts] = {
    "esco:weld": {"zh": "焊接", "en": "welding"},
    "esco:cut": {"zh": "切割", "en": "cutting"},
    "esco:read": {"en": "blueprint reading"},
    "licence:B": {"zh": "B类驾照", "en": "car licence"},
}
POSTING: dict[str, Any] = {
    "title": {"en": "Welder"},
    "required_skills": [{"scheme": "esco", "code": code} for code in ("weld", "cut", "read")],
    "pay": {"min": 5000, "max": 7000, "currency": "CNY"},
    "benefits": ["room", "board"],
    "education": "bachelor",
    "experience_months": 24,
    "licences": [{"scheme": "licence", "code": "B"}],
}
PROFILE: dict[str, Any] = {
    "consent": {"matching": True},
    "pay_floor": {"amount": 5500, "currency": "CNY"},
    "benefits_needed": ["room", "pension"],
    "education": "upper_secondary",
    "experience_months": 6,
    "licences": [],
}


def entry(**changes: Any) -> Entry:  # noqa: ANN401 - fields of an entry
    fields: dict[str, Any] = {
        "id": "s-1",
        "version": 3,
        "points": 700,
        "components": Components(occupation=250, required_skills=200, key_group=40),
        "matched": ("esco:weld", "esco:cut"),
        "missing": ("esco:read",),
    }
    return Entry.model_validate(fields | changes)


def facts(posting: dict[str, Any] | None = None, profile: dict[str, Any] | None = None) -> Facts:
    return Facts(
        PostingTerms.model_validate(POSTING | (posting or {})),
        ProfileTerms.model_validate(PROFILE | (profile or {})),
    )


def evidence(**changes: Any) -> Evidence:  # noqa: ANN401 - its fields
    fields: dict[str, Any] = {
        "same_occupation": True,
        "required": 3,
        "education_asked": "upper_secondary",
        "education": "post_secondary",
        "months_asked": 24,
        "months": 48,
        "km": 12,
        "pay_low": 300,
        "pay_high": 300,
        "currency": "CNY",
        "benefits_needed": 2,
        "benefits": ["room"],
    }
    return Evidence.model_validate(fields | changes)


def test_a_seeker_reads():
    found = explain(entry(evidence=evidence(key_groups=["graduate"])), LABELS.get, "seeker")
    assert found == {
        "en": "An occupation that you want; 2 of 3 required skills: welding, cutting; missing: blueprint reading; "
        "about 12 km from where you live; pay 300 CNY a month above your floor; "
        "asks for 2 years of experience, you have 4 years; "
        "asks for upper secondary school, you have post-secondary training; "
        "offers 1 of 2 benefits that you need: room; gives preference to graduates, and you are among them. "
        "Not asked for: preferred skills.",
        "zh": "正是您想要的职业；3项必备技能中具备2项：焊接、切割；缺少：blueprint reading；距您居住地约12公里；"
        "月薪比您的最低要求高300元；要求2年经验，您有4年；要求高中或中专学历，您是高中后非高等教育；"
        "提供您需要的2项福利中的1项：住宿；岗位优先考虑高校毕业生，您在其中。未提要求：优先技能。",
    }


def test_an_employer_reads_neither_floor_nor_group():
    found = explain(entry(evidence=evidence(key_groups=["graduate"])), LABELS.get, "employer")
    assert found == {
        "en": "The seeker wants this occupation; 2 of 3 required skills: welding, cutting; missing: blueprint reading; "
        "the seeker lives about 12 km away; your pay reaches what the seeker asks for; "
        "you ask for 2 years of experience, the seeker has 4 years; "
        "you ask for upper secondary school, the seeker has post-secondary training; "
        "you offer 1 of 2 benefits that the seeker needs: room; "
        "the seeker belongs to a key group that you give preference to. Not asked for: preferred skills.",
        "zh": "求职者想要的正是该职业；3项必备技能中具备2项：焊接、切割；缺少：blueprint reading；"
        "求职者居住地距此约12公里；薪资达到求职者的要求；要求2年经验，求职者有4年；"
        "要求高中或中专学历，求职者是高中后非高等教育；提供求职者需要的2项福利中的1项：住宿；"
        "求职者属于您优先考虑的重点群体。未提要求：优先技能。",
    }


def test_what_counts_in_part_is_not_missing():
    one = entry(evidence=evidence(related=[("esco:read", "esco:cut")], preferred=1))
    found = explain(one, LABELS.get, "seeker")
    assert "; counted in part: blueprint reading (through cutting);" in found["en"]
    assert "；部分计入：blueprint reading（因切割）；" in found["zh"]
    assert "missing" not in found["en"]
    nameless = entry(evidence=evidence(related=[("esco:read", "esco:0123-4567")]))
    assert "counted in part: blueprint reading;" in explain(nameless, LABELS.get, "seeker")["en"]


def test_to_be_over_qualified_is_said_to_be_no_disadvantage():
    far = evidence(education="master", months=120)
    found = explain(entry(evidence=far), LABELS.get, "seeker")
    assert "you have a master's degree: far above what is asked, which is no disadvantage" in found["en"]
    assert "you have 10 years: far above what is asked, which is no disadvantage" in found["en"]
    assert found["zh"].count("远高于要求，并不减分") == 2


@pytest.mark.parametrize(
    ("low", "high", "en", "zh"),
    [
        (0, 0, "pay just at your floor", "月薪正好是您的最低要求"),
        (-5, -5, "pay 5 CNY a month below your floor", "月薪比您的最低要求低5元"),
        (300, 1800, "pay 300 to 1,800 CNY a month above your floor", "月薪比您的最低要求高300至1,800元"),
        (0, 1800, "pay from your floor to 1,800 CNY a month above it", "月薪从您的最低要求到高出1,800元"),
        (
            -500,
            1800,
            "pay from 500 CNY a month below your floor to 1,800 CNY above it",
            "月薪从比您的最低要求低500元到高1,800元",
        ),
        (-500, 0, "pay up to your floor", "月薪最多为您的最低要求"),
        (-500, -20, "pay at least 20 CNY a month below your floor", "月薪至少比您的最低要求低20元"),
        (None, 1800, "pay up to 1,800 CNY a month above your floor", "月薪最多比您的最低要求高1,800元"),
        (300, None, "pay from 300 CNY a month above your floor", "月薪起薪比您的最低要求高300元"),
        (0, None, "pay from your floor", "月薪起薪为您的最低要求"),
    ],
)
def test_pay_against_the_floor(low: int | None, high: int | None, en: str, zh: str):
    found = explain(entry(evidence=evidence(pay_low=low, pay_high=high)), LABELS.get, "seeker")
    assert f"; {en};" in found["en"]
    assert f"；{zh}；" in found["zh"]


@pytest.mark.parametrize(
    ("way", "en", "zh"),
    [
        ({"km": 0}, "under 1 km from where you live", "距您居住地不到1公里"),
        (
            {"km": 1200},
            "about 1,200 km from where you live, in a region where you would work",
            "距您居住地约1,200公里，在您愿意工作的地区",
        ),
        ({"km": None, "at_home": True}, "in the region where you live", "就在您居住的地区"),
        ({"km": None, "remote": True}, "can be done from anywhere, as you would", "可以远程工作，符合您的意愿"),
        ({"km": None}, "in a region where you would work", "在您愿意工作的地区"),
    ],
)
def test_the_way(way: dict[str, Any], en: str, zh: str):
    found = explain(entry(evidence=evidence(**way)), LABELS.get, "seeker")
    assert f"; {en};" in found["en"]
    assert f"；{zh}；" in found["zh"]


def test_what_is_not_known_and_what_nobody_asks_is_named():
    unknown = ("region", "education", "experience", "pay", "occupation", "distance")
    found = explain(entry(unknown=unknown, matched=(), missing=(), evidence=Evidence()), LABELS.get, "employer")
    assert found == {
        "en": "The seeker belongs to a key group that you give preference to. "
        "Not asked for: skills, benefits. "
        "Not known: place, education, experience, pay, occupation.",
        "zh": "求职者属于您优先考虑的重点群体。未提要求：技能、福利。未知：地点、学历、经验、薪资、职业。",
    }


def test_a_list_of_before_is_explained_by_its_parts():
    assert explain(entry(), LABELS.get, "seeker") == {
        "en": "The occupation is the same or close; skills that match: welding, cutting; missing: blueprint reading; "
        "education and experience fit; the place fits; the pay reaches the floor; "
        "gives preference to a key group that you belong to.",
        "zh": "职业相符或相近；相符的技能：焊接、切割；缺少：blueprint reading；学历和经验符合要求；"
        "地点合适；薪资达到最低要求；岗位优先考虑您所属的重点群体。",
    }


def test_one_skill_and_a_level_that_is_just_enough():
    one = evidence(required=1, preferred=1, education="upper_secondary", months_asked=0)
    found = explain(entry(matched=("esco:weld",), missing=(), evidence=one), LABELS.get, "employer")
    assert "; the one required skill: welding; without the one preferred skill; " in found["en"]
    assert "；具备唯一的必备技能：焊接；唯一的优先技能未提及；" in found["zh"]
    assert "; you ask for upper secondary school, which the seeker has;" in found["en"]
    assert "；要求高中或中专学历，求职者符合；" in found["zh"]
    assert "; you ask for no experience, the seeker has 4 years;" in found["en"]


def test_another_occupation():
    one = entry(components=Components(), evidence=evidence(same_occupation=False))
    assert explain(one, LABELS.get, "seeker")["en"].startswith(
        "Another occupation than you want, but skills match; 2 of"
    )


def test_a_code_without_a_label_and_a_long_list():
    one = entry(matched=tuple(f"esco:s{n}" for n in range(8)), missing=(), evidence=evidence(required=8))
    found = explain(one, LABELS.get, "seeker")
    assert "8 of 8 required skills: s0, s1, s2, s3, s4, s5 and 2 more" in found["en"]
    assert "8项必备技能中具备8项：s0、s1、s2、s3、s4、s5等8项" in found["zh"]


@pytest.mark.parametrize(
    ("gate", "en", "zh"),
    [
        (
            "education",
            (
                "The education is below what the posting asks for "
                "(asked for: a bachelor's degree; there is: upper secondary school)."
            ),
            "学历低于岗位要求（要求本科，现为高中或中专）。",
        ),
        (
            "experience",
            "The experience is less than the posting asks for (asked for: 24 months; there are: 6).",
            "工作经验少于岗位要求（要求24个月，现有6个月）。",
        ),
        (
            "licences",
            "A licence that the posting requires is missing: car licence.",
            "缺少岗位要求的证照：B类驾照。",
        ),
        ("open", "The posting is closed.", "该岗位已关闭。"),
    ],
)
def test_a_gate_with_the_facts(gate: str, en: str, zh: str):
    assert explain_gate(gate, facts(), LABELS.get) == {"en": en, "zh": zh}


def test_the_pay_gate_says_how_much_is_missing():
    low = facts(posting={"pay": {"max": 5000, "currency": "CNY"}})
    assert explain_gate("pay", low)["en"] == (
        "The pay is below the least that the seeker works for (500 CNY a month too little)."
    )


def test_every_gate_has_a_sentence_without_facts():
    gates = ("open", "valid", "active", "consent", "region", "education", "experience", "pay")
    for gate in (*gates, "employment_type", "licences", "minimum", "relevance"):
        found = explain_gate(gate)
        assert found["en"].endswith(".")
        assert found["zh"].endswith("。")
    with pytest.raises(KeyError):
        explain_gate("mood")
