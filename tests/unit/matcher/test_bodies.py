"""The index's own reading of postings and profiles, held against the contracts."""

from random import Random
from typing import Any

import msgspec
import pytest
from pydantic import ValidationError

from services.matcher.domain import Index
from services.matcher.domain.bodies import PostingBody, ProfileBody
from shared.contracts.postings import Posting
from shared.contracts.profiles import Profile
from shared.contracts.recommendations import AnchorKind
from tests.oracle import worlds
from tests.unit.matcher.examples import POLICY, posting, profile

Body = dict[str, Any]
POSTING, PROFILE = posting().model_dump(mode="json"), profile().model_dump(mode="json")


@pytest.mark.parametrize("seed", range(4))
def test_an_index_is_the_same_from_both_readings(seed: int):
    random, contracts, own = Random(seed), Index(POLICY), Index(POLICY)
    for number in range(40):
        work = Posting.model_validate(worlds.posting(random, f"p{number}"))
        person = Profile.model_validate(worlds.profile(random, f"s{number}"))
        contracts.upsert_posting(work)
        contracts.upsert_profile(person)
        own.upsert_posting(msgspec.json.decode(work.model_dump_json(exclude_defaults=True), type=PostingBody))
        own.upsert_profile(msgspec.json.decode(person.model_dump_json(exclude_defaults=True), type=ProfileBody))
    for kind in AnchorKind:
        for name in list(contracts.anchors(kind)):
            assert own.top(kind, name, worlds.START) == contracts.top(kind, name, worlds.START)
            assert own.standing(kind, name) == contracts.standing(kind, name)
    assert own.skills.keys == contracts.skills.keys


CODE = {"scheme": "esco", "code": "x"}


@pytest.mark.parametrize(
    ("body", "field", "value"),
    [
        *((POSTING, "id", name) for name in ("", "a b", "ä", "x" * 65, None)),
        *((POSTING, "version", version) for version in (0, -1, "one", None)),
        (POSTING, "status", "ajar"),
        (POSTING, "close_reason", "bored"),
        (POSTING, "employer_id", ""),
        (POSTING, "occupation", {"scheme": "esco"}),
        (POSTING, "occupation", {"scheme": "esco", "code": "x" * 65}),
        (POSTING, "occupation", {"scheme": "e" * 33, "code": "x"}),
        (POSTING, "required_skills", [CODE] * 51),
        (POSTING, "preferred_skills", [CODE] * 51),
        (POSTING, "education", "kindergarten"),
        (POSTING, "experience_months", 721),
        (POSTING, "experience_months", -1),
        (POSTING, "licences", [CODE] * 21),
        (POSTING, "regions", [CODE] * 21),
        (POSTING, "remote", "perhaps"),
        (POSTING, "pay", {"currency": "yuan", "min": 1}),
        (POSTING, "pay", {"currency": "CNY", "min": 10_000_001}),
        (POSTING, "employment_type", "hobby"),
        (POSTING, "benefits", ["luck"]),
        (POSTING, "key_groups", ["everybody"]),
        (POSTING, "valid_through", "2026-11-02T08:00:00"),
        (PROFILE, "status", "asleep"),
        (PROFILE, "consent", {}),
        (PROFILE, "matchmakers", ["m"] * 6),
        (PROFILE, "occupations", [CODE] * 11),
        (PROFILE, "skills", [CODE] * 51),
        (PROFILE, "licences", [CODE] * 21),
        (PROFILE, "lives_in", {"code": "x"}),
        (PROFILE, "pay_floor", {"amount": -1, "currency": "CNY"}),
        (PROFILE, "employment_types", ["hobby"]),
        (PROFILE, "benefits_needed", ["luck"]),
    ],
)
def test_what_the_contract_refuses_is_refused(body: Body, field: str, value: object):
    contract, own = (Posting, PostingBody) if body is POSTING else (Profile, ProfileBody)
    contract.model_validate(body)
    msgspec.convert(body, own)
    with pytest.raises(ValidationError):
        contract.model_validate(body | {field: value})
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(msgspec.json.encode(body | {field: value}), type=own)
