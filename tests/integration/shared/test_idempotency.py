"""`once` on real MongoDB: one effect and one answer for a key, or neither."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from deploy.servers import Servers
from shared import idempotency
from shared.http import Problem
from shared.idempotency import Answer, once
from shared.mongo import DuplicateKey, Mongo, Session


@pytest.fixture
async def mongo(servers: Servers) -> AsyncIterator[Mongo]:
    made = Mongo(servers.addresses.mongo, f"idempotency-{uuid4().hex}")
    await idempotency.create_indexes(made.db)
    yield made
    await made.db.client.drop_database(made.db.name)
    await made.close()


class Counting:
    """A command whose effect is one more document."""

    def __init__(self, mongo: Mongo) -> None:
        self._effects = mongo.db["effects"]

    async def __call__(self, session: Session) -> Answer:
        made = await self._effects.insert_one({}, session=session)
        return Answer(201, {"id": str(made.inserted_id)}, {"Location": "/here"})

    async def effects(self) -> int:
        return await self._effects.count_documents({})


async def test_the_same_key_has_one_effect_and_one_answer(mongo: Mongo) -> None:
    command = Counting(mongo)
    await mongo.db["effects"].insert_one({})
    answers = await asyncio.gather(*(once(mongo, "seeker:s1", "k", b"f", command) for _ in range(10)))
    assert all(answer == answers[0] for answer in answers)
    assert await command.effects() == 2


async def test_other_callers_other_keys_and_no_key_are_other_commands(mongo: Mongo) -> None:
    command = Counting(mongo)
    for principal, key in (("seeker:s1", "k"), ("seeker:s2", "k"), ("seeker:s1", "l"), ("seeker:s1", None)):
        await once(mongo, principal, key, b"f", command)
    await once(mongo, "seeker:s1", None, b"f", command)
    assert await command.effects() == 5


async def test_another_request_with_the_same_key_is_refused(mongo: Mongo) -> None:
    command = Counting(mongo)
    await once(mongo, "seeker:s1", "k", b"f", command)
    with pytest.raises(Problem) as refused:
        await once(mongo, "seeker:s1", "k", b"g", command)
    assert refused.value.status == 422


async def test_what_failed_had_no_effect_and_is_tried_again(mongo: Mongo) -> None:
    command = Counting(mongo)

    async def fails(session: Session) -> Answer:
        await command(session)
        raise Problem(409, "conflict", "no", "否")

    with pytest.raises(Problem):
        await once(mongo, "seeker:s1", "k", b"f", fails)
    assert await command.effects() == 0
    await once(mongo, "seeker:s1", "k", b"f", command)
    assert await command.effects() == 1


async def test_a_commands_own_duplicate_is_the_callers_to_see(mongo: Mongo) -> None:
    async def taken(session: Session) -> Answer:
        await mongo.db["effects"].insert_one({"_id": "taken"}, session=session)
        return Answer(201, {})

    await once(mongo, "seeker:s1", "k", b"f", taken)
    assert (await once(mongo, "seeker:s1", "k", b"f", taken)).status == 201
    with pytest.raises(DuplicateKey):
        await once(mongo, "seeker:s1", "l", b"f", taken)


async def test_after_a_day_a_key_is_new_again(mongo: Mongo) -> None:
    command = Counting(mongo)
    await once(mongo, "seeker:s1", "k", b"f", command)
    past = datetime.now(UTC) - timedelta(seconds=1)
    await mongo.db["idempotency"].update_many({}, {"$set": {"expires_at": past}})
    await once(mongo, "seeker:s1", "k", b"other", command)
    assert await command.effects() == 2
    row = await mongo.db["idempotency"].find_one() or {}
    assert row["expires_at"] - datetime.now(UTC) > timedelta(hours=23)


@pytest.mark.parametrize("key", ["", "k" * 256])
async def test_a_key_that_is_none_is_refused(mongo: Mongo, key: str) -> None:
    with pytest.raises(Problem) as refused:
        await once(mongo, "seeker:s1", key, b"f", Counting(mongo))
    assert refused.value.status == 400
