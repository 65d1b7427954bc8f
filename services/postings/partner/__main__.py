"""The partner's kit: offline, but for the bridge.

python -m services.postings.partner validate FILE [--form own|jobtech|schema.org] [--notes]
python -m services.postings.partner convert usajobs|nyc FILE > postings.ndjson
python -m services.postings.partner forms > docs/forms.md
python -m services.postings.partner bridge --from THERE.conf --to HERE.conf

A FILE holds JSON lines, a JSON list or one JSON object, gzipped or not; `-` is standard input. `validate` answers as
the service would. `bridge` passes on what one deployment has for another, for ever: each CONF says, in kcat's form, how
to come in as a partner, where it reads and where it writes. Exit code: 0, 1 if a record is rejected or a row could not
be converted, 2 if the file cannot be read.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from io import BufferedReader
from pathlib import Path
from typing import Final, TextIO

from pydantic_core import to_json

from services.postings.domain.forms import FORMS
from services.postings.domain.lines import Line
from services.postings.partner.bridge import DoorError, bridge, door
from services.postings.partner.checking import Summary, Verdict, check, form_named
from services.postings.partner.converting import Remark
from services.postings.partner.files import opened, records
from services.postings.partner.tables import CONVERTERS, document
from shared.contracts.partners import Fault

PROGRESS_S: Final = 2.0
_MOST_NAMES: Final = 20


def main(arguments: list[str] | None = None) -> int:
    """The command. Gives back the exit code."""
    chosen = _parser().parse_args(arguments)
    if chosen.command == "forms":
        sys.stdout.write(document())
        return 0
    if chosen.command == "bridge":
        return passes_on(chosen.source, chosen.target)
    try:
        with opened(chosen.file) as stream:
            if chosen.command == "validate":
                return validate(stream, sys.stdout, form=chosen.form, notes=chosen.notes)
            return convert(stream, chosen.list, sys.stdout)
    except (OSError, EOFError) as error:
        sys.stderr.write(f"{chosen.file}: 无法读取 / cannot be read: {error}\n")
        return 2


def passes_on(source: Path, target: Path) -> int:
    """Run the bridge until it is stopped."""
    doors = []
    for path in (source, target):
        try:
            doors.append(door(path))
        except (OSError, DoorError) as error:
            sys.stderr.write(f"{path}: {error}\n")
            return 2
    with suppress(KeyboardInterrupt, asyncio.CancelledError):
        asyncio.run(bridge(*doors))
    return 0


def validate(stream: BufferedReader, out: TextIO, *, form: str | None = None, notes: bool = False) -> int:
    """Check every record and say what is wrong with it; then a summary."""
    wanted = form_named(form) if form else None
    summary, now, began = Summary(), datetime.now(UTC), time.monotonic()
    for line in _with_progress(records(stream)):
        verdict = check(line.value, wanted, now)
        summary.add(verdict)
        said = (*verdict.faults, *(verdict.notes if notes else ()))
        out.writelines(_said(line, verdict, fault) for fault in said)
    out.writelines(_summary(summary, time.monotonic() - began))
    return 1 if summary.outcomes["rejected"] else 0


def convert(stream: BufferedReader, name: str, out: TextIO) -> int:
    """Write every posting as a line of JSON, and to standard error what could not be converted."""
    converter = next(one for one in CONVERTERS if one.name == name)
    code = 0
    for made in converter.convert(stream):
        if isinstance(made, Remark):
            code = max(code, int(made.lost))
            sys.stderr.write(f"第 {made.line} 行 / line {made.line}  {made.column}: {made.zh} / {made.en}\n")
        else:
            out.write(to_json(made).decode() + "\n")
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m services.postings.partner",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True)
    checker = commands.add_parser("validate", help="say what the service would answer to each record of a file")
    checker.add_argument("file")
    checker.add_argument("--form", choices=[form.name for form in FORMS], help="else it is found out by each record")
    checker.add_argument("--notes", action="store_true", help="also name what is left out of records that are taken")
    converter = commands.add_parser("convert", help="write postings in our own form, one a line")
    converter.add_argument("list", choices=[converter.name for converter in CONVERTERS])
    converter.add_argument("file")
    passer = commands.add_parser("bridge", help="pass on what one deployment has for another, for ever")
    passer.add_argument("--from", dest="source", type=Path, required=True, metavar="CONF", help="where it is read")
    passer.add_argument("--to", dest="target", type=Path, required=True, metavar="CONF", help="where it is written")
    commands.add_parser("forms", help="write the mapping tables")
    return parser


def _with_progress(lines: Iterator[Line]) -> Iterator[Line]:
    """The lines, and every two seconds on standard error how many they were."""
    said = time.monotonic()
    for count, line in enumerate(lines, 1):
        yield line
        if time.monotonic() - said > PROGRESS_S:
            said = time.monotonic()
            sys.stderr.write(f"{count:,} 条记录 / records …\n")


def _said(line: Line, verdict: Verdict, fault: Fault) -> str:
    place = fault.pointer or "/"
    return (
        f"第 {line.number} 行 / line {line.number}  {verdict.posting or '?'}  {place}  {fault.code}\n"
        f"    {fault.reason['zh']}\n    {fault.reason['en']}\n"
    )


def _summary(summary: Summary, took_s: float) -> Iterator[str]:
    """Counts: by outcome, by form, by reason, by what was left out."""
    taken = {"accepted": "接收", "closed at once": "已过期", "removal": "撤下", "rejected": "拒收"}
    yield f"\n{summary.records:,} 条记录 / records, {took_s:.1f} s\n"
    for outcome, zh in taken.items():
        if summary.outcomes[outcome]:
            yield f"  {zh} / {outcome}: {summary.outcomes[outcome]:,}\n"
    for form, count in summary.forms.most_common():
        yield f"  格式 / form {form}: {count:,}\n"
    for title, counts in (("拒收原因 / rejected for", summary.faults), ("未采用 / left out for", summary.notes)):
        for code, count in counts.most_common():
            reason = summary.example[code].reason
            yield f"  {title} {code}: {count:,}\n      {reason['zh']}\n      {reason['en']}\n"
    for name, count in summary.unmapped.most_common(_MOST_NAMES):
        yield f"  没有对应字段 / unmapped {name}: {count:,}\n"


if __name__ == "__main__":
    sys.exit(main())
