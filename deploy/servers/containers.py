"""Kafka, MongoDB and Redis as containers, where a Docker engine and the images are to be had."""

import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import docker
from docker.errors import DockerException, ImageNotFound
from requests.exceptions import RequestException
from testcontainers.core.config import testcontainers_config
from testcontainers.core.container import DockerContainer

from deploy.certificates import CA_PEM, development_identity, write
from deploy.downloads import say
from deploy.servers import guard
from deploy.servers.addresses import Addresses, ServerError
from deploy.servers.broker import PartnerListener, broker_settings
from deploy.servers.children import free_port
from deploy.servers.database import MONGO_OPTIONS
from deploy.servers.readiness import kafka_ready, mongo_ready, redis_ready, wait_until

KAFKA_IMAGE, MONGO_IMAGE, REDIS_IMAGE = "apache/kafka:4.1.1", "mongo:7", "redis:7-alpine"
SILENCE_S = 20
PULL_S = 300


class ContainerServer:
    """One server in a container with a fixed port on the host."""

    def __init__(self, name: str, container: DockerContainer, ready: Callable[[], bool]) -> None:
        self.name = name
        self._container = container
        self._ready = ready
        self._created = False

    def start(self, timeout: float = 120) -> None:
        """Start with the same port and data as before and wait until it can be used."""
        if self._created:
            self._container.get_wrapped_container().start()
        else:
            self._container.start()
            self._created = True
        wait_until(self._ready, self._check_alive, self.name, timeout)

    def stop(self, timeout: float = 60) -> None:
        """Stop in order; the container and its data stay."""
        self._container.get_wrapped_container().stop(timeout=int(timeout))

    def kill(self) -> None:
        """SIGKILL, as a crash would end it."""
        self._container.get_wrapped_container().kill()

    @property
    def container_id(self) -> str:
        """Docker's id of it."""
        return self._container.get_container_id()

    def _check_alive(self) -> None:
        container = self._container.get_wrapped_container()
        container.reload()
        if container.status in {"exited", "dead"}:
            log = container.logs(tail=15).decode("utf-8", "replace")
            raise ServerError(f"the container of {self.name} ended while starting:\n{log}")


def why_no_containers() -> str | None:
    """None when an engine answers and has the images, pulled if need be; else the reason in a few words."""
    try:
        engine = docker.from_env(timeout=SILENCE_S)
        engine.ping()
    except (DockerException, RequestException):
        return "no Docker engine answers"
    image = KAFKA_IMAGE
    try:
        for image in (KAFKA_IMAGE, MONGO_IMAGE, REDIS_IMAGE):
            _pull_if_missing(engine, image)
    except (DockerException, RequestException, TimeoutError) as error:
        return f"Docker answers, but {image} is not there and cannot be pulled ({type(error).__name__})"
    finally:
        engine.close()
    return None


def _pull_if_missing(engine: docker.DockerClient, image: str) -> None:
    try:
        engine.images.get(image)
    except ImageNotFound:
        say(f"pulling {image} (once)")
        deadline = time.monotonic() + PULL_S
        # The client's time limit is for silence between two lines; this one is for the whole.
        for line in engine.api.pull(image, stream=True, decode=True):
            if "error" in line:
                raise DockerException(line["error"]) from None
            if time.monotonic() > deadline:
                raise TimeoutError(image) from None


def start_containers(
    root: Path, broker_config: Mapping[str, str], stack: ExitStack, *, partners: bool
) -> tuple[Addresses, ContainerServer, ContainerServer, ContainerServer]:
    """Start the three at once; `stack`, or the guard if this process is killed, removes them.

    `root` takes the certificate that partners trust, if they may come in.
    """
    testcontainers_config.ryuk_disabled = True
    owner = uuid.uuid4().hex
    stack.callback(_end_guard, _start_guard(owner))
    host, port = "127.0.0.1", free_port()
    # The same number inside and outside: what the broker and the replica set call themselves is then
    # true for both sides.
    door = _partner_listener(root / "partners", host) if partners else None
    settings = broker_settings(host, port, 9093, broker_config, bind="", partners=door)
    kafka = _container(KAFKA_IMAGE, owner, port, port)
    kafka.env.update({_variable(name): value for name, value in settings.items()})
    kafka.env["KAFKA_HEAP_OPTS"] = "-Xmx512m"
    kafka_at = f"{host}:{port}"
    if door is not None:
        kafka.ports[str(door.port)] = (host, door.port)  # type: ignore[assignment]
    mongo_port, redis_port = free_port(), free_port()
    mongo = _container(MONGO_IMAGE, owner, mongo_port, mongo_port).with_command(
        [*MONGO_OPTIONS, "--port", str(mongo_port), "--bind_ip_all"]
    )
    redis = _container(REDIS_IMAGE, owner, 6379, redis_port).with_command(["redis-server", "--save", ""])
    redis_at = f"redis://{host}:{redis_port}/0"
    servers = (
        ContainerServer("Kafka", kafka, lambda: kafka_ready(kafka_at)),
        ContainerServer("MongoDB", mongo, lambda: mongo_ready(host, mongo_port)),
        ContainerServer("Redis", redis, lambda: redis_ready(redis_at)),
    )
    with ThreadPoolExecutor(max_workers=len(servers)) as pool:
        for started in [pool.submit(server.start) for server in servers]:
            started.result()
    at = Addresses(kafka_at, f"mongodb://{host}:{mongo_port}/?replicaSet=rs0", redis_at)
    if door is not None:
        at = replace(at, partners=f"{host}:{door.port}", partners_ca=str(root / "partners" / CA_PEM))
    return at, *servers


def _variable(setting: str) -> str:
    """The environment variable that the image reads a setting from."""
    return "KAFKA_" + setting.upper().replace("-", "___").replace(".", "_")


def _partner_listener(root: Path, host: str) -> PartnerListener:
    """With a new certificate, in the settings themselves: a file of this machine need not be one of the engine's."""
    identity = development_identity([host, "localhost"], datetime.now(UTC))
    write(root, identity)
    pem = {"ssl.keystore.key": identity.key, "ssl.keystore.certificate.chain": identity.certificate}
    # as one line: the image makes a properties file of it
    return PartnerListener(free_port(), {name: text.replace("\n", "\\n") for name, text in pem.items()})


def _container(image: str, owner: str, inside: int, outside: int) -> DockerContainer:
    container = DockerContainer(image).with_kwargs(labels={guard.OWNER_LABEL: owner})
    # On the loopback address alone: these servers ask nobody for a password.
    container.ports[str(inside)] = ("127.0.0.1", outside)  # type: ignore[assignment]
    return container


def _start_guard(owner: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-P", guard.__file__, owner],
        stdin=subprocess.PIPE,
        process_group=0,
    )


def _end_guard(process: subprocess.Popen[bytes]) -> None:
    if process.stdin is not None:
        process.stdin.close()
    process.wait(timeout=120)
