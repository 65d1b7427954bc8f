"""Work that nobody waits for, done together for all who ask within a moment."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable


class Soon:
    """Runs `work` within so many seconds of being asked, once for all who asked meanwhile; never twice at a time.

    `work` sees to its own failures: what it raises ends the waiting, and the next one who asks starts it again.
    """

    def __init__(self, seconds: float, work: Callable[[], Awaitable[None]]) -> None:
        self._seconds = seconds
        self._work = work
        self._asked = False
        self._task: asyncio.Task[None] | None = None

    def ask(self) -> None:
        """Have it done."""
        self._asked = True
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._run())

    async def _run(self) -> None:
        while self._asked:  # also for those who asked while it was being done
            await asyncio.sleep(self._seconds)
            self._asked = False
            await self._work()

    def cancel(self) -> None:
        """Leave undone what was asked for."""
        if self._task is not None:
            self._task.cancel()

    async def close(self) -> None:
        """Do at once what was asked for."""
        self.cancel()
        if self._asked:
            self._asked = False
            await self._work()
