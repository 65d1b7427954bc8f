"""JobTech ads as postings: single rules on made-up ads, and the whole on real ones where they are at hand."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from services.postings.domain.faults import Faults
from services.postings.domain.jobtech import read
from services.postings.domain.ordering import Basis, Order
from services.postings.domain.posting import cleaned, is_too_large
from services.postings.domain.submission import Removal, Submission
from shared.contracts.partners import JobTechAdPublished

REAL = Path(__file__).parents[4] / "shared" / "data" / "jobtech_ads.jsonl.gz"


def ad(**fields: object) -> dict[str, Any]:
    return {"id": "1", "headline": "Svetsare", **fields}


def submission(**fields: object) -> Submission:
    content = read(JobTechAdPublished.model_validate(ad(**fields)))
    assert isinstance(content, Submission), content
    return content


def faults(**fields: object) -> Faults:
    content = read(JobTechAdPublished.model_validate(ad(**fields)))
    assert isinstance(content, tuple), content
    return content


def concept(code: str | None, label: str | None, legacy: str | None = None) -> dict[str, str | None]:
    return {"concept_id": code, "label": label, "legacy_ams_taxonomy_id": legacy}


def test_the_least_ad() -> None:
    terms = submission().terms
    assert terms.title == {"sv": "Svetsare"}
    assert (terms.occupation, terms.regions, terms.employment_type, terms.openings) == (None, (), None, 1)


@pytest.mark.parametrize(
    ("fields", "keys"),
    [
        ({"municipality_code": "1480", "region_code": "14", "country": "Sverige"}, ["scb:1480"]),
        ({"municipality_code": None, "region_code": "14", "country": "Sverige"}, ["scb:14"]),
        ({"region_code": "90", "country": "Sverige"}, ["iso3166-1:SE"]),
        ({"country": "SE"}, ["iso3166-1:SE"]),
        ({"country": "Danmark"}, ["iso3166-1:DK"]),
        ({"country": "Atlantis"}, []),
        ({"municipality_code": 1480}, ["scb:1480"]),
    ],
)
def test_place(fields: dict[str, Any], keys: list[str]) -> None:
    assert [region.key for region in submission(workplace_address=fields).terms.regions] == keys


@pytest.mark.parametrize(("group", "key"), [("7212", "ssyk-2012:7212"), (None, "jobtech:abc"), ("721", "jobtech:abc")])
def test_occupation(group: str | None, key: str) -> None:
    fields = {
        "occupation": concept("abc", "Svetsare"),
        "occupation_group": concept("x", "Svetsare m.fl.", group),
    }
    occupation = submission(**fields).terms.occupation
    assert occupation is not None
    assert (occupation.key, occupation.label) == (key, {"sv": "Svetsare"})
    assert submission(**{name: [value] for name, value in fields.items()}).terms.occupation == occupation


@pytest.mark.parametrize(
    ("kind", "duration", "hours", "expected"),
    [
        ("Vanlig anställning", "Tills vidare", "Heltid", "full_time"),
        ("VANLIG_ANSTALLNING", "TILLSVIDARE", "DELTID", "part_time"),
        ("Vanlig anställning", "6 månader eller längre", "Heltid", "full_time"),
        ("Vanlig anställning", "3 månader – upp till 6 månader", "Heltid", "temporary"),  # noqa: RUF001 - theirs
        ("Vanlig anställning", "3 - 6 månader", "Deltid", "temporary"),
        ("Vanlig anställning", "11 dagar - upp till 3 månader", "Heltid", "temporary"),
        ("Behovsanställning", None, None, "temporary"),
        ("Sommarjobb / feriejobb", "Upp till 10 dagar", "Heltid", "seasonal"),
        (None, None, None, None),
    ],
)
def test_employment_type(kind: str | None, duration: str | None, hours: str | None, expected: str | None) -> None:
    terms = submission(
        employment_type=concept("a", kind),
        duration=concept("b", duration),
        working_hours_type=concept("c", hours),
    ).terms
    assert terms.employment_type == expected


def test_requirements() -> None:
    terms = submission(
        must_have={
            "skills": [concept("s1", "Tig"), concept(None, "No id")],
            "work_experiences": [concept("w1", "Svetsare")],
            "languages": [concept("l1", "Svenska")],
            "education_level": [
                concept("e2", "Eftergymnasial utbildning två år eller längre"),
                concept("e1", "Gymnasial utbildning"),
            ],
        },
        nice_to_have={"skills": [concept("s2", "Mig")], "work_experiences": None},
        experience_required=True,
        driving_license_required=True,
        driving_license=[concept("d", "B")],
    ).terms
    assert [code.key for code in terms.required_skills] == ["jobtech:s1", "jobtech:w1"]
    assert [code.key for code in terms.preferred_skills] == ["jobtech:s2"]
    assert terms.education == "upper_secondary"
    assert terms.experience_months is None
    assert [code.key for code in terms.licences] == ["licence:B"]


def test_times_are_stockholms() -> None:
    terms = submission(application_deadline="2026-07-31T23:59:59", last_publication_date="2026-08-31T23:59:59").terms
    assert terms.valid_through == datetime(2026, 7, 31, 21, 59, 59, tzinfo=UTC)
    winter = submission(application_deadline="2026-01-31").terms
    assert winter.valid_through == datetime(2026, 1, 31, 22, 59, 59, tzinfo=UTC)


def test_order() -> None:
    assert submission(timestamp=1688146010087).order == Order(Basis.TIME, 1688146010087000)
    assert submission(publication_date="1970-01-01T01:00:00Z".replace("1970", "2020")).order.basis is Basis.TIME
    assert submission().order == Order(Basis.ARRIVAL)


def test_removal_needs_no_more_than_its_id() -> None:
    content = read(
        JobTechAdPublished.model_validate({"id": "1", "removed": True, "removed_date": "2026-01-01T00:00:00"})
    )
    assert content == Removal("1", Order(Basis.TIME, 1767222000000000))
    assert read(JobTechAdPublished.model_validate({"id": "1", "removed": True})) == Removal("1", Order(Basis.ARRIVAL))


def test_employer_by_number_unless_it_is_a_persons() -> None:
    company = {"organization_number": "556811-4770", "name": "Ct24 AB", "workplace": "Café"}
    person = {"organization_number": "8501011234", "name": "Annas salong"}
    assert submission(employer=company).employer_reference == "5568114770"
    assert submission(employer=person).employer_reference is None
    assert submission(employer={"workplace": "Café"}).terms.employer_name == "Café"


def test_contacts_are_never_carried() -> None:
    content = submission(
        application_contacts=[{"name": "Anna", "email": "anna@example.se", "telephone": "070-1234567"}],
        application_details={"email": "jobb@example.se"},
        employer={"name": "AB", "email": "x@example.se", "phone_number": "08-123456"},
        description={"text": "<p>Ring 070-123 45 67<br>eller &aring;terkom till jobb@example.se</p>"},
    )
    text = cleaned(content.terms).model_dump_json()
    assert "example.se" not in text
    assert "123" not in text
    assert "Anna" not in text
    assert cleaned(content.terms).description == {"sv": "Ring …\neller återkom till …"}


@pytest.mark.parametrize(
    ("fields", "pointer", "code"),
    [
        ({"headline": " "}, "/headline", "missing"),
        ({"headline": None}, "/headline", "missing"),
        ({"number_of_vacancies": "many"}, "/number_of_vacancies", "int_parsing"),
        ({"occupation": "welder"}, "/occupation", "model_type"),
        (
            {"must_have": {"skills": [{"concept_id": "x" * 65}]}},
            "/must_have/skills/0/concept_id",
            "string_too_long",
        ),
        ({"application_deadline": "soon"}, "/application_deadline", "invalid_time"),
        ({"application_deadline": "1999-12-31T00:00:00"}, "/application_deadline", "invalid_time"),
        ({"timestamp": 10**20}, "/timestamp", "invalid_time"),
        ({"timestamp": -1}, "/timestamp", "invalid_time"),
    ],
)
def test_faults_say_where(fields: dict[str, Any], pointer: str, code: str) -> None:
    found = faults(**fields)
    assert [(fault.pointer, fault.code) for fault in found] == [(pointer, code)]
    assert all(fault.reason["zh"] and fault.reason["en"] for fault in found)


@pytest.mark.skipif(not REAL.exists(), reason="the real ads are not beside this checkout")
def test_all_real_ads() -> None:
    lines = gzip.decompress(REAL.read_bytes()).splitlines()
    ads = [JobTechAdPublished.model_validate_json(line) for line in lines]
    contents = [read(one) for one in ads]
    assert len(contents) == 710
    taken = [content for content in contents if isinstance(content, Submission)]
    assert len(taken) == 710
    terms = [cleaned(content.terms) for content in taken]
    assert Counter(t.occupation.scheme for t in terms if t.occupation) == {"ssyk-2012": 709}
    assert Counter(t.regions[0].scheme for t in terms) == {"scb": 674, "iso3166-1": 36}
    assert sum(bool(t.required_skills) for t in terms) > 371
    assert sum(t.employment_type is not None for t in terms) == 710
    assert all(t.valid_through for t in terms)
    assert sum(bool(t.licences) for t in terms) == 66
    assert not any(is_too_large(t) for t in terms)
    assert not any("040-300" in json.dumps(t.description, ensure_ascii=False) for t in terms)
