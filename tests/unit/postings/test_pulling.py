"""How a feed is cut into records, and how far one has come."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from services.postings.domain import pulling
from services.postings.domain.feeds import FeedCutter, NoFeedError
from services.postings.domain.pull_faults import code_of, trouble
from services.postings.domain.pulling import Pull, Seen

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
PULL = Pull(url="https://feeds.example/stream?region=x&date=old", overlap_s=600)
NEVER = pulling.begun(PULL, NOW)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(), lambda one: st.lists(one) | st.dictionaries(st.text(), one)
)
RECORDS = st.lists(st.dictionaries(st.text(), JSON) | st.lists(JSON), max_size=5)


def cut(text: bytes, content_type: str, size: int = 7, most: int = 10_000) -> list[bytes | None]:
    cutter = FeedCutter(most, content_type)
    found = [one for at in range(0, len(text), size) for one in cutter.cut(text[at : at + size])]
    return found + list(cutter.rest())


@given(RECORDS, st.integers(1, 9), st.sampled_from([None, 2]), st.sampled_from(["ascii", "utf-8"]))
def test_an_array_comes_apart_into_its_elements_wherever_it_is_cut(
    records: list[object], size: int, indent: int | None, encoding: str
) -> None:
    text = b"\xef\xbb\xbf \n" + json.dumps(records, indent=indent, ensure_ascii=encoding == "ascii").encode(
        "utf-8", "replace"
    )
    found = cut(text, "application/json", size, most=len(text))  # whatever is drawn, none is too large
    expected = json.loads(text.lstrip(b"\xef\xbb\xbf \n"))
    assert [json.loads(one or b"") for one in found] == expected


def test_lines_come_one_by_one_and_the_large_ones_as_such() -> None:
    assert cut(b'{"id":"1"}\n\n{"id":"2"}', "application/jsonl") == [b'{"id":"1"}\n', b'{"id":"2"}']
    large = b"x" * 50
    assert cut(b'[{"a":"' + large + b'"},{"b":1}]', "application/json", most=20) == [None, b'{"b":1}']
    assert cut(b'{"a":"' + large + b'"}\n{"b":1}\n', "application/jsonl; charset=utf-8", most=20) == [
        None,
        b'{"b":1}\n',
    ]


@pytest.mark.parametrize("text", [b'{"error": "no"}', b"<html>", b"null", b"ok"])
def test_what_is_no_feed_is_said_to_be_none(text: bytes) -> None:
    with pytest.raises(NoFeedError):
        cut(text, "application/json")


@pytest.mark.parametrize("text", [b"[", b'[{"id":"1"}', b'[{"id":"1"},', b'[{"id":"]'])
def test_an_array_without_an_end_broke_off(text: bytes) -> None:
    with pytest.raises(EOFError):
        cut(text, "application/json")


def _fetched(state: pulling.PullState, *records: tuple[bytes, datetime | None]) -> tuple[pulling.PullState, list[bool]]:
    seen = Seen(state, NOW, PULL.overlap_s)
    known = [seen.is_known(digest * 8, time) for digest, time in records]
    cursor = max(state.cursor, seen.newest or state.cursor)
    return state.model_copy(update={"cursor": cursor, "newest": seen.newest, "known": seen.known()}), known


def test_a_fetch_asks_from_the_overlap_before_the_newest_record_and_leaves_out_what_it_has() -> None:
    assert pulling.address(PULL, NEVER) == "https://feeds.example/stream?region=x&date=2026-06-01T12%3A00%3A00"
    newest = NOW - timedelta(hours=1)
    late = newest - timedelta(minutes=5)
    state, known = _fetched(NEVER, (b"a", newest), (b"b", late), (b"c", newest - timedelta(days=1)), (b"d", None))
    assert known == [False] * 4
    assert pulling.address(PULL, state).endswith("date=2026-11-28T10%3A50%3A00")
    assert state.known == b"b" * 8 + b"a" * 8, "what the next fetch cannot show is forgotten"
    again, known = _fetched(state, (b"a", newest), (b"e", late), (b"d", None))
    assert known == [True, False, False], "one that came late is new, one without a time may be"
    assert again.cursor == newest


def test_a_record_from_the_future_hides_nothing_of_the_present() -> None:
    state, _ = _fetched(NEVER, (b"a", NOW + timedelta(days=400)))
    assert state.cursor == NOW


def test_in_the_hour_that_comes_twice_nothing_is_missed() -> None:
    pull = PULL.model_copy(update={"zone": "Europe/Stockholm", "overlap_s": 0})
    first = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)  # 02:30, for the first time
    asked = [
        pulling.address(pull, NEVER.model_copy(update={"cursor": one, "newest": one})).rpartition("T")[2]
        for one in (first, first + timedelta(hours=1), first + timedelta(hours=3))
    ]
    assert asked == ["01%3A30%3A00", "02%3A30%3A00", "04%3A30%3A00"]


@pytest.mark.parametrize(
    ("record", "at"),
    [
        ({"id": "1", "headline": "x", "timestamp": 1764331200000}, datetime(2025, 11, 28, 12, tzinfo=UTC)),
        ({"id": "1", "removed": True, "removed_date": "2026-07-01T12:00:00"}, datetime(2026, 7, 1, 10, tzinfo=UTC)),
        ({"id": "1", "changed_at": "2026-07-01T12:00:00+08:00"}, datetime(2026, 7, 1, 4, tzinfo=UTC)),
        ({"@type": "JobPosting", "dateModified": "2026-07-01"}, datetime(2026, 7, 1, tzinfo=UTC)),
        ({"id": "1", "headline": "x", "timestamp": 10**30}, None),
        ({"id": "1", "changed_at": "yesterday"}, None),
        ({"id": "1", "changed_at": "0001-01-01T00:00:00+08:00"}, None),
        ({"id": "1", "changed_at": "9999-12-31T23:59:59-08:00"}, None),
        (
            {"specversion": "1.0", "data": {"id": "1", "changed_at": "2026-07-01T00:00:00Z"}},
            datetime(2026, 7, 1, tzinfo=UTC),
        ),
        ({"specversion": "1.0", "data": 7}, None),
        ({"id": "1", "removed": True, "removed_date": "0001-01-01T00:00:00"}, None),
        ({"id": "1", "removed": True, "timestamp": float("inf")}, None),
        ([], None),
    ],
)
def test_a_record_s_time_is_read_in_every_form(record: object, at: datetime | None) -> None:
    assert pulling.changed_at(record) == at


def test_conditions_hold_only_for_the_very_address_that_was_asked() -> None:
    state = NEVER.model_copy(update={"asked": "https://a/", "etag": '"7"', "modified": ""})
    assert pulling.conditions(state, "https://a/") == {"if-none-match": '"7"'}
    assert pulling.conditions(state, "https://b/") == {}


def test_failures_wait_longer_each_time_and_as_long_as_they_are_asked_to() -> None:
    state, waits = NEVER, []
    for _ in range(12):
        state = pulling.failed(state, trouble("server_error", NOW, 500), NOW, 1.0, stop=False, after_s=None)
        waits.append((state.next_at - NOW).total_seconds())
    assert waits[:4] == [30, 60, 120, 240]
    assert waits[-1] == 3600
    assert state.cursor == NEVER.cursor
    asked = pulling.failed(state, trouble("throttled", NOW, 429), NOW, 0.0, stop=False, after_s=7200.0)
    assert (asked.next_at - NOW).total_seconds() == 7200
    later = pulling.succeeded(state, PULL, NOW, 0.5)
    assert (later.failures, later.trouble, later.next_at - NOW) == (0, None, timedelta(seconds=300))


def test_retry_after_is_seconds_or_a_date() -> None:
    assert pulling.retry_after({"retry-after": "90"}, NOW) == 90
    assert pulling.retry_after({"retry-after": "Sat, 28 Nov 2026 12:01:00 GMT"}, NOW) == 60
    for text in ("soon", "", "-1", "Sat, 28 Nov 99999 12:01:00 GMT", "Sat, 28 Nov 2026 12:01:00 +99999999"):
        assert pulling.retry_after({"retry-after": text}, NOW) is None, text
    assert pulling.retry_after({}, NOW) is None


@pytest.mark.parametrize("status", [204, 400, 401, 403, 404, 410, 418, 429, 500, 503])
def test_every_status_has_its_words(status: int) -> None:
    reason = trouble(code_of(status), NOW, status).reason
    assert all("{" not in text for text in reason.values())
    assert reason.keys() == {"zh", "en"}


def test_a_zone_that_nobody_knows_is_refused() -> None:
    with pytest.raises(ValidationError, match="Nowhere"):
        Pull(url="https://a/", zone="Mars/Nowhere")
