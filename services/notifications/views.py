"""What a recipient reads: the bodies of notifications' answers, and items turned into them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from services.notifications.domain import Gap, Item, State, is_seeker
from services.notifications.store import COMPONENTS, Card
from shared.contracts.common import Code, Id, Pay, Texts
from shared.contracts.postings import PostingStatus
from shared.contracts.recommendations import Components, Entry, Evidence
from shared.rendering import Reader, explain

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from services.notifications.domain import Recipient


class _Body(BaseModel):
    model_config = ConfigDict(use_attribute_docstrings=True)


class PostingCard(_Body):
    """The posting of an item, as it is now."""

    id: Id
    title: Texts | None = None
    """None (as the rest) while the posting itself is not known here."""
    status: PostingStatus | None = None
    employer_name: str | None = None
    regions: tuple[Code, ...] = ()
    pay: Pay | None = None


class InboxItem(_Body):
    """One recommendation to one recipient."""

    item: str
    """Its id."""
    seq: int
    """Grows with each change in the inbox; the item's place in it."""
    live: bool
    """False: retracted."""
    state: State
    """What the recipient did with it."""
    posting: PostingCard
    seeker: Id | None = None
    """For employers: the seeker's pseudonymous id; None once the seeker is erased."""
    points: int | None = None
    components: Components | None = None
    """Parts of the points."""
    explanation: Texts | None = None
    """Why, in zh and en."""
    changed_at: AwareDatetime


class InboxPage(_Body):
    """A page of an inbox, the newest first."""

    items: list[InboxItem]
    next: str | None
    """Cursor of the next page; None at the end."""
    seq: int
    """The inbox's newest number: `Last-Event-ID` for a stream that goes on from here."""


class InboxCounts(_Body):
    """How much there is."""

    live: int
    new: int
    """Live and in state `new`."""


class GapNotice(_Body):
    """Some changes cannot be told any more: read `/inbox` again. The stream goes on after `to`."""

    model_config = ConfigDict(validate_by_name=True, serialize_by_alias=True)

    start: int = Field(alias="from")
    to: int
    reason: Literal["trimmed", "reset"]


def gap_notice(gap: Gap) -> GapNotice:
    """A gap as it is told."""
    return GapNotice(start=gap.start, to=gap.end, reason=gap.reason)


def inbox_items(recipient: Recipient, items: Iterable[Item], cards: Mapping[str, Card]) -> list[InboxItem]:
    """Items as their recipient reads them; `cards` by posting id, as far as known."""
    reader: Reader = "seeker" if is_seeker(recipient) else "employer"
    return [_inbox_item(item, cards.get(item.key.posting), reader) for item in items]


def _inbox_item(item: Item, card: Card | None, reader: Reader) -> InboxItem:
    entry = _entry(item)
    labels = {} if card is None else card.labels
    return InboxItem(
        item=item.id,
        seq=item.seq,
        live=item.live,
        state=item.state,
        posting=_posting_card(item.key.posting, card),
        seeker=item.key.seeker,
        points=entry and entry.points,
        components=entry and entry.components,
        explanation=entry and explain(entry, labels.get, reader),
        changed_at=item.changed_at,
    )


def _posting_card(posting: str, card: Card | None) -> PostingCard:
    if card is None:
        return PostingCard(id=posting)
    return PostingCard(
        id=posting,
        title=card.title,
        status=card.status,
        employer_name=card.employer_name,
        regions=card.regions,
        pay=card.pay,
    )


def _entry(item: Item) -> Entry | None:
    """The list entry again, for `explain`; its version is not kept and not read there."""
    if item.reasons is None:
        return None
    points, components, matched, missing, unknown, evidence = item.reasons
    return Entry(
        id=item.key.seeker or item.key.posting,
        version=1,
        points=points,
        components=Components(**dict(zip(COMPONENTS, components, strict=True))),
        matched=matched,
        missing=missing,
        unknown=unknown,
        evidence=evidence and Evidence.model_validate(evidence),
    )
