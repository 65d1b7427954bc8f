"""What partner regions publish on `partner.<id>.postings.v1`, and the receipts that they get back."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Annotated, Any

from pydantic import ConfigDict, Field, model_validator

from shared.contracts.common import Contract, Id, Instant, Texts, Version
from shared.contracts.postings import Origin, PostingTerms

PartnerPostingId = Annotated[str, Field(min_length=1, max_length=256)]


Sequence = Annotated[int, Field(ge=0, le=2**63 - 1)]


class PartnerPostingSubmitted(PostingTerms):
    """A posting in our own form: new or changed, the same thing (upsert by `id`)."""

    id: PartnerPostingId
    """The partner's own posting id."""
    sequence: Sequence | None = None
    """Orders the records of one posting; without it `changed_at` does, without both the arrival."""
    changed_at: Instant | None = None
    """When the partner last changed the posting."""
    employer_reference: Annotated[str, Field(max_length=200)] | None = None
    """The partner's id of the employer, for example an organisation number."""
    url: Annotated[str, Field(max_length=2000)] | None = None
    origin: Origin | None = None
    """Only in what one deployment of this system passes on to another: so that nothing travels in a circle."""


class PartnerPostingRemoved(Contract):
    """A posting is not to be had any more at the partner."""

    id: PartnerPostingId
    sequence: Sequence | None = None
    changed_at: Instant | None = None
    filled: bool | None = None
    """True: somebody was found for it. It counts in the removal that closes the posting."""


class JobTechAdPublished(Contract):
    """An ad of the Swedish public employment service's JobTech feed, as it came.

    `removed: true` is a removal. How its fields are mapped: `docs/forms.md`.
    """

    model_config = ConfigDict(extra="allow", frozen=True, use_attribute_docstrings=True, coerce_numbers_to_str=True)

    id: PartnerPostingId
    removed: bool | None = None
    headline: str | None = None

    @property
    def ad(self) -> dict[str, Any]:
        """The whole ad, unknown fields included."""
        return self.model_dump()


class JobPostingPublished(Contract):
    """A schema.org `JobPosting` as JSON-LD: one object, or one with `@graph`, that holds one job posting.

    It is recognised by its media type `application/ld+json`, by the schema `https://schema.org/JobPosting`, or
    by its `ce_type`. How its fields are mapped: `docs/forms.md`.
    """

    model_config = ConfigDict(extra="allow", frozen=True, use_attribute_docstrings=True)

    @model_validator(mode="before")
    @classmethod
    def _graph(cls, body: object) -> object:
        """JSON-LD allows a list of nodes at the top: it is a graph without its name."""
        return {"@graph": body} if isinstance(body, list) else body


Epoch = Annotated[int, Field(ge=0, le=2**63 - 1)]
"""The number of a snapshot: each one has a greater number than the one before."""
Count = Annotated[int, Field(ge=0, le=2**31 - 1)]


class PartnerSnapshotBegun(Contract):
    """From here on the partner sends every posting that it has, until `PartnerSnapshotEnded` with the same epoch."""

    epoch: Epoch
    count: Count
    """How many different postings will be named until the end. Each counts once, however often it is sent."""


class PartnerSnapshotEnded(Contract):
    """Every posting was sent: those that were not named since the beginning are not to be had any more."""

    epoch: Epoch


class Outcome(StrEnum):
    """What became of a partner's record."""

    ACCEPTED = "accepted"
    UNCHANGED = "unchanged"
    STALE = "stale"
    REJECTED = "rejected"


class Fault(Contract):
    """What was wrong with a record, and where."""

    pointer: str
    """JSON pointer (RFC 6901) into the record's body; empty means the record as a whole."""
    code: str
    """Stable, for programs, for example `missing` or `invalid_json`."""
    reason: Texts
    """For people, zh and en: what is wrong and how to mend it."""


UnmappedName = Annotated[str, Field(max_length=120)]


class _Receipt(Contract):
    id: str
    """`<topic>/<partition>/<offset>` of the record that is answered."""

    @property
    def topic(self) -> str:
        """Of the record that is answered."""
        return self.id.split("/")[0]

    @property
    def offset(self) -> int:
        """Of the record that is answered."""
        return int(self.id.rpartition("/")[2])


class PostingReceipt(_Receipt):
    """The answer to one record of a partner: at least once on the wire, and always the same answer."""

    partner_posting_id: str | None = None
    """As far as it could be read."""
    outcome: Outcome
    posting_id: Id | None = None
    """Our id; None when rejected."""
    version: Version | None = None
    """Our version that holds after this record; None when rejected."""
    faults: tuple[Fault, ...] = ()
    notes: tuple[Fault, ...] = ()
    """What was left out of a record that was taken, and why."""
    unmapped: Annotated[tuple[UnmappedName, ...], Field(max_length=50)] = ()
    """Fields that have no place in a posting, by name (dotted), at most 50. They are kept beside it."""
    received_at: Instant
    """Kafka's time stamp of the record."""


class SnapshotOutcome(StrEnum):
    """What became of a snapshot's begin or end."""

    ACCEPTED = "accepted"
    UNCHANGED = "unchanged"
    STALE = "stale"
    HELD = "held"
    REJECTED = "rejected"


class SnapshotReceipt(_Receipt):
    """The answer to the begin or the end of a snapshot. The counts are those of the moment of this record."""

    epoch: Epoch
    outcome: SnapshotOutcome
    """`held`: of an end. Nothing is closed until an operator says yes; all that was sent was taken."""
    count: Count | None = None
    """As the begin announced it; None where there was no begin."""
    named: Count | None = None
    """Different postings named since the begin."""
    closes: Count | None = None
    """Postings that are closed (in the next seconds) because they were not named, or would be, where it is held."""
    faults: tuple[Fault, ...] = ()
    """Why it is not accepted."""
    received_at: Instant
    """Kafka's time stamp of the record."""


Receipt = PostingReceipt | SnapshotReceipt
"""What a partner reads of its records."""


class MergeOutcome(StrEnum):
    """What became of a posting that was taken before."""

    MERGED = "merged"
    """Another source offers the same vacancy: seekers are shown that posting in the place of this one."""
    PARTED = "parted"
    """Not any more: this one is recommended again, as long as it is open."""


class MergeReceipt(Contract):
    """A word about a posting, not about a record: that it was found to be another source's vacancy, or no longer.

    It comes whenever that is found. Nothing of the posting is lost or changed, and its records go on being taken and
    answered as ever. At least once on the wire, and always the same answer by its `id`.
    """

    id: str
    """`<posting id>/<version>`."""
    partner_posting_id: str | None = None
    posting_id: Id
    """Our id."""
    version: Version
    """Our version of the posting from which on it holds."""
    outcome: MergeOutcome
    merged_into: Id | None = None
    """Our id of the posting that seekers are shown; None when parted."""
    at: Instant


class DailyCounts(Contract):
    """What became of a partner's postings, counted once after each day (UTC) has ended.

    At least once on the wire, and always the same answer by its `id`. For a day that nobody could count before the next
    one had ended there is none. Not told yet: how many were applied for.
    """

    id: str
    """`<partner>/<day>`."""
    day: date
    open: Count
    """Its postings that are open when it is counted."""
    recommended: Count
    """Of these, those that are recommended to at least one seeker."""
    recommendations: Count
    """How many seekers are on the lists of these postings, summed: each list names the best, 20 at most."""
    closed: Count
    """Its postings that were closed on that day, whatever closed them, and are still. What was over when it came, and
    never open, is none."""
    filled: Count
    """Of these, those for which somebody was found, as far as anybody said so."""
    counted_at: Instant
