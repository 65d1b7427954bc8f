"""Job postings of schema.org as a whole: single rules on made-up ones."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from services.postings.domain.forms import SCHEMA_ORG
from services.postings.domain.jobposting import read as read_found
from services.postings.domain.jobposting_fields import JOBPOSTING_ROWS
from services.postings.domain.jsonld import Found, job_posting
from services.postings.domain.mapping import Fate
from services.postings.domain.ordering import Basis, Order
from services.postings.domain.posting import cleaned
from services.postings.domain.submission import Submission
from tests.unit.postings.jobpostings import codes, job, noted, reading, submission


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
