"""One holder at a time, by a document with an end in Mongo's own clock, and a fencing number that only grows.

A holder that was paused may act for a moment after its lease ended: whoever needs more than "almost never two"
compares the fencing numbers (`shared.relay` does).
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import uuid4

from shared.mongo import DuplicateKey

if TYPE_CHECKING:
    from collections.abc import Mapping

    from shared.mongo import Database, Document

_PAST = datetime(2000, 1, 1, tzinfo=UTC)


class Lease:
    """The lease called `name` in this database."""

    def __init__(self, db: Database, name: str, seconds: float) -> None:
        self._leases = db["leases"]
        self._name = name
        self._ms = int(seconds * 1000)
        self._me = uuid4().hex
        self._until = 0.0
        self._ask_at = 0.0
        self.epoch = 0
        """The fencing number while held: one more for each new holder."""

    @property
    def held(self) -> bool:
        """True while this process may act. Judged by its own clock, from before the renewal was sent."""
        return time.monotonic() < self._until

    async def keep(self) -> bool:
        """Take or renew it, asking Mongo three times in its length, however often this is called; True if held."""
        if time.monotonic() >= self._ask_at:
            await self.acquire()
        return self.held

    async def acquire(self) -> bool:
        """Take or renew it; True if held."""
        asked = time.monotonic()
        ends = {"$add": ["$$NOW", self._ms]}
        renewed: object | None = await self._leases.find_one_and_update(
            {"_id": self._name, "holder": self._me, "$expr": {"$gt": ["$until", "$$NOW"]}},
            [{"$set": {"until": ends}}],
        )
        if renewed is None:
            renewed = await self._take_over(ends)
        self._ask_at = asked + self._ms / 3000
        self._until = 0.0 if renewed is None else asked + self._ms / 1000
        return renewed is not None

    async def _take_over(self, ends: Mapping[str, object]) -> object | None:
        taken: Document | None = await self._leases.find_one_and_update(
            {"_id": self._name, "$expr": {"$lte": ["$until", "$$NOW"]}},
            [{"$set": {"holder": self._me, "until": ends, "epoch": {"$add": ["$epoch", 1]}}}],
            return_document=True,
        )
        if taken is None:
            try:
                # a pipeline cannot be used to insert: make it ended, then take it over
                await self._leases.insert_one({"_id": self._name, "holder": "", "until": _PAST, "epoch": 0})
            except DuplicateKey:
                return None
            return await self._take_over(ends)
        self.epoch = int(taken["epoch"])
        return taken

    async def release(self) -> None:
        """Let another process take over at once."""
        self._until = self._ask_at = 0.0
        await self._leases.update_one({"_id": self._name, "holder": self._me}, {"$set": {"until": _PAST}})
