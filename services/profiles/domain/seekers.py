"""What happens to a profile: it registers, changes, rests, leaves. Each change is the next version, whole."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Final, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from shared.contracts.profiles import (
    Profile,
    ProfilePaused,
    ProfileRegistered,
    ProfileStatus,
    ProfileTerms,
    ProfileUpdated,
    ProfileWithdrawn,
)

WORDS: Final = "words"
"""The field under which a seeker's words are sealed."""

ProfileT = TypeVar("ProfileT", bound=Profile)

Move = Callable[[Profile, datetime], Profile | None]
"""A decision that needs nothing but the time: the next version, or None if it is so already."""


class Contact(BaseModel):
    """How to reach a person. Personal: stays in this service, encrypted, and out of every log."""

    # an error that repeats its input would carry it into logs and answers
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, use_attribute_docstrings=True)

    name: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    phone: Annotated[str, Field(pattern=r"^\+?[0-9][0-9 ()-]{2,29}$")] | None = None
    """Digits, blanks, brackets and hyphens; a leading `+` for the country."""
    email: Annotated[str, Field(max_length=254, pattern=r"^[^@\s]+@[^@\s]+$")] | None = None

    def __repr__(self) -> str:
        return "Contact(…)"

    __str__ = __repr__


class SeekerSubmission(ProfileTerms):
    """A seeker's profile as it is sent in. A field that is not known is refused: it may be a misspelt one."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    contact: Contact | None = None
    """None leaves what is there; an empty object removes it."""
    words: Annotated[str, Field(max_length=4000)] | None = None
    """What the seeker looks for and brings, in own words, Chinese or English: "焊工，会看图纸". Occupations and skills
    that are read in them join those given by code; the words stay in this service, encrypted. None leaves what is
    there; an empty text removes it."""


class NotPossible(Exception):  # noqa: N818 - a decision, no fault of the program
    """The profile's status does not allow it."""


def register(
    seeker: str, terms: ProfileTerms, matchmakers: tuple[str, ...], now: datetime, linker: str | None = None
) -> ProfileRegistered:
    """Make the first version of a profile; `linker` read the seeker's words, if there are any."""
    return ProfileRegistered(
        id=seeker,
        version=1,
        status=ProfileStatus.ACTIVE,
        matchmakers=matchmakers,
        changed_at=now,
        linker=linker,
        **_parts(terms),
    )


def change(
    profile: Profile, terms: ProfileTerms, now: datetime, *, linker: str | None = None, unseen: bool = False
) -> ProfileUpdated | None:
    """Take over the new terms; None if nothing differs.

    `unseen`: something else differs, a contact or words. That is a new version, too, although the event does not
    show it: else an `If-Match` could overwrite it unseen.
    """
    if not unseen and _parts(profile) == _parts(terms):
        return None
    return ProfileUpdated(
        id=profile.id,
        version=profile.version + 1,
        status=profile.status,
        matchmakers=profile.matchmakers,
        changed_at=now,
        linker=linker,
        **_parts(terms),
    )


def pause(profile: Profile, now: datetime) -> ProfilePaused | None:
    """Stop recommendations for now; None if they are. Raises NotPossible for who has left."""
    if profile.status is ProfileStatus.WITHDRAWN:
        raise NotPossible
    return _moved(profile, ProfilePaused, ProfileStatus.PAUSED, now)


def resume(profile: Profile, now: datetime) -> ProfileUpdated | None:
    """Become active again, after a pause or after having left; None if active."""
    return _moved(profile, ProfileUpdated, ProfileStatus.ACTIVE, now)


def withdraw(profile: Profile, now: datetime) -> ProfileWithdrawn | None:
    """Leave; the profile is kept until it is erased. None if gone already."""
    return _moved(profile, ProfileWithdrawn, ProfileStatus.WITHDRAWN, now)


def restated(profile: Profile) -> Profile:
    """Say the present version again, as the event that fits its status."""
    kind: dict[ProfileStatus, type[Profile]] = {
        ProfileStatus.ACTIVE: ProfileUpdated,
        ProfileStatus.PAUSED: ProfilePaused,
        ProfileStatus.WITHDRAWN: ProfileWithdrawn,
    }
    return kind[profile.status](**_fields(profile))


def _moved(profile: Profile, event: type[ProfileT], status: ProfileStatus, now: datetime) -> ProfileT | None:
    if profile.status is status:
        return None
    changes = {"version": profile.version + 1, "status": status, "changed_at": now}
    return event(**_fields(profile) | changes)


def _parts(terms: ProfileTerms) -> dict[str, object]:
    return {name: getattr(terms, name) for name in ProfileTerms.model_fields}


def _fields(profile: Profile) -> dict[str, object]:
    return {name: getattr(profile, name) for name in Profile.model_fields}
