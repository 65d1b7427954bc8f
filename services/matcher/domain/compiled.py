"""numba's `njit` with a type: a compiled function has the signature that it is written with."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, cast

from numba import njit

F = TypeVar("F", bound=Callable[..., object])


def compiled(function: F) -> F:
    """Compiles to machine code on the first call: without the GIL, cached on disk (`NUMBA_CACHE_DIR`).

    Integer arithmetic only, so no flags of floating point matter.
    """
    return cast("F", njit(cache=True, nogil=True)(function))
