"""Fixtures for all tests: one set of real servers a session."""

from collections.abc import Iterator

import pytest
from hypothesis import settings

from deploy.servers import Servers, running_servers
from deploy.taxonomy import ensure
from shared.linking.linker import Linker
from shared.linking.linker import linker as linker_of
from shared.linking.reader import Reader
from shared.taxonomy import Taxonomy, load

# how long an example takes says nothing of what is right: a busy machine fails no test
settings.register_profile("platform", deadline=None)
settings.load_profile("platform")


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    """Kafka, MongoDB and Redis; a test that needs them empty calls `servers.reset()` first."""
    with running_servers(tmp_path_factory.mktemp("servers"), partners=True) as running:
        yield running


@pytest.fixture(scope="session")
def linker(taxonomy: Taxonomy) -> Linker:
    """Reads words as the services do."""
    return linker_of(taxonomy, ensure())


@pytest.fixture
async def reader(linker: Linker) -> Reader:
    """With nothing remembered."""
    reader = Reader(lambda: linker)
    await reader.start()
    return reader


@pytest.fixture(scope="session")
def taxonomy() -> Taxonomy:
    """As the services of this machine have it: of TAXONOMY_DIR, else of registry packages."""
    return load(ensure())
