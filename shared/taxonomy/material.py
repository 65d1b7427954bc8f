"""What a taxonomy is built from, whatever the source: plain rows, not yet tied together."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass, field

from shared.taxonomy.model import Region


@dataclass(frozen=True, slots=True)
class Occupation:
    """An ESCO occupation. `code` is the last part of its URI, `isco` its ISCO-08 unit group, if known."""

    code: str
    label: str
    alternatives: tuple[str, ...] = ()
    isco: str | None = None


@dataclass(frozen=True, slots=True)
class Skill:
    """An ESCO skill; `broader` are codes of skills or of groups of skills."""

    code: str
    label: str
    alternatives: tuple[str, ...] = ()
    broader: tuple[str, ...] = ()
    reuse: str | None = None
    type: str | None = None
    is_language: bool = False


@dataclass(frozen=True, slots=True)
class SkillGroup:
    """A group of skills in ESCO's hierarchy."""

    code: str
    label: str | None
    broader: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Material:
    """All that one source has. A relation is a pair of codes; what the source lacks is empty."""

    sources: dict[str, str]
    """Name of each part to where it is from, with its version."""
    esco: str
    """ESCO's version, for the taxonomy's own."""
    occupations: list[Occupation]
    skills: list[Skill]
    skill_groups: list[SkillGroup]
    isco: dict[str, str]
    """ISCO-08 code of every level to its English label."""
    isco_examples: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """ISCO-08 unit group to occupations that ISCO names as examples of it."""
    cn_groups: dict[str, str] = field(default_factory=dict)
    cn_occupations: dict[str, str] = field(default_factory=dict)
    regions: dict[str, Region] = field(default_factory=dict)
    essential: list[tuple[str, str]] = field(default_factory=list)
    optional: list[tuple[str, str]] = field(default_factory=list)
    related: list[tuple[str, str]] = field(default_factory=list)


def last(uri: str) -> str:
    """The last part of a concept's URI, which is its code here."""
    return uri.rpartition("/")[2]


def clean(text: str) -> str:
    """Runs of white space become one space, and none is left at the ends."""
    return " ".join(text.split())


def others(label: str, texts: Iterable[str]) -> tuple[str, ...]:
    """`texts` cleaned, in their order, without repetitions and without `label`."""
    return tuple(text for text in dict.fromkeys(clean(text) for text in texts) if text and text != label)


def regions(lines: Iterable[str]) -> dict[str, Region]:
    """Centres by `gbt2260:` and six digits, from cpca's table (twelve digits, of which the last six are 0)."""
    found: dict[str, Region] = {}
    for row in csv.DictReader(lines):
        code, rest = row["adcode"][:6], row["adcode"][6:]
        if row["longitude"] and row["latitude"] and not rest.strip("0"):
            found[f"gbt2260:{code}"] = Region(row["name"], float(row["longitude"]), float(row["latitude"]))
    return dict(sorted(found.items()))
