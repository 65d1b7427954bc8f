"""What an answer looks like that is no success, and how lists and versions are named."""

import pytest
from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient, Response
from hypothesis import given
from hypothesis.strategies import text
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from shared.errors import Unavailable
from shared.faults import ZH
from shared.http import (
    PROBLEM_JSON,
    Limit,
    Problem,
    ProblemBody,
    decode_cursor,
    encode_cursor,
    etag,
    install,
    not_found,
    require_match,
)


class Order(BaseModel):
    name: str = Field(max_length=5)
    sizes: list[int] = Field(default=[], max_length=2)


def app() -> FastAPI:
    made = FastAPI()
    install(made)

    @made.post("/orders")
    async def order(body: Order, limit: Limit = 1) -> int:
        return limit + len(body.name)

    @made.get("/fails/{how}")
    async def fails(how: str) -> None:
        raise {
            "missing": not_found(),
            "away": Unavailable("the disk of db7 is full"),
            "broken": RuntimeError("secret"),
            "teapot": HTTPException(418, headers={"X-Pot": "1"}),
        }[how]

    return made


async def call(method: str, path: str, body: str = "") -> Response:
    transport = ASGITransport(app(), raise_app_exceptions=False)
    async with AsyncClient(transport=transport, base_url="http://test") as client:
        return await client.request(method, path, content=body, headers={"Content-Type": "application/json"})


async def test_each_fault_of_a_body_has_its_pointer_in_both_languages() -> None:
    answer = await call("POST", "/orders?limit=x", '{"name": "secret text", "sizes": [1, "s/m~"]}')
    body = ProblemBody.model_validate(answer.json())
    assert (answer.status_code, answer.headers["content-type"]) == (422, PROBLEM_JSON)
    assert [(fault.pointer, fault.code) for fault in body.faults] == [
        ("", "int_parsing"),
        ("/name", "string_too_long"),
        ("/sizes/1", "int_parsing"),
    ]
    assert body.faults[0].reason["en"].startswith("query parameter limit: ")
    assert body.faults[1].reason["zh"] == "文本过长，最多 5 个字符"
    assert "secret" not in answer.text


async def test_a_body_that_is_no_json_is_said_to_be_none() -> None:
    answer = await call("POST", "/orders", '{"name": ')
    fault = ProblemBody.model_validate(answer.json()).faults[0]
    assert (fault.pointer, fault.code, fault.reason["zh"]) == ("", "json_invalid", ZH["json_invalid"])


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/fails/missing", 404, "not_found"),
        ("/fails/away", 503, "unavailable"),
        ("/fails/broken", 500, "internal"),
        ("/fails/teapot", 418, "im_a_teapot"),
        ("/nowhere", 404, "not_found"),
        ("/orders", 405, "method_not_allowed"),
    ],
)
async def test_every_failure_is_a_problem_and_tells_nothing_inner(path: str, status: int, code: str) -> None:
    answer = await call("GET", path)
    body = ProblemBody.model_validate(answer.json())
    assert (answer.status_code, body.status, body.code) == (status, status, code)
    assert body.type == f"urn:problem:{code}"
    assert set(body.reason) == {"zh", "en"}
    assert "secret" not in answer.text
    assert "db7" not in answer.text
    assert answer.headers.get("retry-after") == ("1" if status == 503 else None)


def test_the_document_names_our_problem_and_not_the_framework_s() -> None:
    document = app().openapi()
    answers = document["paths"]["/orders"]["post"]["responses"]
    assert set(answers) == {"200", "default"}
    assert answers["default"]["content"][PROBLEM_JSON]["schema"] == {"$ref": "#/components/schemas/Problem"}
    assert {"Problem", "Fault"} <= set(document["components"]["schemas"])
    assert "HTTPValidationError" not in document["components"]["schemas"]


@pytest.mark.parametrize("tag", ['"7"', '"6", "7"', "*", ' "7" '])
def test_the_version_that_was_read_matches(tag: str) -> None:
    require_match(tag, 7)
    assert etag(7) == '"7"'


@pytest.mark.parametrize(("tag", "status"), [(None, 428), ("", 428), ('"6"', 412), ("7", 412), ('W/"7"', 412)])
def test_another_version_or_none_does_not_match(tag: str | None, status: int) -> None:
    with pytest.raises(Problem) as refused:
        require_match(tag, 7)
    assert refused.value.status == status


@given(text())
def test_a_cursor_comes_back_as_it_was(value: str) -> None:
    assert decode_cursor(encode_cursor(value)) == value


@pytest.mark.parametrize("cursor", ["é", "a", "%%%", "gICA"])
def test_a_made_up_cursor_is_refused(cursor: str) -> None:
    with pytest.raises(Problem, match="invalid_cursor"):
        decode_cursor(cursor)
