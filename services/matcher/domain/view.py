"""All that a question reads, as one thing that compiled code takes as it is.

Handing over forty arrays costs numba a look at each, 20 us and more: as long as many a question takes. A `View` is
made when one of them has changed, and costs a question one look. Compiled.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from numba import types
from numba.experimental import structref

from services.matcher.domain.compiled import compiled

if TYPE_CHECKING:
    from services.matcher.domain.columns import Columns, Tables
    from services.matcher.domain.policy import Weights
    from services.matcher.domain.search import Scratch

FIELDS = ("postings", "seekers", "tables", "weights", "scratch")


class View(structref.StructRefProxy):
    """Columns, tables, weights and room, as they are now."""

    if TYPE_CHECKING:
        postings: Columns
        seekers: Columns
        tables: Tables
        weights: Weights
        scratch: Scratch


@structref.register
class ViewType(types.StructRef):
    """What numba knows a `View` by."""

    def preprocess_fields(self, fields: Any) -> Any:  # noqa: ANN401 - numba's own
        """No type of a constant."""
        return tuple((name, types.unliteral(kind)) for name, kind in fields)  # type: ignore[no-untyped-call]


structref.define_boxing(ViewType, View)  # type: ignore[no-untyped-call]
structref.define_constructor(View, ViewType, FIELDS)  # type: ignore[no-untyped-call]


@compiled
def view_of(postings: Columns, seekers: Columns, tables: Tables, weights: Weights, scratch: Scratch) -> View:
    """These, as one."""
    return View(postings, seekers, tables, weights, scratch)  # type: ignore[no-untyped-call]
