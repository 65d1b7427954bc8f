"""Work that nobody waits for: together for all who ask, and never forgotten."""

import asyncio

from shared.soon import Soon


class Work:
    def __init__(self, asks: int = 0) -> None:
        self.done = 0
        self.running = 0
        self.asks = asks
        self.soon = Soon(0.01, self)

    async def __call__(self) -> None:
        self.running += 1
        assert self.running == 1, "never twice at a time"
        if self.asks:
            self.asks -= 1
            self.soon.ask()
        await asyncio.sleep(0.005)
        self.running -= 1
        self.done += 1


async def test_all_who_ask_within_a_moment_have_it_done_once():
    work = Work()
    for _ in range(5):
        work.soon.ask()
    await asyncio.sleep(0.05)
    assert work.done == 1


async def test_who_asks_while_it_is_being_done_has_it_done_again():
    work = Work(asks=2)
    work.soon.ask()
    await asyncio.sleep(0.12)
    assert work.done == 3


async def test_close_does_at_once_what_was_asked_for_and_nothing_else():
    work = Work()
    await work.soon.close()
    assert work.done == 0
    work.soon.ask()
    await work.soon.close()
    assert work.done == 1
    await asyncio.sleep(0.03)
    assert work.done == 1


async def test_cancel_leaves_it_undone():
    work = Work()
    work.soon.ask()
    work.soon.cancel()
    await asyncio.sleep(0.03)
    assert work.done == 0
