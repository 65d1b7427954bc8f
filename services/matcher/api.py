"""The matcher over HTTP: translates and delegates."""

# Annotations are evaluated where they stand: they name the router's own dependencies.

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query
from pydantic import BaseModel, ConfigDict

from services.matcher.domain.answers import Judgement
from services.matcher.usecases.questions import Questions
from shared.auth import Authenticator, Principal
from shared.contracts.common import Id, Texts
from shared.contracts.recommendations import AnchorKind, AsOf, Components, Entry
from shared.rendering import explain, explain_gate


class ExplainedEntry(Entry):
    """One counterpart, and why."""

    explanation: Texts


class CurrentList(BaseModel):
    """A list as of now; it is not issued to anybody by asking for it."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    kind: AnchorKind
    anchor: Id
    anchor_version: int
    active: bool
    as_of: AsOf
    policy: str
    entries: list[ExplainedEntry]


class Explanation(BaseModel):
    """One pair: the points and where they come from, or the gates that failed."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    posting: Id
    posting_version: int
    seeker: Id
    seeker_version: int
    recommendable: bool
    failed_gates: tuple[str, ...]
    unknown: tuple[str, ...]
    """Gates that passed only because a fact is missing."""
    points: int
    components: Components
    matched: tuple[str, ...]
    missing: tuple[str, ...]
    explanation: Texts


def router(questions: Questions, auth: Authenticator) -> APIRouter:
    """Make the routes of this service."""
    routes = APIRouter(tags=["recommendations"])
    anyone = Annotated[Principal, Depends(auth.require("seeker", "employer", "matchmaker", "operator"))]
    labels = questions.world.labels.get

    @routes.get("/lists/{kind}/{anchor}", response_model_exclude_none=True)
    async def current(caller: anyone, kind: AnchorKind, anchor: Annotated[Id, Path()]) -> CurrentList:
        """The best counterparts of a posting or a seeker, as of now."""
        body = await questions.current(caller, kind, anchor)
        return CurrentList(
            kind=kind,
            anchor=anchor,
            anchor_version=body.anchor_version,
            active=body.active,
            as_of=body.as_of,
            policy=body.policy,
            entries=[
                ExplainedEntry.model_construct(**dict(entry), explanation=explain(entry, labels))
                for entry in body.entries
            ],
        )

    @routes.get("/explain")
    async def why(caller: anyone, posting: Annotated[Id, Query()], seeker: Annotated[Id, Query()]) -> Explanation:
        """Why a pair suits or does not, for those who may see both."""
        found = await questions.judge(caller, posting, seeker)
        entry = Entry(
            id=posting,
            version=found.posting_version,
            points=found.points,
            components=found.components,
            matched=found.matched,
            missing=found.missing,
            unknown=found.unknown,
        )
        return Explanation(
            posting=posting,
            posting_version=found.posting_version,
            seeker=seeker,
            seeker_version=found.seeker_version,
            recommendable=found.recommendable,
            failed_gates=found.failed,
            unknown=found.unknown,
            points=found.points,
            components=found.components,
            matched=found.matched,
            missing=found.missing,
            explanation=_why(found, entry, labels),
        )

    return routes


def _why(found: Judgement, entry: Entry, labels: Callable[[str], Texts | None]) -> Texts:
    """What counts for the pair, or the first thing that speaks against it."""
    if found.recommendable:
        return explain(entry, labels)
    against = found.failed[0] if found.failed else "minimum" if found.relevant else "relevance"
    return explain_gate(against)
