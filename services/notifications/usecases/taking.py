"""What comes in: lists, postings and tombstones. Each function runs inside the batch's transaction."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

from services.notifications import domain

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from services.notifications.domain import Recipient
    from services.notifications.store import Store
    from shared.contracts.postings import Posting
    from shared.contracts.recommendations import RecommendationsRefreshed
    from shared.mongo import Mongo, Session

_ERASED_TOGETHER = 500


async def take_lists(
    store: Store,
    lists: Sequence[RecommendationsRefreshed],
    tombstones: Mapping[str, int],
    kept_for: timedelta,
    session: Session,
) -> set[Recipient]:
    """Store each anchor's newest list, forget erased anchors, and return whose inboxes may have changed.

    `tombstones`: anchor id to version. The number of round trips does not depend on the number of lists.
    """
    if tombstones:
        await store.erase(tombstones, datetime.now(UTC), kept_for, session)
    candidates = domain.newest(lists)
    if not candidates:
        return set()
    # What was erased before is asked beside the transaction: `erase_again` is there for what neither sees yet.
    kept, before = await asyncio.gather(store.kept(candidates, session), store.erased(_named_anchors(candidates), None))
    erased = before | tombstones.keys()
    saved = []
    touched: set[Recipient] = set()
    for anchor, candidate in candidates.items():
        list_ = domain.accepted(candidate, kept.get(anchor), erased)
        if list_ is not None:
            saved.append(list_)
            touched |= domain.touched(kept.get(anchor), list_)
    await store.save_lists(saved, session)
    return touched


def _named_anchors(candidates: Mapping[str, RecommendationsRefreshed]) -> set[str]:
    named = set(candidates)
    for list_ in candidates.values():
        other = domain.other_side(list_.kind)
        named.update(domain.anchor_id(other, entry.id) for entry in list_.entries)
    return named


async def take_postings(
    store: Store,
    postings: Sequence[Posting],
    tombstones: Mapping[str, int],
    kept_for: timedelta,
    session: Session,
) -> None:
    """Keep what items show of each posting, as of its newest version; `tombstones`: posting id to version."""
    newest = {posting.id: posting for posting in sorted(postings, key=lambda posting: posting.version)}
    versions = await store.posting_versions(newest.keys() | tombstones.keys(), session)
    await store.save_postings(
        (
            posting
            for posting in newest.values()
            if posting.version > versions.get(posting.id, 0) and posting.id not in tombstones
        ),
        session,
    )
    erased = {posting: version for posting, version in tombstones.items() if version > versions.get(posting, 0)}
    await store.erase_postings(erased, datetime.now(UTC) + kept_for, session)


async def erase_again(mongo: Mongo, store: Store, after: timedelta) -> None:
    """Do each erasure a second time when no transaction that began before it can still commit.

    A transaction reads a snapshot. One that began before a tombstone was stored does not see it, and may
    store an entry of the erased id just after.
    """
    while anchors := await store.to_erase_again(datetime.now(UTC) - after, _ERASED_TOGETHER):
        await mongo.transaction(partial(_again, store, anchors))


async def _again(store: Store, anchors: Sequence[str], session: Session) -> None:
    await store.erase_again(anchors, session)
