"""The taxonomy in memory: concepts of several schemes, their labels, groups, relations and ties.

One file holds it (`shared.taxonomy.build` writes it); a process loads it once and only reads.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Final, Literal

import msgspec
from cramjam import DecompressionError, zstd

from shared.contracts.common import Code

Kind = Literal["occupation", "skill", "group"]

FORMAT: Final = 1
"""Of the file: a process does not read another one."""


class Concept(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One concept of a scheme. Its texts are labels for people and for linking, never compared as identity."""

    key: str
    """`scheme:code`: `esco` (last part of the concept's URI), `isco-08` or `cn-2022`."""
    kind: Kind
    labels: Mapping[str, str]
    """Language (ISO 639-1) to the preferred label; a group of ESCO's skills may have none."""
    alternatives: Mapping[str, tuple[str, ...]]
    """Language to other labels, without the preferred one and without repetitions."""
    groups: tuple[str, ...]
    """Keys, each of a concept that is there. An ESCO occupation: its ISCO-08 unit group. A skill or a group of
    skills: the broader ones, nearest only. An ISCO-08 group: the one above. A concept of cn-2022: the ISCO-08
    groups that our crosswalk gives its minor group, best first."""
    reuse: str | None = None
    """ESCO's reuse level of a skill: transversal, cross-sector, sector-specific or occupation-specific."""
    skill_type: str | None = None
    """`knowledge` or `skill/competence`, if the source says so."""
    is_language: bool = False
    """A skill that ESCO puts under its languages."""

    @property
    def scheme(self) -> str:
        """The part of the key before the first colon."""
        return self.key.partition(":")[0]

    @property
    def code(self) -> str:
        """The part of the key behind the first colon: the code as its publisher writes it."""
        return self.key.partition(":")[2]


class Region(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A Chinese administrative division: its name and centre (degrees, as its source has them)."""

    name: str
    longitude: float
    latitude: float


class Relations(msgspec.Struct, frozen=True, array_like=True):
    """Positions in `Stored.concepts`, to the positions of the skills that a concept is related to."""

    essential: dict[int, tuple[int, ...]]
    optional: dict[int, tuple[int, ...]]
    related: dict[int, tuple[int, ...]]


class Stored(msgspec.Struct, frozen=True, array_like=True):
    """What the file holds. `relations` and `regions` stay packed until somebody asks."""

    format: int
    version: str
    sources: dict[str, str]
    coverage: dict[str, int]
    ssyk: dict[str, tuple[str, ...]]
    """A code of SSYK 2012 of one to three digits to codes of ISCO-08."""
    concepts: tuple[Concept, ...]
    relations: msgspec.Raw
    regions: msgspec.Raw


class Taxonomy:
    """Occupations and skills with their labels, and how they hang together. Made by `load`; never changes."""

    def __init__(self, stored: Stored) -> None:
        self._stored = stored
        self._order = stored.concepts
        self.version: str = stored.version
        """The sources' versions and a hash of the content: equal only if everything is."""
        self.sources: Mapping[str, str] = stored.sources
        """What it was made from, by name."""
        self.coverage: Mapping[str, int] = stored.coverage
        """Counts, as `python -m deploy.taxonomy` prints them."""
        self.concepts: Mapping[str, Concept] = {concept.key: concept for concept in stored.concepts}
        """Every concept by its key `scheme:code`."""

    @cached_property
    def occupations(self) -> tuple[Concept, ...]:
        """ESCO's occupations, ordered by key."""
        return self._of("occupation")

    @cached_property
    def skills(self) -> tuple[Concept, ...]:
        """ESCO's skills, ordered by key."""
        return self._of("skill")

    def essential(self, key: str) -> tuple[str, ...]:
        """Keys of the skills that ESCO calls essential for this occupation; empty if it names none."""
        return self._keys(self._relations.essential, key)

    def optional(self, key: str) -> tuple[str, ...]:
        """Keys of the skills that ESCO calls optional for this occupation; empty if it names none."""
        return self._keys(self._relations.optional, key)

    def related(self, key: str) -> tuple[str, ...]:
        """Keys of the skills that ESCO relates to this skill, in either direction and of either kind."""
        return self._keys(self._relations.related, key)

    def isco(self, scheme: str, code: str) -> tuple[str, ...]:
        """The ISCO-08 group codes of a code of another scheme, best first; empty when unknown.

        - `isco-08`: itself, at whatever level it is.
        - `esco`: the unit group (four digits) that ESCO gives the occupation; from registry packages, the one
          that names it as an example, for the few that are.
        - `cn-2022`: unit groups by our crosswalk of the minor groups, for an occupation those of its minor
          group. The middle and major groups above are not tied.
        - `ssyk-2012`: Sweden built it on ISCO-08, with the same major groups. Where a minor group (three
          digits) has the same scope under the same or another number, our table says so; else the sub-major
          group (two digits) or the major group. Never a unit group: the fourth digits differ (SSYK 2143 is
          electrical engineers, ISCO 2143 environmental ones), and managers (1) are arranged anew in SSYK.
        - `onet-soc` and anything else: empty. None of the sources ties O*NET to ISCO.
        """
        if scheme == "ssyk-2012":
            return next((tie for digits in (3, 2, 1) if (tie := self._stored.ssyk.get(code[:digits]))), ())
        concept = self.concepts.get(f"{scheme}:{code}")
        if concept is None and scheme == "cn-2022":
            concept = self.concepts.get(f"{scheme}:{code[:7]}")
        if concept is None:
            return ()
        if scheme == "isco-08":
            return (code,)
        return tuple(group.removeprefix("isco-08:") for group in concept.groups if group.startswith("isco-08:"))

    def code(self, key: str) -> Code:
        """The concept as events carry it, labelled in zh and en as far as there are labels.

        An ESCO occupation has no Chinese label of its own: it carries that of its ISCO-08 unit group, which is
        the wider word (焊工 for every kind of welder). Raises KeyError for a key that is not there.
        """
        concept = self.concepts[key]
        labels = {language: concept.labels[language] for language in ("zh", "en") if language in concept.labels}
        if concept.kind == "occupation" and "zh" not in labels:
            wider = next((label for group in concept.groups if (label := self.concepts[group].labels.get("zh"))), None)
            if wider is not None:
                labels["zh"] = wider
        return Code(scheme=concept.scheme, code=concept.code, label=labels or None)

    @cached_property
    def regions(self) -> Mapping[str, Region]:
        """Chinese divisions by `gbt2260:code` (six digits), with their centres."""
        return msgspec.msgpack.decode(self._stored.regions, type=dict[str, Region])

    @cached_property
    def _relations(self) -> Relations:
        return msgspec.msgpack.decode(self._stored.relations, type=Relations)

    @cached_property
    def _positions(self) -> Mapping[str, int]:
        return {concept.key: position for position, concept in enumerate(self._order)}

    def _of(self, kind: Kind) -> tuple[Concept, ...]:
        return tuple(concept for concept in self._order if concept.kind == kind and concept.scheme == "esco")

    def _keys(self, relation: Mapping[int, tuple[int, ...]], key: str) -> tuple[str, ...]:
        position = self._positions.get(key, -1)
        return tuple(self._order[other].key for other in relation.get(position, ()))


def load(path: Path) -> Taxonomy:
    """The taxonomy in a file that `shared.taxonomy.build.write` wrote.

    Raises FileNotFoundError (with what to type) if there is none, ValueError if it is of another format.
    """
    try:
        packed = path.read_bytes()
    except FileNotFoundError:
        raise FileNotFoundError(f"no taxonomy in {path}: `make taxonomy` builds it") from None
    try:
        stored = msgspec.msgpack.decode(bytes(zstd.decompress(packed)), type=Stored)
    except (DecompressionError, msgspec.DecodeError) as error:
        raise ValueError(f"{path} is no taxonomy that this program reads: {error}") from error
    if stored.format != FORMAT:
        raise ValueError(f"{path} has format {stored.format}, this program reads {FORMAT}: `make taxonomy` builds it")
    return Taxonomy(stored)
