"""Announcements replayed as of a day, and New York's jobs as a snapshot."""

from __future__ import annotations

import csv
import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from deploy.demo.feeds import feed_material
from deploy.demo.feeds.usajobs import WINDOW, changed
from deploy.demo.season import PartnerPosting
from services.profiles.domain.seekers import SeekerSubmission
from shared.contracts.partners import PartnerPostingRemoved, PartnerPostingSubmitted, PartnerSnapshotBegun

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
DAY = date(2024, 6, 15)


def announcement(number: int, opens: str, closes: str, **more: object) -> dict[str, object]:
    named = {"control_number": number, "position_title": "Electrician", "department": "Example Works"}
    return named | {"open_date": opens, "close_date": closes, "occupation_series": ["2805 - Electrician"]} | more


STREAM = [
    announcement(1, "2024-06-10", "2024-06-15"),  # still open on its last day
    announcement(2, "2024-06-02", "2024-06-12"),  # closed before
    announcement(3, "2024-05-01", "2024-05-20"),  # over before the replay begins
    announcement(4, "2024-06-16", "2024-07-01"),  # opens later
    announcement(5, "2024-04-01", "2024-06-14"),  # the day before
    announcement(6, "2024-06-13", "9999-12-31"),  # no end
]


def replay(tmp_path: Path, as_of: date | None = DAY, stream: list[dict[str, object]] | None = None) -> Any:  # noqa: ANN401
    path = tmp_path / "stream.jsonl"
    path.write_text("".join(json.dumps(one) + "\n" for one in stream or STREAM))
    return feed_material(path, 1, 3, NOW, as_of)


def test_what_opened_and_closed_until_the_day_comes_in_that_order(tmp_path: Path):
    material = replay(tmp_path)
    records: list[PartnerPosting] = list(material.postings)
    assert [(record.id, record.event_type == "PartnerPostingRemoved") for record in records] == [
        ("5", False),
        ("2", False),
        ("1", False),
        ("2", True),
        ("6", False),
        ("5", True),
    ]
    assert (material.size.postings, material.named, material.closed) == (6, 4, {"2", "5"})
    assert WINDOW.days == 14


def test_dates_are_moved_so_that_the_day_is_today(tmp_path: Path):
    made: dict[str, PartnerPostingSubmitted] = {}
    for record in replay(tmp_path).postings:
        if record.event_type == "PartnerPostingRemoved":
            gone = PartnerPostingRemoved.model_validate_json(record.body)
            assert gone.changed_at is not None
            opened = made[record.id].changed_at
            assert opened is not None
            assert opened < gone.changed_at < NOW
        else:
            made[record.id] = PartnerPostingSubmitted.model_validate_json(record.body)
    assert made["1"].valid_through is not None
    assert made["1"].valid_through > NOW
    assert made["1"].valid_through.date() == date(2026, 11, 23)
    assert made["2"].valid_through is made["6"].valid_through is None


def test_without_a_day_it_is_the_one_on_which_most_is_open(tmp_path: Path):
    stream = [announcement(n, "2024-03-01", "2024-03-10") for n in (7, 8, 9)] + STREAM[:1]
    material = replay(tmp_path, None, stream)
    assert "as of 2024-03-01" in " ".join(material.notes)
    assert len(list(material.postings)) == 3


def test_a_day_on_which_nothing_is_open_is_told(tmp_path: Path):
    with pytest.raises(ValueError, match="choose a day from 2024-03-01 to 2024-03-02"):
        replay(
            tmp_path, date(2023, 1, 1), [announcement(1, "2024-03-01", "2024-03-02"), announcement(2, "2024-03-02", "")]
        )


def test_seekers_of_a_replay_say_it_in_words(tmp_path: Path):
    lines = list(replay(tmp_path).seekers)
    assert len(lines) == 2 + 3
    for line in lines:
        seeker = SeekerSubmission.model_validate_json(line)
        assert seeker.words
        assert (seeker.occupations, seeker.skills) == ((), ())


def test_a_changed_announcement_is_newer(tmp_path: Path):
    first = next(record for record in replay(tmp_path).postings)
    before, after = (PartnerPostingSubmitted.model_validate_json(one.body) for one in (first, changed(first)))
    assert before.changed_at is not None
    assert after.changed_at is not None
    assert (after.changed_at > before.changed_at, after.openings) == (True, 2)


def test_new_york_s_jobs_are_a_snapshot_by_http(tmp_path: Path):
    path = tmp_path / "jobs.csv"
    columns = ["Job ID", "Posting Type", "Business Title", "Posting Date"]
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(columns)
        rows.writerow(["1", "Internal", "Welder", "2018-12-11T00:00:00.000"])
        rows.writerow(["1", "External", "Welder", "2018-12-01T00:00:00.000"])
        rows.writerow(["1", "Internal", "Welder", "2018-12-11T00:00:00.000"])
    material = feed_material(path, 1, 0, NOW)
    records = list(material.postings)
    assert material.by_http
    assert [record.id for record in records] == [
        "snapshot-begin",
        "1-Internal",
        "1-External",
        "1-Internal",
        "snapshot-end",
    ]
    assert PartnerSnapshotBegun.model_validate_json(records[0].body).count == 2
    assert (material.named, material.size.postings) == (2, 5)
    said = PartnerPostingSubmitted.model_validate_json(records[1].body).changed_at
    assert said is not None
    assert 0 <= (NOW - said).days < 2
