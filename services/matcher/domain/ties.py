"""What the score needs of the taxonomy: where occupations lie in ISCO-08, how many name a skill, where regions are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import cos, radians, sin
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from shared.contracts.common import Texts
    from shared.taxonomy import Taxonomy

Vector = tuple[float, float, float]
"""A place as a unit vector from the Earth's centre."""


@dataclass(frozen=True, slots=True)
class Ties:
    """One version of the taxonomy, as far as the matcher asks it."""

    version: str | None
    """As lists name it; None where there is no taxonomy."""
    isco: Callable[[str, str], tuple[str, ...]]
    """ISCO-08 groups of a scheme's code (`Taxonomy.isco`); empty for what is not known."""
    namings: Mapping[str, int]
    """By skill (`scheme:code`): how many ESCO occupations name it, as essential or optional; absent if none does."""
    centres: Mapping[str, Vector]
    """By region (`scheme:code`, the canonical name)."""
    label: Callable[[str], Texts | None]
    """What people read for a concept."""


def ties(taxonomy: Taxonomy) -> Ties:
    """What this taxonomy says."""
    namings = Counter(
        skill
        for occupation in taxonomy.occupations
        for skill in {*taxonomy.essential(occupation.key), *taxonomy.optional(occupation.key)}
    )

    def label(key: str) -> Texts | None:
        concept = taxonomy.concepts.get(key)
        return dict(concept.labels) if concept and concept.labels else None

    return Ties(
        version=taxonomy.version,
        isco=taxonomy.isco,
        namings=dict(namings),
        centres={key: vector(region.longitude, region.latitude) for key, region in taxonomy.regions.items()},
        label=label,
    )


def vector(longitude: float, latitude: float) -> Vector:
    """A place in degrees as a unit vector."""
    east, north = radians(longitude), radians(latitude)
    return cos(north) * cos(east), cos(north) * sin(east), sin(north)


def _none(_scheme: str, _code: str) -> tuple[str, ...]:
    return ()


NO_TIES: Final = Ties(version=None, isco=_none, namings={}, centres={}, label=lambda _: None)
"""Where there is no taxonomy: codes relate by their prefixes alone."""
