"""New York City's jobs (NYC Open Data, `NYC Jobs`) in our own form.

Input: CSV with the columns of the table below. A job is posted twice where it is offered inside and outside the city
government: an id is Job ID and Posting Type together.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from datetime import time
from decimal import Decimal, InvalidOperation
from io import BufferedReader, TextIOWrapper
from typing import Final

from services.postings.domain.mapping import Row
from services.postings.domain.pay import monthly, unit_of
from services.postings.partner.converting import Converter, Posting, Remark, date_of, lines, missing, not_a_date
from services.postings.partner.files import MAX_RECORD
from shared.contracts.common import EmploymentType, Pay

_KINDS: Final[Mapping[str, EmploymentType]] = {"F": EmploymentType.FULL_TIME, "P": EmploymentType.PART_TIME}
_TEXTS: Final = ("Job Description", "Minimum Qual Requirements", "Preferred Skills")

NYC_ROWS: Final = (
    Row(("Job ID", "Posting Type"), "id", "required, both: `87990-Internal`"),
    Row(("Business Title",), "title.en", "required"),
    Row(("Agency",), "employer_name", ""),
    Row(
        ("Title Code No", "Civil Service Title"),
        "description.en",
        "as they are: no table ties these codes to ISCO, so the occupation is read from the title",
    ),
    Row(
        ("Salary Range From", "Salary Range To", "Salary Frequency"),
        "pay",
        "USD by the month: `Annual` / 12, `Daily` x 21.75, `Hourly` x 174, rounded; 0 is no amount. Part-time by hour "
        "or day: unknown. In `description.en` as it is",
    ),
    Row(
        ("Work Location",),
        "regions",
        "`iso3166-2` `US-NY`, the state: the city's reservoirs lie outside the city. In `description.en` as it is",
    ),
    Row(("Full-Time/Part-Time indicator",), "employment_type", "`F` `full_time`, `P` `part_time`"),
    Row(("Division/Work Unit", "Level", "Job Category"), "description.en", "as they are"),
    Row(_TEXTS, "description.en", "one below the other; UTF-8 that was read as Windows-1252 is mended, cut at 20,000"),
    Row(("Posting Date",), "changed_at", "its beginning in New York; where there is none the order of arrival holds"),
)


def convert(stream: BufferedReader) -> Iterator[Posting | Remark]:
    """One posting for each row, in the file's order."""
    csv.field_size_limit(MAX_RECORD)
    reader = csv.DictReader(TextIOWrapper(stream, encoding="utf-8-sig", errors="replace", newline=""))
    while True:
        try:
            found = next(reader, None)
        except csv.Error:
            yield Remark(reader.line_num, "", "该行过长，请检查引号", "too long: look at the quotes")
            continue
        if found is None:
            return
        yield from _converted(reader.line_num, {name: (text or "").strip() for name, text in found.items() if name})


def _converted(line: int, job: Mapping[str, str]) -> Iterator[Posting | Remark]:
    for column in ("Job ID", "Posting Type", "Business Title"):
        if not job.get(column):
            yield missing(line, column)
            return
    posting: Posting = {
        "id": f"{job['Job ID']}-{job['Posting Type']}",
        "title": {"en": _mended(job["Business Title"])},
        "regions": [{"scheme": "iso3166-2", "code": "US-NY", "label": {"en": "New York State"}}],
        "description": {"en": _description(job)},
    }
    if posted := job.get("Posting Date"):
        try:
            posting["changed_at"] = date_of(posted, time(0))
        except ValueError:  # some rows are shifted there; the job is one all the same
            yield not_a_date(line, "Posting Date", lost=False)
    if agency := job.get("Agency"):
        posting["employer_name"] = agency
    kind = _KINDS.get(job.get("Full-Time/Part-Time indicator", ""))
    if kind:
        posting["employment_type"] = kind.value
    pay = _pay(job, kind)
    if pay is not None:
        posting["pay"] = pay.model_dump(exclude_none=True)
    yield {name: value for name, value in posting.items() if value is not None}


def _pay(job: Mapping[str, str], kind: EmploymentType | None) -> Pay | None:
    unit = unit_of(job.get("Salary Frequency", ""))
    least, most = _amount(job, "Salary Range From"), _amount(job, "Salary Range To")
    if unit is None or least is most is None:
        return None
    pay = monthly(least, most, unit, "USD", kind)
    return pay if isinstance(pay, Pay) else None


def _amount(job: Mapping[str, str], column: str) -> Decimal | None:
    try:
        return Decimal(job.get(column, ""))
    except InvalidOperation:
        return None


def _description(job: Mapping[str, str]) -> str:
    least, most = job.get("Salary Range From", ""), job.get("Salary Range To", "")
    pay = f"{least} - {most} USD, {job.get('Salary Frequency', '').lower()}" if least or most else ""
    facts = lines(
        ("Posting", job["Posting Type"]),
        ("Division", job.get("Division/Work Unit", "")),
        ("Level", job.get("Level", "")),
        ("Category", job.get("Job Category", "")),
        ("Civil service title", " ".join(filter(None, (job.get("Title Code No"), job.get("Civil Service Title"))))),
        ("Place", job.get("Work Location", "")),
        ("Pay", pay),
    )
    return "\n\n".join([facts, *(_mended(job[name]) for name in _TEXTS if job.get(name))])[:20_000]


def _mended(text: str) -> str:
    """Some rows hold UTF-8 that was once read as Windows-1252: `â€™` for an apostrophe."""
    try:
        return text.encode("cp1252").decode("utf-8")
    except UnicodeError:
        return text


NYC: Final = Converter("nyc", "New York City jobs", NYC_ROWS, convert)
