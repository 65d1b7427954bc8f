"""What the fuzzer calls, what it begins with, and the words it knows."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from typing import Any

from hypothesis import HealthCheck, given, settings

from services.postings.domain.forms import FORMS, Form
from shared.contracts.envelope import STRUCTURED
from tests.fuzz.records import LEAST, NAMES, NASTY, Headers, body, headers, judge, records

ANNOUNCED: list[tuple[Form, Headers]] = [(form, one) for form in FORMS for one in headers(form)]
_STRUCTURED: Headers = [("content-type", STRUCTURED.encode())]


def target(data: bytes) -> None:
    """One input. Raises whatever the code under test raises, or AssertionError."""
    if not data:
        return
    choice, made = divmod(data[0], 2)
    form, announced = ANNOUNCED[choice % len(ANNOUNCED)]
    if made:
        _maker(form.name)(data[1:])
    else:
        judge(announced if choice % 7 else _STRUCTURED, data[1:])


def seeds(ads: list[bytes]) -> Iterator[bytes]:
    """Inputs to begin with: the least record of each form in each announcement, and real ads."""
    for number, (form, _) in enumerate(ANNOUNCED):
        yield _chosen(number) + body(LEAST[form.name])
        for name, nasty in zip(form.fields, NASTY, strict=False):
            yield _chosen(number) + body(LEAST[form.name] | {name: nasty})
    wrapped = {"specversion": "1.0", "id": "1", "type": "PartnerPostingSubmitted", "data": LEAST["own"]}
    yield _chosen(0) + body(wrapped)
    jobtech = next(number for number, (form, _) in enumerate(ANNOUNCED) if form.name == "jobtech")
    for ad in ads:
        yield _chosen(jobtech) + ad
    yield from (bytes([1 + 2 * number]) + bytes(200) for number in range(len(ANNOUNCED)))


def words() -> list[str]:
    """Names and values of the forms, for libFuzzer's dictionary: ASCII, quoted and escaped."""
    named = {part for form in FORMS for row in form.rows for field in row.fields for part in field.split(".")}
    valued = {nasty for nasty in NASTY if isinstance(nasty, str) and len(nasty) < 60}
    found = sorted(word for word in named | valued | set(NAMES) if word)
    quoted = [json.dumps(word).encode() for word in found]
    return ["".join(f"\\x{byte:02x}" for byte in word) for word in quoted]


def _chosen(number: int) -> bytes:
    """The first byte that announces raw bytes so; never a multiple of seven, which means structured mode."""
    choice = next(one for one in range(number, 128, len(ANNOUNCED)) if one % 7)
    return bytes([choice * 2])


@cache
def _maker(name: str) -> Any:  # noqa: ANN401 - hypothesis' own
    form = next(one for one in FORMS if one.name == name)

    @settings(database=None, deadline=None, suppress_health_check=list(HealthCheck))
    @given(record=records(form))
    def made(record: Any) -> None:  # noqa: ANN401 - JSON
        for announced in headers(form):
            judge(announced, body(record))

    return made.hypothesis.fuzz_one_input  # type: ignore[attr-defined]  # hypothesis adds it
