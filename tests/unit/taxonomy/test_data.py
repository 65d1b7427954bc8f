"""The Chinese labels and the crosswalk: every identifier is its source's, and no label means two things."""

import csv
import gzip
import json
from collections import Counter
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[3]
OWN = PROJECT / "shared" / "taxonomy" / "data"
TITLES = PROJECT / "tests" / "data" / "zh_titles"
SOURCES = PROJECT.parent / "shared" / "data"
needs_sources = pytest.mark.skipif(not SOURCES.is_dir(), reason=f"the publishers' files are not in {SOURCES}")


def own(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    assert all(None not in row and None not in row.values() for row in rows), "each row has every column"
    return rows


def published(name: str, column: str) -> set[str]:
    with gzip.open(SOURCES / name, "rt", encoding="utf-8", newline="") as file:
        return {row[column].rpartition("/")[2] for row in csv.DictReader(file)}


def labels(rows: list[dict[str, str]]) -> Counter[str]:
    return Counter(label for row in rows for label in (row["zh"], *row["alt_zh"].split("|")) if label)


def judged(name: str) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for line in (TITLES / name).read_text(encoding="utf-8").splitlines():
        query, _, document, relevance = line.split("\t")
        assert relevance == "1"
        found.setdefault(query, set()).add(document)
    return found


@needs_sources
def test_skills_are_escos_and_a_label_means_one_of_them():
    skills = own(OWN / "skills_zh.tsv")
    assert len({row["uri"] for row in skills}) == len(skills) >= 1_000
    assert {row["uri"] for row in skills} <= published("esco_skills_en.csv.gz", "conceptUri")
    assert [label for label, count in labels(skills).items() if count > 1 or len(label) < 2] == []


@needs_sources
def test_the_crosswalk_has_every_minor_group_and_leads_to_isco_groups():
    crosswalk = own(OWN / "cn2022_isco.tsv")
    with gzip.open(SOURCES / "china_occupations_2022.json.gz", "rt", encoding="utf-8") as file:
        text = json.dumps(json.load(file), ensure_ascii=False)
    assert len({row["cn"] for row in crosswalk}) == len(crosswalk) == 450
    assert [row["cn"] for row in crosswalk if f'"{row["cn"]}"' not in text] == []
    groups = published("isco_groups_en.csv.gz", "code")
    assert {code for row in crosswalk for code in row["isco"].split("|")} <= groups
    assert {row["fit"] for row in crosswalk} == {"exact", "narrow", "broad", "close"}


@needs_sources
def test_titles_are_of_unit_groups_and_a_title_means_one_of_them():
    titles = own(OWN / "occupations_zh.tsv")
    units = {code for code in published("isco_groups_en.csv.gz", "code") if len(code) == 4}
    assert {row["isco"] for row in titles} == units
    assert [label for label, count in labels(titles).items() if count > 1] == []


@needs_sources
@pytest.mark.parametrize("name", ["qrels.tsv", "qrels_second_reading.tsv"])
def test_every_title_is_judged_by_occupations_of_esco(name: str):
    queries = own(TITLES / "queries.tsv")
    found = judged(name)
    assert len(queries) == 100
    assert found.keys() == {row["id"] for row in queries}
    assert set().union(*found.values()) <= published("esco_occupations_en.csv.gz", "conceptUri")


@needs_sources
def test_every_group_above_the_unit_groups_has_a_chinese_label():
    groups = own(OWN / "groups_zh.tsv")
    published_groups = published("isco_groups_en.csv.gz", "code")
    assert {row["isco"] for row in groups} == {code for code in published_groups if len(code) < 4}
    assert all(row["zh"] for row in groups)
    # A label twice, or one that a unit group has too, only where the one group holds the other.
    holders: dict[str, list[str]] = {}
    for row in (*groups, *own(OWN / "occupations_zh.tsv")):
        for label in filter(None, (row["zh"], *row["alt_zh"].split("|"))):
            holders.setdefault(label, []).append(row["isco"])
    widest = {label: min(codes, key=len) for label, codes in holders.items()}
    assert [label for label, codes in holders.items() if not all(c.startswith(widest[label]) for c in codes)] == []


@needs_sources
def test_the_swedish_crosswalk_leads_to_isco_groups_and_never_to_a_unit_group():
    crosswalk = own(OWN / "ssyk2012_isco.tsv")
    groups = published("isco_groups_en.csv.gz", "code")
    assert len({row["ssyk"] for row in crosswalk}) == len(crosswalk)
    assert {code for row in crosswalk for code in row["isco"].split("|")} <= groups
    assert {len(code) for row in crosswalk for code in row["isco"].split("|")} == {1, 2, 3}
    assert {row["ssyk"] for row in crosswalk if len(row["ssyk"]) == 1} == set("0123456789")
    for row in crosswalk:
        if row["ssyk"] != row["isco"]:
            assert row["note"], "another number says why"
