"""Which of our postings a partner gets, and what it is told of them. Pure.

Nothing hangs on what happened in between: what a partner shall have is decided by the posting as it is now, and what it
is told by what it was sent last.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from services.postings.domain.employer import PartnerState
from services.postings.domain.linked import as_said
from services.postings.domain.sources import is_sandbox
from shared.contracts.partners import PartnerPostingRemoved, PartnerPostingSubmitted
from shared.contracts.postings import MAX_HOPS, CloseReason, Origin, PostingStatus, PostingTerms
from shared.regions import Relation, relation

if TYPE_CHECKING:
    from services.postings.domain.employer import Partner
    from shared.contracts.postings import Posting


@dataclass(frozen=True, slots=True)
class Watch:
    """What a partner watches."""

    partner: str
    name: str
    """The partner's, among those that exchange postings."""
    regions: tuple[str, ...]
    """`scheme:code`; none: it gets nothing."""


@dataclass(frozen=True, slots=True)
class Sent:
    """What a partner was sent last of a posting."""

    sequence: int
    """1 for the first record of this posting to this partner, and one more for each; also the record's own."""
    version: int
    """The posting's."""
    open: bool
    """False: a removal."""


def watch_of(partner: Partner) -> Watch:
    """What it watches now: nothing if it does not exchange, or is retired."""
    exchange = None if partner.state is PartnerState.RETIRED else partner.exchange
    if exchange is None:
        return Watch(partner.id, partner.id, ())
    regions = tuple(f"{region.scheme}:{region.code}" for region in exchange.regions)
    return Watch(partner.id, exchange.name or partner.id, regions)


def gets(watch: Watch, posting: Posting) -> bool:
    """True if the partner shall have this posting: open, in a region that it watches, and not come from it.

    One that is merged is not had: the one that stands for it is.
    A posting whose region is unknown, or larger than what is watched, is in no such region.
    """
    source = posting.source
    if posting.status is not PostingStatus.OPEN or posting.merged_into is not None:
        return False
    if source.partner == watch.partner or is_sandbox(source.partner):
        return False
    if source.origin and (watch.name in source.origin.passed or len(source.origin.via) == MAX_HOPS):
        return False
    return any(
        relation(region.key, watched) >= Relation.WITHIN for region in posting.regions for watched in watch.regions
    )


def next_sent(watch: Watch, posting: Posting, sent: Sent | None) -> Sent | None:
    """What the partner is to be sent of this posting now; None if it has it already, or never had it."""
    wanted = gets(watch, posting)
    has = sent.version if sent is not None and sent.open else None
    if has == (posting.version if wanted else None):
        return None
    return Sent(sent.sequence + 1 if sent else 1, posting.version, wanted)


def record_of(posting: Posting, sent: Sent, ours: str) -> PartnerPostingSubmitted | PartnerPostingRemoved:
    """The record that says so. `ours` is this deployment's name.

    What was read out of words is left out: who takes the posting in reads them itself.
    """
    if not sent.open:
        filled = posting.filled or posting.close_reason is CloseReason.FILLED
        return PartnerPostingRemoved(
            id=posting.id, sequence=sent.sequence, changed_at=posting.changed_at, filled=filled or None
        )
    said = as_said(posting)
    return PartnerPostingSubmitted.model_construct(
        **{name: getattr(said, name) for name in PostingTerms.model_fields},
        id=posting.id,
        sequence=sent.sequence,
        changed_at=posting.changed_at,
        employer_reference=posting.employer_id,
        url=posting.source.url,
        origin=passed_on(posting, ours),
    )


def passed_on(posting: Posting, ours: str) -> Origin:
    """The origin of a posting that leaves here: where it was first, and the way here."""
    origin = posting.source.origin
    if origin is None:
        return Origin(name=ours, id=posting.id)
    return origin.model_copy(update={"via": (*origin.via, ours)})
