"""What converters share: rows in, postings in our own form out, and what could not be converted."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, time
from io import BufferedReader
from typing import Final
from zoneinfo import ZoneInfo

from services.postings.domain.mapping import Row

NEW_YORK: Final = ZoneInfo("America/New_York")
"""USAJOBS closes announcements at 11:59 p.m. Eastern Time; New York City's dates are local."""
YEARS: Final = range(2000, 2101)
Posting = dict[str, object]


@dataclass(frozen=True, slots=True)
class Remark:
    """What is wrong with a row."""

    line: int
    column: str
    zh: str
    en: str
    lost: bool = True
    """True: nothing was made of it. Else only this column was left out."""


@dataclass(frozen=True, slots=True)
class Converter:
    """From a list that others publish to our own form."""

    name: str
    title: str
    rows: tuple[Row, ...]
    """What its columns become."""
    convert: Callable[[BufferedReader], Iterator[Posting | Remark]]


def missing(line: int, column: str) -> Remark:
    """A row without what makes it a posting."""
    return Remark(line, column, "缺少，请补上", "missing: add it")


def date_of(text: str, at: time) -> str | None:
    """A date (`2024-02-05`, what follows is dropped) at a time of day in New York, RFC 3339; None after 2100.

    Raises ValueError if it is no date, or before 2000.
    """
    day = datetime.fromisoformat(text[: len("2024-02-05")])
    if day.year > YEARS[-1]:
        return None
    if day.year not in YEARS:
        raise ValueError(text)
    return datetime.combine(day, at, NEW_YORK).isoformat()


def not_a_date(line: int, column: str, *, lost: bool) -> Remark:
    """A date that nobody can read."""
    if lost:
        return Remark(line, column, "不是日期，请写成 2026-06-30", "no date: write it like 2026-06-30")
    return Remark(line, column, "不是日期，未采用", "no date: left out", lost=False)


def lines(*named: tuple[str, str]) -> str:
    """Facts that have no field of their own, in words: `Name: value`, one below the other."""
    return "\n".join(f"{name}: {value}" for name, value in named if value)
