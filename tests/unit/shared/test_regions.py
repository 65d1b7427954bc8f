from collections import Counter

import pytest

from shared.regions import COUNTIES, PROVINCES, Relation, ancestors, canonical, relation


def test_a_chinese_county_lies_in_its_prefecture_its_province_and_its_country():
    assert ancestors("gbt2260:370102") == ("gbt2260:370100", "gbt2260:370000", "iso3166-1:CN")
    assert ancestors("gbt2260:370100") == ("gbt2260:370000", "iso3166-1:CN")
    assert ancestors("gbt2260:370000") == ("iso3166-1:CN",)


@pytest.mark.parametrize(
    ("region", "containing"),
    [
        ("scb:0180", ("scb:01", "iso3166-1:SE")),
        ("scb:01", ("iso3166-1:SE",)),
        ("iso3166-2:DE-BY", ("iso3166-1:DE",)),
        ("iso3166-1:CN", ()),
        ("made-up:370102", ()),
        ("gbt2260:37", ()),
        ("gbt2260:37010X", ()),
        ("gbt2260:37010\uff12", ()),
        ("iso3166-2:DE", ()),
    ],
)
def test_what_contains_a_region(region: str, containing: tuple[str, ...]):
    assert ancestors(region) == containing


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("iso3166-2:CN-SD", "gbt2260:370000"),
        ("iso3166-2:CN-XJ", "gbt2260:650000"),
        ("iso3166-1:HK", "gbt2260:810000"),
        ("iso3166-2:CN-HK", "iso3166-1:HK"),
        ("iso3166-2:SE-AB", "scb:01"),
        ("iso3166-2:SE-BD", "scb:25"),
    ],
)
def test_names_of_one_region(name: str, other: str):
    assert canonical(name) == canonical(other)
    assert relation(name, other) is Relation.SAME
    assert ancestors(name) == ancestors(other)


def test_the_tables_are_whole_and_one_to_one():
    assert len(PROVINCES) == 34
    assert len(COUNTIES) == 21
    assert Counter(PROVINCES.values()).most_common(1)[0][1] == 1
    assert Counter(COUNTIES.values()).most_common(1)[0][1] == 1


def test_relation_looks_both_ways():
    assert relation("gbt2260:370102", "iso3166-2:CN-SD") is Relation.WITHIN
    assert relation("iso3166-2:CN-SD", "gbt2260:370102") is Relation.AROUND
    assert relation("gbt2260:370102", "gbt2260:370103") is Relation.APART
    assert relation("gbt2260:370102", "scb:0180") is Relation.APART
    assert relation("made-up:1", "made-up:1") is Relation.SAME
