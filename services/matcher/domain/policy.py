"""The matching policy: weights, tables and the minimum, as versioned data (`services/matcher/policy`).

How each component is counted: `services/matcher/domain/kernels.py`.
"""

from __future__ import annotations

import tomllib
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Final, Literal, NamedTuple

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from services.matcher.domain.gates import DISTANCE, EDUCATION, EMPLOYMENT, EXPERIENCE, LICENCES, PAY, REGION

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


def _spelt_out(tables: object) -> object:
    """Tables of near concepts where what is near one concept may be one text (`"600: b c; 300: d"`).

    Its codes are of the concept's own scheme. A country's tables fit into one record so.
    """
    if not isinstance(tables, dict):
        return tables
    return {concept: _neighbours(concept, near) if isinstance(near, str) else near for concept, near in tables.items()}


def _neighbours(concept: str, text: str) -> dict[str, str]:
    scheme, _, _ = concept.partition(":")
    found: dict[str, str] = {}
    for part in text.split(";"):
        permille, _, codes = part.partition(":")
        if not codes.strip():
            raise ValueError(f'{concept}: "{part.strip()}" is not written as "600: code code"')
        for code in codes.split():
            if f"{scheme}:{code}" in found:
                raise ValueError(f"{concept}: {code} stands there twice")
            found[f"{scheme}:{code}"] = permille.strip()
    return found


Near = Annotated[dict[str, dict[str, Annotated[int, Field(ge=1, le=1000)]]], BeforeValidator(_spelt_out)]
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
    """Schemes of one family share their broad groups, as far as the taxonomy does not know better. Occupations of
    different families are compared only where it knows the place of both in ISCO-08."""
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
    unit_group: Permille | None = None
    """The same ISCO-08 unit group (four digits). Without this step the taxonomy is not asked, and occupations of
    different families are not compared."""
    narrow_group: Permille
    """The same ISCO-08 minor group, or narrow group of the scheme."""
    broad_group: Permille
    """The same ISCO-08 sub-major group, or broad group of the family."""
    later: Permille
    """Factor for every wanted occupation but the first."""
    schemes: dict[str, Scheme]
    """By prefix, a scheme that is absent here knows only equal codes (for example `esco`)."""

    @model_validator(mode="after")
    def _graded(self) -> Occupation:
        unit = self.narrow_group if self.unit_group is None else self.unit_group
        if not self.same >= unit >= self.narrow_group >= self.broad_group:
            raise ValueError("closeness must not grow with distance")
        lengths: dict[str, int] = {}
        for name, scheme in self.schemes.items():
            if lengths.setdefault(scheme.family, scheme.broad_length) != scheme.broad_length:
                raise ValueError(f"{name}: one family has one length of broad groups")
        return self


class Experience(Component):
    """Half for just what is asked, all of it from `full_after_months` above that."""

    full_after_months: Annotated[int, Field(ge=1, le=720)]


class Way(Part):
    """A step of the way to work."""

    km: Annotated[int, Field(ge=0, le=20_038)]
    """At most so far, as the crow flies; half of the Earth's circumference is the farthest."""
    points: Points


class Place(Part):
    """The best of what holds, plus the points for the way, at most `maximum`."""

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
    """No way is shorter: a region of the posting is, or lies in, the one where the seeker lives."""
    ways: tuple[Way, ...] = ()
    """Points for the way from where the seeker lives to the nearest of the posting's other regions, between their
    centres; none beyond the last step. A region around the seeker's own has no way."""
    way_unknown: Points = 0
    """Neutral, and no less than that for work from anywhere. Of use with `ways` alone."""

    @model_validator(mode="after")
    def _shorter_is_better(self) -> Place:
        for near, far in pairwise(self.ways):
            if near.km >= far.km or near.points < far.points:
                raise ValueError(f"{far.km} km: steps go from the shortest way on, and points must not grow with it")
        if self.ways and self.home < self.ways[0].points:
            raise ValueError("no way is shorter than that to work in the region where the seeker lives")
        if self.way_unknown and not self.ways:
            raise ValueError("way_unknown is of use with ways alone")
        return self


class Pay(Component):
    """Half at the floor, all of it from `full_above_percent` above it, as much less below."""

    full_above_percent: Annotated[int, Field(ge=1, le=1000)]


class Rarity(Part):
    """A step of rarity."""

    occupations: Annotated[int, Field(ge=1)]
    """At most so many of ESCO's name the skill, as essential or optional."""
    weight: Annotated[int, Field(ge=1, le=1000)]


class SkillWeights(Part):
    """How much a skill counts among those of its posting: the rarer, the more.

    Inverse document frequency (Spärck Jones, A statistical interpretation of term specificity, Journal of
    Documentation 28, 1972), with ESCO's occupations as the documents.
    """

    default: Annotated[int, Field(ge=1, le=1000)]
    """Of a skill that no occupation is known to name."""
    rarity: tuple[Rarity, ...] = ()
    """From the rarest on; whatever more occupations name than the last step says weighs as that one."""
    weights: dict[str, Annotated[int, Field(ge=1, le=1000)]] = {}
    """Of single skills, by `scheme:code`, whatever their rarity."""

    @model_validator(mode="after")
    def _rarer_is_more(self) -> SkillWeights:
        for rare, common in pairwise(self.rarity):
            if rare.occupations >= common.occupations or rare.weight < common.weight:
                raise ValueError(f"{common.occupations} occupations: steps go from the rarest on, and weights fall")
        return self


class Weights(NamedTuple):
    """The policy's numbers, as the kernels take them."""

    gates: int
    """Bits of those that are on."""
    minimum: int
    occupation: int
    same_occupation: int
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
    way_unknown: int
    most_way: int
    """No points for a way are more."""
    way_named: int
    """DISTANCE if ways count: then one that is not known is named."""
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

    def weight(self, skill: str, namings: int = 0) -> int:
        """The weight of a skill (`scheme:code`) that so many occupations name; 0 if that is not known."""
        rules = self.skill_weights
        if skill in rules.weights:
            return rules.weights[skill]
        if not namings or not rules.rarity:
            return rules.default
        return next((step.weight for step in rules.rarity if namings <= step.occupations), rules.rarity[-1].weight)

    @property
    def numbers(self) -> Weights:
        """The weights alone."""
        return Weights(
            gates=sum(GATE_BITS[gate] for gate in self.gates),
            minimum=self.minimum,
            occupation=self.occupation.maximum,
            same_occupation=self.occupation.same,
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
            way_unknown=self.place.way_unknown,
            most_way=max(self.place.home, self.place.way_unknown, *(way.points for way in self.place.ways)),
            way_named=DISTANCE if self.place.ways else 0,
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
