"""Bars as SVG: a file beside the report, so that it renders on GitHub and without any network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Final

COLOURS: Final = ("#8c959f", "#0969da")
"""Before and after."""
WIDTH: Final = 720
LABEL: Final = 170
VALUE: Final = 70
BAR: Final = 13
GAP: Final = 10
HEAD: Final = 54


def bars(title: str, labels: Sequence[str], series: Mapping[str, Sequence[float]], unit: str = "") -> str:
    """Horizontal bars, for each label one of each of the series (one or two, by name); values are not negative."""
    longest = max((value for values in series.values() for value in values), default=0) or 1
    scale = (WIDTH - LABEL - VALUE) / longest
    step = BAR * len(series) + GAP
    height = HEAD + step * len(labels) + GAP
    size = f'viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}"'
    look = 'font-family="sans-serif" font-size="12" fill="#1f2328"'
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-label="{escape(title)}" {look}>',
        # a ground of its own, because a page may be dark
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
        f'<text x="10" y="20" font-size="14" font-weight="bold">{escape(title)}</text>',
    ]
    for place, (name, colour) in enumerate(_coloured(series)):
        x = LABEL + 110 * place
        lines.append(f'<rect x="{x}" y="32" width="10" height="10" fill="{colour}"/>')
        lines.append(f'<text x="{x + 15}" y="41">{escape(name)}</text>')
    for row, label in enumerate(labels):
        top = HEAD + step * row
        lines.append(f'<text x="{LABEL - 8}" y="{top + step / 2}" text-anchor="end">{escape(label)}</text>')
        for place, (name, colour) in enumerate(_coloured(series)):
            value, y = series[name][row], top + BAR * place
            wide = value * scale
            lines.append(f'<rect x="{LABEL}" y="{y}" width="{wide:.1f}" height="{BAR - 2}" fill="{colour}"/>')
            lines.append(f'<text x="{LABEL + wide + 5:.1f}" y="{y + BAR - 3}" font-size="11">{value:,g}{unit}</text>')
    return "\n".join([*lines, "</svg>", ""])


def _coloured(series: Mapping[str, Sequence[float]]) -> list[tuple[str, str]]:
    return list(zip(series, COLOURS[-len(series) :], strict=True))
