"""The matching policy: weights, tables and the minimum, as versioned data (`services/matcher/policy`).

How each component is counted: `services/matcher/domain/kernels.py`.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated, Final, Literal, NamedTuple

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from services.matcher.domain.gates import EDUCATION, EMPLOYMENT, EXPERIENCE, LICENCES, PAY, REGION

FOLDER: Final = Path(__file__).parent.parent / "policy"
CURRENT: Final = FOLDER / "v1.toml"

MOST_RELATED: Final = 16
"""Concepts that may count for one concept in part."""
Gate = Literal["region", "education", "experience", "pay", "employment_type", "licences"]
GATE_BITS: Final[dict[Gate, int]] = {
    "region": REGION,
    "education": EDUCATION,
    "experience": EXPERIENCE,
    "pay": PAY,
    "employment_type": EMPLOYMENT,
    "licences": LICENCES,
}

Points = Annotated[int, Field(ge=0, le=1000)]
Permille = Annotated[int, Field(ge=0, le=1000)]
Even = Annotated[int, Field(ge=0, le=1000, multiple_of=2)]
"""Points of which the half is the neutral score, for a fact that is missing."""


Near = dict[str, dict[str, Annotated[int, Field(ge=1, le=1000)]]]
"""By concept (`scheme:code`): the concepts that count for it in part, in permille."""


class Part(BaseModel):
    """Base of every part: unknown keys are an error, so that a misspelt weight is not ignored."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class Component(Part):
    """A component of the score without further numbers."""

    maximum: Even


class Scheme(Part):
    """How codes of one occupation scheme nest: characters that two codes of a group share."""

    family: str
    """Schemes of one family share their broad groups; occupations of different families are not compared."""
    broad_length: Annotated[int, Field(ge=1)]
    """For example 2: the ISCO-08 sub-major group. Two occupations of one major group only are not close."""
    narrow_length: Annotated[int, Field(ge=2)]
    """For example 3: the ISCO-08 minor group. Compared within one scheme only, because SSYK 2012 follows
    ISCO-08 in its first two digits and goes its own way below them."""

    @model_validator(mode="after")
    def _nested(self) -> Scheme:
        if self.narrow_length <= self.broad_length:
            raise ValueError("a narrow group's code is longer than a broad group's")
        return self


class Occupation(Component):
    """Closeness of the posting's occupation to the best of the wanted ones, in permille of the maximum."""

    same: Permille
    narrow_group: Permille
    broad_group: Permille
    later: Permille
    """Factor for every wanted occupation but the first."""
    schemes: dict[str, Scheme]
    """A scheme that is absent here knows only equal codes (for example `esco`)."""

    @model_validator(mode="after")
    def _graded(self) -> Occupation:
        if not self.same >= self.narrow_group >= self.broad_group:
            raise ValueError("closeness must not grow with distance")
        lengths: dict[str, int] = {}
        for name, scheme in self.schemes.items():
            if lengths.setdefault(scheme.family, scheme.broad_length) != scheme.broad_length:
                raise ValueError(f"{name}: one family has one length of broad groups")
        return self


class Experience(Component):
    """Half for just what is asked, all of it from `full_after_months` above that."""

    full_after_months: Annotated[int, Field(ge=1, le=720)]


class Place(Part):
    """The best of what holds, plus `home`, at most `maximum`."""

    maximum: Points
    same: Points
    """A region of the posting is one where the seeker would work."""
    within: Points
    """It lies in one."""
    around: Points
    """It contains one."""
    remote: Points
    """The posting is remote and the seeker would work remotely."""
    unknown: Points
    """Neutral."""
    home: Points
    """A region of the posting is, or lies in, the one where the seeker lives."""


class Pay(Component):
    """Half at the floor, all of it from `full_above_percent` above it, as much less below."""

    full_above_percent: Annotated[int, Field(ge=1, le=1000)]


class SkillWeights(Part):
    """How much a skill counts among those of its posting: the rarer, the more."""

    default: Annotated[int, Field(ge=1, le=1000)]
    weights: dict[str, Annotated[int, Field(ge=1, le=1000)]]
    """By `scheme:code`. Those of v1: ESCO 1.1.1's occupation-skill relations, for skills that 50 or more of
    its 3,008 occupations name: 10 * ln(3008 / occupations) / ln(3008 / 20), rounded."""


class Weights(NamedTuple):
    """The policy's numbers, as the kernels take them."""

    gates: int
    """Bits of those that are on."""
    minimum: int
    occupation: int
    same_occupation: int
    narrow_group: int
    broad_group: int
    later: int
    required: int
    preferred: int
    education: int
    experience: int
    experience_span: int
    place: int
    place_same: int
    place_within: int
    place_around: int
    place_remote: int
    place_unknown: int
    home: int
    pay: int
    pay_span: int
    benefits: int
    key_group: int


class Policy(Part):
    """One version of the matching policy."""

    version: Annotated[str, Field(min_length=1, max_length=40)]
    minimum: Points
    """Nothing with fewer points is recommended."""
    gates: Annotated[tuple[Gate, ...], AfterValidator(lambda gates: tuple(sorted(set(gates))))]
    """Those that are on."""
    occupation: Occupation
    required_skills: Component
    preferred_skills: Component
    education: Component
    experience: Experience
    place: Place
    pay: Pay
    benefits: Component
    key_group: Component
    skill_weights: SkillWeights
    related_skills: Near = {}
    related_occupations: Near = {}

    @model_validator(mode="after")
    def _few_related(self) -> Policy:
        for table in (self.related_skills, self.related_occupations):
            for concept, others in table.items():
                if len(others) > MOST_RELATED:
                    raise ValueError(f"{concept} has {len(others)} related concepts, {MOST_RELATED} are the most")
                if concept in others:
                    raise ValueError(f"{concept} is related to itself")
        return self

    def weight(self, skill: str) -> int:
        """The weight of a skill (`scheme:code`)."""
        return self.skill_weights.weights.get(skill, self.skill_weights.default)

    @property
    def numbers(self) -> Weights:
        """The weights alone."""
        return Weights(
            gates=sum(GATE_BITS[gate] for gate in self.gates),
            minimum=self.minimum,
            occupation=self.occupation.maximum,
            same_occupation=self.occupation.same,
            narrow_group=self.occupation.narrow_group,
            broad_group=self.occupation.broad_group,
            later=self.occupation.later,
            required=self.required_skills.maximum,
            preferred=self.preferred_skills.maximum,
            education=self.education.maximum,
            experience=self.experience.maximum,
            experience_span=self.experience.full_after_months,
            place=self.place.maximum,
            place_same=self.place.same,
            place_within=self.place.within,
            place_around=self.place.around,
            place_remote=self.place.remote,
            place_unknown=self.place.unknown,
            home=self.place.home,
            pay=self.pay.maximum,
            pay_span=self.pay.full_above_percent,
            benefits=self.benefits.maximum,
            key_group=self.key_group.maximum,
        )


def parse(text: str) -> Policy:
    """Reads a policy from TOML. Raises ValueError that names each key that is wrong, and why."""
    try:
        return Policy.model_validate(tomllib.loads(text))
    except ValidationError as error:
        faults = [f"{'.'.join(map(str, one['loc'])) or 'policy'}: {one['msg']}" for one in error.errors()]
        raise ValueError("; ".join(faults)) from error


def load(path: Path = CURRENT) -> Policy:
    """Reads a policy's file. Raises as `parse`, and OSError if it is not there."""
    return parse(path.read_text(encoding="utf-8"))
