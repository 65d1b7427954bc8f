"""Value objects that several events share, with their units and the source of their code lists."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, model_validator

MAX_SKILLS = 50
"""Most skills that one posting (required and preferred, each) or one profile may name."""


class Contract(BaseModel):
    """Base of every model on a topic.

    Unknown fields are ignored, because within a topic's version optional fields may come and go
    (compare `shared.contracts.compatibility`).
    """

    model_config = ConfigDict(extra="ignore", frozen=True, use_attribute_docstrings=True)


def in_years(value: datetime) -> datetime:
    """The moment itself. Raises ValueError if it does not lie in the years that contracts know."""
    if not 2000 <= value.year <= 2100:  # noqa: PLR2004 - the range of the rule itself
        message = "a time stamp must lie in the years 2000 to 2100"
        raise ValueError(message)
    return value


Id = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:-]*$")]
"""An opaque identifier of ours: letters, digits, `_ . : -`."""

PartnerId = Annotated[str, Field(min_length=1, max_length=40, pattern=r"^[a-z0-9-]+$")]
"""A partner region or school, as in its topics' names."""

Instant = Annotated[AwareDatetime, AfterValidator(in_years)]
"""A moment with its offset from UTC (RFC 3339), years 2000 to 2100."""

Texts = Annotated[
    dict[Annotated[str, Field(pattern=r"^[a-z]{2}$")], Annotated[str, Field(max_length=20_000)]],
    Field(max_length=8),
]
"""The same text by language (ISO 639-1), for example `{"zh": "焊工", "en": "Welder"}`."""

Version = Annotated[int, Field(ge=1)]
"""An aggregate's version: starts at 1 and only grows."""


class Code(Contract):
    """A concept of a published code list. Two codes are the same only if scheme and code are."""

    scheme: Annotated[str, Field(min_length=1, max_length=32, pattern=r"^[a-z0-9][a-z0-9.-]*$")]
    """`esco`, `isco-08`, `ssyk-2012`, `onet-soc`, `cn-2022`, `jobtech` for occupations and skills;
    `gbt2260`, `iso3166-1`, `iso3166-2`, `scb` (Swedish county or municipality) for regions;
    `licence` for driving and trade licences."""
    code: Annotated[str, Field(min_length=1, max_length=64)]
    """The code as its publisher writes it."""
    label: Texts | None = None
    """What people read; never compared."""
    confidence: Annotated[float, Field(ge=0, le=1)] | None = None
    """Of a code that was read out of the source's words: how sure the reading is, 0 to 1. None: its source named it."""

    @property
    def key(self) -> str:
        """`scheme:code`, the form in which codes are compared."""
        return f"{self.scheme}:{self.code}"


Linker = Annotated[str, Field(max_length=120)]
"""Version of what read the words, with that of its taxonomy and models."""


class Education(StrEnum):
    """Highest completed level, named after ISCED 2011 (UNESCO), from level 1 up."""

    PRIMARY = "primary"
    LOWER_SECONDARY = "lower_secondary"
    UPPER_SECONDARY = "upper_secondary"
    POST_SECONDARY = "post_secondary"
    SHORT_CYCLE_TERTIARY = "short_cycle_tertiary"
    BACHELOR = "bachelor"
    MASTER = "master"
    DOCTOR = "doctor"

    @property
    def level(self) -> int:
        """ISCED 2011 level, 1 (primary) to 8 (doctoral)."""
        return list(Education).index(self) + 1


class EmploymentType(StrEnum):
    """The kind of contract."""

    FULL_TIME = "full_time"
    PART_TIME = "part_time"
    TEMPORARY = "temporary"
    SEASONAL = "seasonal"
    INTERNSHIP = "internship"


class Benefit(StrEnum):
    """What comes with the pay: the five insurances and one housing fund (五险一金), and the usual extras."""

    PENSION = "pension"
    MEDICAL = "medical"
    UNEMPLOYMENT = "unemployment"
    WORK_INJURY = "work_injury"
    MATERNITY = "maternity"
    HOUSING_FUND = "housing_fund"
    ROOM = "room"
    BOARD = "board"
    PHYSICAL_EXAMINATION = "physical_examination"
    TRANSPORT = "transport"
    PAID_LEAVE = "paid_leave"
    TRAINING = "training"


class KeyGroup(StrEnum):
    """Groups that public employment services give particular help (就业重点群体)."""

    GRADUATE = "graduate"
    MIGRANT_WORKER = "migrant_worker"
    IN_DIFFICULTY = "in_difficulty"
    OUT_OF_POVERTY = "out_of_poverty"
    VETERAN = "veteran"
    DISABLED = "disabled"


Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
"""ISO 4217. Amounts in different currencies are never compared."""

Amount = Annotated[int, Field(ge=0, le=10_000_000)]
"""Whole currency units a month, before tax."""

Months = Annotated[int, Field(ge=0, le=720)]


class Pay(Contract):
    """A monthly pay range before tax; either end may be unknown, not both."""

    min: Amount | None = None
    max: Amount | None = None
    currency: Currency

    @model_validator(mode="after")
    def _ordered(self) -> Pay:
        if self.min is None and self.max is None:
            message = "a pay range needs min or max"
            raise ValueError(message)
        if self.min is not None and self.max is not None and self.min > self.max:
            message = "min must not be above max"
            raise ValueError(message)
        return self


class PayFloor(Contract):
    """The least that a seeker works for, a month before tax."""

    amount: Amount
    currency: Currency
