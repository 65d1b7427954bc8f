"""Profiles in MongoDB: `seekers`, one document each: the profile and the sealed contact.

Of an erased seeker the document keeps the id, the tombstone's version and when: so an id is never used again,
which an insertion finds out by itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from services.profiles.domain.contacts import Sealed
from shared.contracts.profiles import Profile
from shared.contracts.registry import PROFILES
from shared.outbox import OUTBOX

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from shared.mongo import Database, Document, Session

SEEKERS: Final = "seekers"
_PRESENT: Final = {"erased_at": {"$exists": False}}


@dataclass(frozen=True, slots=True)
class Stored:
    """A seeker as stored: the profile as in its newest event, and what stays here, encrypted."""

    profile: Profile
    contact: Sealed
    words: bytes | None = None
    """What the seeker wrote, encrypted."""


class Store:
    """The profiles service's own database. Writes take part in the caller's transaction."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._seekers = db[SEEKERS]

    async def create_indexes(self) -> None:
        """What lists are read by; safe to repeat."""
        await self._seekers.create_index([("matchmakers", 1), ("_id", 1)])

    async def find(self, seeker: str, session: Session | None = None) -> Stored | None:
        """One seeker; None if there is none, or none any more."""
        document = await self._seekers.find_one({"_id": seeker} | _PRESENT, session=session)
        return None if document is None else _stored(document)

    async def was_erased(self, seeker: str, session: Session | None = None) -> bool:
        """Whether this id belonged to someone who was erased."""
        return bool(await self.erased_versions([seeker], session))

    async def page(self, after: str, limit: int, matchmaker: str | None) -> list[Profile]:
        """Profiles with ids above `after`, ascending; those of one matchmaker, or with None all."""
        query: Document = {"_id": {"$gt": after}} | _PRESENT
        if matchmaker is not None:
            query["matchmakers"] = matchmaker
        found = self._seekers.find(query, {"contact": 0, "words": 0}).sort("_id", 1).limit(limit)
        return [_stored(document).profile async for document in found]

    async def insert(self, seekers: Sequence[Stored], session: Session) -> None:
        """Add new seekers, in one round trip. Raises DuplicateKey if one of the ids is there, or was."""
        if len(seekers) == 1:  # a bulk write reports a duplicate as another error
            await self._seekers.insert_one(_document(seekers[0]), session=session)
        elif seekers:
            await self._seekers.insert_many([_document(seeker) for seeker in seekers], session=session)

    async def replace(self, seeker: Stored, session: Session) -> None:
        """Save a seeker's next version; the transaction sees to it that nobody else did in the meantime."""
        await self._seekers.replace_one({"_id": seeker.profile.id}, _document(seeker), session=session)

    async def erase(self, seeker: str, version: int, now: datetime, session: Session) -> None:
        """Remove everything about a seeker, unpublished events too; id and version of the tombstone stay."""
        left = {"version": version, "erased_at": now}
        await self._seekers.replace_one({"_id": seeker}, left, session=session)
        unpublished = {"aggregateid": seeker, "aggregatetype": PROFILES}
        await self._db[OUTBOX].delete_many(unpublished, session=session)

    async def hold(self, seekers: Sequence[str], now: datetime, session: Session) -> dict[str, Profile]:
        """Read the present profiles so that none can be erased or changed until the transaction has ended.

        The write is what makes a concurrent transaction conflict; a read alone would not.
        """
        among = {"_id": {"$in": list(seekers)}} | _PRESENT
        await self._seekers.update_many(among, {"$set": {"held_at": now}}, session=session)
        found = self._seekers.find(among, {"contact": 0}, session=session)
        return {document["_id"]: _stored(document).profile async for document in found}

    async def erased_versions(self, seekers: Sequence[str], session: Session | None) -> dict[str, int]:
        """The tombstones' versions of those of `seekers` that were erased."""
        among = {"_id": {"$in": list(seekers)}, "erased_at": {"$exists": True}}
        found = self._seekers.find(among, {"version": 1}, session=session)
        return {document["_id"]: document["version"] async for document in found}


def _document(seeker: Stored) -> Document:
    profile = seeker.profile.model_dump(mode="json", exclude={"id"}, exclude_defaults=True)
    words = {} if seeker.words is None else {"words": seeker.words}
    return {"_id": seeker.profile.id, **profile, "contact": seeker.contact, **words}


def _stored(document: Document) -> Stored:
    profile = Profile.model_validate({**document, "id": document["_id"]})
    return Stored(profile, document.get("contact", {}), document.get("words"))
