from typing import Any

import pytest

from shared.contracts.common import Texts
from shared.contracts.postings import PostingTerms
from shared.contracts.profiles import ProfileTerms
from shared.contracts.recommendations import Components, Entry
from shared.rendering import Facts, explain, explain_gate

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


def test_from_the_entry_alone():
    assert explain(entry(), LABELS.get) == {
        "en": "The occupation is the same or close; skills that match: welding, cutting; "
        "missing: blueprint reading; education and experience fit; the place fits; "
        "the pay reaches the floor; "
        "the posting gives preference to a key group that the seeker belongs to.",
        "zh": "职业相符或相近；相符的技能：焊接、切割；缺少：blueprint reading；学历和经验符合要求；"
        "地点合适；薪资达到最低要求；岗位优先考虑求职者所属的重点群体。",
    }


def test_with_the_facts_of_both():
    found = explain(entry(components=Components(occupation=250)), LABELS.get, facts())
    assert found == {
        "en": "The occupation is the same or close; 2 of 3 required skills: welding, cutting; "
        "missing: blueprint reading; education and experience fit; the place fits; "
        "the pay is up to 1,500 CNY a month above the floor; offers what is needed: room.",
        "zh": "职业相符或相近；具备3项必备技能中的2项：焊接、切割；缺少：blueprint reading；"
        "学历和经验符合要求；地点合适；月薪最高比最低要求高1,500 CNY；提供所需福利：住宿。",
    }


def test_what_is_not_known_is_named():
    unknown = ("region", "education", "experience", "pay", "occupation")
    found = explain(entry(unknown=unknown, missing=(), components=Components()), LABELS.get)
    assert found == {
        "en": "Skills that match: welding, cutting. Not known: place, education, experience, pay, occupation.",
        "zh": "相符的技能：焊接、切割。未知：地点、学历、经验、薪资、职业。",
    }


def test_another_occupation_and_one_requirement():
    one = entry(components=Components(), unknown=("region", "experience", "pay"), matched=("esco:weld",), missing=())
    assert explain(one, LABELS.get)["en"] == (
        "Another occupation, but skills match; skills that match: welding; education fits. "
        "Not known: place, experience, pay."
    )


def test_a_code_without_a_label_and_a_long_list():
    one = entry(matched=tuple(f"esco:s{n}" for n in range(8)), missing=())
    found = explain(one, LABELS.get)
    assert "skills that match: s0, s1, s2, s3, s4, s5 and 2 more" in found["en"]
    assert "相符的技能：s0、s1、s2、s3、s4、s5等8项" in found["zh"]


def test_nothing_to_say_is_nothing():
    everything = ("region", "education", "experience", "pay", "occupation")
    found = explain(entry(unknown=everything, matched=(), missing=(), components=Components()), LABELS.get)
    assert found["en"] == "Not known: place, education, experience, pay, occupation."


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
