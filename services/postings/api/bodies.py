"""What requests and answers carry, beside what is the domain's own."""

from pydantic import BaseModel, ConfigDict, Field

from services.postings.domain.employer import Partner
from services.postings.domain.snapshots import Snapshot
from services.postings.usecases import postings
from shared.contracts.common import Id, Instant
from shared.contracts.partners import Fault, Receipt
from shared.contracts.postings import CloseReason, Posting, PostingTerms


class _Body(BaseModel):
    model_config = ConfigDict(use_attribute_docstrings=True)


class PostingDraft(PostingTerms):
    """A posting to be published."""

    employer_id: Id | None = None
    """For operators: whose posting it is. An employer's own posting is always its own."""


class Closing(_Body):
    """Why a posting is closed."""

    reason: postings.ByHand = CloseReason.FILLED


class PostingPage(_Body):
    """Postings in the order of their ids."""

    items: list[Posting]
    next: str | None = None
    """Cursor of the next page; null on the last."""


class PartnerPage(_Body):
    """All registered partners."""

    items: list[Partner]
    next: str | None = None
    """Always null: there is one page."""


class ReceiptPage(_Body):
    """Receipts in the order of the records that they answer."""

    items: list[Receipt]
    next: str | None = Field(default=None)
    """Cursor of the next page; null on the last."""
    last: str | None = None
    """Cursor behind these, also on the last page: for who waits for what comes."""


class LineResult(_Body):
    """What became of one line."""

    line: int
    """Its number in the upload, from 1; blank ones count."""
    record: str | None = None
    """`topic/partition/offset`: the id of the receipt that answers it."""
    fault: Fault | None = None
    """Why it is no record and has no receipt."""


class RecordsWritten(_Body):
    """What became of an upload: everything that could be written is in the partner's topic."""

    lines: int
    """The number of its last line that is not blank: a further request of this upload goes on behind it."""
    written: int
    refused: int
    """Lines that could not be written."""
    repeated: int
    """Of the results, those of a former request under the same key. They were not written again."""
    receipts: str | None
    """Where the receipts begin; null if nothing was written."""
    results: list[LineResult]


class ReplayFrom(_Body):
    """Since when receipts are to be published once more."""

    since: Instant = Field(alias="from")
    """Those that were given at this time or later, as far as they are kept (30 days)."""


class Replay(_Body):
    """What will be published once more."""

    receipts: int
    """How many, under the ids that they had: some hundreds a second."""


class SnapshotPage(_Body):
    """The snapshots of a partner, the newest first."""

    items: list[Snapshot]
    next: str | None = None
    """Always null: there is one page, of the last 50."""
