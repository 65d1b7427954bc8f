"""Postings over HTTP: create, change, close, read, list."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal
from uuid import uuid4

from services.postings.domain.linked import ad, as_said, with_found
from services.postings.domain.posting import cleaned, close, is_over, is_too_large, publish, revise
from services.postings.usecases.context import (
    Context,
    is_public,
    may_change,
    may_see_closed,
    own_employer,
    posting_rows,
)
from shared import outbox
from shared.contracts.postings import CloseReason, Posting, PostingSource, PostingStatus, PostingTerms
from shared.http import Problem, etag, forbidden, not_found, require_match
from shared.idempotency import Answer, once

if TYPE_CHECKING:
    from datetime import datetime

    from shared.auth import Principal
    from shared.mongo import Session

ByHand = Literal[CloseReason.FILLED, CloseReason.WITHDRAWN]
"""Why a person closes a posting; the other reasons are the service's own."""


async def create(
    context: Context,
    caller: Principal,
    idempotency_key: str | None,
    fingerprint: bytes,
    terms: PostingTerms,
    employer_id: str | None,
) -> Answer:
    """Publish a posting of an employer. Raises Problem 403, 409 (the employer is unknown) or 422."""
    employer_id = own_employer(caller, employer_id)
    linked = await _linked(context, terms)

    async def work(session: Session) -> Answer:
        now = context.now()
        posting = publish(
            await _acceptable(context, linked, employer_id, now, session),
            posting_id=f"p-{uuid4().hex}",
            employer_id=employer_id,
            source=PostingSource(),
            now=now,
            linker=context.reader.version,
        )
        await _save(context, None, posting, session)
        return answer(posting, 201)

    done = await once(context.mongo, caller.key, idempotency_key, fingerprint, work)
    await context.wake_relay()
    return done


async def change(
    context: Context, caller: Principal, posting_id: str, if_match: str | None, terms: PostingTerms
) -> Answer:
    """Give a posting other terms. The same terms change nothing, not even the version.

    Raises Problem 404, 403, 409 (closed, or a partner's), 412, 422 or 428.
    """
    linked = await _linked(context, terms)

    async def work(session: Session) -> Posting:
        now = context.now()
        posting = await _own(context, caller, posting_id, session)
        require_match(if_match, posting.version)
        if posting.source.partner is not None:
            en, zh = "A partner's posting is changed at the partner.", "合作方的岗位须由合作方修改。"
            raise Problem(409, "partner_posting", en, zh)
        if posting.status is PostingStatus.CLOSED:
            en, zh = "A closed posting cannot be changed; publish a new one.", "岗位已关闭，请重新发布。"
            raise Problem(409, "closed", en, zh)
        wanted = await _acceptable(context, linked, posting.employer_id, now, session)
        after = revise(posting, wanted, now, linker=context.reader.version)
        await _save(context, posting, after, session)
        return after

    posting = await context.mongo.transaction(work)
    await context.wake_relay()
    return answer(posting)


async def close_by_hand(
    context: Context,
    caller: Principal,
    idempotency_key: str | None,
    fingerprint: bytes,
    posting_id: str,
    reason: ByHand,
) -> Answer:
    """Close a posting; one that is closed stays as it is. Raises Problem 404 or 403."""

    async def work(session: Session) -> Answer:
        posting = await _own(context, caller, posting_id, session)
        after = close(posting, reason, context.now())
        await _save(context, posting, after, session)
        return answer(after)

    done = await once(context.mongo, caller.key, idempotency_key, fingerprint, work)
    await context.wake_relay()
    return done


async def read(context: Context, caller: Principal, posting_id: str) -> Posting:
    """One posting: an open one for everybody, another for whom it concerns. Raises Problem 404."""
    posting = await context.store.posting(posting_id)
    if posting is None:
        raise not_found()
    if not is_public(posting) and not may_see_closed(caller, posting):
        raise not_found()
    return posting


async def page(
    context: Context,
    caller: Principal,
    status: PostingStatus,
    employer_id: str | None,
    after: str,
    limit: int,
) -> tuple[list[Posting], bool]:
    """At most `limit` postings with ids above `after`, and whether there are more.

    Closed ones are listed for operators, and for employers and partners their own; those of sandbox partners for
    operators, and the closed ones for the partner. Raises Problem 403.
    """
    partner = None
    if status is not PostingStatus.OPEN and caller.role != "operator":
        if caller.role == "employer":
            employer_id = own_employer(caller, employer_id)
        elif caller.role == "partner":
            partner = caller.partner
        else:
            raise forbidden()
    found = await context.store.page(
        status=status,
        employer=employer_id,
        partner=partner,
        after=after,
        limit=limit + 1,
        everything=caller.role == "operator" or partner is not None,
    )
    return found[:limit], len(found) > limit


def answer(posting: Posting, status: int = 200) -> Answer:
    """A posting as an answer, with its version as ETag."""
    headers = {"ETag": etag(posting.version)}
    if status == 201:  # noqa: PLR2004 - HTTP's Created
        headers["Location"] = f"/postings/{posting.id}"
    return Answer(status, posting.model_dump(mode="json"), headers)


async def _own(context: Context, caller: Principal, posting_id: str, session: Session) -> Posting:
    posting = await context.store.posting(posting_id, session)
    if posting is None or not (is_public(posting) or may_see_closed(caller, posting)):
        raise not_found()
    if not may_change(caller, posting):
        raise forbidden()
    return posting


async def _linked(context: Context, terms: PostingTerms) -> PostingTerms:
    """The terms with what their words name."""
    said = as_said(terms)
    (found,) = await context.reader.ads([ad(said)])
    return with_found(said, found)


async def _acceptable(
    context: Context, terms: PostingTerms, employer_id: str, now: datetime, session: Session
) -> PostingTerms:
    """The terms as they are published, under the employer's name. Raises Problem 409 or 422."""
    employer = await context.store.employer(employer_id, session)
    if employer is None:
        en, zh = "This employer is not registered yet.", "该用人单位尚未登记。"
        raise Problem(409, "unknown_employer", en, zh)
    blank = next((language for language, text in terms.title.items() if not text.strip()), None)
    if blank is not None:
        raise Problem(422, "blank", "The title is blank.", "标题为空白。", f"/title/{blank}")
    if is_over(terms, now):
        raise Problem(422, "expired", "valid_through has passed.", "有效期已过。", "/valid_through")
    if is_too_large(terms):
        raise Problem(422, "posting_too_large", "The texts are too long together.", "文字合计过长。")
    named = cleaned(terms)
    return named if named.employer_name else named.model_copy(update={"employer_name": employer.name})


async def _save(context: Context, before: Posting | None, after: Posting, session: Session) -> None:
    """Keep and emit, if there is something new."""
    if after is not before:
        await context.store.save_postings([after], session)
        await outbox.add(context.store.db, session, posting_rows([(before, after)]))
