"""`python -m deploy.servers up|down|status|env|pin`: servers that stay up, with their state in `.dev/`.

up      start them in the background
down    stop them (their data stays in .dev/servers)
status  say what runs where
env     print the addresses for a shell: eval "$(python -m deploy.servers env)"
pin     rewrite deploy/kafka/SHA256SUMS after a change of deploy/kafka/pom.xml
"""

import argparse
import contextlib
import fcntl
import json
import os
import shlex
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

from deploy.downloads import SetupError, say
from deploy.servers import PROJECT, Addresses, ServerError, running_servers
from deploy.servers.children import last_lines
from deploy.servers.downloads import pin_kafka

DEV = PROJECT / ".dev"
STATE = DEV / "servers.json"
LOCK = DEV / "servers.lock"
LOG = DEV / "servers.log"
SECONDS = 600


def hold() -> int:
    """Own the servers until SIGTERM. The lock, not the state file, says that an owner lives."""
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    with LOCK.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        with running_servers(DEV / "servers", partners=True) as servers:
            state = {"pid": os.getpid(), "kind": servers.kind, "addresses": vars(servers.addresses)}
            part = STATE.with_suffix(".part")
            part.write_text(json.dumps(state), "utf-8")
            part.rename(STATE)
            stopped.wait()
            STATE.unlink()
    return 0


def running() -> dict[str, Any] | None:
    """The state that the living owner wrote, or None."""
    if not owned():
        return None
    with contextlib.suppress(FileNotFoundError):
        state: dict[str, Any] = json.loads(STATE.read_text("utf-8"))
        return state
    return None


def owned() -> bool:
    """Whether an owner lives, be it ready or not."""
    DEV.mkdir(exist_ok=True)
    with LOCK.open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def up() -> int:
    """Start an owner in the background and wait until its servers can be used."""
    if not owned():
        STATE.unlink(missing_ok=True)
        with LOG.open("wb") as log:
            owner = subprocess.Popen(
                [sys.executable, "-m", "deploy.servers", "hold"],
                cwd=PROJECT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        _wait(lambda: running() is not None or owner.poll() is not None)
    else:
        _wait(lambda: running() is not None or not owned())
    if running() is None:
        say(f"the servers did not start, the end of {LOG}:\n{last_lines(LOG)}")
        return 1
    return status()


def down() -> int:
    """End the owner, and with it the servers."""
    state = running()
    if state is None:
        say("no servers are up")
        return 0
    os.kill(state["pid"], signal.SIGTERM)
    _wait(lambda: not owned())
    say("the servers are down; their data stays in .dev/servers")
    return 0


def status() -> int:
    """Exit status 0 if they are up, 3 if not."""
    state = running()
    if state is None:
        print("down")
        return 3
    print(f"up ({state['kind']}, owner {state['pid']}): " + ", ".join(filter(None, state["addresses"].values())))
    return 0


def env() -> int:
    """Lines that a shell can evaluate."""
    state = running()
    if state is None:
        say("no servers are up: run `python -m deploy.servers up`")
        return 3
    for name, value in Addresses(**state["addresses"]).env().items():
        print(f"export {name}={shlex.quote(value)}")
    return 0


def pin() -> int:
    """Write Kafka's checksums anew."""
    pin_kafka()
    say("wrote deploy/kafka/SHA256SUMS: read its diff before you commit it")
    return 0


def _wait(until: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SECONDS
    while not until():
        if time.monotonic() > deadline:
            raise ServerError(f"gave up after {SECONDS} s, see {LOG}")
        time.sleep(0.1)


def main() -> int:
    """Run one command."""
    commands = {"up": up, "down": down, "status": status, "env": env, "pin": pin, "hold": hold}
    parser = argparse.ArgumentParser(
        prog="python -m deploy.servers",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("command", choices=commands)
    try:
        return commands[parser.parse_args().command]()
    except SetupError as error:
        say(str(error))
        return 1


if __name__ == "__main__":
    sys.exit(main())
