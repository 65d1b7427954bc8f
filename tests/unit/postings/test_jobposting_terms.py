"""The terms in job postings of schema.org (pay, place, requirements): single rules on made-up ones."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.unit.postings.jobpostings import noted, submission

ESCO = "http://data.europa.eu/esco/skill/00030d09-2b3a-4efd-87cc-c4ea39d27c34"


# ------------------------------------------------------------------------------------------------ pay
def salary(value: object, currency: str | None = "CNY", **more: object) -> dict[str, Any]:
    return {"@type": "MonetaryAmount", "currency": currency, "value": value} | more


def quantity(unit: str | None = "MONTH", **more: object) -> dict[str, Any]:
    return {"@type": "QuantitativeValue", "unitText": unit} | more


@pytest.mark.parametrize(
    ("fields", "pay"),
    [
        ({"baseSalary": salary(quantity("MONTH", minValue=7000, maxValue=9000))}, (7000, 9000, "CNY")),
        ({"baseSalary": salary(quantity("YEAR", value=120_000))}, (10_000, 10_000, "CNY")),
        ({"baseSalary": salary(quantity("WEEK", value=300), "USD")}, (1300, 1300, "USD")),
        ({"baseSalary": salary(quantity("DAY", value=200))}, (4350, 4350, "CNY")),
        ({"baseSalary": salary(quantity("HOUR", minValue="20", maxValue="25.50"))}, (3480, 4437, "CNY")),
        ({"baseSalary": salary(quantity(None, value=20, unitCode="HUR"))}, (3480, 3480, "CNY")),
        ({"baseSalary": salary(8000, unitText="MONTH")}, (8000, 8000, "CNY")),
        ({"baseSalary": salary(quantity("MONTH", minValue=0, maxValue=9000), "RMB")}, (None, 9000, "CNY")),
        ({"baseSalary": {"currency": "CNY", "minValue": 7000, "unitText": "月"}}, (7000, None, "CNY")),
        (
            {"baseSalary": salary(quantity("YEAR", value="120,000.00"), None), "salaryCurrency": "usd"},
            (10_000, 10_000, "USD"),
        ),
        (
            {"baseSalary": [salary(quantity("MONTH", value=5000)), salary(quantity("YEAR", value=72_000))]},
            (5000, 6000, "CNY"),
        ),
    ],
)
def test_pay_by_the_month(fields: dict[str, Any], pay: tuple[int | None, int | None, str]):
    content = submission(**fields)
    found = content.terms.pay
    assert found is not None, noted(content)
    assert (found.min, found.max, found.currency) == pay
    assert not content.notes


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"baseSalary": salary(quantity("MONTH", value=-1))}, "pay_out_of_range"),
        ({"baseSalary": salary(quantity("MONTH", value=0))}, "pay_out_of_range"),
        ({"baseSalary": salary(quantity("MONTH", value=1e300))}, "pay_out_of_range"),
        ({"baseSalary": salary(quantity("HOUR", value=9_000_000))}, "pay_out_of_range"),
        ({"baseSalary": salary(quantity("MONTH", minValue=9, maxValue=8))}, "pay_out_of_range"),
        (
            {"baseSalary": [salary(quantity("MONTH", minValue=9)), salary(quantity("MONTH", maxValue=8))]},
            "pay_out_of_range",
        ),
        ({"baseSalary": salary(quantity("MONTH", value="as agreed"))}, "pay_not_a_number"),
        ({"baseSalary": salary(quantity("MONTH", value="1e999999999"))}, "pay_out_of_range"),
        ({"baseSalary": salary(quantity("MONTH", value=5000), None)}, "pay_currency_missing"),
        ({"baseSalary": salary(quantity("MONTH", value=5000), "$")}, "pay_currency_missing"),
        ({"baseSalary": salary(quantity(None, value=5000))}, "pay_unit_unknown"),
        ({"baseSalary": salary(quantity("FORTNIGHT", value=5000))}, "pay_unit_unknown"),
        ({"baseSalary": salary(quantity("MONTH", value=5000), "CNY"), "salaryCurrency": "USD"}, "mixed_currencies"),
        (
            {"baseSalary": [salary(quantity("MONTH", value=5)), salary(quantity("MONTH", value=5), "USD")]},
            "mixed_currencies",
        ),
        ({"baseSalary": salary(quantity("HOUR", value=20)), "employmentType": "PART_TIME"}, "pay_part_time"),
    ],
)
def test_pay_that_is_none_costs_no_job(fields: dict[str, Any], code: str):
    content = submission(**fields)
    assert content.terms.pay is None
    assert noted(content) == [("/baseSalary", code)]


# ----------------------------------------------------------------------------------------------- place
def place(**address: object) -> dict[str, Any]:
    return {"@type": "Place", "address": {"@type": "PostalAddress"} | address}


@pytest.mark.parametrize(
    ("location", "keys"),
    [
        (place(addressCountry="US", addressRegion="NY", addressLocality="New York"), ["iso3166-2:US-NY"]),
        (place(addressCountry="United States", addressRegion="New York"), ["iso3166-2:US-NY"]),
        (place(addressCountry={"@type": "Country", "name": "USA"}), ["iso3166-1:US"]),
        (place(addressCountry="US", addressRegion="Nowhere"), ["iso3166-1:US"]),
        (place(addressRegion="US-CA"), ["iso3166-2:US-CA"]),
        (place(addressCountry="CN", addressRegion="山东省"), ["gbt2260:370000"]),
        (place(addressCountry="中国", addressLocality="重庆市"), ["gbt2260:500000"]),
        (place(addressCountry="China", addressRegion="Shandong"), ["gbt2260:370000"]),
        (place(addressCountry="SE", addressRegion="Skåne län"), ["iso3166-2:SE-M"]),
        (
            [place(addressCountry="DE", addressRegion="Bayern"), place(addressCountry="FR")],
            ["iso3166-2:DE-BY", "iso3166-1:FR"],
        ),
        ({"@type": "PostalAddress", "addressCountry": "DE"}, ["iso3166-1:DE"]),
        ({"@type": "Place", "address": "Main St, New York, USA"}, ["iso3166-2:US-NY"]),
        ("重庆", ["gbt2260:500000"]),
    ],
)
def test_places(location: object, keys: list[str]):
    content = submission(jobLocation=location)
    assert [region.key for region in content.terms.regions] == keys
    assert not content.notes


@pytest.mark.parametrize(
    "location", ["Atlantis", "San Francisco, CA", place(addressLocality="Springfield"), place(), 3]
)
def test_a_place_that_is_not_known_is_noted(location: object):
    content = submission(jobLocation=[location, "重庆"])
    assert [region.key for region in content.terms.regions] == ["gbt2260:500000"]
    assert noted(content) == [("/jobLocation/0", "unknown_place")]


def test_from_anywhere_and_from_anywhere_in_a_country():
    assert submission(jobLocationType="TELECOMMUTE").terms.remote
    within = submission(
        jobLocationType="TELECOMMUTE",
        applicantLocationRequirements={"@type": "Country", "name": "USA"},
        jobLocation=place(addressCountry="CA", addressRegion="ON"),
    ).terms
    assert not within.remote
    assert [region.key for region in within.regions] == ["iso3166-2:CA-ON", "iso3166-1:US"]
    assert submission(applicantLocationRequirements={"@type": "Country", "name": "USA"}).terms.regions == ()


# ----------------------------------------------------------------------------------------- requirements
@pytest.mark.parametrize(
    ("words", "kind"),
    [
        ("FULL_TIME", "full_time"),
        ("Full-time", "full_time"),
        ("https://schema.org/PART_TIME", "part_time"),
        (["FULL_TIME", "PART_TIME"], None),
        (["FULL_TIME", "TEMPORARY"], "temporary"),
        (["PER_DIEM"], "temporary"),
        (["INTERN", "PART_TIME"], "internship"),
        (["SEASONAL", "TEMPORARY"], "seasonal"),
        (None, None),
    ],
)
def test_employment_type(words: object, kind: str | None):
    content = submission(employmentType=words)
    assert content.terms.employment_type == kind
    assert not content.notes


def credential(category: object) -> dict[str, Any]:
    return {"@type": "EducationalOccupationalCredential", "credentialCategory": category}


@pytest.mark.parametrize(
    ("fields", "level", "unmapped"),
    [
        ({"educationRequirements": credential("bachelor degree")}, "bachelor", ()),
        (
            {"educationRequirements": [credential("postgraduate degree"), credential("high school")]},
            "upper_secondary",
            (),
        ),
        ({"educationRequirements": credential(["doctorate", "bachelor degree"])}, "bachelor", ()),
        ({"educationRequirements": "大专"}, "short_cycle_tertiary", ()),
        ({"educationRequirements": "no requirements"}, None, ()),
        ({"educationRequirements": "a good school"}, None, ("educationRequirements",)),
        ({"educationRequirements": credential("bachelor degree"), "experienceInPlaceOfEducation": True}, None, ()),
    ],
)
def test_education(fields: dict[str, Any], level: str | None, unmapped: tuple[str, ...]):
    content = submission(**fields)
    assert (content.terms.education, content.unmapped) == (level, unmapped)


def test_experience():
    assert submission(experienceRequirements={"monthsOfExperience": 24}).terms.experience_months == 24
    assert (
        submission(
            experienceRequirements=[{"monthsOfExperience": "36"}, {"monthsOfExperience": 12}]
        ).terms.experience_months
        == 12
    )
    absurd = submission(experienceRequirements={"monthsOfExperience": -5})
    assert (absurd.terms.experience_months, noted(absurd)) == (None, [("/experienceRequirements", "out_of_range")])
    text = submission(experienceRequirements="two years of welding")
    assert text.unmapped == ("experienceRequirements",)
    assert json.loads(text.rest or "") == {"experienceRequirements": "two years of welding"}


@pytest.mark.parametrize(
    ("category", "key", "label"),
    [
        ("51-4121.00 Welders, Cutters", "onet-soc:51-4121.00", {"en": "Welders, Cutters"}),
        ("15-1252", "onet-soc:15-1252", None),
        (
            {"@type": "CategoryCode", "codeValue": "7212", "inCodeSet": "ISCO-08", "name": "Welders"},
            "isco-08:7212",
            {"en": "Welders"},
        ),
        ({"codeValue": "51-4121.00", "inCodeSet": {"name": "O*NET-SOC"}}, "onet-soc:51-4121.00", None),
        ("http://data.europa.eu/esco/isco/C7212", "isco-08:7212", None),
        (ESCO.replace("skill", "occupation"), "esco:00030d09-2b3a-4efd-87cc-c4ea39d27c34", None),
        (["Trades", "51-4121.00"], "onet-soc:51-4121.00", None),
    ],
)
def test_occupation(category: object, key: str, label: object):
    occupation = submission(occupationalCategory=category).terms.occupation
    assert occupation is not None
    assert (occupation.key, occupation.label) == (key, label)
    inner = submission(relevantOccupation={"@type": "Occupation", "occupationalCategory": category}).terms.occupation
    assert inner == occupation


@pytest.mark.parametrize("category", ["Welding", "7212", {"codeValue": "7212", "inCodeSet": "ours"}])
def test_an_occupation_of_an_unknown_list_stays_unmapped(category: object):
    content = submission(occupationalCategory=category)
    assert (content.terms.occupation, content.unmapped) == (None, ("occupationalCategory",))


def test_skills():
    content = submission(
        skills=["welding", ESCO, {"@type": "DefinedTerm", "url": ESCO, "name": "again"}, {"name": "TIG"}]
    )
    assert [skill.key for skill in content.terms.preferred_skills] == ["esco:00030d09-2b3a-4efd-87cc-c4ea39d27c34"]
    assert content.terms.required_skills == ()
    assert content.unmapped == ("skills",)


def test_openings():
    assert submission(totalJobOpenings="12").terms.openings == 12
    content = submission(totalJobOpenings=0)
    assert (content.terms.openings, noted(content)) == (1, [("/totalJobOpenings", "out_of_range")])
