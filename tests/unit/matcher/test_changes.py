"""Records as the index takes them in: what it cannot read changes nothing, and harms no neighbour."""

from types import SimpleNamespace
from typing import Any

import pytest

from services.matcher.domain.bodies import PostingBody
from services.matcher.handlers.changes import changes
from shared.contracts.envelope import FILLER_HEADER, TRACEPARENT, VERSION_HEADER, dataschema
from shared.contracts.postings import Posting
from shared.contracts.recommendations import AnchorKind
from shared.contracts.registry import POSTINGS
from tests.unit.matcher.examples import posting

PLAIN = {"ce_type": b"PostingChanged", "ce_dataschema": dataschema(POSTINGS, "PostingChanged").encode()}
BODY = posting(version=3).model_dump_json().encode()


def raw(value: bytes | None = BODY, key: bytes | None = b"p", headers: dict[str, bytes] = PLAIN) -> Any:  # noqa: ANN401
    """Something like aiokafka's record."""
    named = {"topic": POSTINGS, "partition": 2, "offset": 7, "timestamp": 1_764_000_000_000}
    return SimpleNamespace(key=key, value=value, headers=tuple(headers.items()), **named)


def test_a_posting_is_read_as_far_as_it_is_matched_on():
    (change,) = changes([raw(headers=PLAIN | {TRACEPARENT: b"00-aa-bb-01"})])
    assert (change.kind, change.key, change.partition, change.version) == (AnchorKind.POSTING, "p", 2, 3)
    assert change.traceparent == "00-aa-bb-01"
    assert isinstance(change.body, PostingBody)


def test_what_is_not_plain_is_read_by_the_contract():
    (change,) = changes([raw(headers={"ce_type": b"PostingChanged"})])
    assert change.body is not None
    assert isinstance(change.body, Posting)
    (gone,) = changes([raw(None, headers={VERSION_HEADER: b"9"})])
    assert (gone.body, gone.version) == (None, 9)


@pytest.mark.parametrize(
    "bad",
    [
        raw(b"{"),
        raw(b"\xff"),
        raw(b"[]"),
        raw(b'{"a":' * 100_000),
        raw(b"[" * 1_000_000),
        raw(BODY.replace(b'"version":3', b'"version":3e99')),
        raw(BODY.replace(b'"version":3', b'"version":' + b"9" * 5000)),
        raw(BODY.replace(b'"status":"open"', b'"status":"ajar"')),
        raw(key=b"\xff"),
        raw(key=b"another"),
        raw(key=None),
        raw(None),
        raw(None, headers={FILLER_HEADER: b"1"}),
        raw(headers={}),
        raw(headers=PLAIN | {"ce_type": b"PostingSung"}),
        raw(headers=PLAIN | {"ce_dataschema": b"another"}),
        raw(headers={"ce_type": b"\xff"}),
    ],
)
def test_what_cannot_be_read_changes_nothing(bad: Any):  # noqa: ANN401 - a record
    assert [change.key for change in changes([raw(), bad, raw()])] == ["p", "p"]
