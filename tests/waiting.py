"""What tests wait for."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")


def gone(pid: int) -> bool:
    """True once the process has ended, though nobody may have asked for its exit status yet."""
    try:
        return Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def within_seconds(seconds: float, true: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


async def until(check: Callable[[], Awaitable[T]], what: str, seconds: float = 20) -> T:
    """What `check` gives once it gives something true."""
    deadline = time.monotonic() + seconds
    while not (found := await check()):
        assert time.monotonic() < deadline, f"after {seconds:.0f} s still not: {what} ({found!r})"
        await asyncio.sleep(0.05)
    return found
