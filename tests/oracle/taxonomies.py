"""A small taxonomy for made-up worlds: its concepts are those of `worlds`, its places are real ones."""

from __future__ import annotations

import msgspec

from shared.taxonomy import Concept, Region, Taxonomy
from shared.taxonomy.model import FORMAT, Relations, Stored
from tests.oracle import worlds

UNIT_GROUPS = ["7211", "7212", "7213", "7221", "2512"]
ESCO = {"welder": ("7212",), "cutter": ("7213",), "unplaced": ()}
CHINESE = {"6-18-02-04": ("7212", "7213"), "6-18-02-01": ("7212", "7213"), "6-18-04-01": ("7221",)}
SWEDISH = {"7": ("7",), "72": ("72",), "721": ("721", "722"), "251": ("251",)}
CENTRES = {
    "370000": (117.000923, 36.675807),
    "370100": (117.000923, 36.675807),
    "370102": (117.08, 36.66),
    "370103": (116.99, 36.65),
    "370200": (120.355173, 36.082982),
    "500233": (108.037518, 30.303652),
    "810000": (114.173355, 22.320048),
}
"""By division: longitude and latitude."""


def small() -> Taxonomy:
    """Occupations of four schemes with places in ISCO-08, skills that few or many of 40 occupations name, centres."""
    isco = {code[:length] for code in UNIT_GROUPS for length in range(1, 5)}
    concepts = [Concept(f"isco-08:{code}", "group", {"en": code}, {}, ()) for code in isco]
    concepts += [Concept(f"cn-2022:{code}", "occupation", {}, {}, _isco(places)) for code, places in CHINESE.items()]
    placed = ESCO | {f"other-{number}": () for number in range(37)}
    concepts += [Concept(f"esco:{code}", "occupation", {"en": code}, {}, _isco(at)) for code, at in placed.items()]
    skills = [f"{scheme}:{code}" for scheme, code in worlds.SKILLS]
    concepts += [Concept(key, "skill", {"en": f"skill {key[-2:]}"}, {}, ()) for key in skills[:8]]
    concepts.sort(key=lambda concept: concept.key)
    position = {concept.key: place for place, concept in enumerate(concepts)}
    workers = [place for key, place in position.items() if key.startswith("esco:other-")]
    # the first skill is named by all others, each further one by half as many; the last two by nobody
    named = {place: skills[: 6 - number.bit_length()] for number, place in enumerate(workers)}
    essential: dict[int, tuple[int, ...]] = {
        place: tuple(position[key] for key in keys) for place, keys in named.items() if keys
    }
    optional: dict[int, tuple[int, ...]] = {workers[0]: (position[skills[0]], position[skills[5]])}
    regions = {f"gbt2260:{code}": Region(code, *centre) for code, centre in CENTRES.items()}
    return Taxonomy(
        Stored(
            format=FORMAT,
            version="small",
            sources={},
            coverage={},
            ssyk=SWEDISH,
            concepts=tuple(concepts),
            relations=msgspec.Raw(msgspec.msgpack.encode(Relations(essential, optional, {}))),
            regions=msgspec.Raw(msgspec.msgpack.encode(regions)),
        )
    )


def _isco(places: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(f"isco-08:{place}" for place in places)
