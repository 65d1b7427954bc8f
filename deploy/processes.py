"""The four services as separate processes of this machine.

    with Platform(servers.addresses, Path("out/demo")) as platform:
        platform.start_all()
        second = platform.start("matcher", "matcher-2")
        second.wait_ready()
        second.kill()
        second.restart()

Under the given root: `logs/<name>.jsonl`, `state/<name>/`, `traces/`, `keys/` (a development key pair).
"""

import http.client
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from deploy.servers import PROJECT, Addresses
from deploy.servers.children import free_port, last_lines, send, spawn

SERVICES = ("postings", "profiles", "matcher", "notifications")
HOST = "127.0.0.1"
OK = 200
START_S = 240
"""The matcher's first start compiles its kernels, minutes on a busy machine; a process that ends is told at once."""


class ServiceError(RuntimeError):
    """A service did not start, become ready or stop; the message ends with the end of its log."""


def service_command(service: str) -> list[str]:
    """What runs a service."""
    return [sys.executable, "-m", f"services.{service}.app"]


class ServiceProcess:
    """One process of a service. It dies with its owner, and keeps its port over a restart."""

    def __init__(self, name: str, command: Sequence[str], env: Mapping[str, str], log: Path) -> None:
        self.name = name
        self.port = int(env["HTTP_PORT"])
        self.url = f"http://{HOST}:{self.port}"
        self.log = log
        self._command = command
        self._env = env
        self._process = spawn(command, log=log, env=env, cwd=PROJECT)

    @property
    def pid(self) -> int:
        """The id of the current process, or of the last one."""
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether the process is there (a paused one is)."""
        return self._process.poll() is None

    def ready(self) -> bool:
        """One question to GET /health/ready."""
        connection = http.client.HTTPConnection(HOST, self.port, timeout=2)
        try:
            connection.request("GET", "/health/ready")
            return connection.getresponse().status == OK
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def wait_ready(self, timeout: float = START_S) -> Self:
        """Wait until it can be used; ServiceError if it ends before that or takes over `timeout` s."""
        deadline = time.monotonic() + timeout
        while not self.ready():
            if not self.running:
                raise self._error(f"ended with status {self._process.returncode} before it was ready")
            if time.monotonic() > deadline:
                raise self._error(f"was not ready after {timeout:.0f} s")
            time.sleep(0.05)
        return self

    def stop(self, timeout: float = 30) -> None:
        """SIGTERM and wait; one that has to be killed after `timeout` s is an error."""
        self.ask_to_stop()
        try:
            self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()
            raise self._error(f"did not stop within {timeout:.0f} s and was killed") from None

    def ask_to_stop(self) -> None:
        """SIGTERM alone; a paused process is resumed, else it would never see it."""
        send(self._process, signal.SIGTERM)
        send(self._process, signal.SIGCONT)

    def kill(self) -> None:
        """SIGKILL."""
        send(self._process, signal.SIGKILL)
        self._process.wait()

    def pause(self) -> None:
        """SIGSTOP: it hangs, its connections stay."""
        send(self._process, signal.SIGSTOP)

    def resume(self) -> None:
        """SIGCONT."""
        send(self._process, signal.SIGCONT)

    def restart(self) -> Self:
        """Start again, on the same port, with the same settings and state; one that runs is stopped first."""
        self.stop()
        self._process = spawn(self._command, log=self.log, env=self._env, cwd=PROJECT)
        return self

    def _error(self, what: str) -> ServiceError:
        lines = "\n".join(_plain(line) for line in last_lines(self.log).splitlines())
        return ServiceError(f"{self.name} {what}; the end of {self.log}:\n{lines}")


class Platform:
    """The processes of all services on one set of servers."""

    def __init__(
        self,
        addresses: Addresses,
        root: Path,
        *,
        env: Mapping[str, Mapping[str, str]] | None = None,
        command: Callable[[str], Sequence[str]] = service_command,
    ) -> None:
        """`env` are more settings by service name; the name `*` is for all of them."""
        self.addresses = addresses
        self.root = root
        self.processes: dict[str, ServiceProcess] = {}
        self._env = env or {}
        self._command = command

    def __getitem__(self, name: str) -> ServiceProcess:
        """The process of that name: `matcher`, `matcher-2`."""
        return self.processes[name]

    def start(self, service: str, name: str | None = None, **env: str) -> ServiceProcess:
        """Start one process and return at once; several of one service need names of their own."""
        name = name or service
        if name in self.processes and self.processes[name].running:
            raise ServiceError(f"{name} is running already")
        log = self.root / "logs" / f"{name}.jsonl"
        settings = self._environment(service, name, env)
        process = ServiceProcess(name, self._command(service), settings, log)
        self.processes[name] = process
        return process

    def start_all(self, timeout: float = START_S) -> None:
        """Start one process of each service that has none, and wait until all are ready."""
        for service in SERVICES:
            if service not in self.processes:
                self.start(service)
        for process in self.processes.values():
            process.wait_ready(timeout)

    def stop_all(self, timeout: float = 30) -> None:
        """Stop all at once; all are gone afterwards, even if ServiceError says that one had to be killed."""
        processes = list(self.processes.values())
        for process in processes:
            process.ask_to_stop()
        failed: ServiceError | None = None
        deadline = time.monotonic() + timeout
        for process in processes:
            try:
                process.stop(max(0.1, deadline - time.monotonic()))
            except ServiceError as error:
                failed = failed or error
        if failed is not None:
            raise failed

    def __enter__(self) -> Self:
        """Nothing is started yet."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop what runs; an error from inside the block is not hidden by one from here."""
        try:
            self.stop_all()
        except ServiceError:
            if error is None:
                raise

    def _environment(self, service: str, name: str, env: Mapping[str, str]) -> dict[str, str]:
        state = self.root / "state" / name
        for directory in (state, self.root / "traces", self.root / "keys"):
            directory.mkdir(parents=True, exist_ok=True)
        return {
            **os.environ,
            **self.addresses.env(),
            "DEV_KEYS": "1",
            "HTTP_HOST": HOST,
            "HTTP_PORT": str(free_port()),
            "KEYS_DIR": str(self.root / "keys"),
            "NUMBA_CACHE_DIR": str(PROJECT / ".cache" / "numba"),
            "PYTHONUNBUFFERED": "1",
            "SERVICE_STATE_DIR": str(state),
            "TRACE_DIR": str(self.root / "traces"),
            **self._env.get("*", {}),
            **self._env.get(service, {}),
            **env,
        }


def _plain(line: str) -> str:
    """A JSON log line as a sentence: level, message, then the other fields."""
    try:
        fields = json.loads(line)
    except ValueError:
        return line
    if not isinstance(fields, dict):
        return line
    level, message = fields.pop("level", ""), fields.pop("event", "")
    fields.pop("timestamp", None)
    exception = fields.pop("exception", "")
    rest = ", ".join(f"{name}={value}" for name, value in fields.items())
    return f"{level}: {message}" + (f" ({rest})" if rest else "") + (f"\n{exception}" if exception else "")
