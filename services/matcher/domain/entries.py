"""What a list says about each counterpart."""

from __future__ import annotations

from collections.abc import Sequence

from services.matcher.domain.answers import Scored
from services.matcher.domain.index import Index
from services.matcher.domain.kernels import COMPONENTS
from shared.contracts.recommendations import AnchorKind, Entry


def entries(index: Index, kind: AnchorKind, anchor_id: str, scored: Sequence[Scored]) -> tuple[Entry, ...]:
    """The entries of the anchor's list, from an answer of `Index.top` (no change in between)."""
    by_posting = kind is AnchorKind.POSTING
    anchor = (index.postings if by_posting else index.seekers).row_of.get(anchor_id)
    if anchor is None or not scored:
        return ()
    rows = [one.row for one in scored]
    parts = [dict(zip(COMPONENTS, one.parts, strict=True)) for one in scored]
    skills = index.skills_between(kind, anchor, rows)
    facts = index.evidence_of(kind, anchor, rows, [(own[2], of_one) for own, of_one in zip(skills, parts, strict=True)])
    # Validating a dict takes half the time of `model_construct`.
    return tuple(
        Entry.model_validate(
            {
                "id": one.id,
                "version": one.version,
                "points": one.points,
                "components": of_one,
                "matched": matched,
                "missing": missing,
                "unknown": one.unknown,
                "evidence": evidence,
                "employer_id": None if by_posting else index.postings.sharers[one.row][0],
            }
        )
        for one, of_one, (matched, missing, _), evidence in zip(scored, parts, skills, facts, strict=True)
    )
