"""Mongo: `lists`, `tombstones`, `postings`, `inboxes`, `items`.

A list is one document that names all its recipients in one indexed array, so storing it costs one write
whatever its size, and two processes that store different lists never meet. Inboxes are brought up to date
from it when somebody looks (measured: 5 times as many lists a second as with a document a pair).
"""

from __future__ import annotations

from datetime import timedelta
from operator import attrgetter
from typing import TYPE_CHECKING, Final

from services.notifications.domain import (
    Holding,
    Inbox,
    Item,
    Kept,
    Key,
    Reasons,
    State,
    anchor_id,
    is_seeker,
    named,
    own_recipient,
    shown,
)
from shared.contracts.common import Code, Pay, Texts
from shared.contracts.postings import Posting, PostingStatus
from shared.contracts.recommendations import AnchorKind, Components, RecommendationsRefreshed
from shared.mongo import BulkWriteError, DeleteMany, ReplaceOne, UpdateMany, UpdateOne, only_duplicates

if TYPE_CHECKING:
    from collections.abc import Collection as Several
    from collections.abc import Container, Iterable, Mapping, Sequence
    from datetime import datetime

    from services.notifications.domain import Recipient
    from shared.contracts.recommendations import Entry
    from shared.mongo import Collection, Database, Document, Session, Write

COMPONENTS: Final = tuple(Components.model_fields)
_components = attrgetter(*COMPONENTS)
_TRIM_ITEMS: Final = 5_000
_ERASE_FINALLY: Final = timedelta(days=1)


class Card:
    """What an item shows of its posting."""

    __slots__ = ("employer_name", "id", "labels", "pay", "regions", "status", "title", "version")

    def __init__(self, row: Document) -> None:
        self.id: str = row["_id"]
        self.version: int = row["version"]
        self.status = PostingStatus(row["status"])
        self.title: Texts = row["title"]
        self.employer_name: str | None = row["employer_name"]
        self.regions = tuple(Code.model_validate(region) for region in row["regions"])
        self.pay = None if row["pay"] is None else Pay.model_validate(row["pay"])
        self.labels: Mapping[str, Texts] = dict(row["labels"])
        """Of its skills, by `scheme:code`."""


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
        fields = {"revision": 1, "entries.id": 1, "entries.e": 1}
        found = self._lists.find({"_id": {"$in": list(ids)}}, fields)
        return {row["_id"]: _kept(row) for row in await found.to_list(None)}

    async def erased(self, ids: Iterable[str], session: Session | None = None) -> set[str]:
        """Those of these anchor ids of which a tombstone is remembered."""
        found = self._tombstones.find({"_id": {"$in": list(ids)}}, {"_id": 1}, session=session)
        return {row["_id"] for row in await found.to_list(None)}

    async def save_lists(self, lists: Sequence[RecommendationsRefreshed], known: Container[str]) -> None:
        """Put each list in the place of its anchor's former one, if it is newer.

        One that is `known` and gone meanwhile was erased: it does not come back.
        """
        await _replace_older(self._lists, [_list_row(list_) for list_ in lists], "revision", known)

    async def holdings(self, recipient: Recipient, session: Session | None) -> list[Holding]:
        """Every pair that a list holds and this recipient may see."""
        _, _, own = recipient.partition(":")
        entries = {
            "$filter": {
                "input": "$entries",
                "cond": {"$eq": ["$$this.id" if is_seeker(recipient) else "$$this.e", own]},
            }
        }
        mine = {"$eq": ["$own", recipient]}
        found = self._lists.find(
            {"recipients": recipient},
            {"own": 1, "entries": {"$cond": [mine, "$entries", entries]}},
            session=session,
        )
        return [holding for row in await found.to_list(None) for holding in _holdings(row, recipient)]

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
        lists: list[Write] = [DeleteMany({"_id": {"$in": list(anchors)}})]
        if seekers:
            pulled = {"recipients": {"$in": recipients}, "entries": {"id": {"$in": seekers}}}
            lists.append(UpdateMany({"recipients": {"$in": recipients}}, {"$pull": pulled}))
        await self._lists.bulk_write(lists, ordered=True)
        if seekers:
            items: list[Write] = [
                DeleteMany({"recipient": {"$in": recipients}}),
                # still live: the next look at the employer's inbox finds no list that holds it: retracted
                UpdateMany({"seeker": {"$in": seekers}}, {"$unset": {"seeker": 1, "reasons": 1}}),
            ]
            await self._items.bulk_write(items, ordered=True)
            await self._inboxes.delete_many({"_id": {"$in": recipients}})

    # ----------------------------------------------------------------------------------- postings
    async def save_postings(
        self, postings: Sequence[Posting], tombstones: Mapping[str, int], forget_at: datetime
    ) -> None:
        """What items show of these postings, and of erased ones (id to version) nothing but that, until `forget_at`.

        Each in the place of an older version only.
        """
        rows = [_posting_row(posting) for posting in postings]
        rows += [
            {"_id": posting, "version": version, "forget_at": forget_at} for posting, version in tombstones.items()
        ]
        await _replace_older(self._postings, rows, "version")

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
        return [_item(row) for row in await found.to_list(None)]

    async def item(self, recipient: Recipient, item_id: str, session: Session | None = None) -> Item | None:
        """One item, if it is this recipient's."""
        row = await self._items.find_one({"_id": item_id, "recipient": recipient}, session=session)
        return None if row is None else _item(row)

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
        return [_item(row) for row in await found.to_list(None)]

    async def after(self, recipient: Recipient, seq: int, limit: int) -> list[Item]:
        """Items with numbers above `seq`, the oldest first."""
        found = self._items.find({"recipient": recipient, "seq": {"$gt": seq}}).sort("seq", 1).limit(limit)
        return [_item(row) for row in await found.to_list(None)]

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
        writes: list[Write] = [ReplaceOne({"_id": item.id}, _item_row(recipient, item), upsert=True) for item in items]
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
        rows = await found.to_list(None)
        if not rows:
            return 0
        trimmed: dict[str, int] = {}
        for row in rows:
            trimmed[row["recipient"]] = max(row["seq"], trimmed.get(row["recipient"], 0))
        writes: list[Write] = [UpdateOne({"_id": who}, {"$max": {"trimmed_to": to}}) for who, to in trimmed.items()]
        await self._inboxes.bulk_write(writes, ordered=False, session=session)
        await self._items.delete_many({"_id": {"$in": [row["_id"] for row in rows]}}, session=session)
        return len(rows)


async def _replace_older(
    collection: Collection, rows: Sequence[Document], version: str, known: Container[str] = ()
) -> None:
    """Put each row in the place of its older one by the field `version`; where none is, too, unless it is `known`."""

    def write(row: Document, *, upsert: bool) -> Write:
        return ReplaceOne({"_id": row["_id"], version: {"$lt": row[version]}}, row, upsert=upsert)

    if not rows:
        return
    try:
        await collection.bulk_write([write(row, upsert=row["_id"] not in known) for row in rows], ordered=False)
    except BulkWriteError as error:
        if not only_duplicates(error):
            raise
        # there meanwhile, be it newer or older
        there = [rows[one["index"]] for one in error.details["writeErrors"]]
        await collection.bulk_write([write(row, upsert=False) for row in there], ordered=False)


def _list_row(list_: RecommendationsRefreshed) -> Document:
    own = own_recipient(list_)
    others = sorted({recipient for recipient, _ in shown(list_)})
    return {
        "_id": anchor_id(list_.kind, list_.anchor),
        "revision": list_.revision,
        "anchor_version": list_.anchor_version,
        "now": list_.now,
        "own": own,
        "recipients": [own, *others] if own else others,
        "entries": [_entry_row(entry) for entry in list_.entries],
    }


def _entry_row(entry: Entry) -> Document:
    """Short names and no detour by `Reasons`: there are 20 entries in each list."""
    row: Document = {
        "id": entry.id,
        "p": entry.points,
        "c": _components(entry.components),
        "m": entry.matched,
        "x": entry.missing,
        "u": entry.unknown,
    }
    if entry.employer_id:
        row["e"] = entry.employer_id
    return row


def _reasons_row(reasons: Reasons) -> Document:
    points, components, matched, missing, unknown = reasons
    return {"p": points, "c": components, "m": matched, "x": missing, "u": unknown}


def _reasons(row: Document) -> Reasons:
    return Reasons(row["p"], tuple(row["c"]), tuple(row["m"]), tuple(row["x"]), tuple(row["u"]))


def _kept(row: Document) -> Kept:
    kind, _, _ = row["_id"].partition(":")
    entries = ((entry["id"], entry.get("e")) for entry in row["entries"])
    return Kept(row["revision"], named(AnchorKind(kind), entries))


def _holdings(row: Document, recipient: Recipient) -> list[Holding]:
    kind, _, anchor = row["_id"].partition(":")
    is_own = row["own"] == recipient
    by_posting = kind == AnchorKind.POSTING
    holdings = []
    for entry in row["entries"]:
        posting, seeker = (anchor, entry["id"]) if by_posting else (entry["id"], anchor)
        key = Key(posting, None if is_seeker(recipient) else seeker)
        holdings.append(Holding(key, _reasons(entry), is_own))
    return holdings


def _posting_row(posting: Posting) -> Document:
    skills = (*posting.required_skills, *posting.preferred_skills)
    return {
        "_id": posting.id,
        "version": posting.version,
        "status": posting.status.value,
        "title": posting.title,
        "employer_name": posting.employer_name,
        "regions": [region.model_dump(mode="json") for region in posting.regions],
        "pay": posting.pay and posting.pay.model_dump(mode="json"),
        # pairs, because a code may hold a dot
        "labels": [[skill.key, skill.label] for skill in skills if skill.label],
    }


def _item_row(recipient: Recipient, item: Item) -> Document:
    row: Document = {
        "_id": item.id,
        "recipient": recipient,
        "seq": item.seq,
        "told": item.told,
        "live": item.live,
        "state": item.state.value,
        "posting": item.key.posting,
        "changed_at": item.changed_at,
    }
    if item.key.seeker is not None:
        row["seeker"] = item.key.seeker
    if item.reasons is not None:
        row["reasons"] = _reasons_row(item.reasons)
    return row


def _item(row: Document) -> Item:
    return Item(
        id=row["_id"],
        key=Key(row["posting"], row.get("seeker")),
        seq=row["seq"],
        told=row["told"],
        live=row["live"],
        reasons=_reasons(row["reasons"]) if "reasons" in row else None,
        changed_at=row["changed_at"],
        state=State(row["state"]),
    )
