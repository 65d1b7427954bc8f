"""Asking memory for what a kernel will read a few rows later, so that it waits for many at once. Compiled."""

# ruff: noqa: FBT001 - kernels take their arrays one by one, and which side asks
from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, cast

from llvmlite import ir  # type: ignore[import-untyped]
from numba.core import cgutils, types
from numba.extending import intrinsic

from services.matcher.domain.compiled import inlined

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

ROWS_AHEAD: Final = 24
CODES_AHEAD: Final = 16
"""Rows come first: they say where the codes are."""
LINE: Final = 16
"""Codes in a cache line."""


@intrinsic
def _prefetch(typing: Any, array: Any, index: Any) -> Any:  # noqa: ANN401, ARG001 - numba's types
    def generate(context: Any, builder: Any, signature: Any, given: Any) -> Any:  # noqa: ANN401 - numba's types
        items = context.make_array(signature.args[0])(context, builder, given[0])
        address = builder.bitcast(builder.gep(items.data, [given[1]]), cgutils.voidptr_t)
        flag = ir.IntType(32)
        form = ir.FunctionType(ir.VoidType(), [cgutils.voidptr_t, flag, flag, flag])
        fetch = builder.module.declare_intrinsic("llvm.prefetch", [cgutils.voidptr_t], form)
        builder.call(fetch, [address, flag(0), flag(3), flag(1)])  # to read, soon and again, data
        return context.get_dummy_value()

    return types.void(array, types.intp), generate


prefetch = cast("Callable[[NDArray[np.generic], int], None]", _prefetch)
"""Begin to read an item of an array; nothing waits for it."""


@inlined
def read_ahead(
    by_posting: bool,
    place: int,
    wanted: NDArray[np.int32],
    postings: NDArray[np.void],
    seekers: NDArray[np.void],
    codes: NDArray[np.int32],
) -> None:
    """Before the counterpart's row `wanted[place]` is read: begin to read rows and codes of those that come soon.

    There is but one branch: with two, numba counts references of all four arrays.
    """
    if by_posting:
        begin_to_read(place, wanted, seekers, codes)
    else:
        begin_to_read(place, wanted, postings, codes)


@inlined
def begin_to_read(
    place: int, wanted: NDArray[np.int32], counterparts: NDArray[np.void], codes: NDArray[np.int32]
) -> None:
    """The same among the counterparts' rows."""
    last = wanted.size - 1
    prefetch(counterparts, wanted[min(place + ROWS_AHEAD, last)])
    at = counterparts[wanted[min(place + CODES_AHEAD, last)]].at
    prefetch(codes, at)
    prefetch(codes, at + LINE)
