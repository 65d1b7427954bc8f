"""What was said in codes wins over what was read, and the two can be told apart again."""

from __future__ import annotations

from services.postings.domain import linked
from services.profiles.domain import linked as seekers
from shared.contracts.common import Code
from shared.contracts.profiles import ProfileTerms, Skill
from shared.linking.reading import Found
from tests.unit.postings.examples import posting, terms


def code(name: str, confidence: float | None = None) -> Code:
    return Code(scheme="esco", code=name, confidence=confidence)


FOUND = Found(
    occupations=(code("welder", 0.9), code("fitter", 0.4)),
    required=(code("mig", 0.8), code("tig", 0.7)),
    preferred=(code("drawings", 0.6), code("mig", 0.5)),
)


def test_what_the_source_said_wins() -> None:
    said = terms(
        occupation={"scheme": "ssyk-2012", "code": "7212"}, preferred_skills=[{"scheme": "esco", "code": "mig"}]
    )
    both = linked.with_found(said, FOUND)
    assert both.occupation == said.occupation
    assert both.required_skills == (code("tig", 0.7),), "mig was said to be preferred"
    assert both.preferred_skills == (code("mig"), code("drawings", 0.6))


def test_what_was_not_said_is_read() -> None:
    both = linked.with_found(terms(), FOUND)
    assert both.occupation == code("welder", 0.9)
    assert both.required_skills == FOUND.required
    assert both.preferred_skills == (code("drawings", 0.6),), "each skill once, required before preferred"


def test_said_and_read_can_be_told_apart_again() -> None:
    said = terms(required_skills=[{"scheme": "esco", "code": "a"}])
    assert linked.as_said(linked.with_found(said, FOUND)) == said
    assert linked.as_said(linked.with_found(terms(), FOUND)) == terms()


def test_at_most_fifty_skills() -> None:
    said = terms(required_skills=[{"scheme": "esco", "code": f"s{n}"} for n in range(49)])
    assert [skill.code for skill in linked.with_found(said, FOUND).required_skills[48:]] == ["s48", "mig"]


def test_the_same_words_are_not_read_again() -> None:
    both = linked.with_found(terms(), FOUND)
    before = posting(**both.model_dump(), linker="v1")
    known = linked.found_before(terms(), before, "v1")
    assert known is not None
    assert linked.with_found(terms(), known) == both


def test_other_words_another_linker_or_other_codes_are_read() -> None:
    before = posting(**linked.with_found(terms(), FOUND).model_dump(), linker="v1")
    assert linked.found_before(terms("Fitter"), before, "v1") is None
    assert linked.found_before(terms(), before, "v2") is None
    assert linked.found_before(terms(required_skills=[{"scheme": "esco", "code": "mig"}]), before, "v1") is None
    assert linked.found_before(terms(), posting(), "v1") is None, "before there was a linker"
    assert linked.found_before(terms(), None, "v1") is None


def test_a_seekers_words_join_what_the_seeker_gave_by_code() -> None:
    said = ProfileTerms.model_validate(
        {"consent": {"matching": True}, "skills": [{"scheme": "esco", "code": "mig", "level": 4}]}
    )
    both = seekers.with_found(said, FOUND)
    assert both.skills == (said.skills[0], Skill(scheme="esco", code="tig", confidence=0.7))
    assert both.occupations == FOUND.occupations
    assert seekers.as_said(both) == said
