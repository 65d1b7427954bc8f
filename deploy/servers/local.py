"""Kafka, MongoDB and Redis as plain processes of this machine, on free ports."""

import os
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from deploy.certificates import CA_PEM, KAFKA_PEM, development_identity, write
from deploy.downloads import run
from deploy.servers import downloads
from deploy.servers.addresses import PROJECT, Addresses, ServerError
from deploy.servers.broker import PartnerListener, broker_settings
from deploy.servers.children import free_port, last_lines, send, spawn
from deploy.servers.database import MONGO_OPTIONS
from deploy.servers.readiness import kafka_ready, mongo_ready, redis_ready, wait_until

HOST = "127.0.0.1"
CLUSTER_ID = "ZW1wbG95bWVudC1wbGF0Zg"


class LocalServer:
    """One server process; it dies with its owner."""

    def __init__(self, name: str, command: Sequence[str], log: Path, ready: Callable[[], bool]) -> None:
        self.name = name
        self.log = log
        self._command = command
        self._ready = ready
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, timeout: float = 90) -> None:
        """Start on the same port and data as before and wait until it can be used."""
        if self._process is not None and self._process.poll() is None:
            raise ServerError(f"{self.name} is running already")
        self._process = spawn(self._command, log=self.log, cwd=self.log.parent)
        wait_until(self._ready, self._check_alive, self.name, timeout)

    def stop(self, timeout: float = 60) -> None:
        """Stop in order; one that has stopped already stays stopped."""
        if self._process is None:
            return
        send(self._process, signal.SIGTERM)
        try:
            self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()
            raise ServerError(
                f"{self.name} did not stop within {timeout:.0f} s and was killed, see {self.log}"
            ) from None

    def close(self) -> None:
        """Stop for good: in order if that is quick, but stop."""
        with suppress(ServerError):
            self.stop(timeout=15)

    def kill(self) -> None:
        """SIGKILL, as a crash would end it."""
        if self._process is not None:
            send(self._process, signal.SIGKILL)
            self._process.wait()

    @property
    def pid(self) -> int | None:
        """Its process id while it runs."""
        return self._process.pid if self._process is not None and self._process.poll() is None else None

    def _check_alive(self) -> None:
        if self._process is not None and self._process.poll() is not None:
            raise ServerError(f"{self.name} ended while starting, the end of {self.log}:\n{last_lines(self.log)}")


def start_local(
    root: Path, broker_config: Mapping[str, str], stack: ExitStack, *, partners: bool
) -> tuple[Addresses, LocalServer, LocalServer, LocalServer]:
    """Fetch what is missing, start the three at once; `stack` stops them."""
    downloads.install_what_is_missing()
    door = _partner_listener(root / "partners") if partners else None
    kafka_at, kafka = local_kafka(root / "kafka", broker_config, door)
    mongo_at, mongo = local_mongo(root / "mongo")
    redis_at, redis = local_redis(root / "redis")
    servers = (kafka, mongo, redis)
    for server in servers:
        stack.callback(server.close)
    with ThreadPoolExecutor(max_workers=len(servers)) as pool:
        for started in [pool.submit(server.start) for server in servers]:
            started.result()
    at = Addresses(kafka_at, mongo_at, redis_at)
    if door is not None:
        at = replace(at, partners=f"{HOST}:{door.port}", partners_ca=str(root / "partners" / CA_PEM))
    return at, kafka, mongo, redis


def _partner_listener(root: Path) -> PartnerListener:
    """With a certificate for development, the same one as last time."""
    (port,) = _kept_ports(root, 1)
    if not (root / KAFKA_PEM).exists():
        write(root, development_identity([HOST, "localhost"], datetime.now(UTC)))
    return PartnerListener(port, {"ssl.keystore.location": str(root / KAFKA_PEM)})


def local_kafka(
    root: Path, broker_config: Mapping[str, str], partners: PartnerListener | None = None
) -> tuple[str, LocalServer]:
    """A formatted KRaft node, not started."""
    java, libs = downloads.java(), downloads.kafka_libs()
    port, controller_port = _kept_ports(root, 2)
    settings = broker_settings(HOST, port, controller_port, broker_config, bind=HOST, partners=partners)
    settings.setdefault("log.dirs", str(root / "data"))
    properties = root / "server.properties"
    properties.write_text("".join(f"{name}={value}\n" for name, value in settings.items()), "utf-8")
    log_config = f"-Dlog4j2.configurationFile={PROJECT / 'deploy' / 'kafka' / 'log4j2.yaml'}"
    jvm = [java, "-Djava.awt.headless=true", log_config, "-cp", f"{libs}/*"]
    if not (root / "data" / "meta.properties").exists():
        storage = [*jvm, "-XX:TieredStopAtLevel=1", "kafka.tools.StorageTool", "format", "-t", CLUSTER_ID]
        run([*storage, "-c", str(properties)], "formatting Kafka's directory")
    # It lives for minutes and shares two cores: the optimising compiler would cost more than it saves (measured in
    # the first minutes at 100 events/s: 41 % of a core with it, 25 % without).
    small = ["-Xmx512m", "-XX:+ExitOnOutOfMemoryError", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]
    command = [jvm[0], *small, *jvm[1:], "kafka.Kafka", str(properties)]
    address = f"{HOST}:{port}"
    return address, LocalServer("Kafka", command, root / "kafka.log", lambda: kafka_ready(address))


def local_mongo(root: Path) -> tuple[str, LocalServer]:
    """A replica set of one node, not started; it is initiated on its first start."""
    program = downloads.mongod()
    (port,) = _kept_ports(root, 1)
    data = root / "data"
    data.mkdir(exist_ok=True)
    command = [program, *MONGO_OPTIONS, "--bind_ip", HOST, "--port", str(port), "--dbpath", str(data)]
    command += ["--nounixsocket", "--quiet", "--setParameter", "diagnosticDataCollectionEnabled=false"]
    server = LocalServer("MongoDB", command, root / "mongod.log", lambda: mongo_ready(HOST, port))
    return f"mongodb://{HOST}:{port}/?replicaSet=rs0", server


def local_redis(root: Path) -> tuple[str, LocalServer]:
    """A Redis that keeps nothing on disk: the platform holds in it only what may be lost."""
    program = downloads.redis_server()
    (port,) = _kept_ports(root, 1)
    command = [program, "--bind", HOST, "--port", str(port), "--dir", str(root), "--save", ""]
    url = f"redis://{HOST}:{port}/0"
    return url, LocalServer("Redis", command, root / "redis.log", lambda: redis_ready(url))


def _kept_ports(root: Path, count: int) -> list[int]:
    """The ports that this directory's server had last time: a replica set remembers its own address."""
    root.mkdir(parents=True, exist_ok=True)
    kept = root / "ports"
    if not kept.exists():
        part = root / f"ports.{os.getpid()}"
        part.write_text(" ".join(str(free_port()) for _ in range(count)), "ascii")
        part.rename(kept)
    return [int(port) for port in kept.read_text("ascii").split()]
