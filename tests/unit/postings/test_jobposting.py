"""Job postings of schema.org: single rules on made-up ones."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from services.postings.domain.forms import SCHEMA_ORG, Reading, read
from services.postings.domain.jobposting import read as read_found
from services.postings.domain.jobposting_fields import JOBPOSTING_ROWS
from services.postings.domain.jsonld import Found, job_posting
from services.postings.domain.mapping import Fate
from services.postings.domain.ordering import Basis, Order
from services.postings.domain.posting import cleaned
from services.postings.domain.submission import Submission
from shared.contracts.partners import JobPostingPublished

ESCO = "http://data.europa.eu/esco/skill/00030d09-2b3a-4efd-87cc-c4ea39d27c34"


def job(**fields: object) -> dict[str, Any]:
    return {"@context": "https://schema.org", "@type": "JobPosting", "identifier": "1", "title": "Welder"} | fields


def reading(record: Any) -> Reading:  # noqa: ANN401 - JSON
    data = json.dumps(record).encode()
    return read(JobPostingPublished.model_validate_json(data), data)


def submission(**fields: object) -> Submission:
    content = reading(job(**fields)).content
    assert isinstance(content, Submission), content
    return content


def noted(content: Submission) -> list[tuple[str, str]]:
    return [(note.pointer, note.code) for note in content.notes]


def codes(record: Any) -> list[tuple[str, str]]:  # noqa: ANN401 - JSON
    content = reading(record).content
    assert isinstance(content, tuple), content
    return [(fault.pointer, fault.code) for fault in content]


# ----------------------------------------------------------------------------------------- JSON-LD
@pytest.mark.parametrize(
    "context",
    [
        "https://schema.org",
        "http://schema.org/",
        "https://www.schema.org",
        "https://schema.org/docs/jsonldcontext.jsonld",
        ["https://schema.org", {"x": "https://example.org/x"}],
        {"@vocab": "https://schema.org/"},
        None,
    ],
)
def test_contexts_that_are_schema_orgs(context: object):
    assert submission(**{"@context": context}).terms.title == {"en": "Welder"}


@pytest.mark.parametrize("context", ["https://example.org", {"@vocab": "https://example.org/"}, ["x"], 3])
def test_another_vocabulary_is_refused(context: object):
    assert codes(job(**{"@context": context})) == [("/@context", "unknown_context")]


@pytest.mark.parametrize("kind", ["JobPosting", ["JobPosting"], "schema:JobPosting", "http://schema.org/JobPosting"])
def test_types(kind: object):
    assert submission(**{"@type": kind}).id == "1"


def test_prefixed_names_and_pointers_to_them():
    record = {
        "@context": {"schema": "https://schema.org/"},
        "@type": "schema:JobPosting",
        "schema:identifier": "1",
        "schema:title": {"@value": "焊工", "@language": "zh"},
        "schema:baseSalary": {"schema:value": -1, "schema:unitText": "MONTH", "schema:currency": "CNY"},
        "schema:rating": 3,
    }
    content = reading(record).content
    assert isinstance(content, Submission)
    assert content.terms.title == {"zh": "焊工"}
    assert noted(content) == [("/schema:baseSalary", "pay_out_of_range")]
    assert content.unmapped == ("rating",)


def test_a_graph_with_one_job_posting_whose_employer_is_another_node():
    graph = [
        {"@type": "Organization", "@id": "#e", "name": "Example Works (made up)", "url": "https://works.example"},
        job(hiringOrganization={"@id": "#e"}, employmentType="ZERO_HOURS"),
    ]
    for record in ({"@context": "https://schema.org", "@graph": graph}, graph):
        content = reading(record).content
        assert isinstance(content, Submission)
        assert content.terms.employer_name == "Example Works (made up)"
        assert content.employer_reference == "https://works.example"
        assert noted(content) == [("/@graph/1/employmentType", "unknown_word")]


def test_a_graph_with_none_or_several():
    assert codes({"@graph": [{"@type": "Person"}]}) == [("/@graph", "no_job_posting")]
    assert codes({"@graph": [job(), job()]}) == [("/@graph", "several_job_postings")]
    assert codes({"title": "Welder"}) == [("/@type", "no_job_posting")]
    assert codes([]) == [("/@graph", "no_job_posting")]


# ------------------------------------------------------------------------------------ what it must say
@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"identifier": {"@type": "PropertyValue", "name": "Works", "value": "A-1"}}, "A-1"),
        ({"identifier": [{"@type": "PropertyValue", "value": 17}]}, "17"),
        ({"identifier": None, "@id": "https://works.example/17"}, "https://works.example/17"),
        ({"identifier": "", "@id": "_:b0", "url": "https://works.example/18"}, "https://works.example/18"),
    ],
)
def test_its_id(fields: dict[str, Any], named: str):
    assert reading(job(**fields)).posting == named
    assert submission(**fields).id == named


@pytest.mark.parametrize(
    ("fields", "fault"),
    [
        ({"identifier": None}, ("/identifier", "missing")),
        ({"identifier": "x" * 257}, ("/identifier", "id_too_long")),
        ({"identifier": "a\x07"}, ("/identifier", "id_not_printable")),
        ({"title": "<p></p>"}, ("/title", "missing")),
        ({"validThrough": "soon"}, ("/validThrough", "invalid_time")),
        ({"validThrough": "0001-01-01"}, ("/validThrough", "invalid_time")),
        ({"validThrough": "0000-00-00"}, ("/validThrough", "invalid_time")),
    ],
)
def test_what_makes_it_useless(fields: dict[str, Any], fault: tuple[str, str]):
    assert codes(job(**fields)) == [fault]


@pytest.mark.parametrize(
    ("fields", "language"),
    [
        ({"title": "焊工"}, "zh"),
        ({"title": "溶接工です"}, "ja"),
        ({"title": "용접공"}, "ko"),
        ({"title": "Soudeur"}, "en"),
        ({"title": "Soudeur", "inLanguage": "fr-CA"}, "fr"),
        ({"title": "Soudeur", "inLanguage": {"@type": "Language", "name": "fr"}}, "fr"),
        ({"title": "Svetsare", "@context": ["https://schema.org", {"@language": "sv"}]}, "sv"),
    ],
)
def test_its_language(fields: dict[str, Any], language: str):
    assert list(submission(**fields).terms.title) == [language]


def test_its_texts():
    fields = {
        "description": "<p>Weld.</p><p>Call 070-123 45 67</p>",
        "responsibilities": ["Weld.", "<b>Grind.</b>"],
        "qualifications": "Steady hands.",
    }
    terms = cleaned(submission(**fields).terms)
    assert terms.description == {"en": "Weld.\n\nCall …\n\nGrind.\n\nSteady hands."}
    assert submission(description="x" * 30_000).terms.description["en"].endswith("…")


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


# ------------------------------------------------------------------------------------- dates, employer
@pytest.mark.parametrize(
    ("end", "moment"),
    [
        ("2026-06-30", datetime(2026, 7, 1, 11, 59, 59, tzinfo=UTC)),
        ("2026-06-30T18:00", datetime(2026, 7, 1, 6, tzinfo=UTC)),
        ("2026-06-30T18:00:00+08:00", datetime(2026, 6, 30, 10, tzinfo=UTC)),
    ],
)
def test_valid_through(end: str, moment: datetime):
    assert submission(validThrough=end).terms.valid_through == moment


@pytest.mark.parametrize("end", ["9999-12-31", "2101-01-01T00:00:00Z", "99999-12-31"])
def test_no_end(end: str):
    content = submission(validThrough=end)
    assert (content.terms.valid_through, noted(content)) == (None, [("/validThrough", "no_end")])


def test_order():
    assert submission(datePosted="2026-01-01").order == Order(Basis.ARRIVAL)
    assert submission(dateModified="2026-01-01T00:00:00Z").order == Order(Basis.TIME, 1_767_225_600_000_000)
    odd = submission(dateModified="0001-01-01")
    assert (odd.order, noted(odd)) == (Order(Basis.ARRIVAL), [("/dateModified", "invalid_time")])


@pytest.mark.parametrize(
    ("employer", "name", "reference"),
    [
        ({"@type": "Organization", "name": "Works", "leiCode": "LEI1", "sameAs": "https://w.example"}, "Works", "LEI1"),
        ({"name": "Works", "identifier": {"value": "91500000MA5U"}}, "Works", "91500000MA5U"),
        ("Works", "Works", None),
        ({"@type": "Person", "name": "Anna Exempelsson", "taxID": "8501011234"}, None, None),
        ({"@id": "#works", "name": "Works"}, "Works", None),
    ],
)
def test_employer(employer: object, name: str | None, reference: str | None):
    content = submission(hiringOrganization=employer)
    assert (content.terms.employer_name, content.employer_reference) == (name, reference)
    assert "Anna" not in (content.rest or "")


# ----------------------------------------------------------------------------------------------- table
class Spied(dict[str, object]):
    """Remembers what was asked for."""

    def __init__(self, node: dict[str, object]) -> None:
        super().__init__(node)
        self.asked: set[str] = set()

    def get(self, key: str, default: object = None) -> Any:  # noqa: ANN401
        self.asked.add(key)
        return super().get(key, default)


def test_the_table_names_every_field_that_is_read_and_no_other():
    found = job_posting(job(identifier=None, url="https://works.example/1"))
    assert isinstance(found, Found)
    node = Spied(found.node)
    assert isinstance(read_found(Found(node, (), "", None)), Submission)
    taken = {name.split(".")[0] for line in JOBPOSTING_ROWS if line.fate is Fate.TAKEN for name in line.fields}
    # what is asked for by no name: the type and context, by which the job posting was found; a name in place of a title
    assert taken - node.asked == {"@type", "@context", "name"}
    assert node.asked - taken == set()
    assert node.asked <= SCHEMA_ORG.fields.keys()
