"""What every use case needs, and who may reach which seeker."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from shared.contracts.registry import PROFILES
from shared.http import Problem, etag, not_found
from shared.idempotency import Answer
from shared.outbox import outbox_row

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from services.profiles.domain.contacts import KeyRing
    from services.profiles.store import Store, Stored
    from shared.auth import Principal
    from shared.contracts.profiles import Profile
    from shared.linking.reader import Reader
    from shared.mongo import Document, Mongo, Session

SOURCE: Final = "urn:service:profiles"


@dataclass(frozen=True, slots=True)
class Context:
    """The service's parts, put together in `app`."""

    mongo: Mongo
    store: Store
    keys: KeyRing
    reader: Reader
    """Reads seekers' words."""
    wake_relay: Callable[[], Awaitable[None]]


def may_reach(caller: Principal, profile: Profile) -> bool:
    """Whether it is theirs: a seeker's own, a matchmaker's of whom they accompany, for operators all."""
    if caller.role == "seeker":
        return caller.sub == profile.id
    if caller.role == "matchmaker":
        return caller.sub in profile.matchmakers
    return caller.role == "operator"


def may_see_contact(caller: Principal) -> bool:
    """Whether the contact of a seeker within reach is shown: operators run the service and need none."""
    return caller.role in {"seeker", "matchmaker"}


async def reach(context: Context, caller: Principal, seeker: str, session: Session | None = None) -> Stored:
    """Load a seeker within the caller's reach.

    Raises Problem 404 if there is none or it is not theirs (the same answer for both), and 410 for one that
    was erased, if the caller is that seeker or an operator.
    """
    if caller.role == "seeker" and caller.sub != seeker:
        raise not_found()
    stored = await context.store.find(seeker, session)
    if stored is None:
        if caller.role in {"seeker", "operator"} and await context.store.was_erased(seeker, session):
            raise gone()
        raise not_found()
    if not may_reach(caller, stored.profile):
        raise not_found()
    return stored


def gone() -> Problem:
    """The seeker was erased; the id is never used again."""
    return Problem(
        410,
        "erased",
        "This profile was erased; its id is never used again.",
        "该档案已删除，其编号不再使用。",
    )


def event_row(profile: Profile) -> Document:
    """The outbox row of a profile's version; the model's class is the event."""
    return outbox_row(
        channel_topic=PROFILES,
        key=profile.id,
        event_type=type(profile).__name__,
        body=profile,
        version=profile.version,
        source=SOURCE,
    )


def tombstone_row(seeker: str, version: int) -> Document:
    """The outbox row that says that a seeker was erased."""
    return outbox_row(channel_topic=PROFILES, key=seeker, event_type="", body=None, version=version, source=SOURCE)


def standing(profile: Profile, status: int = 200) -> Answer:
    """Answer a command with where the profile stands. Nothing personal: such answers are kept for a day."""
    headers = {"ETag": etag(profile.version), "Location": f"/seekers/{profile.id}"}
    body = {"id": profile.id, "version": profile.version, "status": profile.status.value}
    return Answer(status, body, headers)
