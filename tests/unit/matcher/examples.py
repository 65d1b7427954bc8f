"""One posting and one seeker who suit each other, and ways to change them."""

from datetime import UTC, datetime
from typing import Any

from services.matcher.domain import Index, Judgement, load
from services.matcher.domain.ties import ties
from shared.contracts.postings import Posting
from shared.contracts.profiles import Profile
from tests.oracle.taxonomies import small

NOW = datetime(2026, 11, 2, 8, 0, tzinfo=UTC)
POLICY = load()
TAXONOMY = small()
TIES = ties(TAXONOMY)


def skill(*names: str) -> list[dict[str, str]]:
    return [{"scheme": "esco", "code": name} for name in names]


def region(code: str, scheme: str = "gbt2260") -> dict[str, str]:
    return {"scheme": scheme, "code": code}


def isco(code: str) -> dict[str, str]:
    return {"scheme": "isco-08", "code": code}


def posting(posting_id: str = "p", version: int = 1, **terms: Any) -> Posting:  # noqa: ANN401 - its fields
    body: dict[str, Any] = {
        "id": posting_id,
        "version": version,
        "status": "open",
        "employer_id": "e",
        "published_at": NOW,
        "changed_at": NOW,
        "title": {"en": "Welder"},
        "occupation": isco("7212"),
        "required_skills": skill("weld", "cut", "read", "lift"),
        "preferred_skills": skill("teach"),
        "education": "upper_secondary",
        "experience_months": 12,
        "licences": [{"scheme": "licence", "code": "B"}],
        "regions": [region("370102")],
        "pay": {"min": 5000, "max": 7000, "currency": "CNY"},
        "employment_type": "full_time",
        "benefits": ["pension", "room"],
        "key_groups": ["veteran"],
    }
    return Posting.model_validate(body | terms)


def profile(seeker_id: str = "s", version: int = 1, **terms: Any) -> Profile:  # noqa: ANN401 - its fields
    body: dict[str, Any] = {
        "id": seeker_id,
        "version": version,
        "status": "active",
        "changed_at": NOW,
        "consent": {"matching": True},
        "matchmakers": ["mm"],
        "occupations": [isco("7212")],
        "skills": skill("weld", "cut", "read"),
        "education": "bachelor",
        "experience_months": 24,
        "licences": [{"scheme": "licence", "code": "B"}],
        "lives_in": region("370103"),
        "regions": [region("370000")],
        "remote": False,
        "pay_floor": {"amount": 5000, "currency": "CNY"},
        "employment_types": ["full_time"],
        "key_groups": ["graduate"],
        "benefits_needed": ["room", "board"],
    }
    return Profile.model_validate(body | terms)


def judged(work: dict[str, Any] | None = None, person: dict[str, Any] | None = None, now: datetime = NOW) -> Judgement:
    """The pair, with these terms changed."""
    index = Index(POLICY, TIES)
    index.upsert_posting(posting(**(work or {})))
    index.upsert_profile(profile(**(person or {})))
    found = index.judge("p", "s", now)
    assert found is not None
    return found
