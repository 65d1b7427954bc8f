"""Kafka's rights and passwords, by confluent-kafka's admin client (aiokafka's has no calls for them)."""

from __future__ import annotations

import time
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, Final

from confluent_kafka import KafkaException
from confluent_kafka.admin import (
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialDeletion,
    UserScramCredentialUpsertion,
)

from deploy.operator.answers import away
from deploy.operator.rights import Right, Standing, standings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

_PATIENCE_S: Final = 15.0
_ITERATIONS: Final = 8192
"""Of SCRAM's hash: Kafka wants 4,096 to 16,384. The passwords are random, so more would protect nothing."""


EVERY_RIGHT: Final = AclBindingFilter(
    ResourceType.ANY,
    None,  # type: ignore[arg-type]  # any; its types do not say so
    ResourcePatternType.ANY,
    None,  # type: ignore[arg-type]
    None,  # type: ignore[arg-type]
    AclOperation.ANY,
    AclPermissionType.ANY,
)

_NOBODYS: Final = Right("~", "topic", "nobody", "read")


class Rights:
    """Reads and changes who may do what. Every call raises Refusal when Kafka does not answer as it should."""

    def __init__(self, bootstrap: str) -> None:
        self._admin = AdminClient(
            {
                "bootstrap.servers": bootstrap,
                "socket.timeout.ms": int(_PATIENCE_S * 1000),
                # a broker that is away is said once, by us
                "log_level": 0,
            }
        )

    def standings(self) -> dict[str, Standing]:
        """Every partner that Kafka knows, by id."""
        # confluent-kafka 2.16 gives no rights at all in the place of an error, such as that none are checked here; to
        # take one that nobody has says it
        _all(self._admin.delete_acls([AclBindingFilter(*_fields(_NOBODYS))], request_timeout=_PATIENCE_S))
        return standings(self._users(), self._rights())

    def allow(self, rights: Iterable[Right]) -> None:
        """These hold from now on; those that hold already go on to."""
        wanted = set(rights)
        _all(self._admin.create_acls([AclBinding(*_fields(one)) for one in wanted], request_timeout=_PATIENCE_S))
        _wait(lambda: wanted <= self._rights())

    def take(self, rights: Iterable[Right]) -> None:
        """These hold no longer, for connections that are open too."""
        if unwanted := set(rights):
            filters = [AclBindingFilter(*_fields(one)) for one in unwanted]
            _all(self._admin.delete_acls(filters, request_timeout=_PATIENCE_S))
            _wait(lambda: not unwanted & self._rights())

    def set_password(self, user: str, password: str) -> None:
        """The user is there and has this one."""
        how = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, _ITERATIONS)
        change = UserScramCredentialUpsertion(user, how, password.encode())
        _all(self._admin.alter_user_scram_credentials([change], request_timeout=_PATIENCE_S))
        _wait(lambda: user in self._users())

    def remove_users(self, users: Iterable[str]) -> None:
        """Nobody can connect as one of these any more."""
        if unwanted := set(users):
            changes = [UserScramCredentialDeletion(user, ScramMechanism.SCRAM_SHA_512) for user in unwanted]
            _all(self._admin.alter_user_scram_credentials([*changes], request_timeout=_PATIENCE_S))
            _wait(lambda: not unwanted & self._users())

    def _rights(self) -> set[Right]:
        bindings: Sequence[AclBinding] = _result(self._admin.describe_acls(EVERY_RIGHT, request_timeout=_PATIENCE_S))
        return set(map(_right, bindings))

    def _users(self) -> set[str]:
        described: Mapping[str, object] = _result(
            self._admin.describe_user_scram_credentials(request_timeout=_PATIENCE_S)
        )
        return set(described)

    def partitions(self) -> dict[str, list[int]]:
        """Every topic and the numbers of its partitions."""
        try:
            topics = self._admin.list_topics(timeout=_PATIENCE_S).topics
        except KafkaException as error:
            raise away("Kafka", error) from error
        return {name: sorted(topic.partitions) for name, topic in sorted(topics.items())}


def _fields(
    right: Right,
) -> tuple[ResourceType, str, ResourcePatternType, str, str, AclOperation, AclPermissionType]:
    return (
        ResourceType[right.kind.upper()],
        right.name,
        ResourcePatternType.PREFIXED if right.prefixed else ResourcePatternType.LITERAL,
        f"User:{right.user}",
        right.host,
        AclOperation[right.operation.upper()],
        AclPermissionType.DENY if right.denied else AclPermissionType.ALLOW,
    )


def _right(binding: AclBinding) -> Right:
    return Right(
        binding.principal.removeprefix("User:"),
        ResourceType(binding.restype).name.lower(),
        binding.name,
        AclOperation(binding.operation).name.lower(),
        prefixed=binding.resource_pattern_type is ResourcePatternType.PREFIXED,
        denied=binding.permission_type is AclPermissionType.DENY,
        host=binding.host,
    )


def _wait(seen: Callable[[], bool]) -> None:
    """Until the change is seen: Kafka's controller acknowledges it a moment before brokers go by it."""
    deadline = time.monotonic() + _PATIENCE_S
    while not seen():
        if time.monotonic() > deadline:
            raise away("Kafka", "the change is not seen yet")
        time.sleep(0.05)


def _all(futures: Mapping[Any, Future[Any]]) -> None:
    for future in futures.values():
        _result(future)


def _result(future: Any) -> Any:  # noqa: ANN401 - confluent-kafka's own calls do not say what they give
    try:
        return future.result(timeout=_PATIENCE_S)
    except (KafkaException, TimeoutError) as error:
        raise away("Kafka", error) from error
