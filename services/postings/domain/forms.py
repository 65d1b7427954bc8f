"""The forms in which partners send postings, and one way to read them all.

The service's intake, the partner's kit and the fuzzers call `read`; nothing else makes a posting of a record.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from pydantic_core import from_json

from services.postings.domain import jobposting
from services.postings.domain.faults import Faults, fault
from services.postings.domain.jobposting_fields import JOBPOSTING_ROWS
from services.postings.domain.jobtech import read as read_jobtech
from services.postings.domain.jobtech_fields import JOBTECH_ROWS
from services.postings.domain.jsonld import job_posting
from services.postings.domain.mapping import MAX_DEPTH, Row, Tree, is_too_deep, rest_of, tree
from services.postings.domain.submission import OWN_ROWS, Removal, Submission, read_removed, read_submitted
from services.postings.domain.texts import has_control
from shared.contracts.common import Contract
from shared.contracts.partners import (
    JobPostingPublished,
    JobTechAdPublished,
    PartnerPostingRemoved,
    PartnerPostingSubmitted,
)

Record = dict[str, object]
Content = Submission | Removal | Faults

MAX_ID: Final = 256


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read in a record."""

    posting: str | None
    """The partner's posting id, as far as known."""
    content: Content


@dataclass(frozen=True, slots=True)
class Form:
    """A form: how it is told from others, and what becomes of its fields."""

    name: str
    """As the kit's `--form` has it."""
    title: str
    rows: tuple[Row, ...]
    events: tuple[type[Contract], ...]
    shows: frozenset[str]
    """Fields that only this form has, to tell it from the others in a file without headers."""
    fields: Tree

    def event_of(self, record: Record) -> str:
        """The event type under which a record of this form is sent."""
        if len(self.events) > 1 and record.keys() <= PartnerPostingRemoved.model_fields.keys():
            return PartnerPostingRemoved.__name__
        return self.events[0].__name__


def _form(name: str, title: str, rows: tuple[Row, ...], events: tuple[type[Contract], ...], shows: str) -> Form:
    return Form(name, title, rows, events, frozenset(shows.split()), tree(rows))


OWN: Final = _form("own", "Our own form", OWN_ROWS, (PartnerPostingSubmitted, PartnerPostingRemoved), "")
JOBTECH: Final = _form(
    "jobtech",
    "JobTech ads",
    JOBTECH_ROWS,
    (JobTechAdPublished,),
    "headline removed workplace_address occupation_group application_deadline webpage_url",
)
SCHEMA_ORG: Final = _form(
    "schema.org",
    "schema.org JobPosting (JSON-LD)",
    JOBPOSTING_ROWS,
    (JobPostingPublished,),
    "@context @type @graph",
)
FORMS: Final = (OWN, JOBTECH, SCHEMA_ORG)


def form_of(record: object) -> Form:
    """The form that a record without headers seems to have, by its fields; our own where nothing else shows."""
    if isinstance(record, list):
        return SCHEMA_ORG
    names = record.keys() if isinstance(record, dict) else ()
    return next((form for form in (SCHEMA_ORG, JOBTECH) if form.shows.intersection(names)), OWN)


def is_structured(body: object) -> bool:
    """True for a CloudEvent whose attributes and data lie in one JSON body: it names its own form."""
    return isinstance(body, dict) and "specversion" in body and "data" in body


def read(model: Contract, data: bytes) -> Reading:
    """What a decoded record says. `data` is its JSON, of which `model` was made."""
    record = _record(model, data)
    if data.count(b"{") + data.count(b"[") > MAX_DEPTH and is_too_deep(record):  # the count spares most the walk
        return Reading(posting_id(record), (fault("too_deep"),))
    match model:
        case JobPostingPublished():
            return _read_job_posting(record, len(data))
        case JobTechAdPublished():
            return _finished(model.id, read_jobtech(model, record), record, JOBTECH, len(data))
        case PartnerPostingSubmitted():
            return _finished(model.id, read_submitted(model), record, OWN, len(data))
        case PartnerPostingRemoved():
            return _finished(model.id, read_removed(model), record, OWN, len(data))
    message = f"{type(model).__name__} is no event of a partner's topic"
    raise TypeError(message)


def _record(model: Contract, data: bytes) -> Record:
    """The whole record. A model of others' forms holds all of it: it is not parsed again."""
    if model.model_extra is None:
        record: Record = from_json(data)
        return record
    return {name: getattr(model, name) for name in type(model).model_fields} | model.model_extra


def posting_id(record: object) -> str | None:
    """The partner's posting id in a record that may be anything; None if it names none that can be printed."""
    named: object = None
    if isinstance(record, dict):
        named = record.get("id")
        named = jobposting.id_of(record) if named is None and form_of(record) is SCHEMA_ORG else named
    return named if isinstance(named, str) and 1 <= len(named) <= MAX_ID and not has_control(named) else None


def named_in(value: bytes | None, key: bytes | None) -> str | None:
    """The partner's posting id in a record that could not be decoded: from the body, else from the key."""
    try:
        body: object = from_json(value or b"")
    except ValueError:
        body = None
    return posting_id(body) or (key or b"").decode(errors="replace")[:MAX_ID] or None


def _read_job_posting(record: Record, size: int) -> Reading:
    found = job_posting(record)
    if isinstance(found, tuple):
        return Reading(posting_id(record), found)
    named = jobposting.id_of(found.node)
    at = found.pointer("identifier")
    return _finished(named, jobposting.read(found), found.node, SCHEMA_ORG, size, at)


def _finished(named: str | None, content: Content, record: Record, form: Form, size: int, at: str = "/id") -> Reading:
    """With what the posting has no place for, and only under an id that can be printed."""
    if named is None or len(named) > MAX_ID:
        named = None
    elif has_control(named):
        named, content = None, (fault("id_not_printable", at),)
    if not isinstance(content, Submission):
        return Reading(named, content)
    rest = rest_of(record, form.fields, size)
    for name in content.unmapped:  # of the table, but in words that it does not know
        rest.names.setdefault(name)
        rest.keep(name, record[name])
    return Reading(named, replace(content, unmapped=rest.unmapped, rest=rest.json()))
