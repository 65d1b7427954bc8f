import tomllib
from typing import Any

import pytest
from pydantic import ValidationError

from services.matcher.domain.policy import CURRENT, Policy, load, parse


def test_the_current_policy_adds_up_to_a_thousand():
    policy = load()
    assert policy.version == "2026-11.2"
    body = policy.model_dump()
    parts = [part["maximum"] for part in body.values() if isinstance(part, dict) and "maximum" in part]
    assert len(parts) == 9
    assert sum(parts) == 1000


@pytest.mark.parametrize(
    ("part", "change"),
    [
        ("education", {"maximum": 61}),
        ("education", {"maximun": 60}),
        ("occupation", {"broad_group": 700}),
        ("experience", {"full_after_months": 0}),
        ("place", {"same": -1}),
        ("place", {"ways": [{"km": 10, "points": 10}, {"km": 20, "points": 12}]}),
        ("place", {"ways": [{"km": 10, "points": 10}, {"km": 10, "points": 5}]}),
        ("place", {"home": 10}),
        ("place", {"ways": []}),
        ("occupation", {"unit_group": 500}),
        ("skill_weights", {"rarity": [{"occupations": 1, "weight": 5}, {"occupations": 2, "weight": 6}]}),
    ],
)
def test_a_policy_that_makes_no_sense_is_refused(part: str, change: dict[str, Any]):
    body = tomllib.loads(CURRENT.read_text())
    body[part] |= change
    with pytest.raises(ValidationError):
        Policy.model_validate(body)


def test_the_rarer_a_skill_the_more_it_weighs():
    policy = load()
    weights = [policy.weight("esco:any", namings) for namings in range(1, 3008)]
    assert weights == sorted(weights, reverse=True)
    assert (weights[0], weights[-1]) == (16, 4)
    assert policy.weight("esco:any") == policy.skill_weights.default == 10
    single = policy.model_copy(
        update={"skill_weights": policy.skill_weights.model_copy(update={"weights": {"esco:any": 3}})}
    )
    assert single.weight("esco:any", 1) == 3


def test_schemes_of_one_family_have_equal_broad_groups():
    body = tomllib.loads(CURRENT.read_text())
    body["occupation"]["schemes"]["ssyk-2012"]["broad_length"] = 1
    with pytest.raises(ValidationError, match="one length"):
        Policy.model_validate(body)


def test_a_wrong_key_is_named():
    text = CURRENT.read_text().replace("full_after_months = 24", "full_after_month = 24")
    with pytest.raises(ValueError, match=r"experience\.full_after_months: Field required"):
        parse(text)


@pytest.mark.parametrize("table", ["related_skills", "related_occupations"])
def test_few_concepts_are_related_to_one(table: str):
    near = "\n".join(f'"esco:{number}" = 500' for number in range(17))
    text = CURRENT.read_text().replace(f"[{table}]\n", f'[{table}."esco:a"]\n{near}\n')
    with pytest.raises(ValueError, match="esco:a has 17 related concepts, 16 are the most"):
        parse(text)
    with pytest.raises(ValueError, match="esco:3 is related to itself"):
        parse(text.replace('"esco:a"', '"esco:3"').replace('"esco:16" = 500\n', ""))
