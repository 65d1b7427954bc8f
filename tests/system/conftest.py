"""The platform as real processes on the session's servers; one for the tests of a module.

A module names settings of its services in `ENV` (as `Platform` takes them).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping

import pytest
from httpx import AsyncClient, Limits

from deploy.processes import Platform
from deploy.servers import Servers
from tests.system.topics import Topics, topics_of
from tests.system.town import Town

ENV = {
    "TRACE_RATIO": "0",
    "LEASE_S": "2",
    "SESSION_TIMEOUT_MS": "6000",
    "PUBLISH_TIMEOUT_S": "3",
    "COUNTS_EVERY_S": "86400",  # whoever runs over midnight reads no counts among receipts
}


@pytest.fixture(scope="module")
def platform(
    request: pytest.FixtureRequest, servers: Servers, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Platform]:
    servers.reset()
    own: Mapping[str, Mapping[str, str]] = getattr(request.module, "ENV", {})
    env = {**own, "*": {**ENV, **own.get("*", {})}}
    with Platform(servers.addresses, tmp_path_factory.mktemp("platform"), env=env) as running:
        running.start_all()
        yield running


@pytest.fixture
async def town(servers: Servers, platform: Platform) -> AsyncIterator[Town]:
    async with AsyncClient(timeout=30, limits=Limits(max_connections=100)) as client:
        yield Town(servers, platform, client)


@pytest.fixture
async def topics(servers: Servers) -> AsyncIterator[Topics]:
    async with topics_of(servers.addresses.kafka) as found:
        yield found


@pytest.fixture
def own_servers(servers: Servers) -> Servers:
    """Servers that a test may stop."""
    if servers.kind == "given":
        pytest.skip("the servers were given: they cannot be stopped from here")
    return servers
