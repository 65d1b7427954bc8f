"""A posting's life: published, changed, closed, opened again. Every step is one version and one event."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

from services.postings.domain.contacts import tidy
from services.postings.domain.texts import printable
from shared.contracts.postings import (
    CloseReason,
    Posting,
    PostingChanged,
    PostingClosed,
    PostingPublished,
    PostingSource,
    PostingStatus,
    PostingTerms,
)

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from shared.contracts.common import Code, Texts

PostingEvent = PostingPublished | PostingChanged | PostingClosed

MAX_BYTES: Final = 900_000
"""Most bytes of a posting's terms as JSON: with ids and headers it still fits into a record of 1 MiB."""

_TERMS: Final = tuple(PostingTerms.model_fields)


def partner_posting_id(partner: str, posting: str) -> str:
    """Our id of a partner's posting: always the same for the same two ids (128 bits of SHA-256)."""
    return "p-" + sha256(f"{partner}\0{posting}".encode()).hexdigest()[:32]


def partner_employer_id(partner: str, reference: str | None, name: str | None) -> str:
    """Our id of an employer known only through a partner: by its reference there, else by its name."""
    named = f"reference\0{reference}" if reference else f"name\0{(name or '').strip().casefold()}"
    return f"{partner}.{sha256(named.encode()).hexdigest()[:20]}"


def cleaned(terms: PostingTerms) -> PostingTerms:
    """The terms as they may go on a topic: plain texts without contact details, each skill named once."""
    facts = _facts(terms)
    facts["title"] = _redacted(terms.title)
    facts["description"] = _redacted(terms.description)
    facts["employer_name"] = terms.employer_name and printable(terms.employer_name)
    facts["occupation"] = terms.occupation and _labelled(terms.occupation)
    facts["regions"] = tuple(_labelled(region) for region in terms.regions)
    facts["licences"] = tuple(_labelled(licence) for licence in terms.licences)
    facts["required_skills"] = required = _once(terms.required_skills)
    named = {skill.key for skill in required}
    facts["preferred_skills"] = tuple(s for s in _once(terms.preferred_skills) if s.key not in named)
    return PostingTerms.model_construct(**facts)


def publish(
    terms: PostingTerms,
    *,
    posting_id: str,
    employer_id: str,
    source: PostingSource,
    now: datetime,
    linker: str | None = None,
) -> Posting:
    """A posting's first version: open, or closed at once when its time has already passed."""
    return _as_of(terms, posting_id, employer_id, source, before=None, now=now, linker=linker)


def revise(
    posting: Posting,
    terms: PostingTerms,
    now: datetime,
    *,
    employer_id: str | None = None,
    source: PostingSource | None = None,
    linker: str | None = None,
) -> Posting:
    """The next version with these terms, or the same posting if nothing differs.

    It is open, also where it was closed (whether it may be is for the caller to decide), unless its time has
    passed. Without `employer_id` the employer stays, without `source` the source. What another linker read in the
    same way is no difference.
    """
    employer = employer_id or posting.employer_id
    source = source or posting.source
    if posting.employer_id == employer and posting.source == source and _facts(posting) == _facts(terms):
        return posting
    return _as_of(terms, posting.id, employer, source, before=posting, now=now, linker=linker)


def reopen(posting: Posting, now: datetime) -> Posting:
    """A closed posting as its next version, open unless its time has passed; then, the same one."""
    if posting.status is PostingStatus.OPEN or is_over(posting, now):
        return posting
    return posting.model_copy(
        update={
            "version": posting.version + 1,
            "status": PostingStatus.OPEN,
            "close_reason": None,
            "filled": False,
            "closed_at": None,
            "changed_at": now,
        }
    )


def close(posting: Posting, reason: CloseReason, now: datetime, *, filled: bool = False) -> Posting:
    """The closed next version; a posting that is closed stays as it is, with the reason that it has.

    `filled`: its partner, who removes it, says so.
    """
    if posting.status is PostingStatus.CLOSED:
        return posting
    return posting.model_copy(
        update={
            "version": posting.version + 1,
            "status": PostingStatus.CLOSED,
            "close_reason": reason,
            "filled": filled,
            "closed_at": now,
            "changed_at": now,
        }
    )


def is_too_large(terms: PostingTerms) -> bool:
    """True if the posting could not be published in one record."""
    return len(terms.model_dump_json().encode()) > MAX_BYTES


def is_over(terms: PostingTerms, now: datetime) -> bool:
    """True from the moment of `valid_through` on."""
    return terms.valid_through is not None and terms.valid_through <= now


def step(before: Posting | None, after: Posting) -> type[PostingEvent]:
    """What happened between two versions. `after` has the next version, or is the first."""
    if after.status is PostingStatus.CLOSED:
        return PostingClosed
    if before is None or before.status is PostingStatus.CLOSED:
        return PostingPublished
    return PostingChanged


def _as_of(  # noqa: PLR0913 - one fact each
    terms: PostingTerms,
    posting_id: str,
    employer_id: str,
    source: PostingSource,
    *,
    before: Posting | None,
    now: datetime,
    linker: str | None,
) -> Posting:
    """The first version, or the one after `before`. What was closed, and is over now, is closed as it was."""
    closing: dict[str, Any] = {}
    if is_over(terms, now):
        closing = {"status": PostingStatus.CLOSED, "close_reason": CloseReason.EXPIRED, "closed_at": before and now}
        if before is not None and before.status is PostingStatus.CLOSED:
            closing |= {name: getattr(before, name) for name in ("close_reason", "filled", "closed_at")}
    return Posting(
        **_facts(terms),
        **({"status": PostingStatus.OPEN} | closing),
        id=posting_id,
        version=before.version + 1 if before else 1,
        employer_id=employer_id,
        source=source,
        published_at=before.published_at if before else now,
        changed_at=now,
        linker=linker,
        merged_into=before.merged_into if before else None,
    )


def _facts(terms: PostingTerms) -> dict[str, Any]:
    """The terms alone, of something that may have more, by field."""
    return {name: getattr(terms, name) for name in _TERMS}


def _redacted(texts: Texts) -> Texts:
    return {language: tidy(text) for language, text in texts.items()}


def _labelled(code: Code) -> Code:
    """The code with labels that people may read."""
    labels = code.label and _redacted(code.label)
    return code if labels == code.label else code.model_copy(update={"label": labels})


def _once(codes: Iterable[Code]) -> tuple[Code, ...]:
    named: dict[str, Code] = {}
    for code in codes:
        if code.key not in named:
            named[code.key] = _labelled(code)
    return tuple(named.values())
