"""Who offers work, and who passes postings on."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from services.postings.domain.pulling import Pull
from shared.contracts.common import Code, Id, Instant, Version
from shared.contracts.postings import ExchangeName

NewPartnerId = Annotated[str, Field(max_length=40, pattern=r"^[a-z0-9][a-z0-9-]*$")]
"""A partner id whose ids of ours derive from it, so it begins with a letter or digit."""


class _Entity(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True, use_attribute_docstrings=True)


class EmployerTerms(_Entity):
    """What an employer says of itself."""

    name: Annotated[str, Field(min_length=1, max_length=300, pattern=r"\S")]
    """The organisation as people know it."""
    url: Annotated[str, Field(max_length=2000)] | None = None
    region: Code | None = None
    """Where it has its seat."""


class Employer(EmployerTerms):
    """An employer that publishes postings itself."""

    id: Id
    version: Version
    changed_at: Instant


class Renews(StrEnum):
    """How a partner says that its postings are still to be had."""

    STREAM = "stream"
    """It does not: each is open until it is changed, removed or over."""
    SNAPSHOT = "snapshot"
    """It names all of them again and again: what is not named for a time is over."""


class PartnerState(StrEnum):
    """Whether a partner may write. What it wrote before is taken and answered in every state."""

    ACTIVE = "active"
    PAUSED = "paused"
    RETIRED = "retired"
    """For ever: its id never comes back."""


class WatchedRegion(_Entity):
    """A region by its code. It contains its parts."""

    scheme: Literal["gbt2260", "iso3166-1", "iso3166-2", "scb"]
    code: Annotated[str, Field(min_length=1, max_length=64)]


class Exchange(_Entity):
    """Which of our postings a partner gets on `exchange.<id>.postings.v1`."""

    regions: Annotated[tuple[WatchedRegion, ...], Field(min_length=1, max_length=100)]
    """Those in one of these. Of a posting that leaves them, it gets a removal."""
    name: ExchangeName | None = None
    """What all deployments that exchange postings call it, where that is not its id here. It never gets back what it
    has passed on."""


class PartnerTerms(_Entity):
    """What is registered of a partner."""

    name: Annotated[str, Field(min_length=1, max_length=300, pattern=r"\S")]
    """The region or school as people know it."""
    renews: Renews = Renews.STREAM
    """`snapshot`: its postings expire when no record names them for 40 days (a setting)."""
    sandbox: bool = False
    """A place to try: its records are answered like anybody's, and nothing of it reaches a seeker. Its id begins with
    `sandbox-`, and no other id does: so it is for ever."""
    exchange: Exchange | None = None
    """None: it gets none of our postings."""
    pull: Pull | None = None
    """Its feed, which is fetched for it: for who has no Kafka. None: it writes itself."""


class Partner(PartnerTerms):
    """A region or school whose records are taken. Its id never changes and never comes back."""

    id: NewPartnerId
    version: Version
    state: PartnerState = PartnerState.ACTIVE
    registered_at: Instant
    postings_topic: str
    """Where it publishes."""
    receipts_topic: str
    """Where it reads its receipts."""


def revise_employer(known: Employer | None, employer_id: str, terms: EmployerTerms, now: datetime) -> Employer:
    """The employer with these terms: version 1 if it is new, the same one if nothing differs."""
    if known is not None and (known.name, known.url, known.region) == (terms.name, terms.url, terms.region):
        return known
    return Employer(
        name=terms.name,
        url=terms.url,
        region=terms.region,
        id=employer_id,
        version=known.version + 1 if known else 1,
        changed_at=now,
    )


_CHANGING: Final = ("name", "renews", "exchange", "pull")
"""The terms that may change; `sandbox` is for ever."""


def register(
    known: Partner | None, partner_id: str, terms: PartnerTerms, topics: tuple[str, str], now: datetime
) -> Partner:
    """The partner with these terms. `topics`: where it publishes, and where it reads its receipts."""
    if known is None:
        postings, receipts = topics
        return Partner(
            name=terms.name,
            renews=terms.renews,
            sandbox=terms.sandbox,
            exchange=terms.exchange,
            pull=terms.pull,
            id=partner_id,
            version=1,
            registered_at=now,
            postings_topic=postings,
            receipts_topic=receipts,
        )
    said = {term: getattr(terms, term) for term in _CHANGING}
    if all(getattr(known, term) == value for term, value in said.items()):
        return known
    return known.model_copy(update={**said, "version": known.version + 1})


def in_state(partner: Partner, state: PartnerState) -> Partner:
    """The partner in this state, as its next version; the same one if it is in it already."""
    if partner.state is state:
        return partner
    return partner.model_copy(update={"state": state, "version": partner.version + 1})
