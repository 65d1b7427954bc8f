"""Work that is done again and again, by every process or by the one that has its lease."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Final

import structlog

from shared.errors import Unavailable
from shared.mongo import away

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from shared.lease import Lease

log = structlog.get_logger()

_LET_GO_S: Final = 1.0


async def repeat(work: Callable[[], Awaitable[object]], seconds: float, name: str, lease: Lease | None) -> None:
    """Do `work`, for ever, with `seconds` between; with a lease only while it is held. Unavailable means: next time."""
    while True:
        try:
            if lease is None or await lease.keep():
                await work()
        except Unavailable as error:
            log.warning("a job waits", job=name, error=str(error))
        except Exception as error:
            if not away(error):
                raise
            log.warning("a job waits", job=name, error=str(error))
        await asyncio.sleep(seconds)


async def let_go(leases: Sequence[Lease]) -> None:
    """Let other processes go on at once; if Mongo is away, they do when the leases end."""
    with contextlib.suppress(Exception):
        async with asyncio.timeout(_LET_GO_S):
            await asyncio.gather(*(lease.release() for lease in leases if lease.held))
