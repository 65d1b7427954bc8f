"""HTTP as every service speaks it: problems (RFC 9457) in zh and en, ETags, cursors."""

from __future__ import annotations

import base64
import binascii
from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated, Any, Final

import structlog
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException

from shared.contracts.common import Texts
from shared.contracts.partners import Fault
from shared.errors import Unavailable
from shared.faults import faults_of
from shared.mongo import DriverError, away

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fastapi import FastAPI, Request

log = structlog.get_logger()

PROBLEM_JSON: Final = "application/problem+json"
RETRY_AFTER_S: Final = 1
MAX_LIMIT: Final = 200

Limit = Annotated[int, Field(ge=1, le=MAX_LIMIT)]
"""Most items on one page of a list."""


class Problem(Exception):  # noqa: N818 - RFC 9457's own word
    """An answer that is no success: raised anywhere below `api`, rendered by `install`'s handlers.

    `code` is stable and for programs; the details are for people and hold no personal data; `pointer` is a
    JSON pointer into the request body.
    """

    def __init__(  # noqa: PLR0913 - one part of the answer each
        self,
        status: int,
        code: str,
        detail_en: str,
        detail_zh: str,
        pointer: str = "",
        *,
        faults: tuple[Fault, ...] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(f"{status} {code}: {detail_en}")
        self.status = status
        self.code = code
        self.reason: Texts = {"zh": detail_zh, "en": detail_en}
        self.pointer = pointer
        self.faults = faults
        self.headers = dict(headers or {})


class ProblemBody(BaseModel):
    """The body of every answer that is no success (RFC 9457)."""

    model_config = ConfigDict(title="Problem", use_attribute_docstrings=True)

    type: str
    """`urn:problem:` and the code."""
    title: str
    """The status in words."""
    status: int
    detail: str
    """What is wrong, in English; `reason` has it in zh and en."""
    code: str
    """Stable, for programs."""
    reason: Texts
    """What is wrong and how to mend it, for people."""
    pointer: str = ""
    """JSON pointer (RFC 6901) into the request body, if one field is at fault."""
    faults: tuple[Fault, ...] = ()
    """Each fault of a request that is not valid."""


def not_found() -> Problem:
    """What is not there, and what the caller may not know of: 404 for both."""
    return Problem(404, "not_found", "There is none, or it is not yours to see.", "不存在，或您无权查看。")


def forbidden() -> Problem:
    """The caller's role may not do this: 403."""
    return Problem(403, "forbidden", "Your role may not do this.", "您的角色无权执行此操作。")


def etag(version: int) -> str:
    """The strong ETag of an aggregate's version."""
    return f'"{version}"'


def require_match(if_match: str | None, version: int) -> None:
    """Pass if `If-Match` names this version or is `*`. Raises Problem 428 without it, 412 if it differs."""
    if if_match is None or not if_match.strip():
        raise Problem(
            428,
            "precondition_required",
            "Send If-Match with the ETag that you have read.",
            "请在 If-Match 中带上您读到的 ETag。",
        )
    given = {tag.strip() for tag in if_match.split(",")}
    if given.isdisjoint({"*", etag(version)}):
        raise Problem(
            412,
            "changed_meanwhile",
            "It has changed since you read it; read it again.",
            "内容在您读取之后已有变化，请重新读取。",
            headers={"ETag": etag(version)},
        )


def encode_cursor(value: str) -> str:
    """Where a list goes on, opaque to the caller."""
    return base64.urlsafe_b64encode(value.encode()).decode().rstrip("=")


def decode_cursor(text: str) -> str:
    """The value that `encode_cursor` was given. Raises Problem 400 if it was given none such."""
    try:
        padded = text.encode("ascii") + b"=" * (-len(text) % 4)
        return base64.b64decode(padded, altchars=b"-_", validate=True).decode()
    except (binascii.Error, UnicodeError) as error:
        message = "This cursor is none of ours; begin without one."
        raise Problem(400, "invalid_cursor", message, "游标无效，请从头开始。") from error


def install(app: FastAPI) -> None:
    """Make every answer of `app` that is no success a problem, and say so in its OpenAPI document."""

    async def on_problem(_: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, Problem)  # noqa: S101 - registered for this class alone
        return _render(error)

    async def on_invalid(_: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, RequestValidationError)  # noqa: S101
        return _render(invalid(faults_of(error.errors(), http=True)))

    async def on_unavailable(_: Request, error: Exception) -> JSONResponse:
        log.warning("a request was not served", reason=str(error))  # the caller is not told what is away
        return _render(
            Problem(
                503,
                "unavailable",
                "Something that this needs is away; try again.",
                "所需的服务暂不可用，请稍后重试。",
                headers={"Retry-After": str(RETRY_AFTER_S)},
            )
        )

    async def on_http(_: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, HTTPException)  # noqa: S101
        status = HTTPStatus(error.status_code)
        zh = _ZH_STATUS.get(status, "请求失败。")
        return _render(Problem(status, status.name.lower(), status.phrase, zh, headers=error.headers))

    async def on_fault(_: Request, __: Exception) -> JSONResponse:
        return _render(Problem(500, "internal", "This is our fault, and is logged.", "系统内部错误，已记录。"))

    app.add_exception_handler(Problem, on_problem)
    app.add_exception_handler(RequestValidationError, on_invalid)

    async def on_driver_error(request: Request, error: Exception) -> JSONResponse:
        if away(error):
            return await on_unavailable(request, error)
        raise error

    app.add_exception_handler(Unavailable, on_unavailable)
    app.add_exception_handler(DriverError, on_driver_error)
    app.add_exception_handler(HTTPException, on_http)
    app.add_exception_handler(Exception, on_fault)
    _document(app)


def invalid(faults: tuple[Fault, ...]) -> Problem:
    """A request body or parameter is not valid: 422, with each fault."""
    return Problem(
        422,
        "invalid",
        "The request is not valid; see faults.",
        "请求内容无效，详见 faults。",
        faults[0].pointer if faults else "",
        faults=faults,
    )


_ZH_STATUS: Final[Mapping[HTTPStatus, str]] = {
    HTTPStatus.NOT_FOUND: "没有这个地址。",
    HTTPStatus.METHOD_NOT_ALLOWED: "此地址不支持该方法。",
    HTTPStatus.BAD_REQUEST: "请求格式错误。",
}


def _render(problem: Problem) -> JSONResponse:
    body = ProblemBody(
        type=f"urn:problem:{problem.code}",
        title=HTTPStatus(problem.status).phrase,
        status=problem.status,
        detail=problem.reason["en"],
        code=problem.code,
        reason=problem.reason,
        pointer=problem.pointer,
        faults=problem.faults,
    )
    return JSONResponse(body.model_dump(mode="json"), problem.status, headers=problem.headers, media_type=PROBLEM_JSON)


def _document(app: FastAPI) -> None:
    """Put our problem in the place of FastAPI's own 422 body, which `install` replaces, for all routes."""
    generate = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is not None:
            return app.openapi_schema
        document = generate()
        schemas = document.setdefault("components", {}).setdefault("schemas", {})
        schema = ProblemBody.model_json_schema(ref_template="#/components/schemas/{model}")
        schemas |= schema.pop("$defs", {}) | {"Problem": schema}
        for name in ("HTTPValidationError", "ValidationError"):
            schemas.pop(name, None)
        answer = {
            "description": "No success: see `code` and `reason`.",
            "content": {PROBLEM_JSON: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
        for path in document.get("paths", {}).values():
            for operation in path.values():
                operation["responses"].pop("422", None)
                operation["responses"]["default"] = answer
        return document

    app.openapi = openapi  # type: ignore[method-assign] # FastAPI's documented way to change the document
