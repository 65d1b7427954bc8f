"""What the service would answer to a record, found offline by the service's own code.

`shared.contracts.envelope.decode`, `domain.forms.read` and `domain.intake.decide` are what the intake calls.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from pydantic_core import from_json

from services.postings.domain.faults import Faults, undecoded
from services.postings.domain.forms import FORMS, Form, form_of, is_structured, named_in, read
from services.postings.domain.intake import decide
from services.postings.domain.submission import Removal
from shared.contracts.common import Contract
from shared.contracts.envelope import STRUCTURED, decode
from shared.contracts.partners import Fault
from shared.contracts.postings import PostingStatus
from shared.contracts.registry import PARTNER_POSTINGS, channel
from shared.errors import Rejected

PARTNER: Final = "kit"
"""Nobody's: what is decided here stays here."""
_CHANNEL: Final = channel(PARTNER_POSTINGS.format(partner=PARTNER))


@dataclass(frozen=True, slots=True)
class Verdict:
    """What would become of one record."""

    form: str
    posting: str | None
    outcome: str
    """`accepted`, `closed at once` (its time has passed), `removal`, or `rejected`."""
    faults: Faults = ()
    notes: Faults = ()
    unmapped: tuple[str, ...] = ()


@dataclass(slots=True)
class Summary:
    """What became of a file's records, in counts."""

    records: int = 0
    forms: Counter[str] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    notes: Counter[str] = field(default_factory=Counter)
    unmapped: Counter[str] = field(default_factory=Counter)
    example: dict[str, Fault] = field(default_factory=dict)
    """One fault for each code, for its words."""

    def add(self, verdict: Verdict) -> None:
        """Count one record."""
        self.records += 1
        self.forms[verdict.form] += 1
        self.outcomes[verdict.outcome] += 1
        self.faults.update(fault.code for fault in verdict.faults)
        self.notes.update(note.code for note in verdict.notes)
        self.unmapped.update(verdict.unmapped)
        for fault in (*verdict.faults, *verdict.notes):
            self.example.setdefault(fault.code, fault)


def form_named(name: str) -> Form:
    """The form that the command line names. Raises KeyError."""
    return {form.name: form for form in FORMS}[name]


def check(value: bytes | None, form: Form | None, now: datetime) -> Verdict:
    """One record, in this form or in the one that it seems to have. A structured CloudEvent names its own."""
    if value is None:
        wrong = Rejected("this record is too large", code="record_too_large")
        return Verdict(form.name if form else "?", None, "rejected", (undecoded(wrong),))
    headers, seems = _headers(value, form)
    try:
        decoded = decode(_CHANNEL, headers, value)
    except Rejected as reason:
        return Verdict(seems, named_in(value, None), "rejected", (undecoded(reason),))
    if not isinstance(decoded.model, Contract) or decoded.data is None:
        message = "a partner's topic has no tombstones"
        raise TypeError(message)
    reading = read(decoded.model, decoded.data)
    seems = next(one.name for one in FORMS if type(decoded.model) in one.events)
    content = reading.content
    if isinstance(content, tuple):
        return Verdict(seems, reading.posting, "rejected", content)
    posting = decide(PARTNER, content, None, None, now).posting
    if isinstance(content, Removal):
        return Verdict(seems, reading.posting, "removal")
    closed = posting is not None and posting.status is PostingStatus.CLOSED
    outcome = "closed at once" if closed else "accepted"
    return Verdict(seems, reading.posting, outcome, notes=content.notes, unmapped=content.unmapped)


def _headers(value: bytes, form: Form | None) -> tuple[list[tuple[str, bytes | None]], str]:
    """Headers as the record would be sent with, and the form's name."""
    try:
        body: object = from_json(value)
    except ValueError:
        body = None
    if is_structured(body):
        return [("content-type", STRUCTURED.encode())], form.name if form else "?"
    form = form or form_of(body)
    event = form.event_of(body) if isinstance(body, dict) else form.events[0].__name__
    return [("ce_type", event.encode())], form.name
