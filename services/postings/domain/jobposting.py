"""Job postings of schema.org (JSON-LD) as postings.

What is taken, what is left out and why: `jobposting_fields.py`. Meaning and expected types: schema.org's
`JobPosting`; words of `employmentType`, `unitText` and `credentialCategory`: Google's guide to job posting data.
Whatever the pages of the web hold, an optional field never costs the job: it is left out with a note.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta, timezone
from typing import Any, Final

from pydantic import ValidationError

from services.postings.domain import jobposting_values as values
from services.postings.domain.faults import Faults, fault, invalid
from services.postings.domain.jsonld import Found, Node, items, types
from services.postings.domain.ordering import Order, order_of
from services.postings.domain.submission import Submission, web_address
from services.postings.domain.texts import plain, shortened
from shared.contracts.common import EmploymentType
from shared.contracts.partners import Fault
from shared.contracts.postings import PostingTerms

YEARS: Final = range(2000, 2101)
MAX_ID: Final = 256
MAX_NAME: Final = 300
MAX_URL: Final = 2000
MOST_OPENINGS: Final = 100_000
_LAST_ZONE: Final = timezone(timedelta(hours=-12))
"""Where a day ends last."""
_DATE: Final = re.compile(r"\d{4}-?\d{2}-?\d{2}")


@dataclass(slots=True)
class Draft:
    """A posting in the making."""

    found: Found
    language: str
    terms: dict[str, Any] = field(default_factory=dict)
    notes: list[Fault] = field(default_factory=list)
    unused: dict[str, None] = field(default_factory=dict)
    """Fields of the table that hold something that could not be taken: kept and reported like unmapped ones."""

    @property
    def node(self) -> Node:
        """The job posting."""
        return self.found.node

    def note(self, code: str, *at: str | int) -> None:
        """Say that something was left out."""
        self.notes.append(fault(code, self.found.pointer(*at)))


def id_of(node: Mapping[str, object]) -> str | None:
    """The posting's id at its source: of `identifier`, else `@id`, else `url`; as it came."""
    for name in ("identifier", "@id", "url"):
        for item in items(node.get(name)):
            said = [item.get(key) for key in ("value", "@id", "name")] if isinstance(item, dict) else [item]
            found = next((text for one in said if (text := values.text(one))), None)
            if found and (name != "@id" or values.is_address(found)):
                return found
    return None


def read(found: Found) -> Submission | Faults:
    """What a job posting says, or every fault in it."""
    faults = _refused(found)
    if faults:
        return faults
    draft = Draft(found, values.language(found))
    _texts(draft)
    _employer(draft)
    draft.terms["occupation"] = values.occupation(draft.node, draft.language, draft.unused)
    draft.terms["preferred_skills"] = values.skills(draft.node, draft.unused)
    _requirements(draft)
    _places(draft)
    kind = _employment_type(draft)
    _pay(draft, kind)
    _openings(draft)
    _valid_through(draft)
    url, notes = web_address((values.text(_first(draft, "url")) or None), found.pointer("url"))
    if url is not None and len(url) > MAX_URL:
        url, notes = None, (fault("not_a_web_address", found.pointer("url")),)
    try:
        terms = PostingTerms.model_validate(draft.terms)
    except ValidationError as error:
        return invalid(error)
    return Submission(
        id=id_of(draft.node) or "",
        order=_order(draft),
        terms=terms,
        employer_reference=values.employer_reference(draft.node),
        url=url,
        notes=(*draft.notes, *notes),
        unmapped=tuple(draft.unused),
    )


def _refused(found: Found) -> Faults:
    """What makes the record useless: no id, no title, or an end that nobody can read."""
    faults = []
    posting = id_of(found.node)
    if posting is None:
        faults.append(fault("missing", found.pointer("identifier")))
    elif len(posting) > MAX_ID:
        faults.append(fault("id_too_long", found.pointer("identifier")))
    if not plain(_title(found.node)):
        faults.append(fault("missing", found.pointer("title")))
    end = values.text(_one(found.node, "validThrough"))
    if end and not _is_no_end(end) and _moment(end, _LAST_ZONE) is None:
        faults.append(fault("invalid_time", found.pointer("validThrough")))
    return tuple(faults)


def _title(node: Node) -> str:
    return values.text(_one(node, "title")) or values.text(_one(node, "name"))


def _texts(draft: Draft) -> None:
    draft.terms["title"] = {draft.language: shortened(plain(_title(draft.node)))}
    parts: dict[str, None] = {}
    for name in ("description", "responsibilities", "qualifications"):
        for item in items(draft.node.get(name)):
            part = plain(values.text(item))
            if part and not any(part in earlier for earlier in parts):
                parts[part] = None
    if parts:
        draft.terms["description"] = {draft.language: shortened("\n\n".join(parts))}


def _employer(draft: Draft) -> None:
    organisation = _first(draft, "hiringOrganization")
    if isinstance(organisation, dict) and "Person" in types(organisation):
        return
    name = plain(values.text(organisation))
    draft.terms["employer_name"] = (name if len(name) <= MAX_NAME else name[: MAX_NAME - 1] + "…") or None


def _requirements(draft: Draft) -> None:
    if _first(draft, "experienceInPlaceOfEducation") is not True:
        draft.terms["education"] = values.education(draft.node, draft.unused)
    months = []
    for item in items(draft.node.get("experienceRequirements")):
        number = values.number(item.get("monthsOfExperience")) if isinstance(item, dict) else None
        if number is None:
            draft.unused.setdefault("experienceRequirements")
        elif 0 <= number <= values.MOST_MONTHS:
            months.append(round(number))
        else:
            draft.note("out_of_range", "experienceRequirements")
    draft.terms["experience_months"] = min(months, default=None)


def _places(draft: Draft) -> None:
    regions, unknown = values.regions(draft.node, "jobLocation", draft.language)
    remote = any("TELECOMMUTE" in values.text(item).upper() for item in items(draft.node.get("jobLocationType")))
    wanted, strange = values.regions(draft.node, "applicantLocationRequirements", draft.language)
    for at in (*unknown, *strange):
        draft.note("unknown_place", *at)
    limited = bool(items(draft.node.get("applicantLocationRequirements")))
    draft.terms["remote"] = remote and not limited
    every = {region.key: region for region in (*regions, *(wanted if remote else ()))}
    draft.terms["regions"] = tuple(every.values())[: values.MOST_REGIONS]


def _employment_type(draft: Draft) -> EmploymentType | None:
    kind, unknown = values.employment_type(draft.node)
    if unknown:
        draft.note("unknown_word", "employmentType")
    draft.terms["employment_type"] = kind
    return kind


def _pay(draft: Draft, kind: EmploymentType | None) -> None:
    pay = values.pay(draft.node, kind)
    if isinstance(pay, str):
        draft.note(pay, "baseSalary")
    else:
        draft.terms["pay"] = pay


def _openings(draft: Draft) -> None:
    found = _first(draft, "totalJobOpenings")
    number = values.number(found)
    if number is not None and 1 <= number <= MOST_OPENINGS:
        draft.terms["openings"] = int(number)
    elif found is not None:
        draft.note("out_of_range", "totalJobOpenings")


def _valid_through(draft: Draft) -> None:
    end = values.text(_first(draft, "validThrough"))
    if _is_no_end(end):
        draft.note("no_end", "validThrough")
    elif end:
        draft.terms["valid_through"] = _moment(end, _LAST_ZONE)


def _order(draft: Draft) -> Order:
    changed = values.text(_first(draft, "dateModified"))
    moment = _moment(changed, UTC) if changed else None
    if changed and moment is None:
        draft.note("invalid_time", "dateModified")
    return order_of(None, moment)


def _first(draft: Draft, name: str) -> object:
    return _one(draft.node, name)


def _one(node: Node, name: str) -> object:
    return next(iter(items(node.get(name))), None)


def _moment(text: str, zone: timezone) -> datetime | None:
    """A time in the years that we know, in UTC; None if it is none. A date alone lasts to its end."""
    text = text.strip()
    try:
        moment = datetime.fromisoformat(text)
        if _DATE.fullmatch(text):
            moment = datetime.combine(moment, time(23, 59, 59))
        moment = (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return moment if moment.year in YEARS else None


def _is_no_end(text: str) -> bool:
    """True for a year after those that we know, which feeds write where there is no end."""
    year = re.match(r"\d{4,9}(?=-|$)", text.strip())
    return year is not None and int(year.group()[:9]) > YEARS[-1]
