"""HTTP in: employers, postings, partners.

Annotations are evaluated at once (no `from __future__`), because each route's caller depends on `auth`.
"""

from typing import Annotated

from fastapi import APIRouter, Depends, Header, Path, Query, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from services.postings.domain.employer import Employer, EmployerTerms, NewPartnerId, Partner, PartnerTerms
from services.postings.domain.snapshots import Snapshot
from services.postings.usecases import employers, partners, postings, snapshots
from services.postings.usecases.context import Context
from shared.auth import Authenticator, Principal
from shared.contracts.common import Id
from shared.contracts.partners import Epoch, Receipt
from shared.contracts.postings import CloseReason, Posting, PostingStatus, PostingTerms
from shared.http import Limit, Problem, decode_cursor, encode_cursor
from shared.idempotency import Answer

IdempotencyKey = Annotated[
    str | None,
    Header(description="A command repeated with its key within 24 hours has its effect once."),
]
IfMatch = Annotated[str | None, Header(description="The ETag that was read.")]
Cursor = Annotated[str | None, Query(description="`next` of the page before.")]


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


class SnapshotPage(_Body):
    """The snapshots of a partner, the newest first."""

    items: list[Snapshot]
    next: str | None = None
    """Always null: there is one page, of the last 50."""


def router(context: Context, auth: Authenticator) -> APIRouter:
    """All routes of the service."""
    routes = APIRouter()
    routes.include_router(_employers(context, auth))
    routes.include_router(_postings(context, auth))
    routes.include_router(_partners(context, auth))
    routes.include_router(_snapshots(context, auth))
    return routes


def _employers(context: Context, auth: Authenticator) -> APIRouter:
    routes = APIRouter(prefix="/employers", tags=["employers"])
    writer = Depends(auth.require("employer", "operator"))

    @routes.post("", status_code=201, response_model=Employer)
    async def create_employer(
        request: Request,
        terms: EmployerTerms,
        caller: Annotated[Principal, writer],
        idempotency_key: IdempotencyKey = None,
    ) -> JSONResponse:
        """Register an employer: oneself, or, as an operator, one with a new id."""
        fingerprint = await _fingerprint(request)
        return _respond(await employers.create(context, caller, idempotency_key, fingerprint, terms))

    @routes.get("/{employer_id}")
    async def read_employer(employer_id: Id, _: Annotated[Principal, Depends(auth)]) -> Employer:
        """Read an employer."""
        return await employers.read(context, employer_id)

    @routes.put("/{employer_id}", response_model=Employer, responses={201: {"model": Employer}})
    async def put_employer(employer_id: Id, terms: EmployerTerms, caller: Annotated[Principal, writer]) -> JSONResponse:
        """Register or change an employer under its id."""
        return _respond(await employers.put(context, caller, employer_id, terms))

    return routes


def _postings(context: Context, auth: Authenticator) -> APIRouter:
    routes = APIRouter(prefix="/postings", tags=["postings"])
    reader, writer = Depends(auth), Depends(auth.require("employer", "operator"))

    @routes.post("", status_code=201, response_model=Posting)
    async def create_posting(
        request: Request,
        draft: PostingDraft,
        caller: Annotated[Principal, writer],
        idempotency_key: IdempotencyKey = None,
    ) -> JSONResponse:
        """Publish a posting. Contact details in its texts are replaced by an ellipsis."""
        fingerprint = await _fingerprint(request)
        return _respond(await postings.create(context, caller, idempotency_key, fingerprint, draft, draft.employer_id))

    @routes.get("")
    async def list_postings(
        caller: Annotated[Principal, reader],
        status: PostingStatus = PostingStatus.OPEN,
        employer: Id | None = None,
        cursor: Cursor = None,
        limit: Limit = 50,
    ) -> PostingPage:
        """List postings by status and employer. Closed ones are only listed for whom they concern."""
        after = decode_cursor(cursor) if cursor else ""
        items, more = await postings.page(context, caller, status, employer, after, limit)
        return PostingPage(items=items, next=encode_cursor(items[-1].id) if more else None)

    @routes.get("/{posting_id}", response_model=Posting)
    async def read_posting(posting_id: Id, caller: Annotated[Principal, reader]) -> JSONResponse:
        """Read a posting."""
        return _respond(postings.answer(await postings.read(context, caller, posting_id)))

    @routes.put("/{posting_id}", response_model=Posting)
    async def change_posting(
        posting_id: Id, terms: PostingTerms, caller: Annotated[Principal, writer], if_match: IfMatch = None
    ) -> JSONResponse:
        """Give a posting other terms. The same terms change nothing, not even the version."""
        return _respond(await postings.change(context, caller, posting_id, if_match, terms))

    @routes.post("/{posting_id}/close", response_model=Posting)
    async def close_posting(
        request: Request,
        posting_id: Id,
        closing: Closing,
        caller: Annotated[Principal, writer],
        idempotency_key: IdempotencyKey = None,
    ) -> JSONResponse:
        """Close a posting; one that is closed stays as it is."""
        fingerprint = await _fingerprint(request)
        return _respond(
            await postings.close_by_hand(context, caller, idempotency_key, fingerprint, posting_id, closing.reason)
        )

    return routes


def _partners(context: Context, auth: Authenticator) -> APIRouter:
    routes = APIRouter(prefix="/partners", tags=["partners"])
    operator = Depends(auth.require("operator"))

    @routes.put("/{partner_id}", dependencies=[operator])
    async def put_partner(partner_id: NewPartnerId, terms: PartnerTerms) -> Partner:
        """Register or change a partner, and make its two topics. 503 while Kafka is away: call again."""
        return await partners.put(context, partner_id, terms)

    @routes.get("", dependencies=[operator])
    async def list_partners() -> PartnerPage:
        """All registered partners."""
        return PartnerPage(items=await context.store.partners())

    @routes.get("/{partner_id}/receipts")
    async def list_receipts(
        partner_id: NewPartnerId,
        caller: Annotated[Principal, Depends(auth.require("partner", "operator"))],
        cursor: Cursor = None,
        limit: Limit = 50,
    ) -> ReceiptPage:
        """A partner's receipts, for itself and for operators, in the order of its records."""
        items, more = await partners.receipts(context, caller, partner_id, _offset(cursor), limit)
        return ReceiptPage(
            items=items,
            next=encode_cursor(str(items[-1].offset)) if more else None,
        )

    return routes


def _snapshots(context: Context, auth: Authenticator) -> APIRouter:
    routes = APIRouter(prefix="/partners/{partner_id}/snapshots", tags=["partners"])
    operator = Depends(auth.require("operator"))

    @routes.get("")
    async def list_snapshots(
        partner_id: NewPartnerId, caller: Annotated[Principal, Depends(auth.require("partner", "operator"))]
    ) -> SnapshotPage:
        """A partner's snapshots, for itself and for operators."""
        return SnapshotPage(items=await snapshots.page(context, caller, partner_id))

    @routes.post("/{epoch}/release")
    async def release_snapshot(
        partner_id: NewPartnerId, epoch: Annotated[Epoch, Path()], caller: Annotated[Principal, operator]
    ) -> Snapshot:
        """Close what a held snapshot did not name, except what was seen since. Safe to repeat."""
        return await snapshots.release(context, caller, partner_id, epoch)

    @routes.post("/{epoch}/discard")
    async def discard_snapshot(
        partner_id: NewPartnerId, epoch: Annotated[Epoch, Path()], caller: Annotated[Principal, operator]
    ) -> Snapshot:
        """Have a held snapshot close nothing. Safe to repeat."""
        return await snapshots.discard(context, caller, partner_id, epoch)

    return routes


def _offset(cursor: str | None) -> int:
    """The offset after which a page begins. Raises Problem 400 for a cursor that holds none."""
    if cursor is None:
        return -1
    text = decode_cursor(cursor)
    if not (text.isascii() and text.isdigit() and len(text) < 19):  # noqa: PLR2004 - below 2**63
        en, zh = "This cursor is none of ours; begin without one.", "游标无效，请从头开始。"
        raise Problem(400, "invalid_cursor", en, zh)
    return int(text)


async def _fingerprint(request: Request) -> bytes:
    """What makes two requests the same one."""
    return f"{request.method} {request.url.path}\n".encode() + await request.body()


def _respond(answer: Answer) -> JSONResponse:
    return JSONResponse(answer.body, answer.status, dict(answer.headers))
