"""What comes in: lists, postings and tombstones.

No transaction: a list is one document and so is a posting's card, each is replaced only by a newer one, and what is
erased is erased again. So all of it may be repeated, and two processes may do it at once.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from services.notifications import domain

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from services.notifications.domain import Recipient
    from services.notifications.store import Store
    from shared.contracts.lists import ListBody
    from shared.contracts.postings import Posting

_ERASED_TOGETHER = 500


async def take_lists(
    store: Store,
    lists: Sequence[ListBody],
    tombstones: Mapping[str, int],
    kept_for: timedelta,
) -> set[Recipient]:
    """Store each anchor's newest list, forget erased anchors, and return whose inboxes may have changed.

    `tombstones`: anchor id to version. The number of round trips does not depend on the number of lists.
    """
    if tombstones:
        await store.erase(tombstones, datetime.now(UTC), kept_for)
    candidates = domain.newest(lists)
    if not candidates:
        return set()
    kept, before = await asyncio.gather(store.kept(candidates), store.erased(_named_anchors(candidates)))
    erased = before | tombstones.keys()
    saved = []
    touched: set[Recipient] = set()
    for anchor, candidate in candidates.items():
        list_ = domain.accepted(candidate, kept.get(anchor), erased)
        if list_ is not None:
            saved.append(list_)
            touched |= domain.touched(kept.get(anchor), list_)
    await store.save_lists(saved, kept)
    return touched


def _named_anchors(candidates: Mapping[str, ListBody]) -> set[str]:
    named = set(candidates)
    for list_ in candidates.values():
        other = domain.other_side(list_.kind)
        named.update(domain.anchor_id(other, entry.id) for entry in list_.entries)
    return named


async def take_postings(
    store: Store, postings: Sequence[Posting], tombstones: Mapping[str, int], kept_for: timedelta
) -> None:
    """Keep what items show of each posting, as of its newest version; `tombstones`: posting id to version."""
    newest = {posting.id: posting for posting in sorted(postings, key=lambda posting: posting.version)}
    living = [posting for posting in newest.values() if posting.id not in tombstones]
    await store.save_postings(living, tombstones, datetime.now(UTC) + kept_for)


async def erase_again(store: Store, after: timedelta) -> None:
    """Do erasures again that are due: soon, and a day later.

    Between the question whether an id is erased and the writing of a list that names it, the tombstone may come; a
    process may even be paused there. What it then writes is erased here.
    """
    while anchors := await store.to_erase_again(datetime.now(UTC) - after, _ERASED_TOGETHER):
        await store.erase_again(anchors, datetime.now(UTC))
