"""Which postings of different sources are shown to seekers as one, and in whose place.

Of the postings that agree, the primary is the one that was there first, an employer's own before any partner's. The
others are merged into it, at most one of each source: what one source has twice are two vacancies. Each agrees with
the primary itself, never only with another that was merged. The outcome depends on what is open and agrees, not on
the order in which it was found; so whatever changes, it is computed anew, and a merge that does not come out of it
again is undone.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field

from services.postings.domain.likeness import Likeness, digest, likeness
from services.postings.domain.sources import is_sandbox
from shared.contracts.common import Id
from shared.contracts.postings import PostingStatus

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from shared.contracts.postings import Posting


class PairState(StrEnum):
    """What is held of two postings."""

    DOUBT = "doubt"
    """An operator should say."""
    AGREES = "agrees"
    ACCEPTED = "accepted"
    """By an operator, until one of them says something else."""
    REFUSED = "refused"
    """By an operator, for good."""


class Pair(BaseModel):
    """Two postings that are, or may be, one vacancy."""

    model_config = ConfigDict(extra="ignore", frozen=True, use_attribute_docstrings=True)

    first: Id
    """The lesser id."""
    second: Id
    state: PairState
    score: float = Field(ge=0, le=1)
    against: tuple[str, ...] = ()
    """What contradicts, by name."""
    digest: str | None = None
    """Of what stood in both when an operator accepted."""
    by: str | None = None
    """The operator who said so."""
    at: datetime
    """When it came to this state."""

    @property
    def id(self) -> str:
        """Of the pair."""
        return pair_id(self.first, self.second)

    @property
    def ids(self) -> tuple[str, str]:
        """Both."""
        return self.first, self.second

    @property
    def agrees(self) -> bool:
        """Seekers see one of them, as long as both are open."""
        return self.state in {PairState.AGREES, PairState.ACCEPTED}


def pair_id(first: str, second: str) -> str:
    """Of two postings, the lesser id first; an id has no space."""
    return f"{first} {second}"


def may_pair(one: Posting, other: Posting) -> bool:
    """True for two open postings of different sources, none of them only a trial."""
    sources = {one.source.partner, other.source.partner}
    open_ones = one.status is other.status is PostingStatus.OPEN
    return open_ones and len(sources) > 1 and not any(is_sandbox(source) for source in sources)


def judged(known: Pair | None, one: Posting, other: Posting, now: datetime) -> Pair | None:
    """What holds of two postings now, given what was held of them; None: nothing is worth keeping.

    An operator's no stays, whatever they say. A yes stays until what was compared says something else.
    """
    first, second = sorted((one, other), key=lambda posting: posting.id)
    if known is not None and known.state is PairState.REFUSED:
        return known
    accepted = known is not None and known.state is PairState.ACCEPTED
    if known is not None and accepted and known.digest == digest(first, second):
        return known
    found = likeness(first, second) if may_pair(first, second) else Likeness(0.0)
    if not (found.agrees or found.doubtful):
        return None
    state = PairState.AGREES if found.agrees else PairState.DOUBT
    if known is not None and (known.state, known.score, known.against) == (state, found.score, found.against):
        return known
    return Pair(first=first.id, second=second.id, state=state, score=found.score, against=found.against, at=now)


def decided(one: Posting, other: Posting, *, accepted: bool, by: str, now: datetime) -> Pair:
    """What an operator says of two postings."""
    first, second = sorted((one, other), key=lambda posting: posting.id)
    found = likeness(first, second)
    return Pair(
        first=first.id,
        second=second.id,
        state=PairState.ACCEPTED if accepted else PairState.REFUSED,
        score=found.score,
        against=found.against,
        digest=digest(first, second) if accepted else None,
        by=by,
        at=now,
    )


def primaries(postings: Mapping[str, Posting], pairs: Iterable[Pair]) -> dict[str, str]:
    """To each posting that is merged, its primary. `pairs`: all that agree among these postings."""
    likes: defaultdict[str, dict[str, Pair]] = defaultdict(dict)
    for pair in pairs:
        if pair.agrees and all(one in postings for one in pair.ids) and may_pair(*(postings[one] for one in pair.ids)):
            likes[pair.first][pair.second] = likes[pair.second][pair.first] = pair
    into: dict[str, str] = {}
    done: set[str] = set()
    for primary in sorted(likes, key=lambda one: _rank(postings[one])):
        if primary in into:
            continue
        done.add(primary)
        sources = {postings[primary].source.partner}
        for other in sorted(likes[primary], key=lambda one: _preference(likes[primary][one], postings[one])):
            source = postings[other].source.partner
            if other not in into and other not in done and source not in sources:
                into[other] = primary
                sources.add(source)
    return into


def moved(posting: Posting, into: str | None) -> Posting:
    """The next version, merged into another posting, or parted; the same one if it is so already.

    Nothing that its source said changes, and so neither does `changed_at`.
    """
    if posting.merged_into == into:
        return posting
    return posting.model_copy(update={"version": posting.version + 1, "merged_into": into})


def _rank(posting: Posting) -> tuple[bool, datetime, str]:
    return posting.source.partner is not None, posting.published_at, posting.id


def _preference(pair: Pair, posting: Posting) -> tuple[bool, float, tuple[bool, datetime, str]]:
    return pair.state is not PairState.ACCEPTED, -pair.score, _rank(posting)
