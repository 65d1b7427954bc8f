"""Seekers by the thousand: one JSON object a line, each judged by itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from services.profiles.domain.seekers import SeekerSubmission
from shared.contracts.common import Id
from shared.contracts.partners import Fault
from shared.faults import faults_of

if TYPE_CHECKING:
    from collections.abc import Sequence


class LineResult(BaseModel):
    """What became of one line."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    line: int
    """Counted from 1, blank lines included."""
    outcome: Literal["registered", "rejected"]
    id: Id | None = None
    """The new seeker's id; None when rejected."""
    faults: tuple[Fault, ...] = ()
    """Why it was rejected: each with a JSON pointer into the line."""


class ImportResult(BaseModel):
    """What became of an import: one result for each line that is not blank, in order."""

    registered: int
    rejected: int
    items: tuple[LineResult, ...]


@dataclass(frozen=True, slots=True)
class Line:
    """One line that is not blank."""

    number: int
    submission: SeekerSubmission | None
    """None: it has faults."""
    faults: tuple[Fault, ...] = ()


def lines_of(body: bytes) -> list[tuple[int, bytes]]:
    """Split NDJSON into its lines that are not blank, with their numbers from 1."""
    return [(number, line) for number, line in enumerate(body.split(b"\n"), 1) if line.strip()]


def read(lines: Sequence[tuple[int, bytes]]) -> list[Line]:
    """Judge each line by itself."""
    return [_read(number, line) for number, line in lines]


def _read(number: int, line: bytes) -> Line:
    try:
        return Line(number, SeekerSubmission.model_validate_json(line))
    except ValidationError as error:
        return Line(number, None, faults_of(error.errors(include_url=False, include_input=False)))


def result(line: Line, seeker: str | None) -> LineResult:
    """Say what became of a line: `seeker` is the id under which it was registered, if it was."""
    if seeker is None:
        return LineResult(line=line.number, outcome="rejected", faults=line.faults)
    return LineResult(line=line.number, outcome="registered", id=seeker)
