"""Titles with the real models on the real taxonomy; and by words alone on a small one."""

from pathlib import Path
from types import SimpleNamespace
from typing import cast

import numpy as np
import pytest

from deploy.taxonomy import ensure
from shared.linking.hubs import PROFILE, Hubs, _leading_axes, build, hubs_file, labels
from shared.linking.linker import Linker
from shared.linking.meaning import Encoder, have_models, language, models_folder
from shared.linking.skills import Linker as Skills
from shared.linking.titles import Titles, open_titles
from shared.taxonomy import Taxonomy, load

MODELS = models_folder()
needs_models = pytest.mark.skipif(not have_models(MODELS), reason="no sentence models: `make setup` fetches them")


@pytest.fixture(scope="module")
def taxonomy() -> Taxonomy:
    return load(ensure())


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return Encoder(MODELS)


@pytest.fixture(scope="module")
def titles(taxonomy: Taxonomy, encoder: Encoder) -> Titles:
    if not hubs_file(ensure(), encoder.version).exists():
        pytest.skip("no vectors of the labels: `python -m deploy.models` computes them")
    return open_titles(ensure(), taxonomy, MODELS)


def test_the_language_of_a_title():
    assert [language(text) for text in ("焊工", "Java 开发", "welder", "Schweißer")] == ["zh", "zh", "en", "en"]


@needs_models
def test_a_vector_is_the_same_whatever_it_is_asked_with(encoder: Encoder):
    alone = encoder.encode(["software engineer"], "en")
    among = Encoder(MODELS, threads=2).encode(["nurse", "software engineer", "a much longer title of a job"], "en")
    assert np.array_equal(alone[0], among[1])
    assert np.linalg.norm(alone[0]) == pytest.approx(1, abs=1e-5)


@needs_models
def test_what_is_remembered_is_bounded():
    small = Encoder(MODELS, remembered=2)
    first = small.encode(["焊工", "会计", "护士"], "zh")
    assert len(small._known) == 2
    assert np.array_equal(small.encode(["焊工"], "zh")[0], first[0])


@needs_models
def test_a_label_names_its_occupation_for_certain(titles: Titles, taxonomy: Taxonomy):
    found = titles.occupations(["Forklift Operator", "焊工"])
    assert taxonomy.concepts[found[0][0].key].labels["en"] == "forklift operator"
    assert found[0][0].confidence == 1
    assert "isco-08:7212" in {one.key for one in found[1] if one.confidence == 1}


@needs_models
def test_a_title_that_is_no_label_finds_what_it_means(titles: Titles, taxonomy: Taxonomy):
    (found,) = titles.occupations(["person who repairs broken PCs"], 5)
    assert any("computer" in taxonomy.concepts[one.key].labels["en"] for one in found)
    (found,) = titles.occupations(["急招 氩弧焊师傅 不锈钢制品厂 长期"], 3)
    assert "isco-08:7212" in {one.key for one in found}
    assert all(0 < one.confidence <= 1 for one in found)


@needs_models
def test_nearer_titles_come_first_in_both_languages(titles: Titles):
    assert titles.rank("truck driver", ["accountant", "lorry driver", "dispatcher"])[0].position == 1
    assert [one.position for one in titles.rank("卡车司机", ["会计", "货车驾驶员"])] == [1, 0]


@needs_models
def test_a_chinese_and_an_english_title_meet_in_their_skills(titles: Titles, taxonomy: Taxonomy):
    if not taxonomy.coverage.get("relations essential"):
        pytest.skip("the registry packages do not tell which skills an occupation wants")
    near = titles.closeness(["焊工", "护士"], ["welder", "nurse"])
    assert near[0, 0] > near[0, 1]
    assert near[1, 1] > near[1, 0]


@needs_models
def test_hubs_that_are_hidden_help_nobody(taxonomy: Taxonomy, titles: Titles):
    known = titles.hubs("zh")
    hidden = {key for key in known.keys if key.startswith("cn-2022:")}
    # Most occupations are hidden too: their skills take long to compute, and are not looked at here.
    hubs: Hubs = build(taxonomy, known.labels, known.raw, hidden | {one.key for one in taxonomy.occupations[100:]})
    assert not hidden & set(hubs.keys)
    assert not {label.concept for label in hubs.labels if label.concept.startswith("cn-2022:")}


def test_labels_are_ordered_by_hub_and_concept(taxonomy: Taxonomy):
    named = labels(taxonomy, "zh")
    assert named == sorted(named, key=lambda label: (label.hub, label.concept, label.text))
    assert len({(label.hub, label.text) for label in named}) == len(named)


def test_without_models_words_do_it_and_the_version_says_so(taxonomy: Taxonomy, tmp_path: Path):
    words = open_titles(tmp_path / "taxonomy.msgpack.zst", taxonomy, tmp_path)
    assert "words-only" in words.version
    (found,) = words.occupations(["急招电焊工 月薪8000"])
    assert found[0].key == "isco-08:7212"
    assert 0.5 < found[0].confidence < 1
    assert words.rank("电焊工", ["会计", "焊工"])[0].position == 1
    assert words.occupations(["zzz qqq"]) == [[]]


def test_leading_axes_keep_the_products():
    points = np.random.default_rng(1).standard_normal((40, 8)).astype(np.float32)
    kept = _leading_axes(points @ points.T)
    assert kept.shape == (40, PROFILE)
    assert np.allclose(kept @ kept.T, points @ points.T, atol=1e-3)


def test_what_is_found_is_marked_with_every_part_that_decides_it(taxonomy: Taxonomy, tmp_path: Path):
    """Else words would not be read again when one of them changes."""
    words, skills = open_titles(tmp_path / "taxonomy.msgpack.zst", taxonomy, tmp_path), SimpleNamespace(rules="r-7")
    version = Linker(taxonomy, cast("Skills", skills), words).version
    assert "+r-7+" in version
    assert version.endswith(words.version)
