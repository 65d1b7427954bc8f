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
from shared.taxonomy.material import Material, Occupation, Skill, others
from shared.taxonomy.model import FORMAT, Concept, Relations, Stored
from shared.taxonomy.place import OWN

ZSTD_LEVEL: Final = 12


Row = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Own:
    """Our labels, by language and code, and our crosswalks, by the code that they lead from: see data/README.md."""

    skills: Mapping[str, Mapping[str, Row]]
    isco: Mapping[str, Mapping[str, Row]]
    cn: Mapping[str, Row]
    ssyk: Mapping[str, Row]


def from_folder(path: Path) -> Stored:
    """The taxonomy of a folder with the publishers' files."""
    return tie(folder.read(path), own_labels())


def from_packages(path: Path) -> Stored:
    """The taxonomy of a folder with what was taken out of registry packages (`packages.MEMBERS`)."""
    own = own_labels()
    english = {code: row["en"] for rows in own.skills.values() for code, row in rows.items()}
    return tie(packages.read(path, english), own)


def write(stored: Stored, path: Path) -> None:
    """Write the file in whole or not at all; a reader of the former one is not disturbed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    packed = bytes(zstd.compress(msgspec.msgpack.encode(stored), level=ZSTD_LEVEL))
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=path.name, delete=False) as part:
        part.write(packed)
    Path(part.name).chmod(0o644)
    Path(part.name).replace(path)


def tie(material: Material, own: Own) -> Stored:
    """Concepts, relations and counts from one source and our own labels."""
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


def own_labels(data: Path = OWN) -> Own:
    """What `data` holds: a file for each language and crosswalk."""

    def rows(path: Path, key: str) -> dict[str, Row]:
        with path.open(encoding="utf-8", newline="") as file:
            return {row[key]: row for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)}

    def by_language(key: str, *kinds: str) -> dict[str, dict[str, Row]]:
        found: defaultdict[str, dict[str, Row]] = defaultdict(dict)
        for path in sorted(path for kind in kinds for path in data.glob(f"{kind}_??.tsv")):
            found[path.stem.rpartition("_")[2]] |= rows(path, key)
        return found

    return Own(
        skills=by_language("uri", "skills"),
        isco=by_language("isco", "groups", "occupations"),
        cn=rows(data / "cn2022_isco.tsv", "cn"),
        ssyk=rows(data / "ssyk2012_isco.tsv", "ssyk"),
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
        labels, alternatives = _texts(code, label, material.isco_examples.get(code, ()), own.isco)
        above = (f"isco-08:{code[:-1]}",) if len(code) > 1 else ()
        yield Concept(f"isco-08:{code}", "group", labels, alternatives, above)
    # Of a source without the Chinese classification there are the minor groups of our crosswalk.
    minor = {code: row["cn_label"] for code, row in own.cn.items()}
    for code, label in (material.cn_groups or minor).items():
        yield Concept(f"cn-2022:{code}", "group", {"zh": label}, {}, _crossed(own, code))
    for code, label in material.cn_occupations.items():
        yield Concept(f"cn-2022:{code}", "occupation", {"zh": label}, {}, _crossed(own, code.rpartition("-")[0]))


def _occupation(occupation: Occupation) -> Concept:
    alternatives = {"en": occupation.alternatives} if occupation.alternatives else {}
    groups = (f"isco-08:{occupation.isco}",) if occupation.isco else ()
    return Concept(f"esco:{occupation.code}", "occupation", {"en": occupation.label}, alternatives, groups)


def _skill(skill: Skill, own: Own) -> Concept:
    labels, alternatives = _texts(skill.code, skill.label, skill.alternatives, own.skills)
    broader = tuple(f"esco:{code}" for code in skill.broader)
    return Concept(
        f"esco:{skill.code}", "skill", labels, alternatives, broader, skill.reuse, skill.type, skill.is_language
    )


def _texts(
    code: str, label: str, alternatives: tuple[str, ...], own: Mapping[str, Mapping[str, Row]]
) -> tuple[dict[str, str], dict[str, tuple[str, ...]]]:
    """Labels and alternatives: the English ones of the source, and ours, which never replace a label of the source."""
    labels, other = {"en": label}, {"en": alternatives} if alternatives else {}
    for language, rows in own.items():
        if row := rows.get(code):
            preferred = labels.setdefault(language, row[language])
            texts = others(preferred, (*other.get(language, ()), *row[f"alt_{language}"].split("|")))
            if texts:
                other[language] = texts
    return labels, other


def _crossed(own: Own, minor: str) -> tuple[str, ...]:
    row = own.cn.get(minor)
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
    """Counts by name: `<scheme> <kind>s`, and the same with what is counted of them.

    That is ` <language>` (have a label), ` <language> labels` (all labels) and ` tied` (to ISCO-08); besides, ties
    of cn-2022 by fit, and relations.
    """
    counts: Counter[str] = Counter()
    for concept in concepts:
        name = f"{concept.scheme} {concept.kind}s"
        counts[name] += 1
        counts.update(f"{name} {language}" for language in concept.labels)
        texts = {language: 1 + len(concept.alternatives.get(language, ())) for language in concept.labels}
        counts.update({f"{name} {language} labels": count for language, count in texts.items()})
        if concept.scheme != "isco-08":
            counts[f"{name} tied"] += any(group.startswith("isco-08:") for group in concept.groups)
        if concept.scheme == "cn-2022" and concept.kind == "occupation":
            row = own.cn.get(concept.code.rpartition("-")[0])
            counts[f"cn-2022 fit {row['fit'] if row else 'none'}"] += 1
    for name, relation in (("essential", relations.essential), ("optional", relations.optional)):
        ends = [concepts[position] for positions in relation.values() for position in positions]
        counts[f"relations {name}"] = len(ends)
        counts[f"relations {name} zh"] = sum("zh" in concept.labels for concept in ends)
    counts["relations related"] = sum(map(len, relations.related.values()))
    counts["esco skills language"] = sum(concept.is_language for concept in concepts)
    return dict(sorted(counts.items()))
