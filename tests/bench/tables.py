"""What `make bench-matcher` found, for people."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from rich.console import Console
from rich.table import Table

FULL: Final = (1_000_000, 100_000)
"""Profiles and postings that the bars are meant for."""


def show(console: Console, result: dict[str, Any]) -> None:
    """All of it, the figures that have a bar beside it."""
    rows, details, settings = result["rows"], result["matcher"], result["settings"]
    console.print(
        _table(
            "top 20 of n: the matcher and numpy in process, on one thread; MongoDB as a server, over a socket",
            ("peer", "kind", "n", "p50 ms", "p99 ms", "recall", "against", "update us", "bytes", "entries"),
            (
                (
                    one["peer"],
                    one["kind"],
                    f"{one['n']:,}",
                    f"{one['p50_ms']:.3f}",
                    f"{one['p99_ms']:.3f}",
                    f"{one['recall']:.4f}",
                    f"{one['recall_against']} ({one['recall_of']})",
                    f"{one['update_us']:.1f}",
                    f"{one['bytes']:.0f}",
                    f"{one['entries']:.1f}",
                )
                for one in rows
            ),
        )
    )
    for peer, note in {one["peer"]: one["note"] for one in rows if one["note"]}.items():
        console.print(f"{peer}: {note}")
    own = {one["kind"]: one for one in reversed(rows) if one["peer"] == "matcher"}
    bars = (
        ("posting: top 20 seekers, p50", own["posting"]["p50_ms"], 4, "ms"),
        ("posting: top 20 seekers, p99", own["posting"]["p99_ms"], 15, "ms"),
        ("profile: top 20 postings, p50", own["profile"]["p50_ms"], 0.1, "ms"),
        ("profile: top 20 postings, p99", own["profile"]["p99_ms"], 3, "ms"),
        ("a changed profile, by batches of 200", own["posting"]["update_us"], 10, "us"),
        ("a changed profile, one at a time, p50", details["single_update"]["p50_us"], 10, "us"),
        ("a profile in memory", own["posting"]["bytes"], 600, "bytes"),
        ("the snapshot read", details["snapshot"]["read_s"], 15, "s"),
        (
            "all records decoded and indexed, extrapolated, without Kafka",
            details["rebuild"]["extrapolated_s"],
            120,
            "s",
        ),
    )
    here = (settings["profiles"], settings["postings"])
    note = "" if here == FULL else f"; the bars are for {FULL[0]:,} and {FULL[1]:,}"
    console.print(
        _table(
            f"the matcher with {here[0]:,} profiles and {here[1]:,} postings{note}",
            ("what", "measured", "bar", ""),
            (
                (what, f"{value:g} {unit}", f"{bar:g} {unit}", "yes" if value <= bar else "no")
                for what, value, bar, unit in bars
            ),
        )
    )
    for title, found in (
        ("postings by how many of all profiles pass their gates", details["breadths"]),
        ("while updates come in", details["while_updating"]),
        ("the snapshot", [details["snapshot"]]),
        ("records as they lie on the topics", [details["rebuild"]]),
    ):
        console.print(_table(title, tuple(found[0]), ([str(value) for value in one.values()] for one in found)))


def _table(title: str, columns: Iterable[str], rows: Iterable[Iterable[str]]) -> Table:
    table = Table(title=title, title_justify="left")
    for place, column in enumerate(columns):
        table.add_column(column, justify="right" if place else "left")
    for one in rows:
        table.add_row(*one)
    return table
