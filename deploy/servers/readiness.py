"""When a server may be used: Kafka has a coordinator, MongoDB a primary, Redis an answer."""

import asyncio
import socket
import struct
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError
from pymongo import MongoClient
from pymongo.errors import OperationFailure, PyMongoError
from redis import Redis
from redis.exceptions import RedisError

from deploy.servers.addresses import ServerError

T = TypeVar("T")

ALREADY_INITIALIZED = 23


def in_own_loop(work: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run a coroutine to its end on a thread of its own: the caller may sit in a running loop."""
    with ThreadPoolExecutor(max_workers=1) as pool:
        return pool.submit(lambda: asyncio.run(work())).result()


def wait_until(ready: Callable[[], bool], check_alive: Callable[[], None], what: str, timeout: float) -> None:
    """Poll `ready`; `check_alive` raises once waiting makes no more sense."""
    deadline = time.monotonic() + timeout
    while not ready():
        check_alive()
        if time.monotonic() > deadline:
            raise ServerError(f"{what} was not ready after {timeout:.0f} s")
        time.sleep(0.1)


def kafka_ready(bootstrap: str) -> bool:
    """True once the broker knows its groups (asking for one also creates the offsets topic)."""
    if not _speaks_kafka(bootstrap):
        return False

    async def ask() -> bool:
        admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap, request_timeout_ms=5000)
        try:
            await admin.start()
            await admin.find_coordinator("readiness")
        except (KafkaError, OSError, TimeoutError):
            return False
        finally:
            await admin.close()
        return True

    return in_own_loop(ask)


def _speaks_kafka(bootstrap: str) -> bool:
    """Whether anything answers an ApiVersions request: aiokafka would log an error each time it does not."""
    host, _, port = bootstrap.rpartition(":")
    try:
        with socket.create_connection((host, int(port)), timeout=1) as connection:
            # Length, API key, version, correlation id, no client id.
            connection.sendall(struct.pack(">ihhih", 10, 18, 0, 1, -1))
            # Docker's proxy accepts a connection, then closes it, while the container does not listen yet.
            return bool(connection.recv(4))
    except OSError:
        return False


def mongo_ready(host: str, port: int) -> bool:
    """True once the node is primary; a node that is in no replica set yet is made one of its own."""
    client: MongoClient[dict[str, Any]] = MongoClient(
        host, port, directConnection=True, serverSelectionTimeoutMS=500, connectTimeoutMS=500
    )
    try:
        hello = client.admin.command("hello")
        if hello.get("isWritablePrimary"):
            return True
        if "setName" not in hello:
            members = [{"_id": 0, "host": f"{host}:{port}"}]
            client.admin.command("replSetInitiate", {"_id": "rs0", "members": members})
    except OperationFailure as error:
        if error.code != ALREADY_INITIALIZED:
            raise
    except PyMongoError:
        pass
    finally:
        client.close()
    return False


def redis_ready(url: str) -> bool:
    """True once it answers PING."""
    client = Redis.from_url(url, socket_timeout=1, socket_connect_timeout=1)
    try:
        return bool(client.ping())
    except (RedisError, OSError):
        return False
    finally:
        client.close()
