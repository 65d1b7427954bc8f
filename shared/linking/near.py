"""Which concepts are near one another, and how near: for the matching policy's tables.

Skills: the cosine of the bent vectors of their labels (`shared.linking.hubs.bending`), and what ESCO says of the two.
Occupations: the cosines of their labels and of the skills that they want, as `Titles.closeness` weighs them.

Credits are permille in steps of 50: the vectors differ in their last digits from one processor to another.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from typing import Final

import numpy as np

from shared.linking.hubs import Hubs, bending, unit
from shared.linking.meaning import Encoder, Vectors
from shared.linking.titles import SKILLS
from shared.taxonomy import Concept, Taxonomy

MOST: Final = 16
"""Neighbours of one concept."""
STEP: Final = 50
LABELS: Final = 3
"""Of a skill: the preferred one and the first others. The rest are mostly variants and would take as long again."""

NARROWER: Final = ((0.3, 400), (0.8, 800))
"""Cosine and credit, of a skill for the one above it: who has the special one has most of the general one. Nothing
below the first, where a tie of the hierarchy is one of arrangement alone; a straight line between the two."""
BROADER: Final = ((0.3, 200), (0.8, 500))
"""The same, of a skill for the one below it: who has the general one has a part of the special one."""
RELATED: Final = 0.2
"""What it adds to the cosine that ESCO relates two skills,"""
SIBLINGS: Final = 0.1
"""or puts both directly under the same one."""
BESIDE: Final = ((0.75, 300), (1.0, 700))
"""That sum and credit, of all other skills."""
OCCUPATIONS: Final = ((0.65, 400), (0.95, 900))
"""Closeness and credit of occupations."""

_CHUNK: Final = 1024

Line = tuple[tuple[float, int], tuple[float, int]]
Table = dict[str, dict[str, int]]
"""By concept: what counts for it in part, in permille, the nearest first."""


def near_skills(taxonomy: Taxonomy, encoder: Encoder) -> Table:
    """For each skill those that count for it in part. Reads some 40,000 labels: a minute or two."""
    skills = [skill for skill in taxonomy.skills if "en" in skill.labels]
    named = [_texts(skill) for skill in skills]
    # in half precision, as the labels of occupations are kept: fewer last digits to differ in
    raw = encoder.encode([text for texts in named for text in texts], "en").astype(np.float16).astype(np.float32)
    owner = np.repeat(np.arange(len(skills)), [len(texts) for texts in named])
    mean, bend = bending(raw, owner)
    places = unit((raw - mean) @ bend)
    return skill_table(taxonomy, skills, unit(np.add.reduceat(places, np.searchsorted(owner, np.arange(len(skills))))))


def skill_table(taxonomy: Taxonomy, skills: list[Concept], centres: Vectors) -> Table:
    """The same, from where the skills lie: (skills, d), each of length 1."""
    at = {skill.key: number for number, skill in enumerate(skills)}
    found: defaultdict[int, dict[int, int]] = defaultdict(dict)
    for one, other, cosine in _pairs(taxonomy, skills, centres, at):
        credit = _credit(taxonomy, skills[one], skills[other], cosine)
        if credit:
            found[one][other] = credit
    return {
        skill.key: {
            skills[other].key: credit
            for other, credit in sorted(found[number].items(), key=lambda near: (-near[1], skills[near[0]].key))[:MOST]
        }
        for number, skill in enumerate(skills)
        if number in found
    }


def near_occupations(hubs: Hubs, known: Callable[[str, str], int]) -> Table:
    """Pairs of occupations that are nearer than is known (in permille), each pair once; both count for the other.

    No occupation is in more than MOST pairs: the nearest come first.
    """
    near = (hubs.centres @ hubs.centres.T + SKILLS * hubs.profiles @ hubs.profiles.T) / (1 + SKILLS)
    pairs: list[tuple[int, str, str]] = []
    for row, column in np.argwhere(np.triu(near, 1) >= OCCUPATIONS[0][0]).tolist():
        credit = _on_line(float(near[row, column]), OCCUPATIONS)
        keys = hubs.keys[row], hubs.keys[column]
        if credit > known(*keys):
            pairs.append((-credit, *keys))
    table: Table = {}
    taken: Counter[str] = Counter()
    for negative, one, other in sorted(pairs):
        if taken[one] < MOST and taken[other] < MOST:
            taken.update((one, other))
            table.setdefault(one, {})[other] = -negative
    return dict(sorted(table.items()))


def _texts(skill: Concept) -> tuple[str, ...]:
    return tuple(dict.fromkeys((skill.labels["en"], *skill.alternatives.get("en", ()))))[:LABELS]


def _pairs(
    taxonomy: Taxonomy, skills: list[Concept], centres: Vectors, at: Mapping[str, int]
) -> Iterator[tuple[int, int, float]]:
    """Pairs that could earn a credit, with their cosine; some come twice."""
    for start in range(0, len(skills), _CHUNK):
        near = centres[start : start + _CHUNK] @ centres.T
        for one, other in np.argwhere(near >= BESIDE[0][0] - SIBLINGS).tolist():
            if start + one != other:
                yield start + one, other, float(near[one, other])
    for number, skill in enumerate(skills):
        for key in (*taxonomy.related(skill.key), *skill.groups):
            if key in at and at[key] != number:
                cosine = float(centres[number] @ centres[at[key]])
                yield number, at[key], cosine
                yield at[key], number, cosine


def _credit(taxonomy: Taxonomy, wanted: Concept, had: Concept, cosine: float) -> int:
    """What the one skill counts for the other; 0 for nothing."""
    if wanted.key in had.groups:
        return _on_line(cosine, NARROWER)
    if had.key in wanted.groups:
        return _on_line(cosine, BROADER)
    above = set(wanted.groups) & set(had.groups)
    if wanted.is_language or had.is_language:
        # Two languages are near by their labels and no help to each other; two abilities in one language are.
        above = {key for key in above if taxonomy.concepts[key].kind == "skill"}
        if not above:
            return 0
    said = RELATED if had.key in taxonomy.related(wanted.key) else SIBLINGS if above else 0.0
    return _on_line(cosine + said, BESIDE)


def _on_line(evidence: float, line: Line) -> int:
    (least, low), (most, high) = line
    if evidence < least:
        return 0
    credit = low + (min(evidence, most) - least) / (most - least) * (high - low)
    return int((credit + 1e-6) // STEP * STEP)
