import ast
from pathlib import Path

from services.matcher.domain import compiled


def imported(source: Path) -> set[str]:
    """Modules of ours that a module imports when it runs."""
    nodes = ast.parse(source.read_text()).body  # not those below `if TYPE_CHECKING`
    names = {node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module}
    return {name for name in names if name.startswith(("services.", "shared."))}


def test_the_edition_covers_all_that_kernels_are_compiled_from():
    covered = {path.stem for path in compiled.SOURCES} | {"compiled"}
    for source in compiled.SOURCES:
        assert {name.rpartition(".")[2] for name in imported(source)} <= covered


def test_a_kernel_is_cached_under_its_edition():
    from services.matcher.domain.questions import weigh  # noqa: PLC0415 - compiles nothing

    assert weigh.__qualname__ == f"weigh_{compiled.EDITION}"
