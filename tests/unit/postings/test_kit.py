"""The partner's kit: files in any shape, the service's own answers, converters, and the tables as a document."""

from __future__ import annotations

import gzip
import json
import os
import re
import subprocess
import sys
import tracemalloc
from collections import Counter
from datetime import UTC, datetime
from io import BufferedReader, BytesIO
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.postings.domain.submission import Submission
from services.postings.handlers import _decoded, _undecoded
from services.postings.partner import files
from services.postings.partner.__main__ import main
from services.postings.partner.checking import check, form_named
from services.postings.partner.converting import Remark
from services.postings.partner.files import MAX_RECORD, opened, records
from services.postings.partner.nyc import NYC
from services.postings.partner.tables import document
from services.postings.partner.usajobs import USAJOBS
from shared.consuming import Record, decode_all
from shared.contracts.partners import PartnerPostingSubmitted
from tests.fuzz.records import records as any_records

PROJECT = Path(__file__).parents[3]
DATA = PROJECT.parent / "shared" / "data"
NOW = datetime(2026, 11, 24, 8, tzinfo=UTC)
GOOD: dict[str, Any] = {"id": "A-1", "title": {"zh": "焊工"}}
BAD: dict[str, Any] = {"id": "A-2", "title": {"zh": "焊工"}, "pay": {"min": -5, "currency": "CNY"}}


def stream(content: bytes) -> BufferedReader:
    return BufferedReader(BytesIO(content))


def found(content: bytes) -> list[tuple[int, Any]]:
    return [(line.number, line.value and json.loads(line.value)) for line in records(stream(content))]


# ------------------------------------------------------------------------------------------------ files
def test_json_lines_with_blank_ones_and_a_broken_one():
    content = b'\xef\xbb\xbf\n{"id": 1}\n\n{"id": \n{"id": 3}'
    assert [(line.number, line.value) for line in records(stream(content))] == [
        (2, b'{"id": 1}\n'),
        (4, b'{"id": \n'),
        (5, b'{"id": 3}'),
    ]


def test_a_broken_first_line_does_not_hide_the_others():
    assert [line.number for line in records(stream(b'{"id": \n{"id": 2}\n{"id": 3}\n'))] == [1, 2, 3]


def test_one_object_over_several_lines():
    assert found(json.dumps(GOOD, indent=2).encode()) == [(1, GOOD)]
    assert found(b"\n\n" + json.dumps(GOOD, indent=2).encode()) == [(3, GOOD)]


def test_a_list():
    assert found(b'[{"id": 1},\n\n {"id": "],[\\"\\\\"},\n[2], 3\n]\n') == [
        (1, {"id": 1}),
        (3, {"id": '],["\\'}),
        (4, [2]),
        (4, 3),
    ]
    assert found(b"[]") == []
    assert found(b"") == []


def test_a_broken_element_does_not_end_the_list():
    lines = list(records(stream(b'[{"id": 1,,}, {"id": 2}]')))
    assert [line.value for line in lines] == [b'{"id": 1,,}', b' {"id": 2}']


@given(
    st.lists(
        st.recursive(st.none() | st.text() | st.integers(), lambda i: st.lists(i) | st.dictionaries(st.text(), i))
    ),
    st.integers(1, 7),
)
def test_any_list_comes_apart_as_it_was_put_together(items: list[Any], chunk: int):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(files, "_CHUNK", chunk)
        for indent in (None, 1):
            cut = [line.value for line in records(stream(json.dumps(items, indent=indent).encode()))]
            assert [json.loads(value or b"") for value in cut] == items


def test_what_is_too_large_is_named_and_the_rest_goes_on():
    large = b'{"id": "L", "x": "' + b"y" * MAX_RECORD + b'"}'
    assert [line.value is None for line in records(stream(b'{"id": 1}\n' + large + b'\n{"id": 3}\n'))] == [
        False, True, False,
    ]  # fmt: skip
    listed = list(records(stream(b'[{"id": 1}, ' + large + b', {"id": 3}]')))
    assert [line.value is None for line in listed] == [False, True, False]
    verdict = check(None, None, NOW)
    assert (verdict.outcome, verdict.faults[0].code) == ("rejected", "record_too_large")


@pytest.mark.parametrize("shape", ["lines", "list"])
def test_a_long_file_takes_no_more_memory(tmp_path: Path, shape: str):
    path = tmp_path / "long.gz"
    one = json.dumps(GOOD | {"description": {"zh": "长" * 2000}}, ensure_ascii=False).encode()
    with gzip.open(path, "wb", compresslevel=1) as file:
        if shape == "list":
            file.write(b"[" + b",".join([one] * 4000) + b"]")
        else:
            file.writelines([one + b"\n"] * 4000)
    tracemalloc.start()
    with opened(str(path)) as content:
        assert sum(1 for _ in records(content)) == 4000
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 3_000_000 < 4000 * len(one)


# --------------------------------------------------------------------------------------------- validate
def run(*arguments: str, content: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "services.postings.partner", *arguments],
        input=content,
        capture_output=True,
        check=False,
        cwd=PROJECT,
        env=os.environ | {"PYTHONIOENCODING": "utf-8"},
    )


def test_the_command_names_record_field_and_mend_and_counts():
    made = run("validate", "-", content=json.dumps(GOOD).encode() + b"\n" + json.dumps(BAD).encode() + b"\n{\n")
    said = made.stdout.decode()
    assert made.returncode == 1, made.stderr
    assert "第 2 行 / line 2  A-2  /pay/min  greater_than_equal\n    应不小于 0，请改正后重发\n" in said
    assert "Input should be greater than or equal to 0: mend it and send it again" in said
    assert "line 3  ?  /  json_invalid" in said
    assert "3 条记录 / records" in said
    assert "接收 / accepted: 1\n" in said
    assert "拒收 / rejected: 2\n" in said
    assert "rejected for greater_than_equal: 1" in said


def test_the_command_says_by_its_exit_code(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    good = tmp_path / "good.json.gz"
    good.write_bytes(
        gzip.compress(
            json.dumps([GOOD, {"id": "A-3", "valid_through": "2026-01-01T00:00:00Z", "title": {"en": "x"}}]).encode()
        )
    )
    assert main(["validate", str(good)]) == 0
    assert "已过期 / closed at once: 1" in capsys.readouterr().out
    assert main(["validate", str(tmp_path / "absent")]) == 2
    broken = tmp_path / "broken.gz"
    broken.write_bytes(gzip.compress(json.dumps(GOOD).encode())[:-9])
    assert main(["validate", str(broken)]) == 2
    with pytest.raises(SystemExit) as wrong:
        main(["validate", str(good), "--form", "hr-xml"])
    assert wrong.value.code == 2


def test_notes_and_unmapped_fields_are_counted_and_named_when_asked_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    path = tmp_path / "jobs.json"
    job = {"@type": "JobPosting", "identifier": "1", "title": "Welder", "jobLocation": "Atlantis", "rating": 5}
    path.write_text(json.dumps(job, indent=1))
    assert main(["validate", str(path)]) == 0
    said = capsys.readouterr().out
    assert "left out for unknown_place: 1" in said
    assert "unmapped rating: 1" in said
    assert "line 1 " not in said
    assert main(["validate", str(path), "--notes"]) == 0
    assert "line 1  1  /jobLocation  unknown_place" in capsys.readouterr().out


def test_a_form_can_be_named_and_a_structured_event_names_its_own():
    ad = json.dumps({"id": "1", "headline": "Svetsare"}).encode()
    assert check(ad, None, NOW).form == "jobtech"
    assert check(ad, form_named("own"), NOW).outcome == "rejected"
    event = {"specversion": "1.0", "id": "e", "source": "/x", "type": "PartnerPostingRemoved", "data": {"id": "1"}}
    verdict = check(json.dumps(event).encode(), None, NOW)
    assert (verdict.form, verdict.posting, verdict.outcome) == ("own", "1", "removal")


@given(data=st.data())
def test_the_answer_is_the_services(data: st.DataObject):
    form = data.draw(st.sampled_from([form_named(name) for name in ("own", "jobtech", "schema.org")]))
    record = data.draw(any_records(form))
    value = json.dumps(record).encode(errors="surrogatepass")
    verdict = check(value, form, NOW)
    event = form.event_of(record) if isinstance(record, dict) else form.events[0].__name__
    batch = decode_all([Record("partner.x.postings.v1", 0, 1, b"k", value, (("ce_type", event.encode()),), NOW)])
    taken = [*(_decoded(one, NOW) for one in batch.events), *(_undecoded(*one, NOW) for one in batch.undecodable)]
    (incoming,) = taken
    if isinstance(incoming.content, tuple):
        assert (verdict.outcome, verdict.faults) == ("rejected", incoming.content)
    else:
        assert verdict.posting == incoming.posting
        assert verdict.outcome != "rejected"
        if isinstance(incoming.content, Submission):
            assert (verdict.notes, verdict.unmapped) == (incoming.content.notes, incoming.content.unmapped)


# ------------------------------------------------------------------------------------------- converters
ANNOUNCEMENT: dict[str, Any] = {
    "control_number": 774711000,
    "year": 2024,
    "position_title": "Park Ranger",
    "department": "Department of Examples",
    "agency": "Other Agencies and Independent Organizations",
    "subagency": None,
    "appointment_type": "Summer",
    "occupation_series": ["0025 - Park Ranger", "0090 - Guide"],
    "hiring_paths": ["The public"],
    "open_date": "2024-02-05",
    "close_date": "2024-07-19",
    "usajobs_url": "https://www.usajobs.gov/job/774711000",
}


def made_of(announcement: dict[str, Any]) -> Any:  # noqa: ANN401 - JSON or a remark
    (made,) = USAJOBS.convert(stream(json.dumps(announcement).encode()))
    return made


def test_an_announcement_of_usajobs():
    posting = made_of(ANNOUNCEMENT)
    assert posting == {
        "id": "774711000",
        "title": {"en": "Park Ranger"},
        "changed_at": "2024-02-05T00:00:00-05:00",
        "valid_through": "2024-07-19T23:59:59-04:00",
        "employment_type": "seasonal",
        "employer_name": "Department of Examples",
        "description": {
            "en": "Department: Department of Examples\nOccupational series: 0025 Park Ranger; 0090 Guide\n"
            "Appointment: Summer\nOpen to: The public"
        },
        "url": "https://www.usajobs.gov/job/774711000",
    }
    PartnerPostingSubmitted.model_validate(posting)


@pytest.mark.parametrize(
    ("change", "column"),
    [
        ({"control_number": None}, "control_number"),
        ({"position_title": " "}, "position_title"),
        ({"close_date": "soon"}, "close_date"),
        ({"close_date": "1900-01-01"}, "close_date"),
        ({"open_date": "2024-13-01"}, "open_date"),
    ],
)
def test_an_announcement_that_is_none(change: dict[str, Any], column: str):
    remark = made_of(ANNOUNCEMENT | change)
    assert isinstance(remark, Remark)
    assert (remark.line, remark.column, remark.lost) == (1, column, True)


def test_an_announcement_without_end_or_of_unknown_kind():
    posting = made_of(
        ANNOUNCEMENT | {"close_date": "9999-12-31", "appointment_type": "Term", "occupation_series": ["?"]}
    )
    assert not posting.keys() & {"valid_through", "employment_type", "occupation"}


COLUMNS = (
    "Job ID,Agency,Posting Type,Business Title,Civil Service Title,Title Code No,Level,Job Category,"
    "Full-Time/Part-Time indicator,Salary Range From,Salary Range To,Salary Frequency,Work Location,Division/Work Unit,"
    "Job Description,Minimum Qual Requirements,Preferred Skills,Posting Date"
)


def of_row(row: str) -> list[Any]:
    return list(NYC.convert(stream(f"{COLUMNS}\n{row}\n".encode())))


def test_a_job_of_new_york():
    row = (
        "7,PARKS,Internal,Ranger,PARK RANGER,60421,1,Parks,F,48000,60000,Annual,5 Ave,Rangers,"
        "Cityâ€™s parks,,,2018-12-11T00:00:00.000"
    )
    assert of_row(row) == [
        {
            "id": "7-Internal",
            "title": {"en": "Ranger"},
            "regions": [{"scheme": "iso3166-2", "code": "US-NY", "label": {"en": "New York State"}}],
            "description": {
                "en": "Posting: Internal\nDivision: Rangers\nLevel: 1\nCategory: Parks\n"
                "Civil service title: 60421 PARK RANGER\nPlace: 5 Ave\n"
                "Pay: 48000 - 60000 USD, annual\n\nCity’s parks"  # noqa: RUF001 - theirs
            },
            "changed_at": "2018-12-11T00:00:00-05:00",
            "employer_name": "PARKS",
            "employment_type": "full_time",
            "pay": {"min": 4000, "max": 5000, "currency": "USD"},
        }
    ]


@pytest.mark.parametrize(
    ("kind", "least", "most", "frequency", "pay"),
    [
        ("F", "20", "25.5", "Hourly", {"min": 3480, "max": 4437, "currency": "USD"}),
        ("", "300", "300", "Daily", {"min": 6525, "max": 6525, "currency": "USD"}),
        ("F", "0", "60000", "Annual", {"max": 5000, "currency": "USD"}),
        ("P", "20", "25.5", "Hourly", None),
        ("F", "0", "0", "Annual", None),
        ("F", "-5", "9", "Annual", None),
        ("F", "", "", "Annual", None),
        ("F", "1", "2", "Fortnightly", None),
    ],
)
def test_pay_of_new_york(kind: str, least: str, most: str, frequency: str, pay: dict[str, Any] | None):  # noqa: PLR0913, PLR0917, RUF100
    (posting,) = of_row(f"7,PARKS,Internal,Ranger,,,,,{kind},{least},{most},{frequency},,,,,,")
    assert posting.get("pay") == pay


def test_a_date_that_is_none_costs_no_job_of_new_york():
    remark, posting = of_row("7,PARKS,External,Ranger,,,,,,,,,,,,,,No residency requirement")
    assert (remark.column, remark.lost, posting["id"]) == ("Posting Date", False, "7-External")
    (lost,) = of_row(",PARKS,External,Ranger,,,,,,,,,,,,,,")
    assert (lost.column, lost.lost) == ("Job ID", True)


REAL = {USAJOBS: (DATA / "usajobs_announcements.jsonl.gz", 23_494), NYC: (DATA / "nyc_city_jobs.csv.gz", 3_977)}
KEPT_AS = {USAJOBS: "Occupational series: ", NYC: "Civil service title: "}
"""Where the description has what they call the occupation."""


@pytest.mark.parametrize("converter", [USAJOBS, NYC], ids=lambda one: one.name)
def test_all_real_rows_become_postings_that_are_taken(converter: Any):  # noqa: ANN401 - a converter
    path, rows = REAL[converter]
    if not path.exists():
        pytest.skip(f"{path.name} is not beside this checkout")
    outcomes: Counter[str] = Counter()
    ids, seen = set(), Counter[str]()
    with opened(str(path)) as content:
        for made in converter.convert(content):
            if isinstance(made, Remark):
                outcomes["lost" if made.lost else "noted"] += 1
                continue
            verdict = check(json.dumps(made).encode(), None, NOW)
            assert (verdict.notes, verdict.unmapped, verdict.faults) == ((), (), ())
            outcomes[verdict.outcome] += 1
            ids.add(made["id"])
            seen.update(made.keys())
            seen["trade"] += KEPT_AS[converter] in made["description"]["en"]
    assert outcomes["accepted"] + outcomes["closed at once"] == rows
    if converter is NYC:
        assert (len(ids), outcomes["noted"], seen["regions"], seen["trade"]) == (3_937, 3, rows, rows)
        assert seen["pay"] > 3_700
    else:
        assert len(ids) == rows - 1  # one is listed twice
        assert (seen["valid_through"], seen["changed_at"], seen["trade"]) == (rows, rows, rows)
        assert "pay" not in seen
    assert "occupation" not in seen, "nothing ties their codes to ISCO: it is read from the title"


# -------------------------------------------------------------------------------------------- document
def test_the_tables_in_the_documents_are_not_stale():
    committed = (PROJECT / "docs" / "forms.md").read_text("utf-8")
    assert committed == document(), "run `python -m services.postings.partner forms > docs/forms.md`"


def test_the_examples_in_the_guide_are_taken():
    guide = (PROJECT / "docs" / "partners.md").read_text("utf-8")
    verdicts = [check(block.encode(), None, NOW) for block in re.findall(r"```json\n(.*?)```", guide, re.DOTALL)]
    assert [(verdict.form, verdict.outcome) for verdict in verdicts] == [
        ("own", "accepted"),
        ("jobtech", "accepted"),
        ("jobtech", "removal"),
        ("schema.org", "accepted"),
    ]
    assert all((verdict.faults, verdict.notes, verdict.unmapped) == ((), (), ()) for verdict in verdicts)
    (program,) = re.findall(r"```python\n(.*?)```", guide, re.DOTALL)
    compile(program, "the guide", "exec")
