import json
from typing import Any

import pytest
from pydantic import ValidationError

from services.matcher.domain.policy import CURRENT, Policy, load


def test_the_current_policy_adds_up_to_a_thousand():
    policy = load()
    assert policy.version == "2026-11.1"
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
    ],
)
def test_a_policy_that_makes_no_sense_is_refused(part: str, change: dict[str, Any]):
    body = json.loads(CURRENT.read_text())
    body[part] |= change
    with pytest.raises(ValidationError):
        Policy.model_validate(body)


def test_schemes_of_one_family_have_equal_broad_groups():
    body = json.loads(CURRENT.read_text())
    body["occupation"]["schemes"]["ssyk-2012"]["broad_length"] = 1
    with pytest.raises(ValidationError, match="one length"):
        Policy.model_validate(body)
