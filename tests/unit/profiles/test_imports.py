"""An import: each line is judged by itself."""

from __future__ import annotations

from services.profiles.domain import imports

GOOD = b'{"consent": {"matching": true}, "remote": true}'


def test_lines_keep_their_numbers_and_blank_ones_do_not_count() -> None:
    assert imports.lines_of(b"a\r\n\n  \nb\n") == [(1, b"a\r"), (4, b"b")]
    assert imports.lines_of(b"") == []


def test_a_bad_line_has_its_faults_and_the_others_are_read() -> None:
    wrong = b'{"consent": {"matching": true}, "skills": [{"scheme": "esco", "code": "x", "level": 9}]}'
    lines = imports.read([(1, GOOD), (2, wrong), (3, b"{"), (4, b"\xff\xfe"), (5, b"[]"), (6, GOOD + b"\r")])
    assert [line.submission is not None for line in lines] == [True, False, False, False, False, True]
    level, broken = lines[1].faults[0], lines[2].faults[0]
    assert (level.pointer, level.reason["zh"]) == ("/skills/0/level", "应不大于 5")
    assert (broken.pointer, broken.code) == ("", "json_invalid")


def test_results_say_what_became_of_each_line() -> None:
    good, bad = imports.read([(1, GOOD), (2, b"{}")])
    assert imports.result(good, "s-1").model_dump(exclude_defaults=True) == {
        "line": 1,
        "outcome": "registered",
        "id": "s-1",
    }
    rejected = imports.result(bad, None)
    assert (rejected.outcome, rejected.faults[0].pointer) == ("rejected", "/consent")
