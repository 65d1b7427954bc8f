"""Topics as `deploy/topics.toml` declares them: created if absent, and never silently other than declared."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError

from shared.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from shared.settings import ServiceSettings

_EXISTS: Final = 36
"""Kafka's error code TOPIC_ALREADY_EXISTS."""
_DAY_MS: Final = 86_400_000


@dataclass(frozen=True, slots=True)
class Topic:
    """One declared topic."""

    name: str
    partitions: int
    config: dict[str, str]


class TopicMismatch(Exception):  # noqa: N818 - what it is
    """A topic exists with another number of partitions than declared: numbers never change."""


def declared(path: Path) -> tuple[list[Topic], list[Topic]]:
    """The fixed topics, and the templates for each partner (with `{partner}` in their names)."""
    table = tomllib.loads(path.read_text(encoding="utf-8"))
    kinds = table["kinds"]
    topics = [_topic(row, kinds) for row in table["topics"]]
    return (
        [topic for topic in topics if "{partner}" not in topic.name],
        [topic for topic in topics if "{partner}" in topic.name],
    )


def _topic(row: dict[str, object], kinds: dict[str, dict[str, object]]) -> Topic:
    config = {**kinds[str(row["kind"])], **dict(row.get("config", {}))}  # type: ignore[call-overload]
    return Topic(str(row["name"]), int(str(row["partitions"])), {name: str(value) for name, value in config.items()})


async def ensure_topics(settings: ServiceSettings) -> None:
    """Create the fixed topics that are absent. Raises Unavailable or TopicMismatch."""
    fixed, _ = declared(settings.topics_file)
    await _ensure(settings, fixed)


async def create_partner_topics(settings: ServiceSettings, partner: str) -> None:
    """Create the topics of a partner if they are absent. Raises Unavailable or TopicMismatch."""
    _, templates = declared(settings.topics_file)
    await _ensure(
        settings,
        [Topic(t.name.replace("{partner}", partner), t.partitions, t.config) for t in templates],
    )


def delete_retention_ms(settings: ServiceSettings, topic: str) -> int:
    """How long a topic's tombstones are kept, in milliseconds."""
    fixed, _ = declared(settings.topics_file)
    config = next(item.config for item in fixed if item.name == topic)
    return int(config.get("delete.retention.ms", _DAY_MS))


def partitions(settings: ServiceSettings, topic: str) -> int:
    """How many partitions a fixed topic has."""
    fixed, _ = declared(settings.topics_file)
    return next(item.partitions for item in fixed if item.name == topic)


async def _ensure(settings: ServiceSettings, topics: Sequence[Topic]) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.kafka_bootstrap.split(","))
    try:
        await admin.start()
        answer = await admin.create_topics(
            [NewTopic(t.name, t.partitions, settings.replication_factor, topic_configs=t.config) for t in topics]
        )
        # it does not raise errors of single topics
        for name, code, *rest in answer.topic_errors:
            if code not in {0, _EXISTS}:
                message = f"topic {name} could not be created: {rest}"
                raise Unavailable(message)
        found = {row["topic"]: len(row["partitions"]) for row in await admin.describe_topics([t.name for t in topics])}
    except (KafkaError, OSError) as error:
        raise Unavailable(repr(error)) from error
    finally:
        await admin.close()
    for topic in topics:
        if found.get(topic.name) not in {topic.partitions, 0, None}:
            message = f"topic {topic.name} has {found[topic.name]} partitions, declared are {topic.partitions}"
            raise TopicMismatch(message)
