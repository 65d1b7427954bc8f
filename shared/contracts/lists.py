"""Lists as they are written and read by the thousand: `shared.contracts.recommendations`, its names, types, limits.

With 20 entries reading takes half as long as validating the contract, writing an eighth, and entries are made without
being validated. `tests/unit/shared/test_lists.py` holds the two against each other, to the byte.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct

from shared.contracts.common import Benefit, Education, KeyGroup, in_years
from shared.contracts.recommendations import LIST_SIZE, AnchorKind, RecommendationsRefreshed
from shared.errors import Rejected

# `\Z`, because Python's `$` also matches before a line's end.
Id = Annotated[str, Meta(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:-]*\Z")]
Version = Annotated[int, Meta(ge=1, le=2**63 - 1)]
Months = Annotated[int, Meta(ge=0, le=720)]
Currency = Annotated[str, Meta(pattern=r"^[A-Z]{3}\Z")]
Number = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]
"""Whole; msgspec itself takes any, and cannot write more than 64 bits."""
Natural = Annotated[int, Meta(ge=0, le=2**63 - 1)]
Offsets = tuple[Natural, ...]


class AsOfBody(Struct, frozen=True, gc=False):
    """An `AsOf`."""

    postings: Offsets
    profiles: Offsets


class ComponentsBody(Struct, frozen=True, gc=False, omit_defaults=True):
    """`Components`, in their order."""

    occupation: Number = 0
    required_skills: Number = 0
    preferred_skills: Number = 0
    education: Number = 0
    experience: Number = 0
    place: Number = 0
    pay: Number = 0
    benefits: Number = 0
    key_group: Number = 0


class EvidenceBody(Struct, frozen=True, gc=False, omit_defaults=True):
    """An `Evidence`. What says nothing must be the default itself, so that it is left out: `()`, not an equal list."""

    same_occupation: bool = False
    required: Number = 0
    preferred: Number = 0
    related: tuple[tuple[str, str], ...] = ()
    education_asked: Education | None = None
    education: Education | None = None
    months_asked: Months | None = None
    months: Months | None = None
    km: Natural | None = None
    at_home: bool = False
    remote: bool = False
    pay_low: Number | None = None
    pay_high: Number | None = None
    currency: Currency | None = None
    benefits_needed: Number = 0
    benefits: tuple[Benefit, ...] = ()
    key_groups: tuple[KeyGroup, ...] = ()


class EntryBody(Struct, frozen=True, gc=False, omit_defaults=True):
    """An `Entry`."""

    id: Id
    version: Version
    points: Number
    components: ComponentsBody
    matched: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    evidence: EvidenceBody | None = None
    employer_id: Id | None = None


class ListBody(Struct, frozen=True, gc=False, omit_defaults=True):
    """A `RecommendationsRefreshed`."""

    kind: AnchorKind
    anchor: Id
    revision: Version
    anchor_version: Version
    as_of: AsOfBody
    now: Annotated[datetime, Meta(tz=True)]
    policy: Annotated[str, Meta(max_length=40)]
    taxonomy: Annotated[str, Meta(max_length=80)] | None = None
    active: bool = True
    employer_id: Id | None = None
    entries: Annotated[tuple[EntryBody, ...], Meta(max_length=LIST_SIZE)] = ()


encode: Final = msgspec.json.Encoder().encode
"""A list as the JSON that goes on its topic: the contract's, without what has its default."""
_decode: Final = msgspec.json.Decoder(ListBody).decode


def read(value: bytes) -> ListBody:
    """A list as it lies on its topic. Raises pydantic's ValidationError, or Rejected, for what is none.

    What lies in fields that a list does not have is passed over unread: it may be nested as deeply as it likes.
    """
    try:
        value.decode()
        body = _decode(value)
        in_years(body.now)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        # The contract says what is wrong; and it takes some things that are plain to it, a number as text for one.
        return body_of(RecommendationsRefreshed.model_validate_json(value))
    return body


def body_of(contract: RecommendationsRefreshed) -> ListBody:
    """The same list. Raises Rejected for numbers of more than 64 bits."""
    try:
        return _decode(contract.model_dump_json(exclude_defaults=True))
    except msgspec.MsgspecError as error:
        raise Rejected("a number has more than 64 bits", code="number_too_large") from error


def contract_of(body: ListBody) -> RecommendationsRefreshed:
    """The same list, for who wants the contract itself."""
    return RecommendationsRefreshed.model_validate_json(encode(body))
