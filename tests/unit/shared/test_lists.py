"""Lists as they are read and written by the thousand, held against the contract."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from shared.contracts.common import Benefit, Education, KeyGroup
from shared.contracts.lists import (
    AsOfBody,
    ComponentsBody,
    EntryBody,
    EvidenceBody,
    ListBody,
    body_of,
    contract_of,
    encode,
    read,
)
from shared.contracts.recommendations import (
    LIST_SIZE,
    AnchorKind,
    AsOf,
    Components,
    Entry,
    Evidence,
    RecommendationsRefreshed,
)
from shared.errors import Rejected

Body = dict[str, Any]
PAIRS = (
    (RecommendationsRefreshed, ListBody),
    (AsOf, AsOfBody),
    (Entry, EntryBody),
    (Components, ComponentsBody),
    (Evidence, EvidenceBody),
)
ENTRY: Body = {"id": "s1", "version": 2, "points": 400, "components": {"occupation": 300, "pay": 100}}
LIST: Body = {
    "kind": "posting",
    "anchor": "p1",
    "revision": 3,
    "anchor_version": 2,
    "as_of": {"postings": [4, 0], "profiles": [7]},
    "now": "2026-03-01T08:00:00.000123Z",
    "policy": "v1",
    "entries": [ENTRY],
}
NAMES = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,20}", fullmatch=True)
TEXTS = st.lists(st.text(max_size=9), max_size=3).map(tuple)
NUMBERS = st.integers(-(10**9), 10**9)
NATURAL = st.integers(0, 10**9)
VERSIONS = st.integers(1, 10**12)
EVIDENCE = st.builds(
    EvidenceBody,
    same_occupation=st.booleans(),
    required=NATURAL,
    related=st.lists(st.tuples(st.text(max_size=5), st.text(max_size=5)), max_size=2).map(tuple),
    education=st.none() | st.sampled_from(Education),
    months=st.none() | st.integers(0, 720),
    km=st.none() | NATURAL,
    remote=st.booleans(),
    pay_low=st.none() | NUMBERS,
    currency=st.none() | st.from_regex("[A-Z]{3}", fullmatch=True),
    benefits=st.lists(st.sampled_from(Benefit), max_size=2).map(tuple),
    key_groups=st.lists(st.sampled_from(KeyGroup), max_size=2).map(tuple),
)
ENTRIES = st.builds(
    EntryBody,
    id=NAMES,
    version=VERSIONS,
    points=NUMBERS,
    components=st.builds(ComponentsBody, occupation=NUMBERS, key_group=NUMBERS),
    matched=TEXTS,
    missing=TEXTS,
    unknown=TEXTS,
    evidence=st.none() | EVIDENCE,
    employer_id=st.none() | NAMES,
)
LISTS = st.builds(
    ListBody,
    kind=st.sampled_from(AnchorKind),
    anchor=NAMES,
    revision=VERSIONS,
    anchor_version=VERSIONS,
    as_of=st.builds(AsOfBody, st.lists(NATURAL, max_size=3).map(tuple), st.lists(NATURAL, max_size=3).map(tuple)),
    now=st.timedeltas(timedelta(), timedelta(days=36_889)).map(lambda since: datetime(2000, 1, 1, tzinfo=UTC) + since),
    policy=st.text(max_size=40),
    taxonomy=st.none() | st.text(max_size=80),
    active=st.booleans(),
    employer_id=st.none() | NAMES,
    entries=st.lists(ENTRIES, max_size=3).map(tuple),
)


@pytest.mark.parametrize(("contract", "body"), PAIRS)
def test_the_fields_are_the_contracts_in_its_order(contract: type[Any], body: type[Any]):
    assert tuple(contract.model_fields) == body.__struct_fields__
    required = {name for name, field in contract.model_fields.items() if field.is_required()}
    assert required == {field.name for field in msgspec.structs.fields(body) if field.required}


@given(LISTS)
def test_a_list_is_written_as_the_contract_would_write_it(body: ListBody):
    contract = contract_of(body)
    assert contract.model_dump_json(exclude_defaults=True).encode() == encode(body)
    assert read(encode(body)) == body
    assert body_of(contract) == body


@pytest.mark.parametrize(
    ("where", "value"),
    [
        *((where, name) for where in ("anchor", "employer_id") for name in ("", "a b", "ä", "a\n", "x" * 65, 7)),
        *((where, number) for where in ("revision", "anchor_version") for number in (0, -1, "one", None, 1.5)),
        *(("now", moment) for moment in ("2026-03-01T08:00:00", "1999-12-31T23:59:59Z", "2101-01-01T00:00:00Z", "")),
        *(("kind", kind) for kind in ("employer", None)),
        *(("as_of", seen) for seen in (None, {}, {"postings": [-1], "profiles": []}, {"postings": [1]})),
        ("policy", "x" * 41),
        ("taxonomy", "x" * 81),
        ("active", None),
        ("entries", [ENTRY] * (LIST_SIZE + 1)),
        ("entries", {}),
        *(("entries", [ENTRY | {name: value}]) for name, value in {"id": "", "version": 0, "points": "many"}.items()),
        ("entries", [ENTRY | {"components": {"pay": "much"}}]),
        ("entries", [ENTRY | {"matched": [1]}]),
        *(
            ("entries", [ENTRY | {"evidence": {name: value}}])
            for name, value in {
                "km": -1,
                "months": 721,
                "months_asked": -1,
                "currency": "yuan",
                "education": "kindergarten",
                "benefits": ["luck"],
                "key_groups": ["everybody"],
                "related": [["one"]],
            }.items()
        ),
    ],
)
def test_what_the_contract_refuses_is_refused_in_its_words(where: str, value: object):
    value = msgspec.json.encode(LIST | {where: value})
    with pytest.raises(ValidationError) as contract:
        RecommendationsRefreshed.model_validate_json(value)
    with pytest.raises(ValidationError) as body:
        read(value)
    assert str(body.value) == str(contract.value)


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"{",
        b"[]",
        b"\xff",
        b'{"kind": "\xff"}',
        b"[" * 100_000,
        msgspec.json.encode(LIST)[:-1] + b',"more":"\xff"}',
    ],
)
def test_what_is_no_list_is_refused_by_the_contract(value: bytes):
    with pytest.raises(ValidationError):
        read(value)


@pytest.mark.parametrize(
    "more",
    [
        {"revision": "3"},
        {"active": "true"},
        {"now": 1772352000},
        {"more": 1, "entries": [ENTRY | {"more": [1]}]},
        {"revision": 3.0},
    ],
)
def test_what_only_the_contract_takes_is_taken(more: Body):
    value = msgspec.json.encode(LIST | more)
    assert contract_of(read(value)) == RecommendationsRefreshed.model_validate_json(value)


@pytest.mark.parametrize(
    "more",
    [
        {"revision": 10**30},
        {"as_of": {"postings": [10**30], "profiles": []}},
        *({"entries": [ENTRY | {name: 10**30}]} for name in ("version", "points")),
        {"entries": [ENTRY | {"components": {"pay": -(10**30)}}]},
        *({"entries": [ENTRY | {"evidence": {name: 10**30}}]} for name in ("required", "km", "pay_low", "pay_high")),
    ],
)
def test_a_number_beyond_64_bits_is_refused(more: Body):
    """It could not be stored, and its partition would wait for ever."""
    with pytest.raises(Rejected, match="64 bits"):
        read(json.dumps(LIST | more).encode())


def test_fields_that_a_list_does_not_have_are_passed_over():
    value = msgspec.json.encode(LIST)
    assert read(value[:-1] + b',"more":' + b"[" * 900 + b"]" * 900 + b"}") == read(value)
