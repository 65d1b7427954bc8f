"""How forms are told apart, and what is kept, reported and cleaned in all of them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from services.postings.domain.forms import FORMS, JOBTECH, OWN, SCHEMA_ORG, Form, Reading, form_of, named_in, read
from services.postings.domain.jobtech import _Ad
from services.postings.domain.mapping import MAX_REST_BYTES, Fate, row, tree
from services.postings.domain.ordering import Basis
from services.postings.domain.posting import cleaned
from services.postings.domain.submission import Removal, Submission
from shared.contracts.common import Contract
from shared.contracts.envelope import decode
from shared.contracts.postings import Posting, PostingTerms
from shared.contracts.registry import channel
from shared.errors import Rejected

PARTNER = channel("partner.chongqing.postings.v1")
LD = {"@context": "https://schema.org", "@type": "JobPosting", "identifier": "1", "title": "Welder"}
AD = {"id": "1", "headline": "Svetsare"}
MINE = {"id": "1", "title": {"en": "Welder"}}


def reading(record: Any, **headers: str) -> Reading:  # noqa: ANN401 - JSON
    named: list[tuple[str, bytes | None]] = [(name.replace("__", "-"), text.encode()) for name, text in headers.items()]
    decoded = decode(PARTNER, named, json.dumps(record).encode())
    assert isinstance(decoded.model, Contract)
    assert decoded.data is not None
    return read(decoded.model, decoded.data)


def submission(record: Any, form: Form) -> Submission:  # noqa: ANN401 - JSON
    content = reading(record, ce_type=form.events[0].__name__).content
    assert isinstance(content, Submission), content
    return content


# ------------------------------------------------------------------------------------ recognition
@pytest.mark.parametrize(
    ("headers", "record", "event"),
    [
        ({"ce_type": "PartnerPostingSubmitted"}, MINE, "PartnerPostingSubmitted"),
        ({"ce_dataschema": "urn:contract:partner.postings.v1:JobTechAdPublished:1"}, AD, "JobTechAdPublished"),
        ({"content__type": "application/ld+json"}, LD, "JobPostingPublished"),
        ({"content__type": "Application/LD+JSON; charset=utf-8"}, [LD], "JobPostingPublished"),
        ({"ce_dataschema": "http://schema.org/JobPosting"}, LD, "JobPostingPublished"),
        ({"ce_type": "org.example.job", "content__type": "application/ld+json"}, LD, "JobPostingPublished"),
        # the type says it, whatever else is said
        ({"ce_type": "JobTechAdPublished", "content__type": "application/ld+json"}, AD, "JobTechAdPublished"),
    ],
)
def test_a_form_is_told_by_type_schema_or_media_type(headers: dict[str, str], record: Any, event: str):  # noqa: ANN401
    named: list[tuple[str, bytes | None]] = [(name.replace("__", "-"), text.encode()) for name, text in headers.items()]
    assert decode(PARTNER, named, json.dumps(record).encode()).type == event


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({}, "unknown_type"),
        ({"content-type": "application/json"}, "unknown_type"),
        ({"ce_type": "Something"}, "unknown_type"),
        ({"ce_type": "JobTechAdPublished", "ce_dataschema": "https://schema.org/JobPosting"}, "unknown_schema_version"),
        (
            {"ce_dataschema": "https://schema.org/Person", "content-type": "application/ld+json"},
            "unknown_schema_version",
        ),
    ],
)
def test_what_is_announced_as_nothing_known(headers: dict[str, str], code: str):
    with pytest.raises(Rejected) as rejected:
        decode(PARTNER, [(name, text.encode()) for name, text in headers.items()], json.dumps(LD).encode())
    assert rejected.value.code == code


def test_a_structured_event_says_its_media_type_inside():
    event = {
        "specversion": "1.0",
        "id": "1",
        "type": "org.example",
        "datacontenttype": "application/ld+json",
        "data": LD,
    }
    assert reading(event, content__type="application/cloudevents+json").posting == "1"


@pytest.mark.parametrize(
    ("record", "form"),
    [
        (MINE, OWN),
        ({"id": "1"}, OWN),
        (AD, JOBTECH),
        ({"id": "1", "removed": True}, JOBTECH),
        (LD, SCHEMA_ORG),
        ([LD], SCHEMA_ORG),
        (3, OWN),
    ],
)
def test_in_a_file_a_form_is_told_by_its_fields(record: Any, form: Form):  # noqa: ANN401 - JSON
    assert form_of(record) is form


# --------------------------------------------------------------------------------- what is not mapped
def test_unmapped_fields_are_named_and_kept_and_contacts_are_not():
    content = submission(
        MINE
        | {
            "pay": {"min": 60_000, "currency": "CNY", "period": "year"},
            "shift": {"nights": True, "note": "Call 070-123 45 67"},
            "contact": {"name": "Anna Exempelsson"},
            "people": [{"@type": "Person", "name": "Anna Exempelsson"}, {"role": "welder", "email": "a@example.org"}],
            "empty": None,
        },
        OWN,
    )
    assert content.unmapped == ("pay.period", "shift", "contact", "people")
    assert json.loads(content.rest or "") == {
        "pay": {"period": "year"},
        "shift": {"nights": True, "note": "Call …"},
        "people": [{"role": "welder"}],
    }


def test_what_is_left_out_on_purpose_is_kept_but_not_named():
    content = submission(
        AD
        | {
            "salary_description": "25 000 kr, ring 070-123 45 67",
            "application_contacts": [{"name": "Anna"}],
            "employer": {"name": "AB", "url": "https://ab.example", "email": "x@ab.example", "phone_number": "1"},
            "must_have": {"languages": [{"label": "Svenska"}], "skills": [{"concept_id": "s", "label": "Tig"}]},
            "removed": False,
        },
        JOBTECH,
    )
    assert content.unmapped == ()
    assert json.loads(content.rest or "") == {
        "salary_description": "25 000 kr, ring …",
        "employer": {"url": "https://ab.example"},
        "must_have": {"languages": [{"label": "Svenska"}]},
    }


def test_what_is_kept_is_bounded_and_names_are_too():
    content = submission(MINE | {"large": "x" * 50_000, "list": ["y" * 20_000], "small": 1}, OWN)
    assert json.loads(content.rest or "") == {"small": 1}
    assert content.unmapped == ("large", "list", "small")
    content = submission(MINE | {f"field-{number:03}-{'x' * 200}": "y" * 500 for number in range(100)}, OWN)
    assert len(content.unmapped) == 50
    assert max(map(len, content.unmapped)) == 120
    assert 10_000 < len(content.rest or "") <= MAX_REST_BYTES


def test_a_field_called_version_is_the_senders_own():
    """It once stopped the partner's partition: decoding read it as our aggregate's version."""
    assert reading(AD | {"version": "abc", "revision": []}, ce_type="JobTechAdPublished").posting == "1"
    assert submission(LD | {"version": "2.0"}, SCHEMA_ORG).unmapped == ("version",)


# --------------------------------------------------------------------------------------- removals
@pytest.mark.parametrize(
    "more",
    [
        {},
        {"occupation": "PFZr_Syz_cUq", "occupation_group": "DJh5_yyF_hEM", "occupation_field": "apaJ_2ja_LuF"},
        {"municipality": "kicB_LgH_2Dk", "region": "CaRE_1nn_cSU", "country": "i46j_HmG_v64"},
        {"occupation": None, "municipality": None, "region": None},
        {"occupation": 7, "employer": "gone", "workplace_address": [[]], "number_of_vacancies": "-"},
    ],
)
@pytest.mark.parametrize("number", ["24681012", 24681012])
def test_a_removal_is_complete_with_its_id_and_time(number: str | int, more: dict[str, Any]):
    record = {"id": number, "removed": True, "removed_date": "2026-01-01T00:00:00"} | more
    content = reading(record, ce_type="JobTechAdPublished").content
    assert isinstance(content, Removal)
    assert (content.id, content.order.basis) == ("24681012", Basis.TIME)


def test_a_removal_whose_time_is_none_is_rejected_not_lost():
    found = reading({"id": "1", "removed": True, "removed_date": "9999-12-31"}, ce_type="JobTechAdPublished")
    assert isinstance(found.content, tuple)
    assert [(fault.pointer, fault.code) for fault in found.content] == [("/removed_date", "invalid_time")]


# ------------------------------------------------------------------------------------- bad input
def test_no_end_is_noted_where_feeds_write_a_date_for_it():
    content = submission(AD | {"last_publication_date": "9999-12-31T23:59:59", "number_of_vacancies": -3}, JOBTECH)
    assert content.terms.valid_through is None
    assert content.terms.openings == 1
    assert [(note.pointer, note.code) for note in content.notes] == [
        ("/last_publication_date", "no_end"),
        ("/number_of_vacancies", "out_of_range"),
    ]


@pytest.mark.parametrize(
    ("url", "taken"),
    [
        ("https://a.example/1", True),
        ("HTTP://a.example", True),
        ("javascript:alert(1)", False),
        ("www.a.example", False),
    ],
)
@pytest.mark.parametrize(
    ("form", "record", "name"), [(OWN, MINE, "url"), (JOBTECH, AD, "webpage_url"), (SCHEMA_ORG, LD, "url")]
)
def test_only_web_addresses_are_addresses(form: Form, record: dict[str, Any], name: str, url: str, taken: bool):  # noqa: FBT001
    content = submission(record | {name: url}, form)
    assert content.url == (url if taken else None)
    assert [note.pointer for note in content.notes] == ([] if taken else [f"/{name}"])


def test_texts_and_labels_lose_html_and_control_characters():
    record = {
        "id": "1",
        "title": {"en": "<b>Weld</b>er\x00", "zh": "焊工"},
        "description": {"en": "<p>One</p><script>alert(1)</script><p>Two &amp; three</p>"},
        "employer_name": "Example\x1b Works",
        "occupation": {"scheme": "isco-08", "code": "7212", "label": {"en": "<i>Welders</i>"}},
        "required_skills": [{"scheme": "esco", "code": "x", "label": {"en": "a@example.org"}}],
    }
    terms = cleaned(submission(record, OWN).terms)
    assert terms.title == {"en": "Welder", "zh": "焊工"}
    assert terms.description == {"en": "One\n\nTwo & three"}
    assert terms.employer_name == "Example Works"
    assert terms.occupation is not None
    assert terms.occupation.label == {"en": "Welders"}
    assert terms.required_skills[0].label == {"en": "…"}


@pytest.mark.parametrize("title", ["<p> </p>", "\x00\x01", "&nbsp;"])
def test_a_title_of_nothing_but_markup_is_blank(title: str):
    content = reading({"id": "1", "title": {"en": title}}, ce_type="PartnerPostingSubmitted").content
    assert isinstance(content, tuple)
    assert [(fault.pointer, fault.code) for fault in content] == [("/title/en", "blank")]


def test_an_id_with_control_characters_is_refused():
    found = reading(MINE | {"id": "a\nb"}, ce_type="PartnerPostingSubmitted")
    assert isinstance(found.content, tuple)
    assert (found.posting, found.content[0].code) == (None, "id_not_printable")


@pytest.mark.parametrize(
    ("value", "key", "named"),
    [
        (b'{"id": "A-1", "title": 3}', b"k", "A-1"),
        (json.dumps(LD).encode(), None, "1"),
        (b"{", b"k", "k"),
        (b'{"id": "a\\u0000"}', b"k", "k"),
        (b"[" * 100_000, None, None),
        (None, b"\xff", "�"),
    ],
)
def test_whose_posting_a_record_is_about_that_could_not_be_decoded(
    value: bytes | None, key: bytes | None, named: str | None
):
    assert named_in(value, key) == named


# ------------------------------------------------------------------------------------------- tables
def leaves(at: Any, path: str = "") -> dict[str, Fate]:  # noqa: ANN401 - a tree
    if not isinstance(at, dict):
        return {path.removeprefix("."): at}
    return {name: fate for part, inner in at.items() for name, fate in leaves(inner, f"{path}.{part}").items()}


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
def test_a_table_leads_to_fields_that_there_are(form: Form):
    there = {*Posting.model_fields, "source.id", "source.url", "source.origin", "order", "form"}
    targets = {line.to for line in form.rows if line.to}
    assert {target.removesuffix(".sv") for target in targets} <= there
    assert all(line.rule for line in form.rows if line.fate is not Fate.TAKEN)


def test_the_own_table_names_every_field_of_the_contract():
    taken = {name.split(".")[0] for name in leaves(OWN.fields)}
    assert taken == set(OWN.events[0].model_fields)
    assert set(PostingTerms.model_fields) <= taken


def test_the_jobtech_table_names_every_field_that_is_read():
    def paths(model: Any, at: str = "") -> set[str]:  # noqa: ANN401 - a pydantic model
        found: set[str] = set()
        for name, field in model.model_fields.items():
            inner = next((one for one in _parts(field.annotation) if hasattr(one, "model_fields")), None)
            found |= paths(inner, f"{at}{name}.") if inner else {at + name}
        return found

    taken = {name for name, fate in leaves(JOBTECH.fields).items() if fate is Fate.TAKEN}
    # a preferred level is read with the required one, and not used
    assert paths(_Ad) - taken == {
        f"nice_to_have.education_level.{part}" for part in ("concept_id", "label", "legacy_ams_taxonomy_id")
    }


def _parts(annotation: Any) -> tuple[Any, ...]:  # noqa: ANN401 - a type
    inner = getattr(annotation, "__args__", ())
    return (annotation, *(part for one in inner for part in _parts(one)))


def test_a_field_stands_in_a_table_once():
    with pytest.raises(ValueError, match="mapped twice"):
        tree((row("a", "title"), row("a", "title")))
    with pytest.raises(TypeError, match="lies within"):
        tree((row("a", "title"), row("a.b", "title")))
