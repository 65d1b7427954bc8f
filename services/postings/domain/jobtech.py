"""JobTech ads (Swedish public employment service) as postings.

What is taken, what is left out and why: `jobtech_fields.py`. Field names: JobTech's JobStream and JobSearch
APIs. Labels differ between years and are compared folded. Contacts are never read.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, time
from typing import Annotated, Final, TypeVar
from zoneinfo import ZoneInfo

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from services.postings.domain.faults import Faults, fault, invalid
from services.postings.domain.ordering import Order, order_of
from services.postings.domain.submission import Removal, Submission, web_address
from services.postings.domain.texts import plain, shortened
from shared.contracts.common import MAX_SKILLS, Code, Education, EmploymentType
from shared.contracts.partners import JobTechAdPublished
from shared.contracts.postings import PostingTerms

LANGUAGE: Final = "sv"
STOCKHOLM: Final = ZoneInfo("Europe/Stockholm")
"""JobTech's times have no offset and are local."""
YEARS: Final = range(2000, 2101)
MOST_OPENINGS: Final = 100_000

COUNTIES: Final = frozenset(
    "01 03 04 05 06 07 08 09 10 12 13 14 17 18 19 20 21 22 23 24 25".split()  # noqa: SIM905 - reads as a table
)
"""SCB county codes. JobTech's 90 and 99 mean that the place is not said."""

COUNTRIES: Final = {
    "sverige": "SE",
    "belgien": "BE",
    "danmark": "DK",
    "estland": "EE",
    "finland": "FI",
    "frankrike": "FR",
    "grekland": "GR",
    "irland": "IE",
    "island": "IS",
    "italien": "IT",
    "kina": "CN",
    "lettland": "LV",
    "litauen": "LT",
    "luxemburg": "LU",
    "nederländerna": "NL",
    "norge": "NO",
    "polen": "PL",
    "portugal": "PT",
    "schweiz": "CH",
    "spanien": "ES",
    "storbritannien": "GB",
    "tjeckien": "CZ",
    "tyskland": "DE",
    "ungern": "HU",
    "usa": "US",
    "österrike": "AT",
}
"""ISO 3166-1 by JobTech's country label; an ad from elsewhere has no region, which is unknown, not Sweden."""

EDUCATION: Final = {
    "förgymnasial utbildning kortare än 9 år": Education.PRIMARY,
    "förgymnasial utbildning 9 (10) år": Education.LOWER_SECONDARY,
    "gymnasial utbildning": Education.UPPER_SECONDARY,
    "eftergymnasial utbildning kortare än två år": Education.POST_SECONDARY,
    "eftergymnasial utbildning två år eller längre": Education.SHORT_CYCLE_TERTIARY,
    "forskarutbildning": Education.DOCTOR,
}
"""SUN 2000 levels as JobTech labels them, to ISCED 2011 by the lowest level that meets them (SCB's key)."""

_SEASONAL: Final = ("sommarjobb", "säsong")
_ON_CALL: Final = "behovsanställning"
_SHORT: Final = ("upp till 10 dagar", "11 dagar", "3 månader", "3 - 6 månader")
_PART_TIME: Final = "deltid"
_FULL_TIME: Final = "heltid"
_GROUP: Final = re.compile(r"\d{4}")

T = TypeVar("T")


def _first(value: object) -> object:
    """Some years of the feed have a list where others have one concept; null is an empty concept."""
    if isinstance(value, list):
        value = value[0] if value else None
    return {} if value is None else value


def _empty(value: object) -> object:
    return [] if value is None else value


class _Part(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True, coerce_numbers_to_str=True)


class _Concept(_Part):
    concept_id: Annotated[str, Field(max_length=64)] | None = None
    label: Annotated[str, Field(max_length=1000)] | None = None
    legacy_ams_taxonomy_id: str | None = None

    @property
    def folded(self) -> str:
        return (self.label or "").casefold().replace("_", " ").strip()


One = Annotated[_Concept, BeforeValidator(_first)]
Many = Annotated[tuple[_Concept, ...], BeforeValidator(_empty)]


class _Description(_Part):
    text: str | None = None
    text_formatted: str | None = None
    conditions: str | None = None


class _Employer(_Part):
    organization_number: str | None = None
    name: Annotated[str, Field(max_length=300)] | None = None
    workplace: Annotated[str, Field(max_length=300)] | None = None


class _Address(_Part):
    municipality: str | None = None
    municipality_code: str | None = None
    region: str | None = None
    region_code: str | None = None
    country: str | None = None


class _Wanted(_Part):
    skills: Many = ()
    work_experiences: Many = ()
    education_level: Many = ()


class _Times(_Part):
    """All that is read of a removal: nothing else in it may keep a dead posting open."""

    publication_date: str | None = None
    removed_date: str | None = None
    timestamp: int | None = None


class _Ad(_Times):
    """The fields that are read; all others are left alone."""

    headline: Annotated[str, Field(max_length=1000)] | None = None
    description: Annotated[_Description, BeforeValidator(_first)] = _Description()
    employer: Annotated[_Employer, BeforeValidator(_first)] = _Employer()
    workplace_address: Annotated[_Address, BeforeValidator(_first)] = _Address()
    occupation: One = _Concept()
    occupation_group: One = _Concept()
    employment_type: One = _Concept()
    duration: One = _Concept()
    working_hours_type: One = _Concept()
    must_have: Annotated[_Wanted, BeforeValidator(_first)] = _Wanted()
    nice_to_have: Annotated[_Wanted, BeforeValidator(_first)] = _Wanted()
    driving_license_required: bool | None = None
    driving_license: Many = ()
    number_of_vacancies: int | None = None
    application_deadline: str | None = None
    last_publication_date: str | None = None
    webpage_url: Annotated[str, Field(max_length=2000)] | None = None


class _TimeError(ValueError):
    """Carries the field at fault."""


def read(record: JobTechAdPublished, whole: Mapping[str, object] | None = None) -> Submission | Removal | Faults:
    """What an ad says, or every fault in it. `whole`: the ad as it came, where it is at hand."""
    whole = record.ad if whole is None else whole
    try:
        if record.removed:
            return Removal(record.id, _order(_Times.model_validate(whole)))
        ad = _Ad.model_validate(whole)
        order = _order(ad)
        if not plain(ad.headline or ""):
            return (fault("missing", "/headline"),)
        url, notes = web_address(ad.webpage_url or None, "/webpage_url")
        return Submission(record.id, order, _terms(ad), _reference(ad), url, (*notes, *_notes(ad)))
    except ValidationError as error:
        return invalid(error)
    except _TimeError as error:
        return (fault("invalid_time", f"/{error}"),)


def order_in(whole: Mapping[str, object]) -> Order:
    """Where an ad stands, by its times alone; by arrival if they cannot be read."""
    try:
        return _order(_Times.model_validate(whole))
    except (ValidationError, _TimeError):
        return order_of(None, None)


def _notes(ad: _Ad) -> Faults:
    """What is left out of an ad that is taken."""
    ends = [name for name in ("application_deadline", "last_publication_date") if _is_no_end(getattr(ad, name))]
    openings = ad.number_of_vacancies or 1
    return (
        *(fault("no_end", f"/{name}") for name in ends),
        *(() if 1 <= openings <= MOST_OPENINGS else (fault("out_of_range", "/number_of_vacancies"),)),
    )


def _terms(ad: _Ad) -> PostingTerms:
    openings = ad.number_of_vacancies or 1
    required = _codes((*ad.must_have.skills, *ad.must_have.work_experiences))
    preferred = _codes((*ad.nice_to_have.skills, *ad.nice_to_have.work_experiences))
    return PostingTerms(
        title={LANGUAGE: shortened(plain(ad.headline or ""))},
        description=_description(ad.description),
        employer_name=ad.employer.name or ad.employer.workplace,
        occupation=_occupation(ad),
        required_skills=required,
        preferred_skills=preferred,
        education=_education(ad.must_have),
        licences=() if ad.driving_license_required is False else _licences(ad),
        regions=_regions(ad.workplace_address),
        employment_type=_employment_type(ad),
        openings=openings if 1 <= openings <= MOST_OPENINGS else 1,
        valid_through=_valid_through(ad),
    )


def _order(ad: _Times) -> Order:
    """By `timestamp` (milliseconds); without it by the time of removal or publication."""
    if ad.timestamp is not None:
        try:
            changed = datetime.fromtimestamp(ad.timestamp / 1000, UTC)
        except (OverflowError, OSError, ValueError) as error:
            raise _TimeError("timestamp") from error
        if changed.year not in YEARS:
            raise _TimeError("timestamp")
        return order_of(None, changed)
    for name in ("removed_date", "publication_date"):
        changed_at = _moment(ad, name)
        if changed_at is not None:
            return order_of(None, changed_at)
    return order_of(None, None)


def _valid_through(ad: _Ad) -> datetime | None:
    """The earlier of the last day to apply and the last day shown; a date alone lasts to its end."""
    names = ("application_deadline", "last_publication_date")
    ends = [_moment(ad, name) for name in names if not _is_no_end(getattr(ad, name))]
    return min((end for end in ends if end), default=None)


def _is_no_end(text: str | None) -> bool:
    """True for a date after the years that we know, which feeds write where there is no end."""
    try:
        return text is not None and datetime.fromisoformat(text).year > YEARS[-1]
    except ValueError:
        return False


def _moment(ad: _Times, name: str) -> datetime | None:
    text: str | None = getattr(ad, name)
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise _TimeError(name) from error
    if moment.year not in YEARS:
        raise _TimeError(name)
    if len(text) == len("2026-01-01"):
        moment = datetime.combine(moment, time(23, 59, 59))
    moment = (moment if moment.tzinfo else moment.replace(tzinfo=STOCKHOLM)).astimezone(UTC)
    if moment.year not in YEARS:  # an offset has carried it over the edge
        raise _TimeError(name)
    return moment


def _occupation(ad: _Ad) -> Code | None:
    """The SSYK 2012 group, whose digits tell how near two occupations are; else JobTech's own concept."""
    label = ad.occupation.label or ad.occupation_group.label
    labels = {LANGUAGE: label} if label else None
    group = ad.occupation_group.legacy_ams_taxonomy_id or ""
    if _GROUP.fullmatch(group):
        return Code(scheme="ssyk-2012", code=group, label=labels)
    if ad.occupation.concept_id:
        return Code(scheme="jobtech", code=ad.occupation.concept_id, label=labels)
    return None


def _codes(concepts: tuple[_Concept, ...]) -> tuple[Code, ...]:
    """Concepts as codes, each once, at most MAX_SKILLS; what has no id cannot be compared."""
    labels = {concept.concept_id: concept.label for concept in concepts if concept.concept_id}
    codes = (
        Code(scheme="jobtech", code=code, label={LANGUAGE: label} if label else None) for code, label in labels.items()
    )
    return tuple(codes)[:MAX_SKILLS]


def _education(wanted: _Wanted) -> Education | None:
    """The lowest of the levels that are named, since any of them will do."""
    levels = [EDUCATION[level.folded] for level in wanted.education_level if level.folded in EDUCATION]
    return min(levels, key=lambda education: education.level, default=None)


def _licences(ad: _Ad) -> tuple[Code, ...]:
    names = {(licence.label or "").strip().upper() for licence in ad.driving_license} - {""}
    return tuple(Code(scheme="licence", code=name[:64]) for name in sorted(names))[:20]


def _regions(address: _Address) -> tuple[Code, ...]:
    municipality, county = address.municipality_code or "", address.region_code or ""
    country = (address.country or "").strip()
    if _GROUP.fullmatch(municipality) and municipality[:2] in COUNTIES:
        return (_region("scb", municipality, address.municipality),)
    if county in COUNTIES:
        return (_region("scb", county, address.region),)
    code = COUNTRIES.get(country.casefold()) or (country if re.fullmatch(r"[A-Z]{2}", country) else None)
    return (_region("iso3166-1", code, country if code != country else None),) if code else ()


def _region(scheme: str, code: str, label: str | None) -> Code:
    return Code(scheme=scheme, code=code, label={LANGUAGE: label[:1000]} if label else None)


def _employment_type(ad: _Ad) -> EmploymentType | None:
    """Seasonal work first, then what ends within 6 months, then by working hours."""
    kind, duration, hours = ad.employment_type.folded, ad.duration.folded, ad.working_hours_type.folded
    if kind.startswith(_SEASONAL):
        return EmploymentType.SEASONAL
    if kind.startswith(_ON_CALL) or duration.startswith(_SHORT):
        return EmploymentType.TEMPORARY
    return {_PART_TIME: EmploymentType.PART_TIME, _FULL_TIME: EmploymentType.FULL_TIME}.get(hours)


def _reference(ad: _Ad) -> str | None:
    """The organisation number. A sole trader's is the owner's identity number: then the name has to do."""
    number = re.sub(r"\D", "", ad.employer.organization_number or "")
    is_organisation = re.fullmatch(r"(?:16)?\d{2}[2-9]\d{7}", number)
    return number[-10:] if is_organisation else None


def _description(description: _Description) -> dict[str, str]:
    text = description.text or description.text_formatted or description.conditions or ""
    text = shortened(plain(text))
    return {LANGUAGE: text} if text else {}
