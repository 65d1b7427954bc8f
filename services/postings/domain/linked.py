"""A posting's terms as its source said them, and with what was read out of their words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.contracts.common import MAX_SKILLS
from shared.linking.reading import Ad, Found, joined, read, said, words

if TYPE_CHECKING:
    from shared.contracts.postings import Posting, PostingTerms


def as_said(terms: PostingTerms) -> PostingTerms:
    """Without anything that was read: a source cannot have read for us."""
    occupation = terms.occupation
    return terms.model_copy(
        update={
            "occupation": None if occupation is None or occupation.confidence is not None else occupation,
            "required_skills": said(terms.required_skills),
            "preferred_skills": said(terms.preferred_skills),
        }
    )


def ad(terms: PostingTerms) -> Ad:
    """What is there to be read, of terms as said."""
    return Ad(words(terms.title), words(terms.description), wants_occupation=terms.occupation is None)


def with_found(terms: PostingTerms, found: Found) -> PostingTerms:
    """Terms as said, with what was read behind it; a skill is named once, in the way in which it was said."""
    named = {skill.key for skill in (*terms.required_skills, *terms.preferred_skills)}
    required = joined(terms.required_skills, found.required, MAX_SKILLS, named)
    named |= {skill.key for skill in required}
    return terms.model_copy(
        update={
            "occupation": terms.occupation or next(iter(found.occupations), None),
            "required_skills": required,
            "preferred_skills": joined(terms.preferred_skills, found.preferred, MAX_SKILLS, named),
        }
    )


def found_before(terms: PostingTerms, before: Posting | None, linker: str) -> Found | None:
    """What was read for the version before, if its source said the same and the same linker read it.

    None: the words have to be read.
    """
    if before is None or before.linker != linker or _said(as_said(before)) != _said(terms):
        return None
    occupation = before.occupation
    return Found(
        occupations=() if occupation is None or occupation.confidence is None else (occupation,),
        required=read(before.required_skills),
        preferred=read(before.preferred_skills),
    )


def _said(terms: PostingTerms) -> tuple[object, ...]:
    """All that decides what is read and what of it is added."""
    return terms.title, terms.description, terms.occupation, terms.required_skills, terms.preferred_skills
