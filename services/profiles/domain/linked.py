"""A profile as its seeker said it in codes, and with what was read out of the seeker's words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeVar

from shared.contracts.common import MAX_SKILLS
from shared.contracts.profiles import ProfileTerms, Skill
from shared.linking.reading import joined, said

if TYPE_CHECKING:
    from shared.linking.reading import Found

MOST_OCCUPATIONS: Final = 10
"""Of the contract."""

TermsT = TypeVar("TermsT", bound=ProfileTerms)


def as_said(terms: TermsT) -> TermsT:
    """Without anything that was read: a seeker cannot have read for us."""
    return terms.model_copy(update={"occupations": said(terms.occupations), "skills": said(terms.skills)})


def with_found(terms: TermsT, found: Found) -> TermsT:
    """Terms as said, with what the words name behind it."""
    skills = [Skill(**dict(code)) for code in found.required]
    return terms.model_copy(
        update={
            "occupations": joined(terms.occupations, found.occupations, MOST_OCCUPATIONS),
            "skills": joined(terms.skills, skills, MAX_SKILLS),
        }
    )
