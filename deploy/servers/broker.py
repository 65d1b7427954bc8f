"""How the one-node broker is configured, as a process and as a container alike."""

from collections.abc import Mapping
from dataclasses import dataclass

# A wipe or a test waits for these, and one machine carries everything: short delays, small internal topics.
_SETTINGS = {
    "process.roles": "broker,controller",
    "node.id": "1",
    "controller.listener.names": "CONTROLLER",
    "inter.broker.listener.name": "PLAINTEXT",
    "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT",
    "auto.create.topics.enable": "false",
    "group.initial.rebalance.delay.ms": "0",
    "group.min.session.timeout.ms": "1000",
    "offsets.topic.num.partitions": "4",
    "offsets.topic.replication.factor": "1",
    "transaction.state.log.num.partitions": "4",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "share.coordinator.state.topic.num.partitions": "1",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    # Partners' topics and dead letters take 4 MiB records; the broker's own limit stays above every topic's.
    "message.max.bytes": str(8 * 1024 * 1024),
    "replica.fetch.max.bytes": str(8 * 1024 * 1024),
    "log.cleaner.backoff.ms": "1000",
    "log.segment.delete.delay.ms": "1000",
    # A killed broker may register again only after its old session: 9 s by default, this long here.
    "broker.session.timeout.ms": "3000",
    "broker.heartbeat.interval.ms": "500",
    "num.network.threads": "2",
    "num.io.threads": "4",
}


INTERNAL_PRINCIPAL = "User:ANONYMOUS"
"""Whoever comes by a listener that asks for no password: the services and operators, who may do everything. Nobody
comes by the partners' listener without one, so there it is nobody's name."""
MOST_CONNECTIONS = 1000
"""Of all partners together, so that they cannot use up the broker's."""


@dataclass(frozen=True)
class PartnerListener:
    """Where partners come in: with a password and over TLS, and held to their rights."""

    port: int
    keystore: Mapping[str, str]
    """The `ssl.keystore.…` settings that say where its key and certificate are."""


def broker_settings(
    host: str,
    port: int,
    controller_port: int,
    extra: Mapping[str, str],
    *,
    bind: str,
    partners: PartnerListener | None = None,
) -> dict[str, str]:
    """Kafka's settings for one node that is broker and controller; `extra` wins."""
    settings = {
        **_SETTINGS,
        "listeners": f"PLAINTEXT://{bind}:{port},CONTROLLER://{bind}:{controller_port}",
        "advertised.listeners": f"PLAINTEXT://{host}:{port}",
        "controller.quorum.voters": f"1@127.0.0.1:{controller_port}",
    }
    if partners is not None:
        settings |= partner_settings()
        settings |= {f"listener.name.partners.{name}": value for name, value in partners.keystore.items()}
        settings["listeners"] += f",PARTNERS://{bind}:{partners.port}"
        settings["advertised.listeners"] += f",PARTNERS://{host}:{partners.port}"
        settings["listener.security.protocol.map"] += ",PARTNERS:SASL_SSL"
    return {**settings, **extra}


def partner_settings() -> dict[str, str]:
    """What docker-compose.yml says too: rights are checked, and partners prove who they are."""
    return {
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "super.users": INTERNAL_PRINCIPAL,
        "listener.name.partners.sasl.enabled.mechanisms": "SCRAM-SHA-512",
        "listener.name.partners.scram-sha-512.sasl.jaas.config": (
            "org.apache.kafka.common.security.scram.ScramLoginModule required;"
        ),
        "listener.name.partners.ssl.keystore.type": "PEM",
        "listener.name.partners.max.connections": str(MOST_CONNECTIONS),
    }
