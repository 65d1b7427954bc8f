"""What a recipient is told: pure rules over lists and inboxes.

A *list* is the matcher's newest for one posting or one seeker. A *pair* of posting and seeker is held while
either side's list holds it. An *inbox* has one item a pair that its recipient was ever told of. It is brought
up to date by comparing it with what is held now, so the order in which lists arrive cannot matter, and
neither can a list that comes late, twice, or while the other side's is being stored: nothing is counted, only
compared.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from msgspec.structs import replace as with_fields

from shared.contracts.recommendations import AnchorKind

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
    from datetime import datetime

    from shared.contracts.lists import ListBody

Recipient = str
"""`seeker:<seeker id>` or `employer:<employer id>`."""

EventName = Literal["recommended", "retracted", "updated"]


class State(StrEnum):
    """What the recipient has done with an item; the matcher never changes it."""

    NEW = "new"
    READ = "read"
    DISMISSED = "dismissed"
    NOT_INTERESTED = "not_interested"


def anchor_id(kind: AnchorKind, anchor: str) -> str:
    """The id of an anchor's list and of its tombstone; a seeker's is also the recipient."""
    return f"{kind}:{anchor}"


def other_side(kind: AnchorKind) -> AnchorKind:
    """What the entries of a list of this kind are."""
    return AnchorKind.SEEKER if kind is AnchorKind.POSTING else AnchorKind.POSTING


def seeker_recipient(seeker: str) -> Recipient:
    """A seeker as a recipient."""
    return f"seeker:{seeker}"


def employer_recipient(employer: str) -> Recipient:
    """An employer as a recipient: one inbox for all its postings."""
    return f"employer:{employer}"


def is_seeker(recipient: Recipient) -> bool:
    """True for a seeker, False for an employer."""
    return recipient.startswith("seeker:")


class Reasons(NamedTuple):
    """Why a pair is recommended: an entry of a list without its ids. Two equal ones read the same."""

    points: int
    components: tuple[int, ...]
    """In the order of `contracts.recommendations.Components`."""
    matched: tuple[str, ...]
    missing: tuple[str, ...]
    unknown: tuple[str, ...]
    evidence: Mapping[str, Any] | None = None
    """What of the entry's evidence says something; None in what was kept before lists had it."""


class Key(NamedTuple):
    """A pair within one inbox."""

    posting: str
    seeker: str | None
    """None in a seeker's own inbox, and in an employer's once the seeker is erased."""


@dataclass(frozen=True, slots=True)
class Item:
    """One pair in one inbox."""

    id: str
    """Random: nothing can be derived from it, also when the seeker is erased."""
    key: Key
    seq: int
    """Of its last change; a number is given once in an inbox."""
    told: int
    """The number at which it was last recommended."""
    live: bool
    """False: retracted, neither side's list holds the pair."""
    reasons: Reasons | None
    """None once the seeker is erased."""
    changed_at: datetime
    state: State = State.NEW


# ------------------------------------------------------------------------------------------- lists
@dataclass(frozen=True, slots=True)
class Kept:
    """What is known of an anchor's list before a batch."""

    revision: int
    shown: frozenset[tuple[Recipient, str]] = frozenset()
    """Who is named with which counterpart or posting (see `shown`)."""


def own_recipient(list_: ListBody) -> Recipient | None:
    """Whose list it is: the seeker, or the posting's employer if it is known."""
    if list_.kind is AnchorKind.SEEKER:
        return seeker_recipient(list_.anchor)
    return employer_recipient(list_.employer_id) if list_.employer_id else None


def shown(list_: ListBody) -> frozenset[tuple[Recipient, str]]:
    """The other side's recipients of a list, each with the entry's id."""
    return named(list_.kind, ((entry.id, entry.employer_id) for entry in list_.entries))


def named(kind: AnchorKind, entries: Iterable[tuple[str, str | None]]) -> frozenset[tuple[Recipient, str]]:
    """Whom entries (id and employer) on a list of this kind name: seekers, or the postings' employers."""
    if kind is AnchorKind.POSTING:
        return frozenset((seeker_recipient(entry), entry) for entry, _ in entries)
    return frozenset((employer_recipient(employer), entry) for entry, employer in entries if employer)


def newest(lists: Iterable[ListBody]) -> dict[str, ListBody]:
    """By anchor id, the list of the highest revision: of several in one batch only the last matters."""
    found: dict[str, ListBody] = {}
    for list_ in lists:
        key = anchor_id(list_.kind, list_.anchor)
        if key not in found or found[key].revision < list_.revision:
            found[key] = list_
    return found


def accepted(list_: ListBody, kept: Kept | None, erased: Collection[str]) -> ListBody | None:
    """The list as it is to be kept: None if it is stale or its anchor erased; without entries of erased ids.

    `erased` holds anchor ids of remembered tombstones.
    """
    if anchor_id(list_.kind, list_.anchor) in erased or (kept and kept.revision >= list_.revision):
        return None
    if not erased:
        return list_
    other = other_side(list_.kind)
    entries = tuple(entry for entry in list_.entries if anchor_id(other, entry.id) not in erased)
    return list_ if len(entries) == len(list_.entries) else with_fields(list_, entries=entries)


def touched(kept: Kept | None, list_: ListBody) -> set[Recipient]:
    """Who may have something new to see: the list's own recipient, and who came or went."""
    changed = shown(list_) ^ (kept.shown if kept else frozenset())
    recipients = {recipient for recipient, _ in changed}
    own = own_recipient(list_)
    return recipients | {own} if own else recipients


# ------------------------------------------------------------------------------------------- inboxes
@dataclass(frozen=True, slots=True)
class Holding:
    """One pair that a list holds, as one of its recipients sees it."""

    key: Key
    reasons: Reasons
    own: bool = field(default=False)
    """It stands on the recipient's own list."""


def merged(holdings: Iterable[Holding]) -> dict[Key, Reasons]:
    """What is held by either side; where both hold a pair, the reasons of the recipient's own list."""
    found: dict[Key, Reasons] = {}
    for holding in holdings:
        if holding.own or holding.key not in found:
            found[holding.key] = holding.reasons
    return found


def brought_up_to_date(
    seq: int, items: Sequence[Item], held: Mapping[Key, Reasons], now: datetime, new_id: Callable[[], str]
) -> list[Item]:
    """The items that change when an inbox at number `seq` is compared with what is held, newly numbered.

    Retractions come first, then the recommended and updated from the fewest points up, so that the best of
    what came together is the newest. A pair that comes back is told again; what its recipient did with it
    stays.
    """
    known = {item.key: item for item in items}
    gone = [replace(item, live=False) for item in items if item.live and item.key not in held]
    come: list[Item] = []
    for key, reasons in held.items():
        item = known.get(key)
        if item is None:
            come.append(Item(new_id(), key, 0, 0, live=True, reasons=reasons, changed_at=now))
        elif not item.live:
            come.append(replace(item, live=True, reasons=reasons, told=0))
        elif item.reasons != reasons:
            come.append(replace(item, reasons=reasons))
    come.sort(key=lambda item: (item.reasons.points if item.reasons else 0, item.key.posting, item.key.seeker or ""))
    return [
        replace(item, seq=number, told=item.told or number, changed_at=now)
        for number, item in enumerate(gone + come, start=seq + 1)
    ]


def acted(item: Item, state: State, seq: int, now: datetime) -> Item | None:
    """The item after its recipient acted on it, numbered after `seq`; None if that changes nothing."""
    return None if item.state is state else replace(item, state=state, seq=seq + 1, changed_at=now)


def event_of(item: Item, after: int) -> EventName:
    """What the item's newest number tells a reader who has seen the inbox up to number `after`."""
    if not item.live:
        return "retracted"
    return "recommended" if item.told > after else "updated"


# ------------------------------------------------------------------------------------------- streams
@dataclass(frozen=True, slots=True)
class Inbox:
    """Where an inbox stands."""

    seq: int = 0
    """The newest number."""
    trimmed_to: int = 0
    """Up to here retractions may have been forgotten."""


@dataclass(frozen=True, slots=True)
class Gap:
    """A reader cannot be told everything after the number that they name: let them read the inbox again."""

    start: int
    end: int
    """The stream goes on after this number."""
    reason: Literal["trimmed", "reset"]


def gap(after: int, inbox: Inbox) -> Gap | None:
    """The gap of a reader who has seen numbers up to `after`; 0 has seen nothing and so misses nothing."""
    if after > inbox.seq:
        return Gap(after, inbox.seq, "reset")
    if 0 < after < inbox.trimmed_to:
        return Gap(after, inbox.trimmed_to, "trimmed")
    return None
