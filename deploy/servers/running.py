"""The choice between servers that were given, Docker, and local processes."""

import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from deploy.downloads import say
from deploy.servers.addresses import Addresses, ServerError
from deploy.servers.containers import start_containers, why_no_containers
from deploy.servers.local import start_local
from deploy.servers.wiping import wipe

Kind = Literal["given", "docker", "local"]


class Server(Protocol):
    """One of the three; `start` comes back on the same port and, Redis apart, with the same data."""

    def start(self) -> None:
        """Start it and wait until it can be used."""

    def stop(self) -> None:
        """Stop it in order."""

    def kill(self) -> None:
        """End it as a crash would."""


@dataclass(frozen=True)
class GivenServer:
    """A server that somebody else runs."""

    name: str

    def start(self) -> None:
        """Refused: it is not ours."""
        message = f"{self.name} was given in the environment: it cannot be started, stopped or killed from here"
        raise ServerError(message)

    stop = start
    kill = start


@dataclass(frozen=True)
class Servers:
    """Kafka, MongoDB and Redis, running."""

    addresses: Addresses
    kind: Kind
    kafka: Server
    mongo: Server
    redis: Server

    def reset(self) -> None:
        """Empty all three; the same topic names may be created again at once. Blocks (about 0.2 s)."""
        if self.kind == "given" and os.environ.get("ALLOW_WIPE") != "1":
            raise ServerError("these servers were given in the environment: set ALLOW_WIPE=1 to let tests empty them")
        wipe(self.addresses)


@contextmanager
def running_servers(
    root: Path, *, broker_config: Mapping[str, str] | None = None, partners: bool = False
) -> Iterator[Servers]:
    """Servers for as long as the block runs: those given in the environment, else Docker's, else local ones.

    `root` takes the local servers' data and logs. `broker_config` are Kafka's own settings (given servers
    keep theirs). `partners`: Kafka has the listener by which partners come in too, and checks rights; given
    servers have it if KAFKA_PARTNERS_BOOTSTRAP and KAFKA_PARTNERS_CA say where. SERVERS=docker or SERVERS=local in
    the environment leaves no choice.
    """
    given = Addresses.given()
    wish = os.environ.get("SERVERS", "")
    if wish not in {"", "docker", "local"}:
        raise ServerError(f"SERVERS={wish}: it may be docker or local")
    with ExitStack() as stack:
        if given and not wish:
            yield Servers(given, "given", *(GivenServer(name) for name in ("Kafka", "MongoDB", "Redis")))
            return
        config = broker_config or {}
        servers = None if wish == "local" else _docker(root, config, stack, wanted=wish == "docker", partners=partners)
        yield servers or _local(root, config, stack, partners=partners)


def _docker(root: Path, config: Mapping[str, str], stack: ExitStack, *, wanted: bool, partners: bool) -> Servers | None:
    reason = why_no_containers()
    if reason is None:
        with ExitStack() as attempt:
            try:
                addresses, *servers = start_containers(root, config, attempt, partners=partners)
            except Exception as error:  # whatever an engine may answer, local servers will do
                reason = f"Docker answers, but its containers do not work here: {str(error).splitlines()[0]}"
                if wanted:
                    raise
            else:
                stack.push(attempt.pop_all())
                return Servers(addresses, "docker", *servers)
    if wanted:
        raise ServerError(reason)
    say(f"servers: local processes ({reason})")
    return None


def _local(root: Path, config: Mapping[str, str], stack: ExitStack, *, partners: bool) -> Servers:
    addresses, *servers = start_local(root, config, stack, partners=partners)
    return Servers(addresses, "local", *servers)
