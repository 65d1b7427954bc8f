"""Employers over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

from services.postings.domain.employer import Employer, EmployerTerms, revise_employer
from services.postings.usecases.context import Context, own_employer
from shared.http import Problem, etag, not_found
from shared.idempotency import Answer, once
from shared.mongo import DuplicateKey

if TYPE_CHECKING:
    from shared.auth import Principal
    from shared.mongo import Session


async def create(
    context: Context, caller: Principal, idempotency_key: str | None, fingerprint: bytes, terms: EmployerTerms
) -> Answer:
    """Register an employer: oneself under the id of one's token, or, as an operator, one with a new id.

    Raises Problem 403, or 409 if it is registered.
    """
    employer_id = f"e-{uuid4().hex}" if caller.role == "operator" else own_employer(caller, None)

    async def work(session: Session) -> Answer:
        if await context.store.employer(employer_id, session) is not None:
            en, zh = "This employer is registered; change it with PUT.", "该用人单位已登记，请用 PUT 修改。"
            raise Problem(409, "registered", en, zh)
        employer = revise_employer(None, employer_id, terms, context.now())
        await context.store.save_employer(employer, session)
        return answer(employer, 201)

    return await once(context.mongo, caller.key, idempotency_key, fingerprint, work)


async def put(context: Context, caller: Principal, employer_id: str, terms: EmployerTerms) -> Answer:
    """Register or change an employer under its id. Its postings take a new name when they next change.

    Raises Problem 403.
    """
    own_employer(caller, employer_id)

    async def work(session: Session) -> Answer:
        known = await context.store.employer(employer_id, session)
        employer = revise_employer(known, employer_id, terms, context.now())
        if employer is not known:
            await context.store.save_employer(employer, session)
        return answer(employer, 201 if known is None else 200)

    try:
        return await context.mongo.transaction(work)
    except DuplicateKey:  # registered by another call meanwhile: now it is known
        return await context.mongo.transaction(work)


async def read(context: Context, employer_id: str) -> Employer:
    """One employer. Raises Problem 404."""
    employer = await context.store.employer(employer_id)
    if employer is None:
        raise not_found()
    return employer


def answer(employer: Employer, status: int = 200) -> Answer:
    """An employer as an answer, with its version as ETag."""
    headers = {"ETag": etag(employer.version)}
    if status == 201:  # noqa: PLR2004 - HTTP's Created
        headers["Location"] = f"/employers/{employer.id}"
    return Answer(status, employer.model_dump(mode="json"), headers)
