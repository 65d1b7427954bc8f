"""What registry packages carry of ESCO, in their own forms."""

import json
from pathlib import Path

import pytest

from shared.taxonomy import build, load, packages


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("technical director head of technical Technical directors realise the visions.", "technical director"),
        ("navy officer officer in the navy Navy officers command missions.", "navy officer"),
        ("dispatch clerk dispatching clerk Dispatch clerks dispatch.", "dispatch clerk"),
        ("microbiologist bacteriologist Microbiologists study life.", "microbiologist"),
        ("body artist body piercer body painter Body artists decorate.", "body artist"),
        ("midwife birth attendant They assist.", None),
        ("", None),
    ],
)
def test_a_label_is_what_the_description_begins_with_again(text: str, label: str | None):
    assert packages.first_label(text) == label


def test_examples_are_read_from_the_text_of_a_unit_group():
    text = (
        "Welders  They weld.\nExamples of the occupations classified here:\n- Manager, bank\n- Brazier\n"
        "- ICT trainer\n- Captain (navy)\n- Brazier\nSome related occupations classified elsewhere:\n- Fitter"
    )
    assert packages.examples(text) == ("bank manager", "brazier", "ICT trainer", "captain (navy)")
    assert packages.examples("Welders  They weld.") == ()


@pytest.mark.parametrize(
    ("level", "code"), [("K0613", "0613"), ("K06", "06"), ("K", "K"), ("S4.5.0", "S4.5.0"), ("L", "L")]
)
def test_a_field_of_knowledge_has_isced_fs_code(level: str, code: str):
    assert packages.group_code(level) == code


def test_their_files_become_a_taxonomy(tmp_path: Path):
    (tmp_path / "skills.csv").write_text(
        "id,description,hierarchy_levels,type\n"
        "s-1,weld metal,\"[['S', 'S7', 'S7.1', 'S7.1.0'], ['T', 'T4', 'T4.4', None]]\",preferredLabel\n"
        "s-1,weld metal,,altLabels\n"
        "s-1,join metal,,altLabels\n"
        "s-2,Haskell,\"[['K', 'K06', 'K061', 'K0613']]\",preferredLabel\n"
        "s-3,Swedish,\"[['L', 'L1', None, None]]\",preferredLabel\n"
        "S7,constructing,,level_2\n",
        "utf-8",
    )
    (tmp_path / "hierarchy.json").write_text(json.dumps({"S7": "constructing", "K0613": "software"}), "utf-8")
    (tmp_path / "skill_ids.csv").write_text(
        "id,description\nhttp://data.europa.eu/esco/skill/339ac029-066a-4985-9f9d-b3d7c8fea0bb,x\n", "utf-8"
    )
    (tmp_path / "occupations.csv").write_text(
        "id,description\n"
        "http://data.europa.eu/esco/occupation/o-1,navy officer marine Navy officers command.\n"
        'http://data.europa.eu/esco/isco/C0110,"Commissioned officers  They lead.\n'
        'Examples of the occupations classified here:\n - Navy officer\n - Captain (navy)\nSome related: \n - Pilot"\n'
        "http://data.europa.eu/esco/isco/C7212,Welders and flamecutters  Welders weld.\n",
        "utf-8",
    )
    (tmp_path / "adcodes.csv").write_text(
        "\ufeffadcode,name,longitude,latitude\n110000000000,北京市,116.4,39.9\n", "utf-8"
    )
    build.write(build.from_packages(tmp_path), tmp_path / "taxonomy")
    taxonomy = load(tmp_path / "taxonomy")
    weld, haskell, swedish = (taxonomy.concepts[f"esco:s-{number}"] for number in (1, 2, 3))
    assert (weld.labels["en"], weld.alternatives["en"], weld.skill_type) == (
        "weld metal",
        ("join metal",),
        "skill/competence",
    )
    assert weld.groups == ("esco:S7.1.0", "esco:T4.4")
    assert taxonomy.concepts["esco:S7.1.0"].groups == ("esco:S7.1",)
    assert taxonomy.concepts["esco:S7"].labels == {"en": "constructing"}
    assert (haskell.groups, haskell.skill_type) == (("esco:0613",), "knowledge")
    assert taxonomy.concepts["esco:0613"].labels == {"en": "software"}
    assert taxonomy.concepts["esco:06"].groups == ("esco:K",)
    assert (swedish.is_language, swedish.skill_type) == (True, None)
    listed_only = taxonomy.concepts["esco:339ac029-066a-4985-9f9d-b3d7c8fea0bb"]
    assert listed_only.labels == {"en": "manage staff", "zh": "人员管理"}, "its label is known from our own file"
    (officer,) = taxonomy.occupations
    assert (officer.labels, officer.groups) == ({"en": "navy officer"}, ("isco-08:0110",)), (
        "ISCO names it as an example"
    )
    assert taxonomy.concepts["isco-08:0110"].alternatives["en"] == ("navy officer", "captain (navy)")
    assert taxonomy.essential(officer.key) == ()
    assert taxonomy.concepts["isco-08:7212"].labels == {"en": "Welders and flamecutters", "zh": "焊工"}
    assert list(taxonomy.regions) == ["gbt2260:110000"]
    assert taxonomy.version.startswith("esco-1.1.1-1.2.0+zh1-")
