"""From a folder of small files in the publishers' form to a taxonomy that answers."""

import csv
import gzip
import json
import shutil
from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest

from deploy.taxonomy.__main__ import lines as report
from shared.taxonomy import Taxonomy, build, load, place
from shared.taxonomy.folder import LANGUAGES, read
from shared.taxonomy.place import OWN

ESCO = "http://data.europa.eu/esco"
WELDER, CLERK = f"{ESCO}/occupation/o-welder", f"{ESCO}/occupation/o-clerk"
WELD, TORCH, ENGLISH, SPEAK = (f"{ESCO}/skill/{code}" for code in ("s-weld", "s-torch", "s-english", "s-speak"))
PROBLEMS = f"{ESCO}/skill/03b9b491-fc9b-4868-914a-bf7cd47b5041"
"""A skill that our own labels have: 解决问题能力."""


def table(path: Path, header: str, rows: Sequence[Sequence[str]]) -> None:
    with gzip.open(path, "wt", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header.split(","), *rows])


def written(folder: Path) -> Path:
    table(
        folder / "esco_occupations_en.csv.gz",
        "conceptUri,code,iscoGroup,preferredLabel,altLabels,description",
        [
            [
                WELDER,
                "7212.3",
                "7212",
                "welder",
                "welder\nwelding  operative\nwelding operative\ngas welder",
                "They weld.",
            ],
            [CLERK, "4110.1", "4110", "office clerk", "", "They do."],
        ],
    )
    table(
        folder / "esco_skills_en.csv.gz",
        "conceptUri,skillType,reuseLevel,preferredLabel,altLabels",
        [
            [WELD, "skill/competence", "sector-specific", "weld metal", "join metal\nweld metal"],
            [TORCH, "knowledge", "", "torches", ""],
            [ENGLISH, "knowledge", "transversal", "English", ""],
            [SPEAK, "skill/competence", "transversal", "speak English", ""],
            [PROBLEMS, "skill/competence", "transversal", "create solutions to problems", "solve problems"],
        ],
    )
    table(
        folder / "esco_skill_broader.csv.gz",
        "conceptUri,broaderUri",
        [
            [SPEAK, ENGLISH],
            [ENGLISH, f"{ESCO}/skill/{LANGUAGES}"],
            [WELD, f"{ESCO}/skill/g-metal"],
            [TORCH, f"{ESCO}/isced-f/0715"],
        ],
    )
    table(
        folder / "esco_occupation_skill_relations.csv.gz",
        "occupationUri,relationType,skillType,skillUri",
        [
            [WELDER, "essential", "skill/competence", WELD],
            [WELDER, "essential", "skill/competence", PROBLEMS],
            [WELDER, "optional", "knowledge", TORCH],
            [WELDER, "optional", "knowledge", f"{ESCO}/skill/gone"],
        ],
    )
    table(
        folder / "esco_skill_skill_relations.csv.gz",
        "originalSkillUri,originalSkillType,relationType,relatedSkillType,relatedSkillUri",
        [[WELD, "skill/competence", "optional", "knowledge", TORCH]],
    )
    groups = [
        ("7", "Craft"),
        ("72", "Metal"),
        ("721", "Sheet"),
        ("7212", "Welders"),
        ("4", "Clerks"),
        ("41", "General"),
    ]
    table(
        folder / "isco_groups_en.csv.gz",
        "conceptUri,code,preferredLabel",
        [[f"{ESCO}/isco/C{code}", code, label] for code, label in (*groups, ("411", "Office"), ("4110", "Office"))],
    )
    listed = {
        "major_categories": {"6": "生产制造及有关人员"},
        "middle_categories": {"6-18": "通用基础件 制造人员"},
        "minor_categories": {"6-18-02": "机械热加工人员", "2-10-01": "记者 2-10-01-01 文字记者"},
        "occupations": [{"code": "6-18-02-04", "name": "焊工"}],
    }
    with gzip.open(folder / "china_occupations_2022.json.gz", "wt", encoding="utf-8") as file:
        json.dump(listed, file, ensure_ascii=False)
    rows = [
        ["370000000000", "山东省", "117.02", "36.67"],
        ["370102000001", "某街道", "117", "36"],
        ["370199000000", "无", "", ""],
    ]
    table(folder / "china_regions_adcodes.csv.gz", "adcode,name,longitude,latitude", rows)
    (folder / "SOURCES.md").write_text("ESCO 1.1.1: a part of it", "utf-8")
    return folder


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Taxonomy:
    folder = tmp_path_factory.mktemp("published")
    build.write(build.from_folder(written(folder)), folder / "taxonomy")
    return load(folder / "taxonomy")


def test_an_occupation_has_its_labels_once_its_group_and_its_skills(small: Taxonomy):
    (clerk, welder) = small.occupations
    assert (clerk.key, welder.key) == ("esco:o-clerk", "esco:o-welder")
    assert welder.labels == {"en": "welder"}
    assert welder.alternatives == {"en": ("welding operative", "gas welder")}
    assert welder.groups == ("isco-08:7212",)
    assert small.essential(welder.key) == ("esco:03b9b491-fc9b-4868-914a-bf7cd47b5041", "esco:s-weld")
    assert small.optional(welder.key) == ("esco:s-torch",), "a skill that is not there is in no relation"
    assert small.essential(clerk.key) == ()
    assert small.essential("esco:nobody") == ()


def test_a_skill_says_what_kind_it_is_and_where_it_belongs(small: Taxonomy):
    weld, torch = small.concepts["esco:s-weld"], small.concepts["esco:s-torch"]
    assert (weld.kind, weld.skill_type, weld.reuse, weld.groups) == (
        "skill",
        "skill/competence",
        "sector-specific",
        ("esco:g-metal",),
    )
    assert (torch.skill_type, torch.reuse, torch.groups) == ("knowledge", None, ("esco:0715",))
    assert small.concepts["esco:0715"].kind == "group"
    assert small.related(weld.key) == (torch.key,)
    assert small.related(torch.key) == (weld.key,), "a relation is told from both ends"
    assert {skill.labels["en"] for skill in small.skills if skill.is_language} == {"English", "speak English"}


def test_our_chinese_labels_stand_beside_escos(small: Taxonomy):
    problems = small.concepts["esco:03b9b491-fc9b-4868-914a-bf7cd47b5041"]
    assert problems.labels == {"en": "create solutions to problems", "zh": "解决问题能力"}
    assert problems.alternatives == {"en": ("solve problems",), "zh": ("解决问题", "问题解决能力")}
    welders = small.concepts["isco-08:7212"]
    assert welders.labels["zh"] == "焊工"
    assert "电焊工" in welders.alternatives["zh"]
    assert welders.groups == ("isco-08:721",)
    assert small.concepts["isco-08:7"].groups == ()


def test_chinese_occupations_are_tied_by_their_minor_group(small: Taxonomy):
    welder = small.concepts["cn-2022:6-18-02-04"]
    assert (welder.kind, welder.labels) == ("occupation", {"zh": "焊工"})
    assert welder.groups == ("isco-08:7212",), "of the crosswalk's groups those that are there"
    assert small.concepts["cn-2022:6-18"].labels["zh"] == "通用基础件制造人员"
    assert small.concepts["cn-2022:2-10-01"].labels["zh"] == "记者", "the next line had run on"
    assert small.concepts["cn-2022:6-18"].groups == ()


@pytest.mark.parametrize(
    ("scheme", "code", "expected"),
    [
        ("esco", "o-welder", ("7212",)),
        ("esco", "s-weld", ()),
        ("isco-08", "7212", ("7212",)),
        ("isco-08", "72", ("72",)),
        ("isco-08", "9999", ()),
        ("cn-2022", "6-18-02", ("7212",)),
        ("cn-2022", "6-18-02-99", ("7212",)),
        ("cn-2022", "6-18", ()),
        ("cn-2022", "9-99-99-99", ()),
        ("ssyk-2012", "7212", ("721",)),
        ("ssyk-2012", "2143", ("214", "215")),
        ("ssyk-2012", "5343", ("532",)),
        ("ssyk-2012", "1410", ("134",)),
        ("ssyk-2012", "4111", ("41",)),
        ("ssyk-2012", "1999", ("1",)),
        ("ssyk-2012", "", ()),
        ("onet-soc", "51-4121.00", ()),
        ("jobtech", "7212", ()),
    ],
)
def test_codes_lead_to_isco_as_far_as_is_known(small: Taxonomy, scheme: str, code: str, expected: tuple[str, ...]):
    assert small.isco(scheme, code) == expected


def test_a_code_carries_labels_and_an_occupation_the_chinese_one_of_its_group(small: Taxonomy):
    code = small.code("esco:o-welder")
    assert (code.key, code.label) == ("esco:o-welder", {"zh": "焊工", "en": "welder"})
    assert small.code("esco:s-weld").label == {"en": "weld metal"}, "a skill's groups are no name for it"
    assert small.code("cn-2022:6-18-02-04").label == {"zh": "焊工"}
    assert small.code("esco:g-metal").label is None
    with pytest.raises(KeyError):
        small.code("esco:nobody")


def test_regions_have_centres(small: Taxonomy):
    assert list(small.regions) == ["gbt2260:370000"]
    assert (small.regions["gbt2260:370000"].longitude, small.regions["gbt2260:370000"].latitude) == (117.02, 36.67)


def test_what_it_holds_is_counted(small: Taxonomy):
    counts = small.coverage
    assert (counts["esco occupations"], counts["esco skills"], counts["esco skills zh"]) == (2, 5, 1)
    assert (counts["relations essential"], counts["relations essential zh"]) == (2, 1)
    assert (counts["esco occupations tied"], counts["cn-2022 occupations tied"]) == (2, 1)
    assert counts["cn-2022 fit broad"] + counts.get("cn-2022 fit close", 0) + counts.get("cn-2022 fit narrow", 0) == 1


def test_the_version_is_the_contents(tmp_path: Path):
    folder = written(tmp_path)
    first, again = build.from_folder(folder), build.from_folder(folder)
    assert first.version == again.version
    assert first.version.startswith("esco-1.1.1+zh1-")
    table(folder / "esco_skill_skill_relations.csv.gz", "originalSkillUri,relatedSkillUri", [[WELD, ENGLISH]])
    assert build.from_folder(folder).version != first.version


def test_the_place_is_another_one_for_other_sources(tmp_path: Path):
    folder = written(tmp_path)
    first = place(None, folder)
    assert first == place(None, folder) != place()
    (folder / "SOURCES.md").write_text("ESCO 1.2.0", "utf-8")
    assert place(None, folder) != first
    assert place(tmp_path / "mine", folder) == tmp_path / "mine"


def test_a_missing_or_foreign_file_is_told_in_words(tmp_path: Path):
    with pytest.raises(FileNotFoundError, match="make taxonomy"):
        load(tmp_path / "none")
    (tmp_path / "text").write_text("no taxonomy", "utf-8")
    with pytest.raises(ValueError, match="is no taxonomy"):
        load(tmp_path / "text")
    stored = msgspec.structs.replace(build.from_folder(written(tmp_path)), format=99)
    build.write(stored, tmp_path / "later")
    with pytest.raises(ValueError, match="format 99"):
        load(tmp_path / "later")


def test_a_folder_without_the_chinese_files_has_the_minor_groups_of_our_crosswalk(tmp_path: Path):
    folder = written(tmp_path)
    (folder / "china_occupations_2022.json.gz").unlink()
    (folder / "china_regions_adcodes.csv.gz").unlink()
    build.write(build.from_folder(folder), tmp_path / "taxonomy")
    taxonomy = load(tmp_path / "taxonomy")
    assert taxonomy.coverage["cn-2022 groups"] == 450
    assert taxonomy.isco("cn-2022", "6-18-02-04") == ("7212",)
    assert not taxonomy.regions


def test_the_report_says_what_there_is_and_what_is_missing(small: Taxonomy, tmp_path: Path):
    told = "\n".join(report(small))
    assert small.version in told
    assert "essential relations of occupations to skills: 2, 50.0 % of them to skills with a Chinese label" in told
    assert "has no relations" not in told
    folder = written(tmp_path)
    table(folder / "esco_occupation_skill_relations.csv.gz", "occupationUri,relationType,skillType,skillUri", [])
    build.write(build.from_folder(folder), tmp_path / "taxonomy")
    assert "has no relations" in "\n".join(report(load(tmp_path / "taxonomy")))


def test_labels_in_another_language_are_a_file_more(tmp_path: Path):
    own = shutil.copytree(OWN, tmp_path / "own")
    (own / "skills_sv.tsv").write_text(
        "uri\ten\tsv\talt_sv\ns-english\tEnglish\tengelska\tengelskan|engelska\n", "utf-8"
    )
    (own / "skills_en.tsv").write_text("uri\ten\talt_en\ns-english\tEnglish\tEnglish|English language\n", "utf-8")
    english = Taxonomy(build.tie(read(written(tmp_path)), build.own_labels(own))).concepts["esco:s-english"]
    assert english.labels == {"en": "English", "sv": "engelska"}
    assert english.alternatives == {"en": ("English language",), "sv": ("engelskan",)}
