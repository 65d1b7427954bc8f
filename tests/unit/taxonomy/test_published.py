"""The publishers' own files, whole: everything that ESCO says can be asked for."""

import csv
import gzip
import json
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.taxonomy import ensure
from shared.taxonomy import Taxonomy, load

SOURCES = Path(__file__).parents[4] / "shared" / "data"
pytestmark = pytest.mark.skipif(not SOURCES.is_dir(), reason=f"the publishers' files are not in {SOURCES}")


def rows(name: str) -> Iterator[dict[str, str]]:
    with gzip.open(SOURCES / name, "rt", encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def key(uri: str) -> str:
    return "esco:" + uri.rpartition("/")[2]


@pytest.fixture(scope="module")
def whole() -> Taxonomy:
    return load(ensure({"TAXONOMY_DIR": str(SOURCES)}))


def test_every_occupation_and_skill_of_esco_is_there(whole: Taxonomy):
    occupations = {key(row["conceptUri"]): row for row in rows("esco_occupations_en.csv.gz")}
    assert {concept.key for concept in whole.occupations} == occupations.keys()
    for concept in whole.occupations:
        row = occupations[concept.key]
        assert concept.labels["en"] == " ".join(row["preferredLabel"].split())
        assert concept.groups == (f"isco-08:{row['iscoGroup']}",)
    skills = {key(row["conceptUri"]): row for row in rows("esco_skills_en.csv.gz")}
    assert {concept.key for concept in whole.skills} == skills.keys()
    for concept in whole.skills:
        row = skills[concept.key]
        assert concept.labels["en"] == " ".join(row["preferredLabel"].split())
        assert (concept.reuse or "", concept.skill_type or "") == (row["reuseLevel"], row["skillType"])
        given = {" ".join(label.split()) for label in row["altLabels"].split("\n")} - {"", concept.labels["en"]}
        assert given <= set(concept.alternatives.get("en", ()))


def test_every_relation_is_there_and_no_other(whole: Taxonomy):
    expected: defaultdict[str, defaultdict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for row in rows("esco_occupation_skill_relations.csv.gz"):
        if key(row["skillUri"]) in whole.concepts:
            expected[row["relationType"]][key(row["occupationUri"])].add(key(row["skillUri"]))
    for occupation in whole.occupations:
        assert set(whole.essential(occupation.key)) == expected["essential"][occupation.key]
        assert set(whole.optional(occupation.key)) == expected["optional"][occupation.key]
    for row in rows("esco_skill_skill_relations.csv.gz"):
        one, other = key(row["originalSkillUri"]), key(row["relatedSkillUri"])
        assert other in whole.related(one)
        assert one in whole.related(other)


def test_it_is_whole_in_itself(whole: Taxonomy):
    for concept in whole.concepts.values():
        assert set(concept.groups) <= whole.concepts.keys()
        for language, labels in concept.alternatives.items():
            assert len(set(labels)) == len(labels)
            assert concept.labels[language] not in labels
            assert all(label == label.strip() != "" for label in labels)
    skills = {skill.key for skill in whole.skills}
    for occupation in whole.occupations:
        assert skills.issuperset((*whole.essential(occupation.key), *whole.optional(occupation.key)))


def test_chinese_covers_what_was_promised(whole: Taxonomy):
    assert sum("zh" in skill.labels for skill in whole.skills) >= 1_000
    chinese = [concept for concept in whole.concepts.values() if concept.scheme == "cn-2022"]
    assert Counter(concept.kind for concept in chinese) == {"occupation": 1_639, "group": 8 + 79 + 450}
    assert all(whole.isco("cn-2022", concept.code) for concept in chinese if concept.kind == "occupation")
    assert all("zh" in (whole.code(occupation.key).label or {}) for occupation in whole.occupations)


def test_the_groups_of_real_swedish_ads_lead_to_isco(whole: Taxonomy):
    groups: set[str] = set()
    with gzip.open(SOURCES / "jobtech_ads.jsonl.gz", "rt", encoding="utf-8") as file:
        for line in file:
            group = (json.loads(line).get("occupation_group") or {}).get("legacy_ams_taxonomy_id")
            groups |= {group} if group else set()
    assert len(groups) > 100
    ties = {group: whole.isco("ssyk-2012", group) for group in groups}
    assert all(f"isco-08:{code}" in whole.concepts for tie in ties.values() for code in tie)
    assert {group for group, tie in ties.items() if len(tie[0]) < 3} == {"4111", "4114", "4116", "4119"}
    # One of each sort: the same number, another one, several, no minor group.
    assert [ties[group] for group in ("2512", "2661", "2142", "4119")] == [("251",), ("263",), ("214", "215"), ("41",)]


def test_it_is_loaded_in_under_a_second(whole: Taxonomy):
    path = ensure({"TAXONOMY_DIR": str(SOURCES)})
    before = time.process_time()
    again = load(path)
    took = time.process_time() - before
    assert again.version == whole.version
    assert took < 1.0
