from pathlib import Path

import pytest

from deploy.taxonomy import ensure
from shared.linking.skills import Linker, load
from shared.taxonomy import Taxonomy
from shared.taxonomy import load as load_taxonomy

SOURCES = Path(__file__).parents[4] / "shared" / "data"


@pytest.fixture(scope="session")
def taxonomy() -> Taxonomy:
    if not SOURCES.is_dir():
        pytest.skip(f"the publishers' files are not in {SOURCES}")
    return load_taxonomy(ensure({"TAXONOMY_DIR": str(SOURCES)}))


@pytest.fixture(scope="session")
def linker(taxonomy: Taxonomy, tmp_path_factory: pytest.TempPathFactory) -> Linker:
    return load(taxonomy, tmp_path_factory.mktemp("labels"))
