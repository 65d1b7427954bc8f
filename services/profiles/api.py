"""Profiles over HTTP: translates and delegates."""

# Annotations are evaluated where they stand: they name the router's own dependencies.

from functools import partial
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Header, Path, Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict

from services.profiles.domain import seekers as domain
from services.profiles.domain.imports import ImportResult
from services.profiles.domain.seekers import Contact, SeekerSubmission
from services.profiles.settings import ProfilesSettings
from services.profiles.usecases import imports, seekers
from services.profiles.usecases.context import Context
from shared.auth import Authenticator, Principal
from shared.contracts.common import Id, Version
from shared.contracts.profiles import Profile, ProfileStatus
from shared.http import Limit, decode_cursor, encode_cursor, etag
from shared.idempotency import Answer

NDJSON = "application/x-ndjson"
SeekerId = Annotated[Id, Path(description="The seeker's pseudonymous id.")]
IdempotencyKey = Annotated[str | None, Header(min_length=1, max_length=200)]
"""The same key from the same caller within 24 hours gives the same answer, and one effect."""


class Standing(BaseModel):
    """Where a profile stands after a command."""

    id: Id
    version: Version
    status: ProfileStatus


class Seeker(Profile):
    """A seeker as the seeker, its matchmakers and operators see it."""

    contact: Contact | None = None
    """None for operators."""
    words: str | None = None
    """What the seeker wrote; None for operators."""


class SeekerPage(BaseModel):
    """Some profiles, without contacts."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    items: list[Profile]
    next: str | None
    """Cursor of the next page; None on the last."""


def router(context: Context, auth: Authenticator, settings: ProfilesSettings) -> APIRouter:
    """Make the routes of this service."""
    routes = APIRouter(tags=["seekers"])
    anyone = Annotated[Principal, Depends(auth.require("seeker", "matchmaker", "operator"))]
    theirs = Annotated[Principal, Depends(auth.require("seeker", "matchmaker"))]
    staff = Annotated[Principal, Depends(auth.require("matchmaker", "operator"))]

    @routes.post("/seekers", status_code=201, response_model=Standing)
    async def register(caller: anyone, body: SeekerSubmission, idempotency_key: IdempotencyKey = None) -> JSONResponse:
        """Register yourself (seekers: the id is your token's `sub`) or somebody else (the other roles)."""
        return _json(await seekers.register(context, caller, body, idempotency_key))

    @routes.get("/seekers/{seeker}")
    async def read(caller: anyone, seeker: SeekerId, response: Response) -> Seeker:
        """Read one profile; operators see neither contact nor words."""
        profile, contact, words = await seekers.read(context, caller, seeker)
        response.headers["ETag"] = etag(profile.version)
        fields = {name: getattr(profile, name) for name in Profile.model_fields}
        return Seeker(**fields, contact=contact, words=words)

    @routes.get("/seekers")
    async def page(caller: staff, cursor: str | None = None, limit: Annotated[Limit, Query()] = 50) -> SeekerPage:
        """List the seekers whom you accompany (a matchmaker) or all (an operator), by id."""
        after = decode_cursor(cursor) if cursor else ""
        items = await seekers.page(context, caller, after, limit)
        following = encode_cursor(items[-1].id) if len(items) == limit else None
        return SeekerPage(items=items, next=following)

    @routes.put("/seekers/{seeker}", response_model=Standing)
    async def change(
        caller: theirs,
        seeker: SeekerId,
        body: SeekerSubmission,
        if_match: Annotated[str | None, Header()] = None,
    ) -> JSONResponse:
        """Replace a profile; contact and words that are left out stay as they are. Needs `If-Match`."""
        return _json(await seekers.change(context, caller, seeker, body, if_match))

    @routes.post("/seekers/{seeker}/{command}", response_model=Standing)
    async def move(
        caller: anyone,
        seeker: SeekerId,
        command: Literal["pause", "resume", "withdraw"],
        idempotency_key: IdempotencyKey = None,
    ) -> JSONResponse:
        """Stop recommendations for now, start them again, or leave; a repeat changes nothing."""
        moves = {"pause": domain.pause, "resume": domain.resume, "withdraw": domain.withdraw}
        return _json(await seekers.move(context, caller, seeker, moves[command], idempotency_key))

    @routes.delete("/seekers/{seeker}", status_code=204)
    async def erase(caller: anyone, seeker: SeekerId) -> None:
        """Erase a seeker: with the answer everything personal is gone from here, and all others are told."""
        await seekers.erase(context, caller, seeker)

    load = partial(imports.load, context, most=settings.import_lines, chunk=settings.import_chunk)

    @routes.post("/seekers:import", openapi_extra=_import_body())
    async def import_seekers(
        caller: staff, request: Request, idempotency_key: Annotated[str, Header(min_length=1, max_length=200)]
    ) -> ImportResult:
        """Register many seekers, one JSON object a line as for `POST /seekers`; one result a line.

        Needs an `Idempotency-Key`: sent again with it, an import that was cut off goes on where it was.
        """
        body = await _body(request, settings.import_bytes)
        return await load(caller, body, idempotency_key)

    return routes


def _json(answer: Answer) -> JSONResponse:
    return JSONResponse(answer.body, answer.status, headers=dict(answer.headers))


async def _body(request: Request, most: int) -> bytes:
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > most:
            raise imports.too_large(f"An import has at most {most} bytes.", f"每次导入最多 {most} 字节。")
    return bytes(body)


def _import_body() -> dict[str, object]:
    schema = {"type": "string", "description": "One SeekerSubmission as JSON on each line."}
    return {"requestBody": {"required": True, "content": {NDJSON: {"schema": schema}}}}
