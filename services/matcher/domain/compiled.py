"""numba's `njit` with a type: a compiled function has the signature that it is written with."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeVar, cast

from numba import njit

import shared.regions

F = TypeVar("F", bound=Callable[..., object])

FOLDER: Final = Path(__file__).parent
SOURCES: Final = (
    *(
        FOLDER / f"{name}.py"
        for name in (
            *(
                "codes",
                "columns",
                "derived",
                "gates",
                "kernels",
                "lookups",
                "members",
                "nearly",
                "occupations",
                "pairs",
                "policy",
                "prefetch",
                "questions",
                "reach",
                "search",
                "ties",
                "view",
                "whynot",
                "words",
            ),
        )
    ),
    Path(shared.regions.__file__),
)
"""All modules that a kernel is compiled from, constants included."""
EDITION: Final = hashlib.sha256(b"".join(path.read_bytes() for path in SOURCES)).hexdigest()[:12]


def inlined(function: F) -> F:
    """For a function that takes arrays and is called for every row: it becomes part of the kernel that calls it.

    numba counts the references of each array in each call, which costs more than such a function itself.
    """
    return cast("F", njit(inline="always")(function))


def compiled(function: F) -> F:
    """Compiles to machine code on the first call: without the GIL, cached on disk (`NUMBA_CACHE_DIR`).

    numba finds a function's cached code by its file and name, and would not notice that a function of another
    file that it calls has changed: so the name carries the edition of all of them.
    """
    function.__qualname__ = f"{function.__qualname__}_{EDITION}"
    return cast("F", njit(cache=True, nogil=True)(function))
