"""Imports over HTTP: every line answered, nothing twice whatever is repeated."""

import json
from typing import Any

import pytest

from shared.errors import Unavailable
from shared.idempotency import Answer, once
from tests.integration.profiles.conftest import BODY, Profiles
from tests.integration.profiles.test_seekers import found


def ndjson(*lines: object) -> bytes:
    return b"\n".join(line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines)


async def test_each_line_has_its_result(profiles: Profiles) -> None:
    maker = profiles.caller("matchmaker", "m1")
    body = ndjson(BODY, b"", {"skills": []}, BODY, b"{", BODY, BODY)
    answer = await maker("POST", "/seekers:import", content=body, idempotency_key="i")
    result = answer.json()
    assert (answer.status_code, result["registered"], result["rejected"]) == (200, 4, 2)
    outcomes = {item["line"]: item["outcome"] for item in result["items"]}
    assert outcomes == {
        1: "registered",
        3: "rejected",
        4: "registered",
        5: "rejected",
        6: "registered",
        7: "registered",
    }
    assert result["items"][1]["faults"][0]["pointer"] == "/consent"
    ids = {item["id"] for item in result["items"] if item["id"]}
    read = await maker("GET", f"/seekers/{ids.pop()}")
    assert read.json()["contact"] == BODY["contact"]
    assert await profiles.db["outbox"].count_documents({"type": "ProfileRegistered", "version": 1}) == 4
    assert await found(profiles, b"Zhuge") == []


async def test_a_repeated_import_gives_the_same_answer(profiles: Profiles) -> None:
    operator = profiles.caller("operator", "o1")
    body = ndjson(*[BODY] * 7, b"{")
    first = await operator("POST", "/seekers:import", content=body, idempotency_key="i")
    again = await operator("POST", "/seekers:import", content=body, idempotency_key="i")
    assert first.json() == again.json()
    assert await profiles.db["seekers"].count_documents({}) == 7
    other = await operator("POST", "/seekers:import", content=ndjson(BODY), idempotency_key="i")
    assert other.status_code == 422


async def test_an_import_that_was_cut_off_goes_on(profiles: Profiles, monkeypatch: pytest.MonkeyPatch) -> None:
    operator = profiles.caller("operator", "o1")
    body = ndjson(*[BODY] * 8)
    chunks = iter([once])

    async def once_and_then_away(*given: Any) -> Answer:  # noqa: ANN401 - passed on
        save = next(chunks, None)
        if save is None:
            raise Unavailable
        return await save(*given)

    monkeypatch.setattr("services.profiles.usecases.imports.once", once_and_then_away)
    assert (await operator("POST", "/seekers:import", content=body, idempotency_key="i")).status_code == 503
    assert await profiles.db["seekers"].count_documents({}) == 3
    monkeypatch.undo()
    result = (await operator("POST", "/seekers:import", content=body, idempotency_key="i")).json()
    stored = {seeker["_id"] async for seeker in profiles.db["seekers"].find({}, {"_id": 1})}
    assert {item["id"] for item in result["items"]} == stored
    assert len(stored) == 8


async def test_an_import_has_limits_and_needs_a_key(profiles: Profiles) -> None:
    operator = profiles.caller("operator", "o1")
    many = await operator("POST", "/seekers:import", content=b"{}\n" * 2_001, idempotency_key="i")
    large = await operator("POST", "/seekers:import", content=b" " * (8 * 1024 * 1024 + 1), idempotency_key="i")
    assert (many.status_code, large.status_code) == (413, 413)
    assert (await operator("POST", "/seekers:import", content=b"{}")).status_code == 422
    seeker = profiles.caller("seeker", "s1")
    assert (await seeker("POST", "/seekers:import", content=b"{}", idempotency_key="i")).status_code == 403
