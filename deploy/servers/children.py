"""Child processes that never outlive their owner, and ports for them."""

import os
import random
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

# Runs in the child: ask the kernel for SIGKILL when the owner goes, however it goes, then become the
# command. In a program of its own because code between fork and exec may deadlock in a process with threads.
_DIE_WITH_OWNER = """
import ctypes, os, signal, sys
if sys.platform == "linux":
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)
if os.getppid() != int(sys.argv[1]):
    os._exit(1)
os.execvp(sys.argv[2], sys.argv[2:])
"""

# "Owner" means the forking *thread* to the kernel: one thread that lives as long as the program forks all.
_FORKER = ThreadPoolExecutor(max_workers=1, thread_name_prefix="forker")

LOWEST = 10_000
_RANDOM = random.SystemRandom()
_GIVEN_OUT: set[int] = set()


def spawn(
    command: Sequence[str],
    *,
    log: Path,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
) -> subprocess.Popen[bytes]:
    """Start `command` with its output appended to `log`; `env` is the whole environment if given.

    The child is in a process group of its own, so that Ctrl-C reaches the owner alone, which stops its
    children in order; it gets SIGKILL when the owner ends.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    wrapped = [sys.executable, "-I", "-S", "-c", _DIE_WITH_OWNER, str(os.getpid()), *command]

    def fork() -> subprocess.Popen[bytes]:
        with log.open("ab") as output:
            return subprocess.Popen(
                wrapped,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=env,
                cwd=cwd,
                process_group=0,
            )

    return _FORKER.submit(fork).result()


def send(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    """Send a signal; a process that has ended already is no error."""
    if process.poll() is None:
        process.send_signal(number)


def free_port() -> int:
    """A free TCP port below the kernel's ephemeral range.

    Above that line a client that keeps reconnecting to a stopped server can be given the server's own
    port as its source port: it then connects to itself, and the server cannot come back.
    """
    try:
        floor = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text("ascii").split()[0])
    except FileNotFoundError:
        floor = 49_152
    # A machine whose ephemeral ports begin that low has no better place than any other.
    low, high = (LOWEST, floor) if floor > 2 * LOWEST else (LOWEST, 60_000)
    for _ in range(1000):
        port = _RANDOM.randrange(low, high)
        if port in _GIVEN_OUT:
            continue
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        _GIVEN_OUT.add(port)
        return port
    raise OSError(f"no free TCP port between {low} and {high}")


def last_lines(log: Path, count: int = 15) -> str:
    """The end of a log file, for error messages."""
    if not log.exists():
        return "(no log)"
    lines = log.read_bytes()[-16_384:].decode("utf-8", "replace").splitlines()
    return "\n".join(lines[-count:]) or "(empty log)"
