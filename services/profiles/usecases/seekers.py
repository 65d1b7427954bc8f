"""One seeker: register, read, change, pause, resume, withdraw, erase."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import uuid4

from services.profiles.domain import seekers
from services.profiles.domain.linked import as_said, with_found
from services.profiles.domain.seekers import WORDS, Contact
from services.profiles.store import Stored
from services.profiles.usecases.context import (
    event_row,
    gone,
    may_see_contact,
    reach,
    standing,
    tombstone_row,
)
from shared import outbox
from shared.http import Problem, not_found, require_match
from shared.idempotency import Answer, once
from shared.mongo import DuplicateKey

if TYPE_CHECKING:
    from collections.abc import Sequence

    from services.profiles.domain.seekers import Move, SeekerSubmission
    from services.profiles.usecases.context import Context
    from shared.auth import Principal
    from shared.contracts.profiles import Profile
    from shared.linking.reading import Found
    from shared.mongo import Document, Session


def new_id() -> str:
    """Make a pseudonymous id for a seeker whom somebody else registers."""
    return f"s-{uuid4().hex}"


async def register(
    context: Context, caller: Principal, submission: SeekerSubmission, idempotency_key: str | None
) -> Answer:
    """Register the calling seeker under its own id, or somebody else under a new one.

    Raises Problem 409 for a seeker who is registered, 410 for one who was erased.
    """
    own = caller.role == "seeker"
    seeker = caller.sub if own else new_id()
    matchmakers = (caller.sub,) if caller.role == "matchmaker" else ()
    (found,) = await context.reader.seekers([submission.words or ""])
    stored = new(context, seeker, submission, found, matchmakers, datetime.now(UTC))
    profile = stored.profile

    async def work(session: Session) -> Answer:
        await context.store.insert([stored], session)
        await outbox.add(context.mongo.db, session, [event_row(profile)])
        return standing(profile, 201)

    fingerprint = context.keys.fingerprint(b"register", submission.model_dump_json().encode())
    try:
        answer = await once(context.mongo, caller.key, idempotency_key, fingerprint, work)
    except DuplicateKey as error:
        raise gone() if await context.store.was_erased(seeker) else _registered_before(seeker) from error
    await context.wake_relay()
    return answer


def new(
    context: Context,
    seeker: str,
    submission: SeekerSubmission,
    found: Found,
    matchmakers: tuple[str, ...],
    now: datetime,
) -> Stored:
    """A seeker who registers, with what was found in the words."""
    linker = context.reader.version if submission.words else None
    terms = with_found(as_said(submission), found)
    return Stored(
        seekers.register(seeker, terms, matchmakers, now, linker),
        context.keys.seal(seeker, submission.contact or Contact()),
        context.keys.seal_text(seeker, WORDS, submission.words) if submission.words else None,
    )


def _registered_before(seeker: str) -> Problem:
    return Problem(
        409,
        "already_registered",
        "You are registered; change your profile with PUT.",
        "您已登记，请用 PUT 修改档案。",
        headers={"Location": f"/seekers/{seeker}"},
    )


async def read(context: Context, caller: Principal, seeker: str) -> tuple[Profile, Contact | None, str | None]:
    """A profile, and contact and words for those who may see them. Raises Problem 404 or 410."""
    stored = await reach(context, caller, seeker)
    if not may_see_contact(caller):
        return stored.profile, None, None
    return stored.profile, context.keys.open(seeker, stored.contact), _words(context, stored)


def _words(context: Context, stored: Stored) -> str | None:
    return None if stored.words is None else context.keys.open_text(stored.profile.id, WORDS, stored.words)


async def page(context: Context, caller: Principal, after: str, limit: int) -> list[Profile]:
    """Profiles with ids above `after`: a matchmaker's own, or all for an operator; without contacts."""
    return await context.store.page(after, limit, caller.sub if caller.role == "matchmaker" else None)


async def change(
    context: Context, caller: Principal, seeker: str, submission: SeekerSubmission, if_match: str | None
) -> Answer:
    """Take over a profile, whole; contact and words that are left out stay. Unchanged keeps version and ETag.

    Raises Problem 404, 410, 412 or 428.
    """

    async def work(session: Session) -> Answer:
        stored = await reach(context, caller, seeker, session)
        require_match(if_match, stored.profile.version)
        contact, contact_changed = stored.contact, False
        if submission.contact is not None:
            contact_changed = submission.contact != context.keys.open(seeker, stored.contact)
            if contact_changed:
                contact = context.keys.seal(seeker, submission.contact)
        sealed, before = stored.words, _words(context, stored) or ""
        words = before if submission.words is None else submission.words
        if words != before:
            sealed = context.keys.seal_text(seeker, WORDS, words) if words else None
        (found,) = await context.reader.seekers([words])
        changed = seekers.change(
            stored.profile,
            with_found(as_said(submission), found),
            datetime.now(UTC),
            linker=context.reader.version if words else None,
            unseen=contact_changed or words != before,
        )
        return await _save(context, stored.profile, Stored(changed, contact, sealed) if changed else None, session)

    answer = await context.mongo.transaction(work)
    await context.wake_relay()
    return answer


async def move(context: Context, caller: Principal, seeker: str, decide: Move, idempotency_key: str | None) -> Answer:
    """Pause, resume or withdraw. Raises Problem 404, 410, or 409 if the status does not allow it."""

    async def work(session: Session) -> Answer:
        stored = await reach(context, caller, seeker, session)
        try:
            moved = decide(stored.profile, datetime.now(UTC))
        except seekers.NotPossible as error:
            en, zh = "The seeker has left; resume first.", "该求职者已退出，请先恢复。"
            raise Problem(409, "withdrawn", en, zh) from error
        return await _save(context, stored.profile, replace(stored, profile=moved) if moved else None, session)

    fingerprint = context.keys.fingerprint(decide.__name__.encode(), seeker.encode())
    answer = await once(context.mongo, caller.key, idempotency_key, fingerprint, work)
    await context.wake_relay()
    return answer


async def _save(context: Context, before: Profile, after: Stored | None, session: Session) -> Answer:
    if after is None:
        return standing(before)
    await context.store.replace(after, session)
    await outbox.add(context.mongo.db, session, [event_row(after.profile)])
    return standing(after.profile)


async def erase(context: Context, caller: Principal, seeker: str) -> None:
    """Forget a seeker: when this returns, nothing but the id and a version is left here.

    Safe to repeat. Raises Problem 404.
    """

    async def work(session: Session) -> None:
        try:
            stored = await reach(context, caller, seeker, session)
        except Problem:
            if await _is_done(context, caller, seeker, session):
                return
            raise not_found() from None
        version = stored.profile.version + 1
        await context.store.erase(seeker, version, datetime.now(UTC), session)
        await outbox.add(context.mongo.db, session, [tombstone_row(seeker, version)])

    await context.mongo.transaction(work)
    await context.wake_relay()


async def _is_done(context: Context, caller: Principal, seeker: str, session: Session) -> bool:
    """Whether to say that it is done; whose an erased seeker was is not known any more."""
    may_have = caller.role != "seeker" or caller.sub == seeker
    return may_have and await context.store.was_erased(seeker, session)


async def restate(context: Context, ids: Sequence[str], session: Session) -> list[Document]:
    """Outbox rows with the present state of these seekers: a tombstone for one who is not here.

    Runs in the transaction that adds the rows, and conflicts with one that erases: otherwise a row could be
    added behind the tombstone of a seeker who was just erased.
    """
    present = await context.store.hold(ids, datetime.now(UTC), session)
    erased = await context.store.erased_versions(ids, session)
    return [
        event_row(seekers.restated(present[seeker]))
        if seeker in present
        else tombstone_row(seeker, erased.get(seeker, 1))
        for seeker in ids
    ]
