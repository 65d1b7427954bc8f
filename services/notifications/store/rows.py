"""Documents from and to what they stand for.

A list's entries are one compressed value: as nested documents they took several kB a list, and 126,000 of them
did not fit into MongoDB's cache. Only who is named stands outside, to be found by.
"""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final

import msgspec
from cramjam import zstd

from services.notifications.domain import (
    Holding,
    Item,
    Kept,
    Key,
    Reasons,
    State,
    anchor_id,
    is_seeker,
    named,
    own_recipient,
    seeker_recipient,
    shown,
)
from shared.contracts.common import Code, Pay, Texts
from shared.contracts.postings import Posting, PostingStatus
from shared.contracts.recommendations import AnchorKind, Components

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from services.notifications.domain import Recipient
    from shared.contracts.lists import EntryBody, ListBody
    from shared.mongo import Document

COMPONENTS: Final = tuple(Components.model_fields)
_components = attrgetter(*COMPONENTS)
_LEVEL: Final = 1


class Packed(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """An entry as it is stored: its id, the employer of the posting (on a seeker's list), then as `Reasons`."""

    id: str
    employer: str | None
    points: int
    components: tuple[int, ...]
    matched: tuple[str, ...]
    missing: tuple[str, ...]
    unknown: tuple[str, ...]
    evidence: dict[str, Any] | None = None
    """What of it says something, by name; lists that were stored before have none."""


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(list[Packed]).decode


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


# ------------------------------------------------------------------------------------------- lists
def pack(entries: Sequence[Packed]) -> bytes:
    """Entries as they are stored."""
    return bytes(zstd.compress(_encode(entries), level=_LEVEL))


def unpack(packed: bytes) -> list[Packed]:
    """The entries of a stored list, the best first."""
    return _decode(bytes(zstd.decompress(packed)))


def list_row(list_: ListBody) -> Document:
    """A list, with all its recipients in one indexed array."""
    own = own_recipient(list_)
    others = sorted({recipient for recipient, _ in shown(list_)})
    return {
        "_id": anchor_id(list_.kind, list_.anchor),
        "revision": list_.revision,
        "anchor_version": list_.anchor_version,
        "now": list_.now,
        "own": own,
        "recipients": [own, *others] if own else others,
        "entries": pack([_packed(entry) for entry in list_.entries]),
    }


def _packed(entry: EntryBody) -> Packed:
    employer, components = entry.employer_id or None, _components(entry.components)
    evidence = None if entry.evidence is None else msgspec.to_builtins(entry.evidence)
    return Packed(entry.id, employer, entry.points, components, entry.matched, entry.missing, entry.unknown, evidence)


def kept(row: Document) -> Kept:
    """What is known of a list, from its `revision` and `entries`."""
    kind, _, _ = row["_id"].partition(":")
    return Kept(row["revision"], named(AnchorKind(kind), ((one.id, one.employer) for one in unpack(row["entries"]))))


def holdings(row: Document, recipient: Recipient) -> list[Holding]:
    """The pairs of a list, from its `own` and `entries`, that this recipient may see."""
    kind, _, anchor = row["_id"].partition(":")
    is_own = row["own"] == recipient
    by_posting = kind == AnchorKind.POSTING
    seeing_seeker = is_seeker(recipient)
    _, _, mine = recipient.partition(":")
    found = []
    for one in unpack(row["entries"]):
        if not is_own and mine != (one.id if seeing_seeker else one.employer):
            continue
        posting, seeker = (anchor, one.id) if by_posting else (one.id, anchor)
        reasons = Reasons(one.points, one.components, one.matched, one.missing, one.unknown, one.evidence)
        found.append(Holding(Key(posting, None if seeing_seeker else seeker), reasons, is_own))
    return found


def without_seekers(row: Document, seekers: Collection[str]) -> Document:
    """The `recipients` and `entries` of a posting's list when these seekers are taken off it."""
    gone = {seeker_recipient(seeker) for seeker in seekers}
    return {
        "recipients": [recipient for recipient in row["recipients"] if recipient not in gone],
        "entries": pack([entry for entry in unpack(row["entries"]) if entry.id not in seekers]),
    }


# ------------------------------------------------------------------------------------------- postings
def posting_row(posting: Posting) -> Document:
    """What items show of a posting."""
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


# ------------------------------------------------------------------------------------------- items
def item_row(recipient: Recipient, item: Item) -> Document:
    """An item of this recipient's inbox."""
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


def item(row: Document) -> Item:
    """An item as it is stored."""
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


def _reasons_row(reasons: Reasons) -> Document:
    points, components, matched, missing, unknown, evidence = reasons
    row = {"p": points, "c": components, "m": matched, "x": missing, "u": unknown}
    return row if evidence is None else row | {"e": evidence}


def _reasons(row: Document) -> Reasons:
    return Reasons(row["p"], tuple(row["c"]), tuple(row["m"]), tuple(row["x"]), tuple(row["u"]), row.get("e"))
