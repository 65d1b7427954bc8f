"""Empties the three servers, so that one set of them serves many tests."""

import asyncio
import time
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import (
    GroupCoordinatorNotAvailableError,
    GroupLoadInProgressError,
    NotCoordinatorForGroupError,
)
from aiokafka.protocol.admin import DeleteGroupsRequest
from aiokafka.protocol.group import LeaveGroupRequest
from confluent_kafka.admin import AdminClient, UserScramCredentialDeletion
from pymongo import MongoClient
from redis import Redis

from deploy.operator.kafka import EVERY_RIGHT
from deploy.servers.addresses import Addresses, ServerError
from deploy.servers.readiness import in_own_loop

DATABASES = ("postings", "profiles", "matcher", "notifications")
NOT_FOUND = 69
PATIENCE_S = 20
COORDINATOR_STARTS = (
    GroupCoordinatorNotAvailableError,
    GroupLoadInProgressError,
    NotCoordinatorForGroupError,
)


def wipe(addresses: Addresses) -> None:
    """Remove every topic, right, user, consumer group, database of a service, and key. Stop the services first."""
    in_own_loop(lambda: _wipe_kafka(addresses.kafka))
    if addresses.partners:
        _wipe_rights(addresses.kafka)
    patience = PATIENCE_S * 1000
    client: MongoClient[dict[str, Any]] = MongoClient(addresses.mongo, serverSelectionTimeoutMS=patience)
    try:
        for name in DATABASES:
            client.drop_database(name)
    finally:
        client.close()
    redis = Redis.from_url(addresses.redis)
    try:
        redis.flushall()
    finally:
        redis.close()


def _wipe_rights(bootstrap: str) -> None:
    """Every ACL and SCRAM user."""
    admin = AdminClient({"bootstrap.servers": bootstrap})
    for removed in admin.delete_acls([EVERY_RIGHT]).values():
        removed.result(PATIENCE_S)
    described: Any = admin.describe_user_scram_credentials()
    users = [
        UserScramCredentialDeletion(user, info.mechanism)
        for user, found in described.result(PATIENCE_S).items()
        for info in found.scram_credential_infos
    ]
    if users:
        for changed in admin.alter_user_scram_credentials([*users]).values():
            changed.result(PATIENCE_S)


async def _wipe_kafka(bootstrap: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        deadline = time.monotonic() + PATIENCE_S
        while topics := [name for name in await admin.list_topics() if not name.startswith("__")]:
            await admin.delete_topics(topics)
            await _pause(deadline, f"topics are still there after their deletion: {topics}")
        while groups := await _left_groups(admin):
            await _pause(deadline, f"groups still have members, stop these first: {groups}")
    finally:
        await admin.close()


async def _left_groups(admin: AIOKafkaAdminClient) -> list[str]:
    """Delete all groups once; the names of those that did not go."""
    groups: list[str] = []
    try:
        groups = [name for name, _ in await admin.list_consumer_groups()]
        return [group for group in groups if not await _deleted(admin, group)]
    except COORDINATOR_STARTS:
        return groups or ["(not known yet: the coordinator has just started)"]


async def _deleted(admin: AIOKafkaAdminClient, group: str) -> bool:
    """Delete one group. aiokafka has these two requests, but no call for them: hence its own `_send`."""
    node = await admin.find_coordinator(group)
    (described,) = await admin.describe_consumer_groups([group], node)
    for member in described.to_object()["groups"][0]["members"]:
        # A member that was killed would count until its session times out.
        await admin._send_request_to_node(node, LeaveGroupRequest(group, member["member_id"]))  # noqa: SLF001
    answer = await admin._send_request_to_node(node, DeleteGroupsRequest([group]))  # noqa: SLF001
    return all(code in {0, NOT_FOUND} for _, code in answer.results)


async def _pause(deadline: float, otherwise: str) -> None:
    if time.monotonic() > deadline:
        raise ServerError(otherwise)
    await asyncio.sleep(0.05)
