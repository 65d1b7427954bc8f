"""One holder at a time, with numbers that only grow."""

import asyncio
import time

from shared.lease import Lease
from shared.mongo import Mongo


def leases(mongo: Mongo, count: int, seconds: float = 5) -> list[Lease]:
    return [Lease(mongo.db, "relay", seconds) for _ in range(count)]


async def test_of_many_that_ask_at_once_one_gets_it(mongo: Mongo):
    asking = leases(mongo, 8)
    answers = await asyncio.gather(*(lease.acquire() for lease in asking))
    answers = [a or b for a, b in zip(answers, [await lease.acquire() for lease in asking], strict=True)]
    assert sum(answers) == 1
    assert [lease.held for lease in asking] == answers


async def test_a_renewal_keeps_the_number_and_a_new_holder_gets_a_higher_one(mongo: Mongo):
    first, second = leases(mongo, 2, seconds=0.3)
    assert await first.acquire()
    assert await first.acquire()
    assert first.epoch == 1
    assert not await second.acquire()
    await asyncio.sleep(0.35)
    assert await second.acquire()
    assert second.epoch == 2
    assert not await first.acquire()
    assert not first.held


async def test_a_holder_that_slept_does_not_act_and_comes_back_with_a_higher_number(mongo: Mongo):
    (lease,) = leases(mongo, 1, seconds=0.2)
    assert await lease.acquire()
    await asyncio.sleep(0.25)
    assert not lease.held
    assert await lease.acquire()
    assert lease.epoch == 2


async def test_what_is_released_can_be_had_at_once_and_only_its_holder_releases(mongo: Mongo):
    first, second = leases(mongo, 2)
    assert await first.acquire()
    await second.release()
    assert not await second.acquire()
    await first.release()
    assert not first.held
    assert await second.acquire()
    assert second.epoch == 2


async def test_leases_of_other_names_are_others(mongo: Mongo):
    assert await Lease(mongo.db, "relay", 5).acquire()
    assert await Lease(mongo.db, "job:expiry", 5).acquire()


class Counted(Lease):
    """How often Mongo is asked."""

    asked = 0

    async def acquire(self) -> bool:
        self.asked += 1
        return await super().acquire()


async def test_who_keeps_it_asks_seldom_and_others_get_it_only_when_that_ends(mongo: Mongo):
    seconds, began = 6.0, time.monotonic()
    first, second = (Counted(mongo.db, "relay", seconds) for _ in range(2))
    for _ in range(300):
        assert await first.keep()
        assert not await second.keep()
        await asyncio.sleep(0.01)
    most = (time.monotonic() - began) / (seconds / 3) + 2
    assert first.asked <= most
    assert second.asked <= most
    async with asyncio.timeout(30):
        while not await second.keep():  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(0.05)
    assert (first.held, second.epoch) == (False, 2)


async def test_who_has_let_go_asks_again_at_once(mongo: Mongo):
    (lease,) = leases(mongo, 1)
    assert await lease.keep()
    await lease.release()
    assert not lease.held
    assert await lease.keep()
    assert lease.epoch == 2
