"""The platform under test: real servers, every service in two processes, short sessions and leases."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.processes import SERVICES, Platform
from deploy.servers import PROJECT, Servers

SESSION_S = 4
"""Longest silence before a process loses its partitions, and its lease."""
FOR_EVER_MS = 10 * 365 * 86_400_000


def uncompacted(declared: Path, copy: Path) -> Path:
    """The declared topics, but nothing is compacted away, so that every record can be read back."""
    text = declared.read_text("utf-8")
    for line in ('"min.compaction.lag.ms" = 0', '"max.compaction.lag.ms" = 172800000'):
        assert text.count(line) == 1
        text = text.replace(line, f"{line.split(' = ')[0]} = {FOR_EVER_MS}")
    copy.write_text(text, "utf-8")
    return copy


@pytest.fixture
def topics_file(tmp_path: Path) -> Path:
    return uncompacted(PROJECT / "deploy" / "topics.toml", tmp_path / "topics.toml")


@pytest.fixture
def platform(servers: Servers, tmp_path: Path, topics_file: Path) -> Iterator[Platform]:
    """Of each service two processes: `matcher` and `matcher-2`."""
    servers.reset()
    env = {
        "TOPICS_FILE": str(topics_file),
        "SESSION_TIMEOUT_MS": str(SESSION_S * 1000),
        "LEASE_S": str(SESSION_S),
        "STUCK_AFTER_S": "3600",
        "EXPIRY_EVERY_S": "1",
        "SNAPSHOT_EVERY_S": "5",
    }
    with Platform(servers.addresses, tmp_path, env={"*": env}) as running:
        running.start_all()
        for service in SERVICES:
            running.start(service, f"{service}-2")
        for service in SERVICES:
            running[f"{service}-2"].wait_ready()
        yield running
