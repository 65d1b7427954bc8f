"""What tests wait for."""

import time
from collections.abc import Callable
from pathlib import Path


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
