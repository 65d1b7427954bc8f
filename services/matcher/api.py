"""The matcher over HTTP: translates and delegates."""

# Annotations are evaluated where they stand: they name the router's own dependencies.

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query
from pydantic import BaseModel, ConfigDict

from services.matcher.domain.answers import Judgement
from services.matcher.domain.changes import What
from services.matcher.domain.reasons import Gain, Outlook
from services.matcher.domain.saying import FEW, say_change, say_gain, say_shut_out
from services.matcher.usecases.questions import Questions
from shared.auth import Authenticator, Principal
from shared.contracts.common import Id, Texts
from shared.contracts.recommendations import PRIVATE_EVIDENCE, AnchorKind, AsOf, Components, Entry, Evidence
from shared.refusals import explain_gate
from shared.rendering import Reader, explain
from shared.wording import Labels

NOTHING_PRIVATE = {name: Evidence.model_fields[name].default for name in PRIVATE_EVIDENCE}


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


class PossibleChange(BaseModel):
    """One fact of a posting or a seeker that would be another."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    of: AnchorKind
    """Whose fact it is."""
    what: What
    """The gate that compares it; `remote` opens that of the region; `skills` is none."""
    names: tuple[str, ...]
    """Codes (`scheme:code`) that come to it, or licences that a posting no longer asks for; or the new level of
    education or type of contract."""
    to: int | None
    """Pay a month (the upper end of a posting's, a seeker's least), or months of experience."""
    by: int
    """How far that is from what it is; 0 for what is no amount."""
    currency: str | None
    explanation: Texts


class CountedChange(PossibleChange):
    """A change, and what would come of it. A count is null if it is 1 to 4 people and the caller is no operator."""

    gained: int | None
    """Counterparts that are not recommendable now and would be. Of a skill: postings of which the seeker passes all
    gates and lacks no other required skill."""
    lost: int | None
    """Counterparts that are recommendable now and would not be."""
    best: bool
    """Of all steps of pay it brings most for each unit."""


class ShutOut(BaseModel):
    """A gate, and how many would be recommendable if it did not exist; null as in CountedChange."""

    gate: str
    count: int | None
    explanation: Texts


class Prospects(BaseModel):
    """Whom a posting or a seeker gets, whom not, and what would help; each change is counted alone."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    kind: AnchorKind
    anchor: Id
    anchor_version: int
    active: bool
    """False: closed, paused, withdrawn or without consent; then nobody is counted."""
    as_of: AsOf
    policy: str
    others: int | None
    """Active seekers, or open postings, in all; null as in CountedChange."""
    recommendable: int | None
    """Of these."""
    shut_out: list[ShutOut]
    """Most first."""
    changes: list[CountedChange]
    """By kind, from the least step on, or what brings most first."""


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
    changes: list[PossibleChange]
    """For each gate that failed, the nearest change on either side that opens it."""
    explanation: Texts


def router(questions: Questions, auth: Authenticator) -> APIRouter:
    """Make the routes of this service."""
    routes = APIRouter(tags=["recommendations"])
    anyone = Annotated[Principal, Depends(auth.require("seeker", "employer", "matchmaker", "operator"))]
    labels = questions.world.label

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
                _explained(entry, labels, "seeker" if kind is AnchorKind.SEEKER else "employer")
                for entry in body.entries
            ],
        )

    @routes.get("/explain")
    async def why(caller: anyone, posting: Annotated[Id, Query()], seeker: Annotated[Id, Query()]) -> Explanation:
        """Why a pair suits or does not, for those who may see both."""
        found, changes = await questions.judge(caller, posting, seeker)
        entry = Entry(
            id=posting,
            version=found.posting_version,
            points=found.points,
            components=found.components,
            matched=found.matched,
            missing=found.missing,
            unknown=found.unknown,
            evidence=found.evidence,
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
            changes=[PossibleChange(**asdict(one), explanation=say_change(one, labels)) for one in changes],
            explanation=_why(found, entry, labels, "employer" if caller.role == "employer" else "seeker"),
        )

    @routes.get("/postings/{anchor}/reach")
    async def reach(caller: anyone, anchor: Annotated[Id, Path()]) -> Prospects:
        """Whom a posting reaches, which gates shut people out, and what would bring more; for its employer."""
        found, as_of, policy = await questions.outlook(caller, AnchorKind.POSTING, anchor)
        return _prospects(AnchorKind.POSTING, anchor, found, as_of, policy, labels, private=caller.role != "operator")

    @routes.get("/seekers/{anchor}/unlocks")
    async def unlocks(caller: anyone, anchor: Annotated[Id, Path()]) -> Prospects:
        """Which gates shut a seeker out, and what would unlock more postings; for them and their matchmakers."""
        found, as_of, policy = await questions.outlook(caller, AnchorKind.SEEKER, anchor)
        return _prospects(AnchorKind.SEEKER, anchor, found, as_of, policy, labels, private=False)

    return routes


def _prospects(  # noqa: PLR0913 - the parts of the answer
    kind: AnchorKind, anchor: str, found: Outlook, as_of: AsOf, policy: str, labels: Labels, *, private: bool
) -> Prospects:
    """With `private`, a few people are not counted, so that nobody is singled out."""

    def told(count: int) -> int | None:
        return None if private and 0 < count < FEW else count

    def counted(gain: Gain) -> CountedChange:
        gained, lost = told(gain.gained), told(gain.lost)
        said = say_gain(gain, gained, lost, labels)
        return CountedChange(**asdict(gain.change), gained=gained, lost=lost, best=gain.best, explanation=said)

    return Prospects(
        kind=kind,
        anchor=anchor,
        anchor_version=found.version,
        active=found.active,
        as_of=as_of,
        policy=policy,
        others=told(found.others),
        recommendable=told(found.qualified),
        shut_out=[
            ShutOut(gate=gate, count=told(count), explanation=say_shut_out(kind, gate, told(count)))
            for gate, count in found.shut_out
        ],
        changes=[counted(gain) for gain in found.gains],
    )


def _explained(entry: Entry, labels: Labels, reader: Reader) -> ExplainedEntry:
    """With its explanation, and for an employer without what is the seeker's own business."""
    said = explain(entry, labels, reader)
    fields = dict(entry)
    if reader == "employer" and entry.evidence is not None:
        fields["evidence"] = entry.evidence.model_copy(update=NOTHING_PRIVATE)
    return ExplainedEntry.model_construct(**fields, explanation=said)


def _why(found: Judgement, entry: Entry, labels: Labels, reader: Reader) -> Texts:
    """What counts for the pair, or the first thing that speaks against it."""
    if found.recommendable:
        return explain(entry, labels, reader)
    against = found.failed[0] if found.failed else "minimum" if found.relevant else "relevance"
    return explain_gate(against)
