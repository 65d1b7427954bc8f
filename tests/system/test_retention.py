"""Topics and dead letters forget an erased seeker with no other traffic, by fillers alone. Days become seconds."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from httpx import AsyncClient

from deploy.processes import Platform
from deploy.servers import PROJECT, Servers, running_servers
from shared.contracts.registry import POSTING_LISTS, PROFILES, SEEKER_LISTS
from tests.system.conftest import ENV
from tests.system.topics import Topics, has, headers_of, topics_of
from tests.system.town import Town, own_skill, seeker_caller
from tests.waiting import until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(200)]

QUICK_BROKER = {
    "log.cleaner.backoff.ms": "200",
    # cleared before each of all the partitions: at its usual 128 MiB a round of the cleaner takes many seconds
    "log.cleaner.dedupe.buffer.size": "2097152",
    "log.initial.task.delay.ms": "500",
    "log.retention.check.interval.ms": "500",
    "log.segment.delete.delay.ms": "100",
}
QUICK_TOPICS = {
    "segment.ms": 1_000,
    "max.compaction.lag.ms": 2_000,
    "delete.retention.ms": 2_000,
    "retention.ms": 6_000,
}
FORGET_S = 60


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    """Servers of its own, because the broker's cleaner must be quick."""
    with running_servers(tmp_path_factory.mktemp("quick"), broker_config=QUICK_BROKER) as running:
        if running.kind == "given":
            pytest.skip("the broker was given: its cleaner takes its own time")
        yield running


def quick_topics(path: Path) -> Path:
    """The declared topics with other times."""
    declared = (PROJECT / "deploy" / "topics.toml").read_text("utf-8")
    for name, value in QUICK_TOPICS.items():
        declared, count = re.subn(rf'^"{re.escape(name)}" = \d+$', f'"{name}" = {value}', declared, flags=re.MULTILINE)
        assert count, name
    path.write_text(declared, "utf-8")
    return path


@pytest.fixture(scope="module")
def platform(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    root = tmp_path_factory.mktemp("platform")
    quick = {"TOPICS_FILE": str(quick_topics(root / "topics.toml")), "FILLER_EVERY_S": "1"}
    notifications = {"TOMBSTONES_KEPT_S": "2", "ERASED_AGAIN_AFTER_S": "1"}
    env = {"*": {**ENV, **quick}, "notifications": notifications}
    with Platform(servers.addresses, root, env=env) as running:
        running.start_all()
        yield running


@pytest.fixture
async def town(servers: Servers, platform: Platform) -> AsyncIterator[Town]:
    async with AsyncClient(timeout=30) as client:
        yield Town(servers, platform, client)


@pytest.fixture
async def topics(servers: Servers) -> AsyncIterator[Topics]:
    async with topics_of(servers.addresses.kafka) as found:
        yield found


async def test_idle_topics_and_dead_letters_forget(town: Town, topics: Topics) -> None:
    employer, seeker = await town.new_employer(), await town.new_seeker()
    posting = await town.new_posting(employer)

    async def matched() -> bool:
        return posting in await town.live_postings(seeker) and seeker in await town.live_seekers(employer)

    await until(matched, "both sides are told")
    await town.ask(seeker_caller(seeker), "POST", "profiles", f"/seekers/{seeker}/pause")
    await town.ask(seeker_caller(seeker), "POST", "profiles", f"/seekers/{seeker}/resume")

    await until(lambda: all_hold(topics, seeker, PROFILES, POSTING_LISTS, SEEKER_LISTS), "all topics name them")
    await topics.write(PROFILES, seeker.encode(), b'{"broken": ', headers_of("ProfileUpdated", PROFILES))
    await until(lambda: all_hold(topics, seeker, "matcher.profiles.dead"), "a dead letter names them")

    erased = await town.ask(seeker_caller(seeker), "DELETE", "profiles", f"/seekers/{seeker}")
    assert erased.status_code == 204

    async def forgotten() -> bool:
        everywhere = await topics.names()
        return not await holding(topics, seeker, *everywhere) and not await holding(
            topics, own_skill(town.trade), *everywhere
        )

    await until(forgotten, "no topic names the seeker or what only the seeker can", FORGET_S)
    assert await topics.read(*(name for name in await topics.names() if name.endswith(".dead"))) == []


async def all_hold(topics: Topics, text: str, *names: str) -> bool:
    return await holding(topics, text, *names) == sorted(names)


async def holding(topics: Topics, text: str, *names: str) -> list[str]:
    """The topics that have a record with this text in key, body or headers."""
    return sorted({record.topic for record in await topics.read(*names) if has(record, text)})
