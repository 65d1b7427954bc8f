"""A partner's record, whatever its form, as one of two things: a posting submitted, or one removed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from services.postings.domain.faults import Faults, fault
from services.postings.domain.mapping import row
from services.postings.domain.ordering import Order, order_of
from services.postings.domain.posting import is_too_large
from services.postings.domain.texts import plain

if TYPE_CHECKING:
    from shared.contracts.partners import PartnerPostingRemoved, PartnerPostingSubmitted
    from shared.contracts.postings import Origin, PostingTerms


@dataclass(frozen=True, slots=True)
class Submission:
    """A posting that is new or changed at the partner."""

    id: str
    """The partner's posting id."""
    order: Order
    terms: PostingTerms
    employer_reference: str | None = None
    url: str | None = None
    notes: Faults = ()
    """What was left out of the record, and why."""
    unmapped: tuple[str, ...] = ()
    """Fields that have no place in a posting, by name."""
    rest: str | None = None
    """What of the record has no place in the posting, as JSON, without people's contacts."""
    linker: str | None = None
    """What read the words of the terms, which are cleaned then; None: nothing did."""
    origin: Origin | None = None


@dataclass(frozen=True, slots=True)
class Removal:
    """A posting that is not to be had any more at the partner."""

    id: str
    order: Order
    filled: bool = False


_WHOLE: Final = "as it is"
_CODE: Final = "`scheme` and `code`, with a `label` by language"

OWN_ROWS: Final = (
    row("id", "source.id", "required; your own id, up to 256 characters, none of them a control character"),
    row("sequence", "order", "an integer, 0 to 2^63 - 1"),
    row("changed_at", "order", "RFC 3339 with offset, years 2000 to 2100; only where there is no `sequence`"),
    row("title", "title", "required; by language (ISO 639-1). HTML, control characters and contacts are taken out"),
    row("description", "description", "the same, up to 20,000 characters for each language"),
    row("employer_reference", "employer_id", "your id of the employer, for example an organisation number; hashed"),
    row("employer_name", "employer_name", _WHOLE),
    row("url", "source.url", "`http://` or `https://`, else left out with a note"),
    row(
        "origin.name origin.id origin.via",
        "source.origin",
        "only between deployments of this system: from where, which way",
    ),
    row("occupation.scheme occupation.code occupation.label", "occupation", _CODE),
    row("required_skills.scheme required_skills.code required_skills.label", "required_skills", f"{_CODE}; up to 50"),
    row(
        "preferred_skills.scheme preferred_skills.code preferred_skills.label", "preferred_skills", f"{_CODE}; up to 50"
    ),
    row("education", "education", "the least level: `primary` … `doctor` (ISCED 2011)"),
    row("experience_months", "experience_months", "the least, 0 to 720"),
    row("licences.scheme licences.code licences.label", "licences", f"{_CODE}; all of them are required"),
    row("regions.scheme regions.code regions.label", "regions", f"{_CODE}; up to 20, none means unknown"),
    row("remote", "remote", "can be done from anywhere"),
    row("pay.min pay.max pay.currency", "pay", "whole units a month before tax, 0 to 10,000,000; ISO 4217"),
    row("employment_type", "employment_type", "`full_time`, `part_time`, `temporary`, `seasonal`, `internship`"),
    row("openings", "openings", "1 to 100,000"),
    row("benefits", "benefits", _WHOLE),
    row("key_groups", "key_groups", "groups that the posting lawfully prefers"),
    row("valid_through", "valid_through", "RFC 3339 with offset, years 2000 to 2100"),
)
"""What becomes of the fields of our own form."""


def read_submitted(record: PartnerPostingSubmitted) -> Submission | Faults:
    """Our own form. Its fields were checked when it was decoded; these rules are not in the schema."""
    faults = [fault("blank", f"/title/{language}") for language, text in record.title.items() if not plain(text)]
    if is_too_large(record):
        faults.append(fault("posting_too_large"))
    if faults:
        return tuple(faults)
    url, notes = web_address(record.url, "/url")
    order = order_of(record.sequence, record.changed_at)
    return Submission(record.id, order, record, record.employer_reference, url, notes, origin=record.origin)


def read_removed(record: PartnerPostingRemoved) -> Removal:
    """Our own form of a removal."""
    return Removal(record.id, order_of(record.sequence, record.changed_at), filled=bool(record.filled))


def web_address(text: str | None, at: str) -> tuple[str | None, Faults]:
    """An address that a browser may be sent to, or a note that it is none."""
    if text is None or text.casefold().startswith(("http://", "https://")):
        return text, ()
    return None, (fault("not_a_web_address", at),)
