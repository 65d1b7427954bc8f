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
    """`kafka` is host:port, `mongo` and `redis` are URLs; `mongo` names its replica set.

    Where partners may come in too, `partners` is that listener's host:port, and `partners_ca` the file with the
    certificate of the authority that vouches for it; else both are empty.
    """

    kafka: str
    mongo: str
    redis: str
    partners: str = ""
    partners_ca: str = ""

    def env(self) -> dict[str, str]:
        """The three settings that every service reads, and where partners come in."""
        services = {"KAFKA_BOOTSTRAP": self.kafka, "MONGO_URL": self.mongo, "REDIS_URL": self.redis}
        partners = {"KAFKA_PARTNERS_BOOTSTRAP": self.partners, "KAFKA_PARTNERS_CA": self.partners_ca}
        return services | (partners if self.partners else {})

    @classmethod
    def given(cls, env: Mapping[str, str] = os.environ) -> "Addresses | None":
        """The addresses in `env`, or None unless those of the three servers are there."""
        kafka, mongo, redis = (env.get(name) for name in ("KAFKA_BOOTSTRAP", "MONGO_URL", "REDIS_URL"))
        if not (kafka and mongo and redis):
            return None
        return cls(kafka, mongo, redis, env.get("KAFKA_PARTNERS_BOOTSTRAP", ""), env.get("KAFKA_PARTNERS_CA", ""))
