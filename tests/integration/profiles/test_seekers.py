"""Seekers over HTTP: versions, events, idempotency, and whose is whose."""

import asyncio
import json

import bson
import pytest

from services.profiles.usecases.seekers import restate
from shared import outbox
from shared.mongo import Session
from tests.integration.profiles.conftest import BODY, TRACES, Profiles

WITHOUT_CONTACT = {name: value for name, value in BODY.items() if name != "contact"}


def contact(**known: str) -> dict[str, str | None]:
    return {"name": None, "phone": None, "email": None} | known


async def test_a_seeker_registers_reads_and_changes_itself(profiles: Profiles) -> None:
    me = profiles.caller("seeker", "s1")
    made = await me("POST", "/seekers", BODY)
    assert (made.status_code, made.headers["location"], made.headers["etag"]) == (201, "/seekers/s1", '"1"')
    assert made.json() == {"id": "s1", "version": 1, "status": "active"}
    read = await me("GET", "/seekers/s1")
    assert read.headers["etag"] == '"1"'
    assert read.json()["contact"] == BODY["contact"]
    assert read.json()["pay_floor"] == BODY["pay_floor"]

    changed = await me("PUT", "/seekers/s1", BODY | {"remote": True}, if_match='"1"')
    assert (changed.status_code, changed.headers["etag"]) == (200, '"2"')
    rows = await profiles.outbox("s1")
    assert [(row["type"], row["version"]) for row in rows] == [
        ("ProfileRegistered", 1),
        ("ProfileUpdated", 2),
    ]
    assert json.loads(rows[1]["payload"])["remote"] is True


async def test_an_unchanged_profile_keeps_its_version_and_makes_no_event(profiles: Profiles) -> None:
    me = profiles.caller("seeker", "s1")
    await me("POST", "/seekers", BODY)
    for body in (BODY, WITHOUT_CONTACT):
        same = await me("PUT", "/seekers/s1", body, if_match='"1"')
        assert (same.status_code, same.json()["version"]) == (200, 1)
    assert len(await profiles.outbox("s1")) == 1
    assert (await me("GET", "/seekers/s1")).json()["contact"] == BODY["contact"]


async def test_a_contact_can_be_changed_and_removed(profiles: Profiles) -> None:
    me = profiles.caller("seeker", "s1")
    await me("POST", "/seekers", BODY)
    phone = await me("PUT", "/seekers/s1", BODY | {"contact": {"phone": "110 119 120"}}, if_match='"1"')
    assert phone.json()["version"] == 2
    assert (await me("GET", "/seekers/s1")).json()["contact"] == contact(phone="110 119 120")
    assert (await me("PUT", "/seekers/s1", BODY | {"contact": {}}, if_match='"2"')).json()["version"] == 3
    assert (await me("GET", "/seekers/s1")).json()["contact"] == contact()


async def test_a_change_needs_the_version_that_was_read(profiles: Profiles) -> None:
    me = profiles.caller("seeker", "s1")
    await me("POST", "/seekers", BODY)
    assert (await me("PUT", "/seekers/s1", BODY)).status_code == 428
    assert (await me("PUT", "/seekers/s1", BODY, if_match='"2"')).status_code == 412
    tries = [me("PUT", "/seekers/s1", BODY | {"experience_months": n}, if_match='"1"') for n in range(8)]
    statuses = sorted(answer.status_code for answer in await asyncio.gather(*tries))
    assert statuses == [200] + [412] * 7
    assert [row["version"] for row in await profiles.outbox("s1")] == [1, 2]


async def test_nobody_registers_twice(profiles: Profiles) -> None:
    me = profiles.caller("seeker", "s1")
    answers = await asyncio.gather(*(me("POST", "/seekers", BODY) for _ in range(6)))
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 5
    assert (await me("POST", "/seekers", BODY)).headers["location"] == "/seekers/s1"
    assert len(await profiles.outbox("s1")) == 1


async def test_the_same_key_gives_the_same_answer_and_one_effect(profiles: Profiles) -> None:
    maker = profiles.caller("matchmaker", "m1")
    answers = await asyncio.gather(*(maker("POST", "/seekers", BODY, idempotency_key="k") for _ in range(5)))
    assert {(answer.status_code, answer.text) for answer in answers} == {(201, answers[0].text)}
    assert await profiles.db["seekers"].count_documents({}) == 1
    other = await maker("POST", "/seekers", WITHOUT_CONTACT, idempotency_key="k")
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    second = profiles.caller("matchmaker", "m2")
    assert (await second("POST", "/seekers", BODY, idempotency_key="k")).json()["id"] != answers[0].json()["id"]


async def test_pausing_resuming_and_leaving(profiles: Profiles) -> None:
    me = profiles.caller("seeker", "s1")
    await me("POST", "/seekers", BODY)
    seen = [(await me("POST", f"/seekers/s1/{move}")).json()["version"] for move in ("pause", "pause", "resume")]
    assert seen == [2, 2, 3]
    assert (await me("POST", "/seekers/s1/withdraw")).json()["status"] == "withdrawn"
    assert (await me("POST", "/seekers/s1/pause")).status_code == 409
    assert (await me("POST", "/seekers/s1/erase")).status_code == 422
    types = [row["type"] for row in await profiles.outbox("s1")]
    assert types == ["ProfileRegistered", "ProfilePaused", "ProfileUpdated", "ProfileWithdrawn"]
    assert (await me("GET", "/seekers/s1")).json()["contact"] == BODY["contact"]


async def test_everyone_reaches_only_what_is_theirs(profiles: Profiles) -> None:
    await profiles.caller("seeker", "s1")("POST", "/seekers", BODY)
    mine = (await profiles.caller("matchmaker", "m1")("POST", "/seekers", BODY)).json()["id"]
    before = await profiles.db["seekers"].find().to_list(None)
    strangers = [
        profiles.caller("seeker", "s2"),
        profiles.caller("seeker", "m1"),
        profiles.caller("matchmaker", "m2"),
        profiles.caller("matchmaker", "s1"),
        profiles.caller("employer", "s1", employer="m1"),
        profiles.caller("partner", "s1", partner="m1"),
    ]
    for stranger in strangers:
        for seeker in ("s1", mine, "nobody"):
            at = f"/seekers/{seeker}"
            answers = [
                await stranger("GET", at),
                await stranger("PUT", at, BODY | {"remote": True}, if_match="*"),
                *[await stranger("POST", f"{at}/{move}") for move in ("pause", "resume", "withdraw")],
                await stranger("DELETE", at),
            ]
            assert {answer.status_code for answer in answers} <= {403, 404}
            assert not any(trace in answer.content for answer in answers for trace in TRACES)
    assert await profiles.db["seekers"].find().to_list(None) == before
    assert (await profiles.client.get("/seekers/s1")).status_code == 401


async def test_operators_and_matchmakers_see_what_they_need(profiles: Profiles) -> None:
    maker, operator = profiles.caller("matchmaker", "m1"), profiles.caller("operator", "o1")
    mine = (await maker("POST", "/seekers", BODY)).json()["id"]
    await profiles.caller("seeker", "s1")("POST", "/seekers", BODY)
    assert (await maker("GET", f"/seekers/{mine}")).json()["contact"] == BODY["contact"]
    assert (await operator("GET", f"/seekers/{mine}")).json()["contact"] is None
    assert (await operator("PUT", f"/seekers/{mine}", BODY, if_match="*")).status_code == 403
    assert (await operator("POST", f"/seekers/{mine}/pause")).status_code == 200
    assert [item["id"] for item in (await maker("GET", "/seekers")).json()["items"]] == [mine]
    everyone = await operator("GET", "/seekers")
    assert {item["id"] for item in everyone.json()["items"]} == {mine, "s1"}
    assert b"Zhuge" not in everyone.content
    assert (await profiles.caller("seeker", "s1")("GET", "/seekers")).status_code == 403


async def test_lists_go_on_where_they_ended(profiles: Profiles) -> None:
    maker = profiles.caller("matchmaker", "m1")
    ids = {(await maker("POST", "/seekers", BODY)).json()["id"] for _ in range(5)}
    seen, cursor = [], ""
    while True:
        page = (await maker("GET", f"/seekers?limit=2{cursor}")).json()
        seen += [item["id"] for item in page["items"]]
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next']}"
    assert seen == sorted(ids)
    assert (await maker("GET", "/seekers?limit=0")).status_code == 422
    assert (await maker("GET", "/seekers?cursor=%25")).status_code == 400


async def test_nothing_personal_is_stored_in_clear_or_emitted(profiles: Profiles) -> None:
    me = profiles.caller("seeker", "s1")
    await me("POST", "/seekers", BODY, idempotency_key="k")
    await me("PUT", "/seekers/s1", BODY | {"remote": True}, if_match='"1"')
    for trace in (b"Zhuge", b"8000", b"kongming"):
        assert not await found(profiles, trace)
    assert await found(profiles, b"underwater")  # the search itself works


async def found(profiles: Profiles, trace: bytes) -> list[str]:
    """The collections of the service's database in which these bytes occur."""
    return [
        name
        for name in await profiles.db.list_collection_names()
        async for document in profiles.db[name].find()
        if trace in bson.encode(document)
    ]


@pytest.mark.parametrize("who", ["seeker", "operator"])
async def test_an_erased_seeker_leaves_no_trace(profiles: Profiles, who: str) -> None:
    me = profiles.caller("seeker", "s1")
    eraser = me if who == "seeker" else profiles.caller("operator", "o1")
    await me("POST", "/seekers", BODY, idempotency_key="k")
    await me("PUT", "/seekers/s1", BODY | {"remote": True}, if_match='"1"')
    await me("POST", "/seekers/s1/pause", idempotency_key="p")
    assert [(await eraser("DELETE", "/seekers/s1")).status_code for _ in range(2)] == [204, 204]
    for trace in TRACES:
        assert await found(profiles, trace) == []
    rows = await profiles.outbox("s1")
    assert [(row["type"], row["payload"], row["version"]) for row in rows] == [("Tombstone", None, 4)]
    assert rows[0]["headers"]["ce_aggregateversion"] == "4"
    assert set(await profiles.db["seekers"].find_one() or {}) == {"_id", "version", "erased_at"}
    assert (await me("GET", "/seekers/s1")).status_code == 410
    assert (await me("POST", "/seekers", BODY)).status_code == 410
    assert (await profiles.caller("seeker", "s2")("GET", "/seekers/s1")).status_code == 404
    assert (await profiles.caller("seeker", "s2")("DELETE", "/seekers/s1")).status_code == 404


async def test_an_erasure_wins_over_changes_at_the_same_time(profiles: Profiles) -> None:
    me = profiles.caller("seeker", "s1")
    await me("POST", "/seekers", BODY)
    changes = [me("PUT", "/seekers/s1", BODY | {"experience_months": n}, if_match="*") for n in range(10)]
    moves = [me("POST", f"/seekers/s1/{move}") for move in ("pause", "resume") * 3]
    answers = await asyncio.gather(*changes, me("DELETE", "/seekers/s1"), *moves)
    assert {answer.status_code for answer in answers} <= {200, 204, 410}
    rows = await profiles.outbox("s1")
    assert [row["type"] for row in rows] == ["Tombstone"]
    assert await found(profiles, b"underwater") == []


async def test_what_is_restated_is_the_present_state(profiles: Profiles) -> None:
    me = profiles.caller("seeker", "s1")
    await me("POST", "/seekers", BODY)
    await me("POST", "/seekers/s1/pause")
    gone = profiles.caller("seeker", "s2")
    await gone("POST", "/seekers", BODY)
    await gone("DELETE", "/seekers/s2")
    rows = await profiles.context.mongo.transaction(
        lambda session: restate(profiles.context, ["s1", "s2", "s3"], session)
    )
    told = [(row["aggregateid"], row["type"], row["version"]) for row in rows]
    assert told == [("s1", "ProfilePaused", 2), ("s2", "Tombstone", 2), ("s3", "Tombstone", 1)]


async def test_an_erasure_waits_for_a_restatement_and_removes_its_rows(profiles: Profiles) -> None:
    me = profiles.caller("seeker", "s1")
    await me("POST", "/seekers", BODY)
    held = asyncio.Event()

    async def work(session: Session) -> None:
        rows = await restate(profiles.context, ["s1"], session)
        held.set()
        await asyncio.sleep(0.2)
        await outbox.add(profiles.db, session, rows)

    restating = asyncio.create_task(profiles.context.mongo.transaction(work))
    await held.wait()
    assert (await me("DELETE", "/seekers/s1")).status_code == 204
    await restating
    assert {row["type"] for row in await profiles.outbox("s1")} == {"Tombstone"}


async def test_a_seekers_own_words_become_codes_and_stay_here(profiles: Profiles) -> None:
    me = profiles.caller("seeker", "s1")
    words = "焊工，会看图纸，家住示例路九号"
    await me("POST", "/seekers", BODY | {"words": words})
    told = json.loads((await profiles.outbox("s1"))[0]["payload"])
    read = [skill for skill in told["skills"] if skill.get("confidence")]
    assert read
    assert told["linker"] == profiles.context.reader.version
    assert told["skills"][0]["level"] == 4, "what was given by code stays, and first"

    async for row in profiles.db["seekers"].find():
        assert "示例路".encode() not in bson.encode(row), "sealed"
    assert "示例路" not in json.dumps(told, ensure_ascii=False)
    assert (await me("GET", "/seekers/s1")).json()["words"] == words
    operator = profiles.caller("operator", "op")
    assert (await operator("GET", "/seekers/s1")).json()["words"] is None


async def test_words_that_are_left_out_stay_and_empty_ones_are_removed(profiles: Profiles) -> None:
    me = profiles.caller("seeker", "s1")
    await me("POST", "/seekers", BODY | {"words": "焊工，会看图纸"})
    before = (await me("GET", "/seekers/s1")).json()
    same = await me("PUT", "/seekers/s1", BODY, if_match='"1"')
    assert (same.status_code, same.json()["version"]) == (200, 1)
    taken_back = {name: before[name] for name in ("skills", "occupations", "pay_floor", "consent")}
    assert (await me("PUT", "/seekers/s1", taken_back, if_match='"1"')).json()["version"] == 1, "as it was read"
    assert (await me("PUT", "/seekers/s1", BODY | {"words": ""}, if_match='"1"')).json()["version"] == 2
    after = (await me("GET", "/seekers/s1")).json()
    assert after["words"] is None
    assert [skill["code"] for skill in after["skills"]] == [skill["code"] for skill in BODY["skills"]]
