"""HTTP in: employers, postings, partners and their records.

Annotations are evaluated at once (no `from __future__`), because each route's caller depends on `auth`.
"""

from collections.abc import Iterator
from itertools import islice
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Header, Path, Query, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse, StreamingResponse

from services.postings.api import duplicates
from services.postings.api.bodies import (
    Closing,
    LineResult,
    PartnerPage,
    PostingDraft,
    PostingPage,
    ReceiptPage,
    RecordsWritten,
    Replay,
    ReplayFrom,
    SnapshotPage,
)
from services.postings.api.page import Language, page
from services.postings.domain.employer import Employer, EmployerTerms, NewPartnerId, Partner, PartnerState, PartnerTerms
from services.postings.domain.scorecard import Scorecard
from services.postings.domain.snapshots import Snapshot
from services.postings.settings import PostingsSettings
from services.postings.usecases import employers, partners, postings, records, replays, snapshots
from services.postings.usecases.context import Context
from shared.auth import Authenticator, Principal
from shared.bodies import BodyLimits, pieces
from shared.contracts.common import Id
from shared.contracts.partners import Epoch
from shared.contracts.postings import Posting, PostingStatus, PostingTerms
from shared.http import Limit, Problem, decode_cursor, encode_cursor
from shared.idempotency import Answer

IdempotencyKey = Annotated[
    str | None,
    Header(description="A command repeated with its key within 24 hours has its effect once."),
]
IfMatch = Annotated[str | None, Header(description="The ETag that was read.")]
Cursor = Annotated[str | None, Query(description="`next` of the page before.")]
Wait = Annotated[float, Query(ge=0, le=10, description="Seconds for which an answer waits that would be empty.")]
UploadKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=200,
        description="Your name for this upload. For 24 hours, what was written of it is not written again.",
    ),
]
UploadOffset = Annotated[
    int | None,
    Header(
        ge=0,
        description="The body begins behind this line of the upload. Without it: with the first line.",
    ),
]
NDJSON: Final = "application/x-ndjson"
_NDJSON_TOO: Final = "application/ndjson"
_AT_ONCE: Final = 500
"""Results that are written together."""


def router(context: Context, auth: Authenticator, settings: PostingsSettings) -> APIRouter:
    """All routes of the service."""
    routes = APIRouter()
    routes.include_router(_employers(context, auth))
    routes.include_router(_postings(context, auth))
    routes.include_router(_partners(context, auth))
    routes.include_router(_door(context, auth, settings))
    routes.include_router(duplicates.router(context, auth))
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
        """Register or change a partner, and make its topics. 503 while Kafka is away: call again."""
        return await partners.put(context, partner_id, terms)

    @routes.post("/{partner_id}/pause", dependencies=[operator])
    async def pause_partner(partner_id: NewPartnerId) -> Partner:
        """Let a partner write nothing more over HTTP (`make operator` shuts Kafka's door, too). Safe to repeat."""
        return await partners.change_state(context, partner_id, PartnerState.PAUSED)

    @routes.post("/{partner_id}/resume", dependencies=[operator])
    async def resume_partner(partner_id: NewPartnerId) -> Partner:
        """Let a paused partner write again. Safe to repeat."""
        return await partners.change_state(context, partner_id, PartnerState.ACTIVE)

    @routes.post("/{partner_id}/retire", dependencies=[operator])
    async def retire_partner(partner_id: NewPartnerId) -> Partner:
        """Part with a partner for ever: its id never comes back. Safe to repeat."""
        return await partners.change_state(context, partner_id, PartnerState.RETIRED)

    @routes.get("", dependencies=[operator])
    async def list_partners() -> PartnerPage:
        """All registered partners."""
        return PartnerPage(items=await context.store.partners())

    @routes.get(
        "/{partner_id}/scorecard",
        response_model=Scorecard,
        responses={200: {"content": {"text/html": {"schema": {"type": "string"}}}}},
    )
    async def read_scorecard(
        request: Request,
        partner_id: NewPartnerId,
        caller: Annotated[Principal, Depends(auth.require("partner", "operator"))],
        lang: Language = "zh",
    ) -> Response:
        """How a partner's feed stands, for itself and for operators; with `Accept: text/html` as a page."""
        card = await partners.scorecard(context, caller, partner_id)
        if "text/html" in request.headers.get("accept", ""):
            return HTMLResponse(page(card, lang))
        return Response(card.model_dump_json(), media_type="application/json")

    @routes.get("/{partner_id}/receipts")
    async def list_receipts(
        partner_id: NewPartnerId,
        caller: Annotated[Principal, Depends(auth.require("partner", "operator"))],
        cursor: Cursor = None,
        limit: Limit = 50,
        wait: Wait = 0,
    ) -> ReceiptPage:
        """A partner's receipts, for itself and for operators, in the order of its records."""
        after = _offset(cursor)
        items, more = await partners.receipts(context, caller, partner_id, after, limit, wait_s=wait)
        last = encode_cursor(str(items[-1].offset if items else after)) if items or after >= 0 else None
        return ReceiptPage(items=items, next=last if more else None, last=last)

    @routes.post("/{partner_id}/replay", status_code=202)
    async def replay_receipts(
        partner_id: NewPartnerId,
        begin: ReplayFrom,
        caller: Annotated[Principal, Depends(auth.require("partner", "operator"))],
    ) -> Replay:
        """Publish a partner's receipts once more, from a time on, as they were: same ids, same answers."""
        return Replay(receipts=await replays.begin(context, caller, partner_id, begin.since))

    return routes


def _door(context: Context, auth: Authenticator, settings: PostingsSettings) -> APIRouter:
    routes = APIRouter(prefix="/partners", tags=["partners"])
    limits = BodyLimits(settings.upload_bytes, settings.upload_unpacked_bytes)
    schema = {"type": "string", "description": "One record as JSON on each line, in any form; perhaps gzipped."}

    @routes.post(
        "/{partner_id}/records",
        status_code=202,
        response_class=StreamingResponse,
        responses={202: {"model": RecordsWritten}},
        openapi_extra={"requestBody": {"required": True, "content": {NDJSON: {"schema": schema}}}},
    )
    async def post_records(
        request: Request,
        partner_id: NewPartnerId,
        caller: Annotated[Principal, Depends(auth.require("partner", "operator"))],
        idempotency_key: UploadKey = None,
        upload_offset: UploadOffset = None,
    ) -> StreamingResponse:
        """Write records to the partner's own topic, as by Kafka: each is answered there, and by a receipt.

        An upload that was cut off goes on where it was when it is sent again with its `Idempotency-Key`.
        """
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() not in {NDJSON, _NDJSON_TOO}:
            en, zh = f"Send one record a line, as {NDJSON}.", f"请以 {NDJSON} 发送，每行一条记录。"
            raise Problem(415, "unsupported_media_type", en, zh, headers={"Accept": NDJSON})
        if upload_offset is not None and idempotency_key is None:
            en, zh = "Send the Idempotency-Key of the upload that goes on.", "请带上该上传的 Idempotency-Key。"
            raise Problem(400, "missing", en, zh)
        upload = await records.begin(context, caller, partner_id, idempotency_key)
        body = pieces(request, limits)
        await records.take(context, upload, body, offset=upload_offset, most_lines=settings.upload_lines)
        return StreamingResponse(_written(upload), 202, media_type="application/json")

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


def _written(upload: records.Upload) -> Iterator[str]:
    """`RecordsWritten` as JSON in pieces: an upload has many lines."""
    first = upload.first_offset
    cursor = f"?cursor={encode_cursor(str(first - 1))}" if first else ""
    head = RecordsWritten(
        lines=upload.last,
        written=upload.written,
        refused=len(upload.results) - upload.written,
        repeated=upload.repeated,
        receipts=None if first is None else f"/partners/{upload.partner}/receipts{cursor}",
        results=[],
    )
    yield head.model_dump_json().removesuffix("]}")
    between = ""
    answers = upload.answers()
    while some := list(islice(answers, _AT_ONCE)):
        results = [
            LineResult(line=line, record=found) if isinstance(found, str) else LineResult(line=line, fault=found)
            for line, found in some
        ]
        yield between + ",".join(one.model_dump_json(exclude_none=True) for one in results)
        between = ","
    yield "]}"


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
