"""What a posting and a person are to the oracle: their JSON bodies, read once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tests.oracle import facts
from tests.oracle.facts import known

Body = Mapping[str, Any]

LEVELS = [
    "primary", "lower_secondary", "upper_secondary", "post_secondary",
    "short_cycle_tertiary", "bachelor", "master", "doctor",
]  # fmt: skip


def key(code: Body | None) -> str | None:
    return None if code is None else f"{code['scheme']}:{code['code']}"


def keys(codes: Iterable[Body]) -> list[str]:
    """Without repetitions, in their order."""
    found: list[str] = []
    for code in codes:
        name = f"{code['scheme']}:{code['code']}"
        if name not in found:
            found.append(name)
    return found


def level(education: str | None) -> int | None:
    return None if education is None else LEVELS.index(education)


def weight_of(skill: str) -> int:
    table = facts.POLICY["skill_weights"]
    if skill in table.get("weights", {}):
        return int(table["weights"][skill])
    namings, steps = known().namings.get(skill), table.get("rarity", [])
    if namings is None or not steps:
        return int(table["default"])
    wide_enough = [step["weight"] for step in steps if step["occupations"] >= namings]
    return int(wide_enough[0] if wide_enough else steps[-1]["weight"])


@dataclass
class Work:
    """A posting, read once."""

    body: Body

    def __post_init__(self) -> None:
        body = self.body
        self.id, self.version = body["id"], body["version"]
        self.live = body["status"] == "open"
        until = body.get("valid_through")
        self.until = None if until is None else datetime.fromisoformat(until)
        self.occupation = key(body.get("occupation"))
        self.required = keys(body.get("required_skills") or ())
        self.preferred = [skill for skill in keys(body.get("preferred_skills") or ()) if skill not in self.required]
        self.weights = {skill: weight_of(skill) for skill in self.required + self.preferred}
        self.required_weight = sum(self.weights[skill] for skill in self.required)
        self.preferred_weight = sum(self.weights[skill] for skill in self.preferred)
        self.education = level(body.get("education"))
        self.experience = body.get("experience_months")
        self.licences = set(keys(body.get("licences") or ()))
        self.regions = keys(body.get("regions") or ())
        self.remote = body.get("remote", False)
        self.pay = body.get("pay")
        self.employment = body.get("employment_type")
        self.benefits = set(body.get("benefits") or ())
        self.groups = set(body.get("key_groups") or ())


@dataclass
class Person:
    """A profile, read once."""

    body: Body

    def __post_init__(self) -> None:
        body = self.body
        self.id, self.version = body["id"], body["version"]
        self.live = body["status"] == "active" and body["consent"]["matching"]
        self.occupations = keys(body.get("occupations") or ())
        self.skills = set(keys(body.get("skills") or ()))
        self.education = level(body.get("education"))
        self.experience = body.get("experience_months")
        licences = body.get("licences")
        self.licences = None if licences is None else set(keys(licences))
        self.home = key(body.get("lives_in"))
        self.regions = keys(body.get("regions") or ())
        self.remote = body.get("remote")
        self.floor = body.get("pay_floor")
        self.employment = set(body.get("employment_types") or ())
        self.groups = set(body.get("key_groups") or ())
        self.needs = set(body.get("benefits_needed") or ())
