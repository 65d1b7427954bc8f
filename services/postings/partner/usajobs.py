"""Announcements of USAJOBS (United States federal government) in our own form.

Input: JSON lines with `control_number`, `position_title`, `department`, `agency`, `subagency`, `appointment_type`,
`occupation_series`, `hiring_paths`, `open_date`, `close_date`, `usajobs_url`. They say neither pay nor place.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import time
from io import BufferedReader
from typing import Final

from pydantic_core import from_json

from services.postings.domain.mapping import left_out, row
from services.postings.partner.converting import Converter, Posting, Remark, date_of, lines, missing, not_a_date
from services.postings.partner.files import records

_SERIES: Final = re.compile(r"\s*(\d{4})(?:\s*-\s*(.+))?\s*", re.DOTALL)
_NO_AGENCY: Final = frozenset({"Other Agencies and Independent Organizations", "Unknown", ""})
"""Groups of the list, no employers."""
_KINDS: Final[Mapping[str, str]] = {
    "Temporary": "temporary",
    "Summer": "seasonal",
    "Seasonal": "seasonal",
    "Internships": "internship",
}
"""5 CFR 316.401: temporary, at most a year. A term appointment (316.301) is longer; what is permanent says no hours."""

USAJOBS_ROWS: Final = (
    row("control_number", "id", "required"),
    row("position_title", "title.en", "required"),
    row(
        "agency department subagency",
        "employer_name",
        "`agency`; where that is no employer (`Other Agencies and Independent Organizations`), `subagency`, else "
        "`department`",
    ),
    row(
        "occupation_series",
        "description.en",
        "as they are: no table ties these series to ISCO, so the occupation is read from the title",
    ),
    row(
        "appointment_type",
        "employment_type",
        "`Temporary` `temporary`, `Summer` and `Seasonal` `seasonal`, `Internships` `internship`; others say no hours: "
        "unknown. In `description.en` as it is",
    ),
    row("hiring_paths", "description.en", "who may apply, as it is"),
    row("open_date", "changed_at", "its beginning in New York"),
    row("close_date", "valid_through", "23:59:59 in New York; after 2100 none"),
    row("usajobs_url", "url"),
    left_out("year", "of `open_date`"),
)


def convert(stream: BufferedReader) -> Iterator[Posting | Remark]:
    """One posting for each announcement, in the file's order."""
    for line in records(stream):
        try:
            announcement = from_json(line.value or b"")
        except ValueError:
            announcement = None
        if not isinstance(announcement, dict):
            yield Remark(line.number, "", "不是 JSON 对象，请重新导出", "no JSON object: export it again")
        else:
            yield _converted(line.number, announcement)


def _converted(line: int, announcement: Mapping[str, object]) -> Posting | Remark:
    number, title = announcement.get("control_number"), _text(announcement, "position_title")
    if not isinstance(number, int | str) or isinstance(number, bool) or number == "":
        return missing(line, "control_number")
    if not title:
        return missing(line, "position_title")
    posting: Posting = {"id": str(number), "title": {"en": title}}
    for column, name, at in (("open_date", "changed_at", time(0)), ("close_date", "valid_through", time(23, 59, 59))):
        said = _text(announcement, column)
        try:
            posting[name] = date_of(said, at) if said else None
        except ValueError:
            return not_a_date(line, column, lost=True)
    series = [match for text in _texts(announcement, "occupation_series") if (match := _SERIES.fullmatch(text))]
    kind = _text(announcement, "appointment_type")
    posting["employment_type"] = _KINDS.get(kind)
    posting["employer_name"] = _employer(announcement)
    posting["description"] = {
        "en": lines(
            ("Department", _text(announcement, "department")),
            ("Occupational series", "; ".join(" ".join(filter(None, match.groups())) for match in series)),
            ("Appointment", kind),
            ("Open to", "; ".join(_texts(announcement, "hiring_paths"))),
        )
    }
    posting["url"] = _text(announcement, "usajobs_url") or None
    return {name: value for name, value in posting.items() if value is not None}


def _employer(announcement: Mapping[str, object]) -> str | None:
    names = [_text(announcement, column) for column in ("agency", "subagency", "department")]
    return next((name for name in names if name not in _NO_AGENCY), None)


def _text(announcement: Mapping[str, object], name: str) -> str:
    value = announcement.get(name)
    return value.strip() if isinstance(value, str) else ""


def _texts(announcement: Mapping[str, object], name: str) -> list[str]:
    value = announcement.get(name)
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


USAJOBS: Final = Converter("usajobs", "USAJOBS announcements", USAJOBS_ROWS, convert)
