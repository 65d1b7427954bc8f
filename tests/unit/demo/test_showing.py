"""Percentiles, traces, and texts in both languages."""

import json
from pathlib import Path

from deploy.demo.latency import percentile
from deploy.demo.lists import Arrivals
from deploy.demo.report import both
from deploy.demo.traces import Sender, steps


def test_percentiles_are_values_that_occurred():
    values = [float(value) for value in range(1, 101)]
    assert percentile(values, 50) == 50
    assert percentile(values, 99) == 99
    assert percentile([7.0], 99) == 7


def test_a_list_for_a_later_version_answers_an_earlier_one():
    arrivals = Arrivals({"posting:p1": [(1, 10.0), (3, 11.0)]})
    assert arrivals.when("posting:p1", 2) == 11.0
    assert arrivals.when("posting:p1", 4) is None
    assert arrivals.when("posting:p2", 1) is None


def test_texts_are_shown_in_zh_and_en_or_as_they_are():
    assert both({"en": "Welder", "zh": "焊工"}) == "焊工 / Welder"
    assert both({"sv": "Svetsare"}) == "Svetsare"
    assert both({"zh": "SQL", "en": "SQL"}) == "SQL"
    assert both(None) == "–"  # noqa: RUF001 - what is shown for nothing


def test_a_sender_s_trace_is_recorded():
    sender = Sender.new()
    version, trace_id, span_id, flags = sender.traceparent.split("-")
    assert (version, flags) == ("00", "01")
    assert (len(trace_id), len(span_id)) == (32, 16)
    assert Sender.new() != sender


def test_steps_stand_below_their_parents_in_the_order_of_time(tmp_path: Path):
    def span(service: str, span_id: str, parent: str, start_ms: int, trace: str = "t1") -> str:
        row = {
            "trace_id": trace,
            "span_id": span_id,
            "parent_id": parent,
            "service": service,
            "name": f"{service} work",
            "start_ns": start_ms * 1_000_000,
            "end_ns": (start_ms + 5) * 1_000_000,
        }
        return json.dumps(row) + "\n"

    notifications = span("notifications", "c", "b", 130)
    matcher = span("matcher", "b", "a", 120) + span("matcher", "x", "a", 1, trace="t2")
    (tmp_path / "notifications-1.jsonl").write_text(notifications + '{"trace_id": "t1", "half')
    (tmp_path / "matcher-2.jsonl").write_text(matcher)
    (tmp_path / "postings-3.jsonl").write_text(span("postings", "a", "sender", 110))
    found = steps(tmp_path, "t1", sent_ns=100_000_000)
    assert [(step.service, step.depth, step.start_ms, step.took_ms) for step in found] == [
        ("postings", 0, 10.0, 5.0),
        ("matcher", 1, 20.0, 5.0),
        ("notifications", 2, 30.0, 5.0),
    ]
