"""HTTP in: the same vacancy from two sources.

Annotations are evaluated at once (no `from __future__`), because each route's caller depends on `auth`.
"""

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict

from services.postings.domain.duplicates import Pair, PairState
from services.postings.domain.employer import NewPartnerId
from services.postings.usecases import duplicates
from services.postings.usecases.context import Context
from shared.auth import Authenticator, Principal
from shared.contracts.common import Id, Version
from shared.contracts.postings import Posting
from shared.http import Limit, decode_cursor, encode_cursor

Cursor = Annotated[str | None, Query(description="`next` of the page before.")]


class _Body(BaseModel):
    model_config = ConfigDict(use_attribute_docstrings=True)


class DuplicatePair(_Body):
    """Two postings, and what is held of them."""

    pair: Pair
    first: Posting
    """The one of them that is `merged_into` the other, if any is, is not recommended."""
    second: Posting


class DuplicatePage(_Body):
    """Pairs in the order of their ids."""

    items: list[DuplicatePair]
    next: str | None = None
    """Cursor of the next page; null on the last."""


class MergedPosting(_Body):
    """A partner's posting in whose place seekers are shown another source's."""

    posting_id: Id
    partner_posting_id: str | None
    version: Version
    merged_into: Id


class MergedPage(_Body):
    """Merged postings in the order of their ids."""

    items: list[MergedPosting]
    next: str | None = None
    """Cursor of the next page; null on the last."""


def router(context: Context, auth: Authenticator) -> APIRouter:
    """What operators say of pairs, and what a partner reads of its own."""
    routes = APIRouter()
    operator = Depends(auth.require("operator"))

    @routes.get("/duplicates", dependencies=[operator], tags=["duplicates"])
    async def list_duplicates(
        state: PairState = PairState.DOUBT, cursor: Cursor = None, limit: Limit = 50
    ) -> DuplicatePage:
        """Pairs of postings that are, or may be, the same vacancy: those first that an operator should look at."""
        after = "" if cursor is None else decode_cursor(cursor)
        items, last = await duplicates.page(context, state, after, limit)
        return DuplicatePage(items=[_pair(one) for one in items], next=None if last is None else encode_cursor(last))

    @routes.post("/duplicates/{first}/{second}/merge", tags=["duplicates"])
    async def merge_duplicates(first: Id, second: Id, caller: Annotated[Principal, operator]) -> DuplicatePair:
        """Say that two postings are one vacancy, until one of them says something else. Safe to repeat."""
        return _pair(await duplicates.decide(context, caller, (first, second), accepted=True))

    @routes.post("/duplicates/{first}/{second}/part", tags=["duplicates"])
    async def part_duplicates(first: Id, second: Id, caller: Annotated[Principal, operator]) -> DuplicatePair:
        """Say that two postings are not one vacancy: they are not merged again. Safe to repeat."""
        return _pair(await duplicates.decide(context, caller, (first, second), accepted=False))

    @routes.get("/partners/{partner_id}/merged", tags=["partners"])
    async def list_merged(
        partner_id: NewPartnerId,
        caller: Annotated[Principal, Depends(auth.require("partner", "operator"))],
        cursor: Cursor = None,
        limit: Limit = 50,
    ) -> MergedPage:
        """A partner's open postings that are merged into another source's, for itself and for operators."""
        after = "" if cursor is None else decode_cursor(cursor)
        found, more = await duplicates.merged(context, caller, partner_id, after, limit)
        items = [
            MergedPosting(
                posting_id=one.id,
                partner_posting_id=one.source.id,
                version=one.version,
                merged_into=one.merged_into or one.id,
            )
            for one in found
        ]
        return MergedPage(items=items, next=encode_cursor(found[-1].id) if more else None)

    return routes


def _pair(shown: duplicates.Shown) -> DuplicatePair:
    return DuplicatePair(pair=shown.pair, first=shown.first, second=shown.second)
