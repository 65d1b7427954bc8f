"""Ties the material together, counts what there is, and writes the one file."""

from __future__ import annotations

import csv
import hashlib
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec
from cramjam import zstd

from shared.taxonomy import folder, packages
from shared.taxonomy.material import Material, Occupation, Skill
from shared.taxonomy.model import FORMAT, Concept, Relations, Stored
from shared.taxonomy.place import OWN

ZSTD_LEVEL: Final = 12


@dataclass(frozen=True, slots=True)
class Own:
    """Our labels and crosswalks: see data/README.md."""

    skills: Mapping[str, dict[str, str]]
    titles: Mapping[str, dict[str, str]]
    crosswalk: Mapping[str, dict[str, str]]
    swedish: Mapping[str, dict[str, str]]
    english: Mapping[str, dict[str, str]]
    ssyk: Mapping[str, dict[str, str]]


def from_folder(path: Path) -> Stored:
    """The taxonomy of a folder with the publishers' files."""
    return tie(folder.read(path), _own())


def from_packages(path: Path) -> Stored:
    """The taxonomy of a folder with what was taken out of registry packages (`packages.MEMBERS`)."""
    own = _own()
    return tie(packages.read(path, {code: row["en"] for code, row in own.skills.items()}), own)


def write(stored: Stored, path: Path) -> None:
    """Write the file in whole or not at all; a reader of the former one is not disturbed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    packed = bytes(zstd.compress(msgspec.msgpack.encode(stored), level=ZSTD_LEVEL))
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=path.name, delete=False) as part:
        part.write(packed)
    Path(part.name).chmod(0o644)
    Path(part.name).replace(path)


def tie(material: Material, own: Own) -> Stored:
    """Concepts, relations and counts from one source and our Chinese labels."""
    concepts = sorted(
        {concept.key: concept for concept in _concepts(material, own)}.values(), key=lambda concept: concept.key
    )
    known = {concept.key for concept in concepts}
    concepts = [msgspec.structs.replace(each, groups=tuple(g for g in each.groups if g in known)) for each in concepts]
    relations = _relations(material, {concept.key: position for position, concept in enumerate(concepts)})
    ssyk = {code: tuple(row["isco"].split("|")) for code, row in own.ssyk.items()}
    content = msgspec.msgpack.encode((concepts, ssyk, relations, material.regions))
    return Stored(
        format=FORMAT,
        version=f"esco-{material.esco}+zh1-{hashlib.sha256(content).hexdigest()[:8]}",
        sources=material.sources | {"zh": "Chinese labels and crosswalks of this project: nothing official"},
        coverage=_coverage(concepts, relations, own),
        ssyk=ssyk,
        concepts=tuple(concepts),
        relations=msgspec.Raw(msgspec.msgpack.encode(relations)),
        regions=msgspec.Raw(msgspec.msgpack.encode(material.regions)),
    )


def _own() -> Own:
    def rows(name: str, key: str) -> dict[str, dict[str, str]]:
        with (OWN / name).open(encoding="utf-8", newline="") as file:
            return {row[key]: row for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)}

    return Own(
        skills=rows("skills_zh.tsv", "uri"),
        titles=rows("occupations_zh.tsv", "isco"),
        crosswalk=rows("cn2022_isco.tsv", "cn"),
        swedish=rows("skills_sv.tsv", "uri"),
        english=rows("skills_en.tsv", "uri"),
        ssyk=rows("ssyk2012_isco.tsv", "ssyk"),
    )


def _concepts(material: Material, own: Own) -> Iterator[Concept]:
    for occupation in material.occupations:
        yield _occupation(occupation)
    for group in material.skill_groups:
        labels = {"en": group.label} if group.label else {}
        yield Concept(f"esco:{group.code}", "group", labels, {}, tuple(f"esco:{code}" for code in group.broader))
    for skill in material.skills:
        yield _skill(skill, own)
    for code, label in material.isco.items():
        labels, alternatives = _texts(label, (), own.titles.get(code))
        above = (f"isco-08:{code[:-1]}",) if len(code) > 1 else ()
        yield Concept(f"isco-08:{code}", "group", labels, alternatives, above)
    # Of a source without the Chinese classification there are the minor groups of our crosswalk.
    minor = {code: row["cn_label"] for code, row in own.crosswalk.items()}
    for code, label in (material.cn_groups or minor).items():
        yield Concept(f"cn-2022:{code}", "group", {"zh": label}, {}, _crossed(own, code))
    for code, label in material.cn_occupations.items():
        yield Concept(f"cn-2022:{code}", "occupation", {"zh": label}, {}, _crossed(own, code.rpartition("-")[0]))


def _occupation(occupation: Occupation) -> Concept:
    labels, alternatives = _texts(occupation.label, occupation.alternatives, None)
    groups = (f"isco-08:{occupation.isco}",) if occupation.isco else ()
    return Concept(f"esco:{occupation.code}", "occupation", labels, alternatives, groups)


def _skill(skill: Skill, own: Own) -> Concept:
    labels, alternatives = _texts(skill.label, skill.alternatives, own.skills.get(skill.code))
    if swedish := own.swedish.get(skill.code):
        labels["sv"] = swedish["sv"]
        alternatives |= {"sv": tuple(swedish["alt_sv"].split("|"))} if swedish["alt_sv"] else {}
    if english := own.english.get(skill.code):
        more = english["alt_en"].split("|")
        alternatives["en"] = tuple(dict.fromkeys((*alternatives.get("en", ()), *more)))
    broader = tuple(f"esco:{code}" for code in skill.broader)
    return Concept(
        f"esco:{skill.code}", "skill", labels, alternatives, broader, skill.reuse, skill.type, skill.is_language
    )


def _texts(
    label: str, alternatives: tuple[str, ...], chinese: Mapping[str, str] | None
) -> tuple[dict[str, str], dict[str, tuple[str, ...]]]:
    labels, other = {"en": label}, {"en": alternatives} if alternatives else {}
    if chinese is not None:
        labels["zh"] = chinese["zh"]
        if chinese["alt_zh"]:
            other["zh"] = tuple(chinese["alt_zh"].split("|"))
    return labels, other


def _crossed(own: Own, minor: str) -> tuple[str, ...]:
    row = own.crosswalk.get(minor)
    return tuple(f"isco-08:{code}" for code in row["isco"].split("|")) if row else ()


def _relations(material: Material, positions: Mapping[str, int]) -> Relations:
    both_ways = [*material.related, *((to, of) for of, to in material.related)]
    return Relations(*(_packed(pairs, positions) for pairs in (material.essential, material.optional, both_ways)))


def _packed(pairs: Iterable[tuple[str, str]], positions: Mapping[str, int]) -> dict[int, tuple[int, ...]]:
    """Pairs of codes whose both ends are there, by the first end."""
    found: defaultdict[int, set[int]] = defaultdict(set)
    for of, to in pairs:
        first, second = positions.get(f"esco:{of}"), positions.get(f"esco:{to}")
        if first is not None and second is not None:
            found[first].add(second)
    return {first: tuple(sorted(seconds)) for first, seconds in sorted(found.items())}


def _coverage(concepts: list[Concept], relations: Relations, own: Own) -> dict[str, int]:
    """Counts by name: `<scheme> <kind>s`, the same with ` <language>`, ` tied`; ties of cn-2022 by fit; relations."""
    counts: Counter[str] = Counter()
    for concept in concepts:
        name = f"{concept.scheme} {concept.kind}s"
        counts[name] += 1
        counts.update(f"{name} {language}" for language in concept.labels)
        counts.update({f"{name} {language} labels": len(texts) + 1 for language, texts in concept.alternatives.items()})
        if concept.scheme != "isco-08":
            counts[f"{name} tied"] += any(group.startswith("isco-08:") for group in concept.groups)
        if concept.scheme == "cn-2022" and concept.kind == "occupation":
            row = own.crosswalk.get(concept.code.rpartition("-")[0])
            counts[f"cn-2022 fit {row['fit'] if row else 'none'}"] += 1
    for name, relation in (("essential", relations.essential), ("optional", relations.optional)):
        ends = [concepts[position] for positions in relation.values() for position in positions]
        counts[f"relations {name}"] = len(ends)
        counts[f"relations {name} zh"] = sum("zh" in concept.labels for concept in ends)
    counts["relations related"] = sum(map(len, relations.related.values()))
    counts["esco skills language"] = sum(concept.is_language for concept in concepts)
    return dict(sorted(counts.items()))
