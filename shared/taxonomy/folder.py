"""Reads a folder with the publishers' own files (`shared.taxonomy.place.FILES`)."""

from __future__ import annotations

import csv
import gzip
import json
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from shared.taxonomy.material import Material, Occupation, Skill, SkillGroup, clean, last, others, regions
from shared.taxonomy.model import Region

LANGUAGES: Final = "e35a5936-091d-4e87-bafe-f264e55bd656"
"""Code of the root of ESCO's hierarchy under which all languages and skills of them are."""


def read(folder: Path) -> Material:
    """All of it. Raises FileNotFoundError if a file with ESCO or ISCO is missing; the Chinese ones may be."""
    broader = _broader(folder)
    skills = [
        Skill(
            code=(code := last(row["conceptUri"])),
            label=(label := clean(row["preferredLabel"])),
            alternatives=others(label, row["altLabels"].split("\n")),
            broader=broader.get(code, ()),
            reuse=row["reuseLevel"] or None,
            type=row["skillType"] or None,
            is_language=LANGUAGES in _above(code, broader),
        )
        for row in _rows(folder / "esco_skills_en.csv.gz")
    ]
    known = {skill.code for skill in skills}
    groups = {*broader, *(code for codes in broader.values() for code in codes)} - known
    essential, optional = _occupation_skills(folder)
    cn_groups, cn_occupations = _china(folder)
    version = _esco_version(folder)
    return Material(
        sources={"esco": f"ESCO {version}, files in TAXONOMY_DIR", "isco-08": f"ISCO-08 as in ESCO {version}"},
        esco=version,
        occupations=[
            Occupation(
                code=last(row["conceptUri"]),
                label=(label := clean(row["preferredLabel"])),
                alternatives=others(label, row["altLabels"].split("\n")),
                isco=row["iscoGroup"] or None,
            )
            for row in _rows(folder / "esco_occupations_en.csv.gz")
        ],
        skills=skills,
        skill_groups=[SkillGroup(code, None, broader.get(code, ())) for code in sorted(groups)],
        isco={row["code"]: clean(row["preferredLabel"]) for row in _rows(folder / "isco_groups_en.csv.gz")},
        cn_groups=cn_groups,
        cn_occupations=cn_occupations,
        regions=_regions(folder / "china_regions_adcodes.csv.gz"),
        essential=essential,
        optional=optional,
        related=[
            (last(row["originalSkillUri"]), last(row["relatedSkillUri"]))
            for row in _rows(folder / "esco_skill_skill_relations.csv.gz")
        ],
    )


def _rows(path: Path) -> Iterator[dict[str, str]]:
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def _broader(folder: Path) -> dict[str, tuple[str, ...]]:
    found: defaultdict[str, list[str]] = defaultdict(list)
    for row in _rows(folder / "esco_skill_broader.csv.gz"):
        found[last(row["conceptUri"])].append(last(row["broaderUri"]))
    return {code: tuple(sorted(set(codes))) for code, codes in found.items()}


def _above(code: str, broader: Mapping[str, Sequence[str]]) -> set[str]:
    found: set[str] = set()
    ahead = [code]
    while ahead:
        for above in broader.get(ahead.pop(), ()):
            if above not in found:
                found.add(above)
                ahead.append(above)
    return found


def _occupation_skills(folder: Path) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    pairs: dict[str, list[tuple[str, str]]] = {"essential": [], "optional": []}
    for row in _rows(folder / "esco_occupation_skill_relations.csv.gz"):
        pairs[row["relationType"]].append((last(row["occupationUri"]), last(row["skillUri"])))
    return pairs["essential"], pairs["optional"]


def _china(folder: Path) -> tuple[dict[str, str], dict[str, str]]:
    path = folder / "china_occupations_2022.json.gz"
    if not path.exists():
        return {}, {}
    with gzip.open(path, "rt", encoding="utf-8") as file:
        listed = json.load(file)
    levels = ("major_categories", "middle_categories", "minor_categories")
    groups = {code: _chinese(name) for level in levels for code, name in listed[level].items()}
    return groups, {row["code"]: _chinese(row["name"]) for row in listed["occupations"]}


def _chinese(name: str) -> str:
    """Without the spaces of the printed lines, and without the next line's code where it ran on."""
    return re.sub(r"\s+", "", re.split(r"\s+\d-\d", name)[0])


def _regions(path: Path) -> dict[str, Region]:
    if not path.exists():
        return {}
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        return regions(file)


def _esco_version(folder: Path) -> str:
    """As SOURCES.md beside the files says; they do not say it themselves."""
    path = folder / "SOURCES.md"
    said = re.search(r"\bESCO (\d+(?:\.\d+)+)", path.read_text(encoding="utf-8")) if path.exists() else None
    return said.group(1) if said else "unknown"
