"""The way of one event through the services, from the spans that they write into `TRACE_DIR`."""

from __future__ import annotations

import json
import secrets
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Step:
    """One span of a trace."""

    depth: int
    """0 is a child of the sender."""
    service: str
    name: str
    start_ms: float
    """Since the event was sent."""
    took_ms: float


@dataclass(frozen=True, slots=True)
class Sender:
    """Who begins a trace that is recorded."""

    trace_id: str
    span_id: str

    @classmethod
    def new(cls) -> Sender:
        """A random one."""
        return cls(secrets.token_hex(16), secrets.token_hex(8))

    @property
    def traceparent(self) -> str:
        """W3C trace context, flag 01: recorded."""
        return f"00-{self.trace_id}-{self.span_id}-01"


def steps(folder: Path, trace_id: str, sent_ns: int) -> list[Step]:
    """All spans of a trace, each below its parent, in the order of their starts."""
    children: dict[str | None, list[dict[str, object]]] = defaultdict(list)
    spans = list(_spans(folder, trace_id))
    known = {span["span_id"] for span in spans}
    for span in sorted(spans, key=lambda span: int(str(span["start_ns"]))):
        parent = span["parent_id"]
        children[str(parent) if parent in known else None].append(span)
    return list(_below(None, 0, children, sent_ns))


def _below(
    parent: str | None, depth: int, children: dict[str | None, list[dict[str, object]]], sent_ns: int
) -> Iterator[Step]:
    for span in children[parent]:
        start, end = int(str(span["start_ns"])), int(str(span["end_ns"]))
        yield Step(depth, str(span["service"]), str(span["name"]), (start - sent_ns) / 1e6, (end - start) / 1e6)
        yield from _below(str(span["span_id"]), depth + 1, children, sent_ns)


def _spans(folder: Path, trace_id: str) -> Iterator[dict[str, object]]:
    for file in sorted(folder.glob("*.jsonl")):
        with file.open(encoding="utf-8") as lines:
            for line in lines:
                # a line may be half written while its service runs
                if trace_id in line and line.endswith("\n"):
                    span: dict[str, object] = json.loads(line)
                    if span["trace_id"] == trace_id:
                        yield span
