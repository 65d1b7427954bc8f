"""What notifications has stored, read from its own MongoDB: the demo checks it from outside."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from pymongo import AsyncMongoClient

from services.notifications.store.rows import unpack
from shared.contracts.recommendations import AnchorKind


@dataclass(frozen=True, slots=True)
class Stock:
    """How much is stored."""

    postings: int
    """Lists of postings."""
    seekers: int
    """Lists of seekers."""
    pairs: int
    """Different pairs of a posting and a seeker that one list or both hold."""
    postings_served: int
    """Postings in one of these pairs: that somebody is recommended for them may be on the other side's list."""
    seekers_served: int
    """Seekers in one of these pairs."""


@dataclass(slots=True)
class Arrivals:
    """When lists were stored, by anchor: version and moment (of `time.perf_counter`)."""

    seen: dict[str, list[tuple[int, float]]] = field(default_factory=dict)

    def when(self, anchor: str, version: int) -> float | None:
        """The first moment at which a list for that version or a later one was there."""
        return next((at for stored, at in self.seen.get(anchor, ()) if stored >= version), None)


class StoredLists:
    """Reads notifications' collection `lists`, from `async with` on."""

    def __init__(self, mongo_url: str) -> None:
        self._client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(mongo_url)
        self._lists = self._client["notifications"]["lists"]

    async def __aenter__(self) -> Self:
        """Nothing to wait for."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Disconnect."""
        await self._client.close()

    async def count(self) -> int:
        """How many lists there are, about."""
        return await self._lists.estimated_document_count()

    async def missing(self, expected: Mapping[str, int]) -> list[str]:
        """Anchors (`posting:<id>`, `seeker:<id>`) of which no list for that version is stored."""
        stored: dict[str, int] = {}
        async for row in self._lists.find({}, {"anchor_version": 1}):
            stored[row["_id"]] = row["anchor_version"]
        return [anchor for anchor, version in expected.items() if stored.get(anchor, 0) < version]

    async def naming(self, postings: AbstractSet[str]) -> list[str]:
        """Seekers whose list names one of these postings."""
        if not postings:
            return []
        rows = self._lists.find({"_id": {"$regex": f"^{AnchorKind.SEEKER.value}:"}}, {"entries": 1})
        return [row["_id"] async for row in rows if any(entry.id in postings for entry in unpack(row["entries"]))]

    async def stock(self) -> Stock:
        """What is there now."""
        counts = {kind.value: 0 for kind in AnchorKind}
        pairs: set[int] = set()
        postings: set[str] = set()
        seekers: set[str] = set()
        async for row in self._lists.find({}, {"entries": 1}):
            kind, _, anchor = row["_id"].partition(":")
            counts[kind] += 1
            for entry in unpack(row["entries"]):
                posting, seeker = (anchor, entry.id) if kind == AnchorKind.POSTING else (entry.id, anchor)
                # a hash, because a whole season has millions of pairs
                pairs.add(hash((posting, seeker)))
                postings.add(posting)
                seekers.add(seeker)
        return Stock(counts[AnchorKind.POSTING], counts[AnchorKind.SEEKER], len(pairs), len(postings), len(seekers))

    async def watch(self, arrivals: Arrivals, ready: asyncio.Event) -> None:
        """Note when lists are stored, until cancelled; sets `ready` once nothing can be overlooked."""
        stages: Sequence[dict[str, Any]] = [
            {"$match": {"operationType": {"$in": ["insert", "replace"]}}},
            {"$project": {"documentKey": 1, "version": "$fullDocument.anchor_version"}},
        ]
        async with await self._lists.watch(stages, max_await_time_ms=1000) as changes:
            ready.set()
            async for change in changes:
                at = time.perf_counter()
                arrivals.seen.setdefault(change["documentKey"]["_id"], []).append((change["version"], at))
