"""A posting's versions and the events they make."""

from __future__ import annotations

import pytest

from services.postings.domain.faults import undecoded
from services.postings.domain.posting import (
    MAX_BYTES,
    cleaned,
    close,
    is_too_large,
    publish,
    reopen,
    revise,
    step,
)
from services.postings.domain.submission import Submission, read_submitted
from shared.contracts.common import Code
from shared.contracts.partners import PartnerPostingSubmitted
from shared.contracts.postings import CloseReason, PostingSource
from shared.errors import Rejected
from tests.unit.postings.examples import BEFORE, LATER, NOW, posting, terms


def test_same_terms_are_no_new_version() -> None:
    before = posting()
    assert revise(before, terms(), NOW) is before


def test_other_terms_are_the_next_version() -> None:
    before = posting()
    after = revise(before, terms("Lead welder"), NOW)
    assert (after.version, after.title, after.published_at, after.changed_at) == (
        4,
        {"en": "Lead welder"},
        BEFORE,
        NOW,
    )
    assert step(before, after).__name__ == "PostingChanged"


def test_events_name_what_happened() -> None:
    new = publish(terms(), posting_id="p", employer_id="e", source=PostingSource(), now=NOW)
    closed = close(new, CloseReason.FILLED, NOW)
    again = reopen(closed, NOW)
    steps = [(None, new), (new, closed), (closed, again)]
    names = [step(before, after).__name__ for before, after in steps]
    assert names == ["PostingPublished", "PostingClosed", "PostingPublished"]
    assert [after.version for _, after in steps] == [1, 2, 3]
    assert (closed.close_reason, again.close_reason) == (CloseReason.FILLED, None)


def test_closing_twice_keeps_the_first_reason() -> None:
    closed = close(posting(), CloseReason.FILLED, NOW)
    assert close(closed, CloseReason.EXPIRED, LATER) is closed


def test_what_is_over_does_not_open_again() -> None:
    closed = close(posting(valid_through=BEFORE), CloseReason.EXPIRED, NOW)
    assert reopen(closed, NOW) is closed


def test_expires_at_the_moment_itself() -> None:
    assert publish(
        terms(valid_through=NOW), posting_id="p", employer_id="e", source=PostingSource(), now=NOW
    ).status == ("closed")


def test_texts_lose_contacts_and_skills_are_named_once() -> None:
    skill, other = Code(scheme="esco", code="1"), Code(scheme="esco", code="2")
    clean = cleaned(
        terms(
            "Welder, 138 0013 8000",
            description={"en": "Write to li.lei@example.com"},
            required_skills=[skill, other, skill],
            preferred_skills=[other, Code(scheme="onet-soc", code="1")],
        )
    )
    assert clean.title == {"en": "Welder, …"}
    assert clean.description == {"en": "Write to …"}
    assert [code.key for code in clean.required_skills] == ["esco:1", "esco:2"]
    assert [code.key for code in clean.preferred_skills] == ["onet-soc:1"]


def test_a_posting_must_fit_into_a_record() -> None:
    text = "焊" * 20_000
    assert is_too_large(terms(title=text, description=dict.fromkeys(("aa", "bb", "cc", "dd"), text))) is False
    many = dict.fromkeys((f"{a}{b}" for a in "ab" for b in "abcd"), text)
    labels = [{"scheme": "esco", "code": str(n), "label": many} for n in range(3)]
    assert is_too_large(terms(required_skills=labels)) is True
    assert MAX_BYTES < 2**20


@pytest.mark.parametrize(
    ("field", "value", "pointer", "code"),
    [("title", {"zh": " "}, "/title/zh", "blank")],
)
def test_rules_that_the_schema_does_not_have(field: str, value: object, pointer: str, code: str) -> None:
    record = PartnerPostingSubmitted.model_validate({"id": "A1", "title": {"zh": "焊工"}, field: value})
    content = read_submitted(record)
    assert not isinstance(content, Submission)
    assert [(fault.pointer, fault.code) for fault in content] == [(pointer, code)]
    assert set(content[0].reason) == {"zh", "en"}


@pytest.mark.parametrize("code", ["null_body", "json_invalid", "string_too_long", "never_heard_of", "unknown_type"])
def test_every_rejection_is_told_in_both_languages(code: str) -> None:
    fault = undecoded(Rejected("what is wrong", code=code, pointer="/x"))
    assert (fault.code, fault.pointer) == (code, "/x")
    assert fault.reason["en"].startswith("what is wrong: ")
    assert any("\u4e00" <= letter <= "\u9fff" for letter in fault.reason["zh"])
    assert "{" not in fault.reason["zh"]
