"""The platform under test: real servers, services in several processes, short sessions and leases."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
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


@contextmanager
def one_of_each(servers: Servers, root: Path, topics_file: Path) -> Iterator[Platform]:
    servers.reset()
    env = {
        "TOPICS_FILE": str(topics_file),
        "SESSION_TIMEOUT_MS": str(SESSION_S * 1000),
        "LEASE_S": str(SESSION_S),
        "STUCK_AFTER_S": "3600",
        "EXPIRY_EVERY_S": "1",
        "COUNTS_EVERY_S": "86400",  # whoever runs over midnight reads no counts among receipts
        "SNAPSHOT_EVERY_S": "5",
    }
    with Platform(servers.addresses, root, env={"*": env}) as running:
        running.start_all()
        yield running


def start_more(running: Platform, processes: Mapping[str, str]) -> None:
    """Processes by name, each of the service that is given."""
    for name, service in processes.items():
        running.start(service, name)
    for name in processes:
        running[name].wait_ready()


@pytest.fixture
def platform(servers: Servers, tmp_path: Path, topics_file: Path) -> Iterator[Platform]:
    """Of each service two processes: `matcher` and `matcher-2`."""
    with one_of_each(servers, tmp_path, topics_file) as running:
        start_more(running, {f"{service}-2": service for service in SERVICES})
        yield running


@pytest.fixture
def three_matchers(servers: Servers, tmp_path: Path, topics_file: Path) -> Iterator[Platform]:
    """Three processes of the matcher, and one of each other service."""
    with one_of_each(servers, tmp_path, topics_file) as running:
        start_more(running, {"matcher-2": "matcher", "matcher-3": "matcher"})
        yield running
