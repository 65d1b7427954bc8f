"""Where Kafka, MongoDB and Redis are, and what is raised when they are not."""

import os
from collections.abc import Mapping
from dataclasses import dataclass

from deploy.downloads import PROJECT, SetupError

__all__ = ["PROJECT", "Addresses", "ServerError"]


class ServerError(SetupError):
    """A server could not be had, started, stopped or emptied; the message says what to do."""


@dataclass(frozen=True)
class Addresses:
    """`kafka` is host:port, `mongo` and `redis` are URLs; `mongo` names its replica set."""

    kafka: str
    mongo: str
    redis: str

    def env(self) -> dict[str, str]:
        """The three settings that every service reads."""
        return {"KAFKA_BOOTSTRAP": self.kafka, "MONGO_URL": self.mongo, "REDIS_URL": self.redis}

    @classmethod
    def given(cls, env: Mapping[str, str] = os.environ) -> "Addresses | None":
        """The addresses in `env`, or None unless all three are there."""
        kafka, mongo, redis = (env.get(name) for name in ("KAFKA_BOOTSTRAP", "MONGO_URL", "REDIS_URL"))
        return cls(kafka, mongo, redis) if kafka and mongo and redis else None
