"""What the oracle takes from others: of the matching policy only the numbers, of the taxonomy only its facts."""

from __future__ import annotations

import tomllib
from math import asin, cos, radians, sin, sqrt
from pathlib import Path

from shared.settings import ServiceSettings
from shared.taxonomy import Taxonomy, load, place
from tests.oracle.places import lie, places

# Read as `facts.POLICY` everywhere: tests put another one in its place.
POLICY = tomllib.loads((Path(__file__).parents[2] / "services/matcher/policy/v1.toml").read_text())


class Known:
    """What a taxonomy says; nothing if there is none."""

    def __init__(self, taxonomy: Taxonomy | None) -> None:
        self.taxonomy = taxonomy
        self.kilometres: dict[tuple[str, str], float | None] = {}
        self.common_digits: dict[tuple[tuple[str, ...], tuple[str, ...]], int] = {}
        """What was worked out once: taxonomies do not change."""
        self.places: dict[str, tuple[str, ...]] = {}
        self.namings: dict[str, int] = {}
        """By skill, how many occupations name it."""
        for occupation in () if taxonomy is None else taxonomy.occupations:
            assert taxonomy is not None
            for skill in set(taxonomy.essential(occupation.key)) | set(taxonomy.optional(occupation.key)):
                self.namings[skill] = self.namings.get(skill, 0) + 1

    def isco(self, key: str) -> tuple[str, ...]:
        """ISCO-08 groups of an occupation, if the policy asks for them."""
        if self.taxonomy is None or "unit_group" not in POLICY["occupation"]:
            return ()
        if key not in self.places:
            self.places[key] = self.taxonomy.isco(*key.split(":", 1))
        return self.places[key]

    def centre(self, region: str) -> tuple[float, float] | None:
        """Longitude and latitude in degrees."""
        found = None if self.taxonomy is None else self.taxonomy.regions.get(places(region)[-1])
        return None if found is None else (found.longitude, found.latitude)


class Told:
    """The taxonomy of this machine, as a service here would find it; tests may put another one in its place."""

    now: Known | None = None


def known() -> Known:
    if Told.now is None:
        settings = ServiceSettings()
        try:
            Told.now = Known(load(place(settings.taxonomy_file, settings.taxonomy_dir)))
        except FileNotFoundError:
            Told.now = Known(None)
    return Told.now


def kilometres(work: str, home: str) -> float | None:
    """The way to work; None if it is not known, also where the work may be anywhere around the home."""
    found = known().kilometres
    if (work, home) not in found:
        found[work, home] = None if lie(work, home) == "around" else great_circle(work, home)
    return found[work, home]


def great_circle(one: str, other: str) -> float | None:
    """Kilometres between the centres of two regions, by the haversine formula."""
    centres = known().centre(one), known().centre(other)
    if centres[0] is None or centres[1] is None:
        return None
    east, north, other_east, other_north = map(radians, (*centres[0], *centres[1]))
    half_north, half_east = sin((north - other_north) / 2), sin((east - other_east) / 2)
    return 2 * 6371.0088 * asin(sqrt(half_north**2 + cos(north) * cos(other_north) * half_east**2))
