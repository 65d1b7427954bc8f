"""A comparison as Markdown, with charts as SVG files beside it."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from services.matcher.domain import Judgement
from services.matcher.replay.charts import bars
from services.matcher.replay.comparing import OVERLAPS, Comparison, Pair, Shift
from shared.contracts.recommendations import AnchorKind, Components

REPORT: Final = "report.md"
SHOWN: Final = 10
"""Examples of those who gain, and of those who lose; areas."""
STEP: Final = 50
"""Points in one bar."""
MOST_POINTS: Final = 1000
LISTS: Final = {AnchorKind.POSTING: "postings' lists (of seekers)", AnchorKind.SEEKER: "seekers' lists (of postings)"}
ENTRIES: Final = {AnchorKind.POSTING: "seekers", AnchorKind.SEEKER: "postings"}


@dataclass(frozen=True, slots=True)
class Replay:
    """What is reported."""

    before: str
    """Version of the policy that holds."""
    after: str
    """And of the one that was tried."""
    at: datetime
    """Kafka's time of the newest record: validity is judged at this moment."""
    anchors: Mapping[AnchorKind, int]
    """How many there are, compared or not."""
    changes: Sequence[str]
    """What differs between the two texts."""
    comparisons: Sequence[Comparison]
    pairs: Sequence[Pair]


def files(replay: Replay) -> dict[str, str]:
    """The report (REPORT) and its charts: contents by file name."""
    charts = {name: chart for one in replay.comparisons for name, chart in _charts(one).items()}
    return {REPORT: "\n".join(_report(replay)) + "\n", **charts}


def _report(replay: Replay) -> Iterator[str]:
    compared = {one.kind: one.lists for one in replay.comparisons}
    yield f"# What would change: {replay.before} -> {replay.after}"
    yield ""
    yield f"The topics as of {replay.at:%Y-%m-%d %H:%M:%S} UTC. " + " ".join(
        f"{compared[kind]:,} of {replay.anchors[kind]:,} {LISTS[kind]}." for kind in compared
    )
    yield "Ids are pseudonymous. Nothing was written to any topic."
    yield from ("", "## What differs between the policies", "", "```")
    yield from replay.changes or ("nothing but the text",)
    yield "```"
    yield from ("", "## In short", "")
    yield from _table(["", *(LISTS[one.kind] for one in replay.comparisons)], list(_short(replay.comparisons)))
    for one in replay.comparisons:
        yield from _comparison(one)
    if replay.pairs:
        yield from ("", "## A few pairs explained")
    for pair in replay.pairs:
        yield from _pair(pair)


def _short(comparisons: Sequence[Comparison]) -> Iterator[list[str]]:
    yield ["lists compared", *(f"{one.lists:,}" for one in comparisons)]
    yield ["with other entries", *(_share(one.changed, one.lists) for one in comparisons)]
    yield ["empty", *(_turn(one.empty) for one in comparisons)]
    yield ["entries", *(_turn(one.entries) for one in comparisons)]
    yield ["entries that come", *(f"{one.won:,}" for one in comparisons)]
    yield ["entries that go", *(_share(one.lost, one.entries[0]) for one in comparisons)]
    yield ["on more lists", *(f"{len(_gains(one)):,} {ENTRIES[one.kind]}" for one in comparisons)]
    yield ["on fewer lists", *(f"{len(_losses(one)):,} {ENTRIES[one.kind]}" for one in comparisons)]
    for percent in (10, 50, 90):
        quantiles = [[_quantile(points, percent) for points in one.points] for one in comparisons]
        yield [f"points, {percent}th percentile", *(f"{old} -> {new}" for old, new in quantiles)]


def _comparison(one: Comparison) -> Iterator[str]:
    yield from ("", f"## {LISTS[one.kind].capitalize()}", "")
    for name in _charts(one):
        title = name.removesuffix(".svg").replace("-", " ")
        yield from (f"![{title}]({name})", "")
    yield from (f"### Which {ENTRIES[one.kind]} gain and lose most", "")
    rows = [
        [text for shift in pair for text in _shift(shift)]
        for pair in zip(_padded(_gains(one)), _padded(_losses(one)), strict=True)
    ]
    yield from _table(
        ["on more lists", "before", "after", "on fewer lists", "before", "after"], [r for r in rows if any(r)]
    )
    for title, shares in (("key group of the seeker", one.groups), (f"area of the {ENTRIES[one.kind]}", one.areas)):
        yield from ("", f"### Entries by {title}", "")
        yield from _table(
            [title, "before", "after", "share before", "share after"],
            [
                [_words(name), f"{old:,}", f"{new:,}", *_shares((old, new), one.entries)]
                for name, (old, new) in _most(shares)
            ],
        )


def _charts(one: Comparison) -> dict[str, str]:
    kind, lists = one.kind.value, LISTS[one.kind]
    edges = list(range(0, MOST_POINTS, STEP))
    old, new = ([_between(points, edge) for edge in edges] for points in one.points)
    some = [place for place in range(len(edges)) if old[place] or new[place]]
    groups = _most(one.groups)
    return {
        f"{kind}-overlap.svg": bars(f"Overlap@20 of {lists}", OVERLAPS, {"lists": one.overlaps}),
        f"{kind}-points.svg": bars(
            f"Points of entries on {lists}",
            [f"{edges[place]}-{edges[place] + STEP - 1}" for place in some],
            {"before": [old[place] for place in some], "after": [new[place] for place in some]},
        ),
        f"{kind}-groups.svg": bars(
            f"Entries by key group of the seeker, on {lists}",
            [_words(name) for name, _ in groups],
            {"before": [before for _, (before, _) in groups], "after": [after for _, (_, after) in groups]},
        ),
    }


def _pair(pair: Pair) -> Iterator[str]:
    yield from ("", f"### {pair.posting} and {pair.seeker}", "")
    yield f"{pair.why.capitalize()}."
    yield ""
    rows = [
        [name.replace("_", " "), str(getattr(pair.before.components, name)), str(getattr(pair.after.components, name))]
        for name in Components.model_fields
    ]
    rows.append(["**points**", f"**{pair.before.points}**", f"**{pair.after.points}**"])
    rows.append(["may be recommended", _verdict(pair.before), _verdict(pair.after)])
    yield from _table(["", "before", "after"], rows)


def _verdict(found: Judgement) -> str:
    if found.recommendable:
        return "yes"
    return f"no: {', '.join(found.failed)}" if found.failed else "no: too few points, or nothing in common"


def _gains(one: Comparison) -> list[Shift]:
    """The greatest first."""
    return [shift for shift in one.shifts if shift.after > shift.before]


def _losses(one: Comparison) -> list[Shift]:
    """The greatest first."""
    return [shift for shift in reversed(one.shifts) if shift.after < shift.before]


def _padded(shifts: Sequence[Shift]) -> list[Shift | None]:
    return [*shifts[:SHOWN], *[None] * (SHOWN - len(shifts))]


def _shift(shift: Shift | None) -> list[str]:
    return ["", "", ""] if shift is None else [f"`{shift.id}`", str(shift.before), str(shift.after)]


def _most(shares: Mapping[str, tuple[int, int]]) -> list[tuple[str, tuple[int, int]]]:
    """The largest before."""
    return list(shares.items())[:SHOWN]


def _words(name: str) -> str:
    """A code of the contracts as people read it."""
    return name.replace("_", " ")


def _shares(entries: tuple[int, int], whole: tuple[int, int]) -> list[str]:
    return [f"{100 * part / max(1, all_of_them):.1f} %" for part, all_of_them in zip(entries, whole, strict=True)]


def _share(part: int, whole: int) -> str:
    return f"{part:,} ({100 * part / max(1, whole):.1f} %)"


def _turn(values: tuple[int, int]) -> str:
    return f"{values[0]:,} -> {values[1]:,}"


def _between(points: Sequence[int], edge: int) -> int:
    """How many of these, ascending, lie in the bar from this edge on; the last bar holds the maximum too."""
    above = edge + STEP if edge + STEP < MOST_POINTS else MOST_POINTS + 1
    return bisect_left(points, above) - bisect_left(points, edge)


def _quantile(points: Sequence[int], percent: int) -> int:
    """The nearest rank; 0 of nothing."""
    return points[max(0, -(-len(points) * percent // 100) - 1)] if points else 0


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    yield "| " + " | ".join(head) + " |"
    yield "| " + " | ".join(["---"] * len(head)) + " |"
    for row in rows:
        yield "| " + " | ".join(row) + " |"
