"""Headers and bodies to events and back; whatever is none is rejected, and never anything worse."""

import json
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis.strategies import binary, dictionaries, lists, none, recursive, sampled_from, text, tuples

from shared.contracts.common import Contract
from shared.contracts.envelope import (
    STRUCTURED,
    TOMBSTONE,
    Decoded,
    decode,
    event_headers,
    pointer,
)
from shared.contracts.postings import PostingClosed
from shared.contracts.registry import channel
from shared.errors import Rejected

PARTNER = channel("partner.chongqing.postings.v1")
POSTINGS = channel("postings.v1")
Headers = list[tuple[str, bytes | None]]

SUBMITTED: Headers = [("ce_type", b"PartnerPostingSubmitted")]
BODY = b'{"id": "CQ-1", "title": {"zh": "\xe7\x84\x8a\xe5\xb7\xa5"}}'
CLOSED: dict[str, Any] = {
    "id": "p-1",
    "version": 3,
    "status": "closed",
    "close_reason": "filled",
    "employer_id": "e-1",
    "title": {"en": "Welder"},
    "published_at": "2026-11-23T08:00:00Z",
    "changed_at": "2026-11-23T08:00:00Z",
}


def raw(headers: dict[str, str]) -> Headers:
    return [(name, value.encode()) for name, value in headers.items()]


def test_an_event_of_ours_comes_back_as_it_was_written():
    headers = event_headers(
        source="urn:service:postings",
        event_type="PostingClosed",
        subject="p-1",
        topic_family="postings.v1",
        version=3,
        traceparent="00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    )
    decoded = decode(POSTINGS, raw(headers), json.dumps(CLOSED).encode())
    assert decoded == Decoded("PostingClosed", PostingClosed.model_validate(CLOSED), 3, headers)
    assert headers["ce_dataschema"] == "urn:contract:postings.v1:PostingClosed:1"


def test_a_null_body_on_a_state_topic_is_a_tombstone():
    headers = event_headers(
        source="urn:service:postings",
        event_type=TOMBSTONE,
        subject="p-1",
        topic_family="postings.v1",
        version=4,
    )
    decoded = decode(POSTINGS, raw(headers), None)
    assert (decoded.type, decoded.model, decoded.version) == (TOMBSTONE, None, 4)


def test_partners_need_to_name_no_more_than_the_type():
    decoded = decode(PARTNER, SUBMITTED, BODY)
    assert decoded.version == 0
    assert isinstance(decoded.model, Contract)
    assert decoded.model.model_dump()["title"] == {"zh": "焊工"}


@pytest.mark.parametrize(
    "extra", [("x-note", b"\xff"), ("x-note", None), ("ce_time", None), ("reply_to", b"postings.v1")]
)
def test_headers_that_nobody_needs_do_no_harm(extra: tuple[str, bytes | None]):
    assert decode(PARTNER, [extra, *SUBMITTED], BODY).type == "PartnerPostingSubmitted"


REJECTED: dict[str, tuple[Headers, bytes | None, str, str]] = {
    "no type": ([], BODY, "unknown_type", ""),
    "a null type": ([("ce_type", None)], BODY, "unknown_type", ""),
    "an unknown type": ([("ce_type", b"PostingExploded")], BODY, "unknown_type", ""),
    "another topic's type": ([("ce_type", b"PostingClosed")], BODY, "unknown_type", ""),
    "a type that is no text": ([("ce_type", b"\xff\xfe")], BODY, "invalid_header", ""),
    "a schema version to come": (
        [*SUBMITTED, ("ce_dataschema", b"urn:contract:partner.postings.v1:PartnerPostingSubmitted:2")],
        BODY,
        "unknown_schema_version",
        "",
    ),
    "another event's schema": (
        [*SUBMITTED, ("ce_dataschema", b"urn:contract:postings.v1:PostingClosed:1")],
        BODY,
        "unknown_schema_version",
        "",
    ),
    "a null body": (SUBMITTED, None, "null_body", ""),
    "an empty body": (SUBMITTED, b"", "json_invalid", ""),
    "half a body": (SUBMITTED, BODY[:-5], "json_invalid", ""),
    "a body that is no UTF-8": (SUBMITTED, b'{"id": "\xff"}', "json_invalid", ""),
    "a body that is no object": (SUBMITTED, b"[1]", "model_type", ""),
    "a missing field": (SUBMITTED, b'{"title": {"zh": "x"}}', "missing", "/id"),
    "a wrong field deep inside": (
        SUBMITTED,
        b'{"id": "1", "title": {"zh": "x"}, "regions": [{"scheme": "gbt2260", "code": 5}]}',
        "string_type",
        "/regions/0/code",
    ),
    "a structured event without data": (
        [("content-type", STRUCTURED.encode())],
        b'{"type": "PartnerPostingSubmitted"}',
        "missing",
        "/data",
    ),
    "a structured event that is no JSON": ([("content-type", STRUCTURED.encode())], b"{", "invalid_json", ""),
    "a structured event of an unknown type": (
        [("content-type", STRUCTURED.encode())],
        b'{"type": 7, "data": {}}',
        "unknown_type",
        "",
    ),
}


@pytest.mark.parametrize(("headers", "body", "code", "at"), REJECTED.values(), ids=REJECTED)
def test_what_is_no_event_is_rejected_with_the_reason(headers: Headers, body: bytes | None, code: str, at: str):
    with pytest.raises(Rejected) as rejected:
        decode(PARTNER, headers, body)
    assert (rejected.value.code, rejected.value.pointer) == (code, at)


@pytest.mark.parametrize("version", ["", "-1", "1.0", "²", "x", "9" * 5000])
def test_a_tombstone_needs_a_version_that_is_one(version: str):
    with pytest.raises(Rejected, match="missing_version"):
        decode(POSTINGS, [("ce_aggregateversion", version.encode())], None)


def test_structured_mode_is_read_too():
    event = {"specversion": "1.0", "type": "PartnerPostingSubmitted", "id": "1", "data": json.loads(BODY)}
    headers: Headers = [("content-type", b"Application/CloudEvents+JSON; charset=utf-8")]
    decoded = decode(PARTNER, headers, json.dumps(event).encode())
    assert decoded.type == "PartnerPostingSubmitted"
    assert decoded.headers["ce_id"] == "1"


def test_the_reason_repeats_nothing_of_the_body_and_stays_short():
    secret = "13800138000"
    for body in (
        {"id": 7, "title": {"zh": secret}, "pay": {"currency": secret}},
        {"id": "1", "title": {secret * 100_000: "x"}},
        {"id": "1", "title": {"zh": "x"}, "education": secret},
    ):
        with pytest.raises(Rejected) as rejected:
            decode(PARTNER, SUBMITTED, json.dumps(body).encode())
        assert len(str(rejected.value)) < 1000
        assert secret not in rejected.value.reason


@pytest.mark.parametrize("structured", [False, True])
def test_a_body_nested_to_any_depth_is_an_event_or_rejected(*, structured: bool):
    headers = [("content-type", STRUCTURED.encode())] if structured else SUBMITTED
    limit = sys.getrecursionlimit()
    for depth in (*range(1, limit, 97), *range(limit - 60, limit + 5), 100_000):
        nested = b"[" * depth + b"]" * depth
        body = b'{"type": "PartnerPostingSubmitted", "data": %b}' % nested
        with pytest.raises(Rejected):
            decode(PARTNER, headers, body if structured else nested)


JSON = recursive(
    none() | text() | sampled_from([0, 1, 2**70, -1.5, True]),
    lambda inner: lists(inner, max_size=3) | dictionaries(text(), inner, max_size=3),
    max_leaves=5,
)
NAMES = sampled_from(["ce_type", "content-type", "ce_dataschema", "ce_aggregateversion", "traceparent", "é"])
VALUES = none() | binary(max_size=9) | sampled_from([STRUCTURED.encode(), b"PartnerPostingSubmitted", b"PostingClosed"])


@given(headers=lists(tuples(NAMES, VALUES), max_size=4), body=none() | binary(max_size=40) | JSON)
def test_any_record_is_an_event_or_rejected(headers: Headers, body: Any):  # noqa: ANN401 - any JSON
    value = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
    for at in (PARTNER, POSTINGS):
        try:
            decoded = decode(at, headers, value)
        except Rejected:
            continue
        assert decoded.type in {*at.models, TOMBSTONE}


@pytest.mark.parametrize(
    ("location", "written"), [((), ""), (("a", 0, "b"), "/a/0/b"), (("a/b", "m~n", ""), "/a~1b/m~0n/")]
)
def test_pointers_are_those_of_rfc_6901(location: tuple[str | int, ...], written: str):
    assert pointer(location) == written
