"""What the season is made from: occupations, skills, places and conditions, as `data/*.toml` have them."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field

from shared.contracts.common import Amount, Benefit, Education, EmploymentType, KeyGroup, Months

DATA: Final = Path(__file__).parent / "data"

CodeDict = dict[str, object]
"""A `Code` as JSON has it: scheme, code, label. Shared between bodies, never changed."""
Percent = Annotated[int, Field(ge=0, le=100)]
Share = Annotated[int, Field(ge=1)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Names(_Part):
    """One thing in both languages."""

    zh: str
    en: str

    @property
    def texts(self) -> dict[str, str]:
        """As contracts carry it."""
        return {"zh": self.zh, "en": self.en}


class Coded(Names):
    """One thing of a code list."""

    code: str


class Occupation(_Part):
    """One occupation of the season; lists are drawn from, an item that stands twice twice as often."""

    code: str
    name: Names
    sector: str
    share: Share
    titles: Annotated[tuple[Names, ...], Field(min_length=1)]
    pay: tuple[Amount, Amount]
    """CNY a month in a city of average pay."""
    education: tuple[Education, ...]
    experience: tuple[Months, ...]
    licence: str | None = None
    remote: Percent = 0
    """Of its postings."""
    types: tuple[EmploymentType, ...] = (EmploymentType.FULL_TIME,)
    skills: Annotated[tuple[str, ...], Field(min_length=8)]


class City(_Part):
    """A place of the season."""

    code: str
    name: Names
    jobs: Share
    people: Share
    districts: tuple[Coded, ...] = ()

    @property
    def province(self) -> str:
        """GB/T 2260: the first two digits; a municipality is its own province."""
        return f"{self.code[:2]}0000"


class Sector(_Part):
    """What the employers of one sector have in common."""

    kind: Names
    always: tuple[Benefit, ...]
    often: tuple[Benefit, ...]
    key_groups: tuple[KeyGroup, ...]
    openings: tuple[int, ...]
    movers: Percent


class _SkillLabel(_Part):
    code: str
    zh: str


class _Skills(_Part):
    scheme: str
    skills: dict[str, _SkillLabel]


class _Regions(_Part):
    scheme: str
    provinces: dict[str, Names]
    cities: tuple[City, ...]


class _Occupations(_Part):
    occupations: tuple[Occupation, ...]


class _Conditions(_Part):
    made_up: Names
    company_words: tuple[Names, ...]
    surnames: tuple[str, ...]
    given_names: tuple[str, ...]
    licences: dict[str, Coded]
    sectors: dict[str, Sector]


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All of it, with each code ready as JSON has it."""

    occupations: tuple[Occupation, ...]
    cities: tuple[City, ...]
    provinces: dict[str, Names]
    sectors: dict[str, Sector]
    made_up: Names
    company_words: tuple[Names, ...]
    surnames: tuple[str, ...]
    given_names: tuple[str, ...]
    skills: dict[str, CodeDict]
    """By ESCO's English label."""
    skill_names: dict[str, Names]
    licences: dict[str, CodeDict]
    """By the name in `conditions.toml`."""


@lru_cache(maxsize=1)
def catalogue() -> Catalogue:
    """Read the data once. Raises pydantic's ValidationError or KeyError if the files do not fit together."""
    occupations = _Occupations.model_validate(_toml("occupations")).occupations
    skills = _Skills.model_validate(_toml("skills"))
    regions = _Regions.model_validate(_toml("regions"))
    conditions = _Conditions.model_validate(_toml("conditions"))
    names = {label: Names(zh=skill.zh, en=label) for label, skill in skills.skills.items()}
    asked = {label for occupation in occupations for label in occupation.skills}
    return Catalogue(
        occupations=occupations,
        cities=regions.cities,
        provinces={city.province: regions.provinces[city.province] for city in regions.cities},
        sectors={occupation.sector: conditions.sectors[occupation.sector] for occupation in occupations},
        made_up=conditions.made_up,
        company_words=conditions.company_words,
        surnames=conditions.surnames,
        given_names=conditions.given_names,
        skills={label: code(skills.scheme, skills.skills[label].code, names[label]) for label in asked},
        skill_names=names,
        licences={name: code("licence", licence.code, licence) for name, licence in conditions.licences.items()},
    )


def code(scheme: str, value: str, names: Names) -> CodeDict:
    """A `Code` as JSON has it."""
    return {"scheme": scheme, "code": value, "label": names.texts}


def region(value: str, names: Names) -> CodeDict:
    """A Chinese region as JSON has it."""
    return code("gbt2260", value, names)


def _toml(name: str) -> dict[str, object]:
    return tomllib.loads((DATA / f"{name}.toml").read_text("utf-8"))
