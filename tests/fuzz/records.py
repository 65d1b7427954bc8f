"""Records as no partner should send them, and what must hold whatever they send."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import bson
from hypothesis import strategies as st

from services.postings.domain.faults import undecoded
from services.postings.domain.forms import FORMS, Form, read
from services.postings.domain.intake import Decision, decide
from services.postings.domain.mapping import MAX_NAMES, MAX_REST_BYTES
from services.postings.domain.submission import Submission
from services.postings.usecases.context import posting_row
from shared.contracts.common import Contract
from shared.contracts.envelope import decode
from shared.contracts.partners import Fault, Outcome, PostingReceipt
from shared.contracts.postings import Posting
from shared.contracts.registry import channel
from shared.errors import Rejected

NOW = datetime(2026, 11, 24, 8, tzinfo=UTC)
PARTNER = channel("partner.fuzz.postings.v1")
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
Headers = list[tuple[str, bytes | None]]

LEAST: dict[str, dict[str, Any]] = {
    "own": {"id": "1", "title": {"en": "Welder"}},
    "jobtech": {"id": "1", "headline": "Svetsare"},
    "schema.org": {"@context": "https://schema.org", "@type": "JobPosting", "identifier": "1", "title": "Welder"},
}
"""The least record of each form that is taken."""

NASTY: tuple[Any, ...] = (
    None, True, 0, -1, 1, 12, 10**7, 10**9, 2**63, 10**30, -0.0, 0.5, 1e308, float("inf"), float("nan"),
    "", " ", "0", "-5", "1e999999", "NaN", "Infinity", "45,000.50", "9" * 50,
    "0000-00-00", "0000-01-01T00:00:00Z", "0001-01-01", "1999-12-31T23:59:59-12:00", "2000-01-01T00:00:00+14:00",
    "2026-06-30", "2026-06-30T23:59:59", "2026-06-30T23:59:59+08:00", "2100-12-31T23:59:59-12:00", "9999-12-31",
    "9999-12-31T23:59:59Z", "99999-01-01", "2026-W01-1", "20260630", "24:00", "2026-02-30",
    "CNY", "RMB", "usd", "US$", "HOUR", "year", "MON", "fortnight",
    "US", "United States", "NY", "US-NY", "CN", "中国", "重庆市", "CN-SD", "Atlantis", "San Francisco, CA",
    "FULL_TIME", "PART_TIME", "INTERN", "TELECOMMUTE", "bachelor degree", "本科", "15-1252.00 Developers", "2512",
    "http://data.europa.eu/esco/skill/00030d09-2b3a-4efd-87cc-c4ea39d27c34",
    "http://data.europa.eu/esco/isco/C2512", "javascript:alert(1)", "https://example.org/1",
    "<p>Hello<br>you</p>", "&lt;script&gt;alert(1)&lt;/script&gt;", "<script>alert(1)</script>", "a < b & c > d",
    "<img src=x onerror=alert(1)>", "<" * 300, "&amp;" * 100, "x\x00y\x1bz", "\u202egnp.exe", "焊工 070-123 45 67",
    "anna@example.org", "1" * 5000, "é" * 2100, "🙂",
)  # fmt: skip
"""Values at the edges of some rule, whichever field they stand in."""

NAMES = (
    "id", "name", "value", "minValue", "maxValue", "unitText", "unitCode", "currency", "@id", "@type", "@value",
    "@set", "codeValue", "inCodeSet", "credentialCategory", "monthsOfExperience", "address", "addressCountry",
    "addressRegion", "addressLocality", "termCode", "scheme", "code", "label", "en", "zh", "min", "max", "concept_id",
    "email", "version", "revision", "x" * 90, "a/b~c", "schema:title", "",
)  # fmt: skip
"""Fields that stand within others, and some that stand nowhere."""

scalars = st.sampled_from(NASTY) | st.text(max_size=30) | st.integers() | st.floats()
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=4),
    max_leaves=8,
)


amounts = st.sampled_from([0, -1, 15, "20.50", 5000, 4e9, float("nan"), "much", None])
salaries = st.fixed_dictionaries(
    {"currency": st.sampled_from(["CNY", "RMB", "USD", "usd", "$", "", None])},
    optional={
        "value": amounts
        | st.fixed_dictionaries(
            {"unitText": st.sampled_from(["HOUR", "day", "WEEK", "MONTH", "YEAR", "ANN", "", None])},
            optional={"value": amounts, "minValue": amounts, "maxValue": amounts, "currency": st.just("EUR")},
        ),
        "minValue": amounts,
        "unitText": st.just("MONTH"),
    },
)
"""`MonetaryAmount`s, right and wrong."""


def shaped(at: Any) -> st.SearchStrategy[Any]:  # noqa: ANN401 - a table's branch or leaf
    """A value for a place in a form's table: of its shape, in a list, or anything at all."""
    if not isinstance(at, dict):
        return values
    inner = st.dictionaries(st.sampled_from(sorted(at)), values, max_size=4)
    return inner | st.lists(inner, max_size=2) | values


@st.composite
def records(draw: st.DrawFn, form: Form) -> Any:  # noqa: ANN401 - JSON
    """A record of a form: mostly one that is taken, with some fields as they should not be."""
    record = dict(LEAST[form.name]) if draw(st.integers(0, 9)) else {}
    for name in draw(st.lists(st.sampled_from(sorted(form.fields)), max_size=6, unique=True)):
        fitting = salaries | st.lists(salaries, max_size=3) if name == "baseSalary" else shaped(form.fields[name])
        record[name] = draw(fitting)
    if draw(st.booleans()):
        record |= draw(st.dictionaries(st.sampled_from(NAMES) | st.text(max_size=10), values, max_size=3))
    if form.name == "schema.org" and not draw(st.integers(0, 4)):
        return {"@graph": [record, *draw(st.lists(values, max_size=2))]}
    return record


def headers(form: Form) -> Iterator[Headers]:
    """Every way in which a record of a form may be announced."""
    for event in form.events:
        yield [("ce_type", event.__name__.encode())]
    if form.name == "schema.org":
        yield [("content-type", b"application/ld+json")]


def body(record: Any) -> bytes:  # noqa: ANN401 - JSON
    """The record as JSON, with what JSON has not (NaN) as some write it."""
    return json.dumps(record, ensure_ascii=False).encode(errors="surrogatepass")


def judge(announced: Headers, value: bytes) -> str:
    """Take a record as the intake does, and assert what must hold. Gives back what became of it."""
    try:
        decoded = decode(PARTNER, announced, value)
    except Rejected as reason:
        _explained(undecoded(reason))
        return "undecoded"
    assert isinstance(decoded.model, Contract)
    assert decoded.data is not None
    reading = read(decoded.model, decoded.data)
    content = reading.content
    if isinstance(content, tuple):
        assert content
        for fault in content:
            _explained(fault)
        _receipt(reading.posting, Outcome.REJECTED, faults=content)
        return "rejected"
    assert reading.posting == content.id
    decision = decide("fuzz", content, None, None, NOW)
    if isinstance(content, Submission):
        _taken(decision, content)
        again = decide("fuzz", content, decision.order, decision.posting, NOW)
        assert again.outcome is Outcome.UNCHANGED, "the same record again changes nothing"
    return type(content).__name__


def _taken(decision: Decision, content: Submission) -> None:
    posting = decision.posting
    assert posting is not None
    wire = posting.model_dump_json()
    assert Posting.model_validate_json(wire) == posting, "consumers read what was published"
    assert len(wire) < 1_000_000
    posting_row(None, posting)
    bson.encode({"body": posting.model_dump(mode="json"), "rest": content.rest, "order": [2, decision.order.value]})
    for text in (*posting.title.values(), *posting.description.values()):
        assert not CONTROL.search(text)
        assert "<script" not in text
        assert "onerror=" not in text or "<img" not in text
    assert posting.source.url is None or posting.source.url.lower().startswith("http")
    assert len(content.rest or "") <= MAX_REST_BYTES
    assert len(content.unmapped) <= MAX_NAMES
    for note in content.notes:
        _explained(note)
    _receipt(content.id, decision.outcome, notes=content.notes, unmapped=content.unmapped)


def _explained(fault: Fault) -> None:
    assert fault.code
    assert fault.reason["zh"]
    assert re.search(r"[\u4e00-\u9fff]", fault.reason["zh"])
    assert fault.reason["en"]
    assert not fault.pointer or fault.pointer.startswith("/")


def _receipt(posting: str | None, outcome: Outcome, **more: Any) -> None:  # noqa: ANN401 - fields
    receipt = PostingReceipt(
        id="partner.fuzz.postings.v1/0/1",
        partner_posting_id=posting,
        outcome=outcome,
        received_at=NOW,
        **more,
    )
    bson.encode(receipt.model_dump(mode="json"))
    assert PostingReceipt.model_validate_json(receipt.model_dump_json()) == receipt


def form_named(name: str) -> Form:
    """One of the forms."""
    return next(form for form in FORMS if form.name == name)
