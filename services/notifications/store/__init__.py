"""Mongo: `lists`, `tombstones`, `postings`, `inboxes`, `items`.

A list is one document that names all its recipients in one indexed array, so storing it costs one write
whatever its size, and two processes that store different lists never meet. Inboxes are brought up to date
from it when somebody looks (measured: 5 times as many lists a second as with a document a pair).
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from services.notifications.domain import Inbox, Item, State, is_seeker
from services.notifications.store import rows
from services.notifications.store.rows import COMPONENTS, Card
from shared.mongo import BulkWriteError, DeleteMany, ReplaceOne, UpdateMany, UpdateOne, only_duplicates

if TYPE_CHECKING:
    from collections.abc import Collection as Several
    from collections.abc import Container, Iterable, Mapping, Sequence
    from datetime import datetime

    from services.notifications.domain import Holding, Kept, Recipient
    from shared.contracts.lists import ListBody
    from shared.contracts.postings import Posting
    from shared.mongo import Collection, Database, Document, Session, Write

__all__ = ["COMPONENTS", "Card", "Store"]

_TRIM_ITEMS: Final = 5_000
_ERASE_FINALLY: Final = timedelta(days=1)
_TAKEN_OFF_TOGETHER: Final = 500


class Store:
    """All that notifications keeps. Methods with a session take part in its transaction."""

    def __init__(self, db: Database) -> None:
        self._lists = db["lists"]
        self._tombstones = db["tombstones"]
        self._postings = db["postings"]
        self._inboxes = db["inboxes"]
        self._items = db["items"]

    async def create_indexes(self) -> None:
        """Before the first event: creating a collection within a transaction would block others."""
        await self._lists.create_index("recipients")
        await self._tombstones.create_index("forget_at", expireAfterSeconds=0)
        await self._tombstones.create_index("at", partialFilterExpression={"again": True}, name="erase_again")
        await self._postings.create_index("forget_at", expireAfterSeconds=0)
        await self._items.create_index([("recipient", 1), ("seq", 1)])
        await self._items.create_index("seeker", partialFilterExpression={"seeker": {"$exists": True}})
        await self._items.create_index("changed_at", partialFilterExpression={"live": False})

    # ----------------------------------------------------------------------------------- lists
    async def kept(self, ids: Several[str]) -> dict[str, Kept]:
        """What is known of these anchors' lists, by anchor id."""
        found = self._lists.find({"_id": {"$in": list(ids)}}, {"revision": 1, "entries": 1})
        return {row["_id"]: rows.kept(row) for row in await found.to_list(None)}

    async def erased(self, ids: Iterable[str], session: Session | None = None) -> set[str]:
        """Those of these anchor ids of which a tombstone is remembered."""
        found = self._tombstones.find({"_id": {"$in": list(ids)}}, {"_id": 1}, session=session)
        return {row["_id"] for row in await found.to_list(None)}

    async def save_lists(self, lists: Sequence[ListBody], known: Container[str]) -> None:
        """Put each list in the place of its anchor's former one, if it is newer.

        One that is `known` and gone meanwhile was erased: it does not come back.
        """
        await _replace_older(self._lists, [rows.list_row(list_) for list_ in lists], "revision", known)

    async def holdings(self, recipient: Recipient, session: Session | None) -> list[Holding]:
        """Every pair that a list holds and this recipient may see."""
        found = self._lists.find({"recipients": recipient}, {"own": 1, "entries": 1}, session=session)
        return [holding for row in await found.to_list(None) for holding in rows.holdings(row, recipient)]

    async def erase(self, tombstones: Mapping[str, int], now: datetime, kept_for: timedelta) -> None:
        """Forget these anchors (anchor id to the tombstone's version), and remember that they are erased."""
        remembered = {"at": now, "forget_at": now + kept_for, "again": True}
        writes: list[Write] = [
            UpdateOne({"_id": anchor}, {"$set": {"version": version, **remembered}}, upsert=True)
            for anchor, version in tombstones.items()
        ]
        # first of all: who stores a list that names them looks here
        await self._tombstones.bulk_write(writes, ordered=False)
        await self._forget(list(tombstones))

    async def to_erase_again(self, before: datetime, limit: int) -> list[str]:
        """Anchor ids whose last erasure was before this moment and is not the final one."""
        found = self._tombstones.find({"again": True, "at": {"$lt": before}}, {"_id": 1}).limit(limit)
        return [row["_id"] for row in await found.to_list(None)]

    async def erase_again(self, anchors: Sequence[str], now: datetime) -> None:
        """Forget what was stored by who had not seen the tombstones yet; a day later once more, for the last time."""
        await self._forget(anchors)
        tomorrow, among = now + _ERASE_FINALLY, {"_id": {"$in": list(anchors)}}
        await self._tombstones.bulk_write(
            [
                UpdateMany(among | {"final": True}, {"$unset": {"again": 1}}),
                UpdateMany(among | {"final": {"$exists": False}}, {"$set": {"at": tomorrow, "final": True}}),
            ],
            ordered=True,
        )

    async def _forget(self, anchors: Sequence[str]) -> None:
        recipients = [anchor for anchor in anchors if is_seeker(anchor)]
        seekers = [anchor.partition(":")[2] for anchor in recipients]
        await self._lists.delete_many({"_id": {"$in": list(anchors)}})
        if seekers:
            await self._take_off_lists(recipients, frozenset(seekers))
            items: list[Write] = [
                DeleteMany({"recipient": {"$in": recipients}}),
                # still live: the next look at the employer's inbox finds no list that holds it: retracted
                UpdateMany({"seeker": {"$in": seekers}}, {"$unset": {"seeker": 1, "reasons": 1}}),
            ]
            await self._items.bulk_write(items, ordered=True)
            await self._inboxes.delete_many({"_id": {"$in": recipients}})

    async def _take_off_lists(self, recipients: Sequence[Recipient], seekers: frozenset[str]) -> None:
        """Until no list names these seekers: one that was replaced meanwhile is looked at again."""
        naming = {"recipients": {"$in": list(recipients)}}
        while found := await self._lists.find(naming).limit(_TAKEN_OFF_TOGETHER).to_list(None):
            writes: list[Write] = [
                UpdateOne(
                    {"_id": row["_id"], "revision": row["revision"]}, {"$set": rows.without_seekers(row, seekers)}
                )
                for row in found
            ]
            await self._lists.bulk_write(writes, ordered=False)

    # ----------------------------------------------------------------------------------- postings
    async def save_postings(
        self, postings: Sequence[Posting], tombstones: Mapping[str, int], forget_at: datetime
    ) -> None:
        """What items show of these postings, and of erased ones (id to version) nothing but that, until `forget_at`.

        Each in the place of an older version only.
        """
        written = [rows.posting_row(posting) for posting in postings]
        written += [
            {"_id": posting, "version": version, "forget_at": forget_at} for posting, version in tombstones.items()
        ]
        await _replace_older(self._postings, written, "version")

    async def cards(self, ids: Several[str]) -> dict[str, Card]:
        """What is known of these postings, by id."""
        found = self._postings.find({"_id": {"$in": list(ids)}, "title": {"$exists": True}})
        return {row["_id"]: Card(row) for row in await found.to_list(None)}

    # ----------------------------------------------------------------------------------- inboxes
    async def inbox(self, recipient: Recipient, session: Session | None = None) -> Inbox:
        """Where the inbox stands; an unknown one stands at 0."""
        row = await self._inboxes.find_one({"_id": recipient}, session=session)
        return Inbox(row["seq"], row.get("trimmed_to", 0)) if row else Inbox()

    async def all_items(self, recipient: Recipient, session: Session) -> list[Item]:
        """The whole inbox."""
        found = self._items.find({"recipient": recipient}, session=session)
        return [rows.item(row) for row in await found.to_list(None)]

    async def item(self, recipient: Recipient, item_id: str, session: Session | None = None) -> Item | None:
        """One item, if it is this recipient's."""
        row = await self._items.find_one({"_id": item_id, "recipient": recipient}, session=session)
        return None if row is None else rows.item(row)

    async def page(
        self, recipient: Recipient, *, state: State | None, live: bool | None, before: int | None, limit: int
    ) -> list[Item]:
        """Items with numbers below `before`, the newest first."""
        query: Document = {"recipient": recipient}
        if state is not None:
            query["state"] = state.value
        if live is not None:
            query["live"] = live
        if before is not None:
            query["seq"] = {"$lt": before}
        found = self._items.find(query).sort("seq", -1).limit(limit)
        return [rows.item(row) for row in await found.to_list(None)]

    async def after(self, recipient: Recipient, seq: int, limit: int) -> list[Item]:
        """Items with numbers above `seq`, the oldest first."""
        found = self._items.find({"recipient": recipient, "seq": {"$gt": seq}}).sort("seq", 1).limit(limit)
        return [rows.item(row) for row in await found.to_list(None)]

    async def counts(self, recipient: Recipient) -> tuple[int, int]:
        """How many items are live, and how many of these new."""
        stages = [
            {"$match": {"recipient": recipient, "live": True}},
            {"$group": {"_id": {"$eq": ["$state", State.NEW.value]}, "count": {"$sum": 1}}},
        ]
        by_new = {row["_id"]: row["count"] async for row in await self._items.aggregate(stages)}
        return sum(by_new.values()), by_new.get(True, 0)

    async def save_items(self, recipient: Recipient, items: Sequence[Item], session: Session) -> None:
        """Save changed items (at least one) and with them the inbox's number.

        Two that change one inbox at once both write its number: Mongo lets one of them try again.
        """
        writes: list[Write] = [
            ReplaceOne({"_id": item.id}, rows.item_row(recipient, item), upsert=True) for item in items
        ]
        await self._inboxes.update_one(
            {"_id": recipient},
            {"$set": {"seq": max(item.seq for item in items)}},
            upsert=True,
            session=session,
        )
        await self._items.bulk_write(writes, ordered=False, session=session)

    async def trim(self, before: datetime, session: Session) -> int:
        """Delete some items retracted before this moment, remember up to which number. Returns how many."""
        query = {"live": False, "changed_at": {"$lt": before}}
        found = self._items.find(query, {"recipient": 1, "seq": 1}, session=session).limit(_TRIM_ITEMS)
        old = await found.to_list(None)
        if not old:
            return 0
        trimmed: dict[str, int] = {}
        for row in old:
            trimmed[row["recipient"]] = max(row["seq"], trimmed.get(row["recipient"], 0))
        writes: list[Write] = [UpdateOne({"_id": who}, {"$max": {"trimmed_to": to}}) for who, to in trimmed.items()]
        await self._inboxes.bulk_write(writes, ordered=False, session=session)
        await self._items.delete_many({"_id": {"$in": [row["_id"] for row in old]}}, session=session)
        return len(old)


async def _replace_older(
    collection: Collection, written: Sequence[Document], version: str, known: Container[str] = ()
) -> None:
    """Put each row in the place of its older one by the field `version`; where none is, too, unless it is `known`."""

    def write(row: Document, *, upsert: bool) -> Write:
        return ReplaceOne({"_id": row["_id"], version: {"$lt": row[version]}}, row, upsert=upsert)

    if not written:
        return
    try:
        await collection.bulk_write([write(row, upsert=row["_id"] not in known) for row in written], ordered=False)
    except BulkWriteError as error:
        if not only_duplicates(error):
            raise
        # there meanwhile, be it newer or older
        there = [written[one["index"]] for one in error.details["writeErrors"]]
        await collection.bulk_write([write(row, upsert=False) for row in there], ordered=False)
