"""What a list says about each counterpart."""

from __future__ import annotations

from collections.abc import Sequence

from services.matcher.domain.answers import Scored
from services.matcher.domain.index import Index
from shared.contracts.lists import ComponentsBody, EntryBody
from shared.contracts.recommendations import AnchorKind


def entries(index: Index, kind: AnchorKind, anchor_id: str, scored: Sequence[Scored]) -> tuple[EntryBody, ...]:
    """The entries of the anchor's list, from an answer of `Index.top` (no change in between)."""
    by_posting = kind is AnchorKind.POSTING
    anchor = (index.postings if by_posting else index.seekers).row_of.get(anchor_id)
    if anchor is None or not scored:
        return ()
    rows = [one.row for one in scored]
    parts = [ComponentsBody(*one.parts) for one in scored]
    skills = index.skills_between(kind, anchor, rows)
    facts = index.evidence_of(kind, anchor, rows, [(own[2], of_one) for own, of_one in zip(skills, parts, strict=True)])
    employers = index.postings.sharers
    return tuple(
        [
            EntryBody(
                one.id,
                one.version,
                one.points,
                of_one,
                matched,
                missing,
                one.unknown,
                evidence,
                None if by_posting else employers[one.row][0],
            )
            for one, of_one, (matched, missing, _), evidence in zip(scored, parts, skills, facts, strict=True)
        ]
    )
