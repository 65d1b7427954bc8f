"""What a list says about each counterpart."""

from __future__ import annotations

from collections.abc import Iterable

from services.matcher.domain.index import Index, Scored
from services.matcher.domain.kernels import COMPONENTS
from shared.contracts.recommendations import AnchorKind, Components, Entry


def entries(index: Index, kind: AnchorKind, anchor_id: str, scored: Iterable[Scored]) -> tuple[Entry, ...]:
    """The entries of the anchor's list, from an answer of `Index.top` since which the index did not change.

    They are built without validation, because every list passes here and all of it comes from validated
    events.
    """
    by_posting = kind is AnchorKind.POSTING
    anchor = (index.postings if by_posting else index.seekers).row_of.get(anchor_id)
    found: list[Entry] = []
    for one in scored:
        if anchor is None:
            raise LookupError(f"the index changed: {kind} {anchor_id} is not in it")
        posting, seeker = (anchor, one.row) if by_posting else (one.row, anchor)
        matched, missing = index.skills_between(posting, seeker)
        found.append(
            Entry.model_construct(
                id=one.id,
                version=one.version,
                points=one.points,
                components=Components.model_construct(**dict(zip(COMPONENTS, one.parts, strict=True))),
                matched=matched,
                missing=missing,
                unknown=one.unknown,
                employer_id=None if by_posting else index.postings.sharers[posting][0],
            )
        )
    return tuple(found)
