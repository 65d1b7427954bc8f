"""HTTP in: inboxes and streams. A recipient sees their own; an operator may read any."""

import time
from collections.abc import AsyncIterator, Sequence
from typing import Annotated, Literal

import jwt
from fastapi import APIRouter, Depends, Header, Query, Request
from fastapi.sse import EventSourceResponse, ServerSentEvent

from services.notifications import domain
from services.notifications.domain import Gap, Item, Recipient, State
from services.notifications.settings import NotificationsSettings
from services.notifications.usecases.inbox import Inboxes, act, bring_up_to_date, cards
from services.notifications.usecases.streams import Calls, Told, follow
from services.notifications.views import InboxCounts, InboxItem, InboxPage, gap_notice, inbox_items
from shared.auth import Authenticator, Principal
from shared.http import Limit, Problem, decode_cursor, encode_cursor, forbidden, not_found

Status = Literal["new", "read", "dismissed", "not_interested", "live", "retracted"]

COMMANDS = (("read", State.READ), ("dismiss", State.DISMISSED), ("not-interested", State.NOT_INTERESTED))
_RECIPIENT = r"^(seeker|employer):.{1,64}$"
_LONGEST_ID = 18
"""Digits that certainly fit into 64 bits."""


class Access:
    """Whose inbox a caller may read or act upon: dependencies of the routes."""

    def __init__(self, auth: Authenticator) -> None:
        async def own(principal: Annotated[Principal, Depends(auth)]) -> Recipient:
            """The caller's inbox. Raises Problem 403 if the caller's role has none."""
            return _inbox_of(principal)

        async def readable(
            principal: Annotated[Principal, Depends(auth)],
            recipient: Annotated[
                str | None,
                Query(
                    pattern=r"^(seeker|employer):.{1,64}$",
                    description="Operators: `seeker:<id>`, `employer:<id>`.",
                ),
            ] = None,
        ) -> Recipient:
            """The caller's inbox, or any for an operator. Raises Problem 403."""
            if principal.role == "operator" and recipient is not None:
                return recipient
            mine = _inbox_of(principal)
            if recipient not in {None, mine}:
                raise forbidden()
            return mine

        self.own = own
        self.readable = readable


def _inbox_of(principal: Principal) -> Recipient:
    if principal.role == "seeker":
        return domain.seeker_recipient(principal.sub)
    if principal.role == "employer" and principal.employer:
        return domain.employer_recipient(principal.employer)
    raise forbidden()


async def last_seen(
    header: Annotated[str | None, Header(alias="Last-Event-ID")] = None,
    last_event_id: Annotated[str | None, Query(description="Where the header cannot be sent.")] = None,
) -> int:
    """The number up to which the reader has seen the inbox; 0 for none. Raises Problem 400."""
    text = header or last_event_id or "0"
    if not (text.isascii() and text.isdigit() and len(text) <= _LONGEST_ID):
        raise Problem(400, "invalid_event_id", "This Last-Event-ID is none of ours.", "Last-Event-ID 无效。")
    return int(text)


def router(inboxes: Inboxes, calls: Calls, auth: Authenticator, settings: NotificationsSettings) -> APIRouter:
    """The routes of notifications."""
    access = Access(auth)
    routes = APIRouter(tags=["notifications"])
    _reading(routes, inboxes, access)
    for verb, state in COMMANDS:
        _command(routes, inboxes, calls, access, verb, state)
    _stream(routes, inboxes, calls, access, settings)
    return routes


async def _rendered(inboxes: Inboxes, recipient: Recipient, items: Sequence[Item]) -> list[InboxItem]:
    return inbox_items(recipient, items, await cards(inboxes, items))


def _reading(routes: APIRouter, inboxes: Inboxes, access: Access) -> None:
    @routes.get("/inbox", summary="What is recommended to you")
    async def inbox(
        recipient: Annotated[Recipient, Depends(access.readable)],
        status: Annotated[Status | None, Query()] = None,
        cursor: Annotated[str | None, Query()] = None,
        limit: Limit = 50,
    ) -> InboxPage:
        before = _before(cursor)
        now = await bring_up_to_date(inboxes, recipient)
        live = {"live": True, "retracted": False}.get(status or "")
        state = State(status) if status is not None and live is None else None
        items = await inboxes.store.page(recipient, state=state, live=live, before=before, limit=limit + 1)
        more = encode_cursor(str(items[limit - 1].seq)) if len(items) > limit else None
        return InboxPage(items=await _rendered(inboxes, recipient, items[:limit]), next=more, seq=now.seq)

    @routes.get("/inbox/counts", summary="How much is there")
    async def counts(recipient: Annotated[Recipient, Depends(access.readable)]) -> InboxCounts:
        await bring_up_to_date(inboxes, recipient)
        live, new = await inboxes.store.counts(recipient)
        return InboxCounts(live=live, new=new)


def _command(routes: APIRouter, inboxes: Inboxes, calls: Calls, access: Access, verb: str, state: State) -> None:
    @routes.post(f"/inbox/{{item}}/{verb}", name=f"mark_{state}", summary=f"Mark as {state}; idempotent")
    async def mark(item: str, recipient: Annotated[Recipient, Depends(access.own)]) -> InboxItem:
        changed = await act(inboxes, recipient, item, state)
        if changed is None:
            raise not_found()
        await calls.call([recipient])
        (rendered,) = await _rendered(inboxes, recipient, [changed])
        return rendered


def _stream(routes: APIRouter, inboxes: Inboxes, calls: Calls, access: Access, settings: NotificationsSettings) -> None:
    async def a_free_place() -> None:
        if calls.open_streams >= settings.stream_limit:
            raise Problem(
                503,
                "too_many_streams",
                "Too many streams are open here; try again, or read /inbox.",
                "打开的数据流过多，请稍后重试，或读取 /inbox。",
                headers={"Retry-After": "5"},
            )

    @routes.get(
        "/stream",
        response_class=EventSourceResponse,
        summary="Your inbox as server-sent events",
        dependencies=[Depends(a_free_place)],
    )
    async def stream(
        request: Request,
        recipient: Annotated[Recipient, Depends(access.readable)],
        after: Annotated[int, Depends(last_seen)],
    ) -> AsyncIterator[ServerSentEvent]:
        """Replays every change after `Last-Event-ID` (without it: the whole inbox), then tells what comes.

        Events `recommended`, `updated` and `retracted` carry the whole item. Of an item that changed several
        times only the newest is told, so take an `updated` item that you do not know as recommended. `gap`
        means: read `/inbox` again. Ends when the token expires.
        """
        lasts_s = _expires_at(request) - time.time()
        keep_alive_s = settings.stream_keep_alive_s
        async for news in follow(inboxes, calls, recipient, after, keep_alive_s=keep_alive_s, lasts_s=lasts_s):
            if isinstance(news, Told):
                for item, body in zip(news.items, await _rendered(inboxes, recipient, news.items), strict=True):
                    event = domain.event_of(item, news.after)
                    yield ServerSentEvent(data=body, event=event, id=str(item.seq))
            elif isinstance(news, Gap):
                yield ServerSentEvent(data=gap_notice(news), event="gap", id=str(news.end))
            else:
                yield ServerSentEvent(comment="keep-alive")


def _before(cursor: str | None) -> int | None:
    if cursor is None:
        return None
    text = decode_cursor(cursor)
    if not text.isdigit():
        raise Problem(400, "invalid_cursor", "This cursor is none of ours.", "游标无效。")
    return int(text)


def _expires_at(request: Request) -> float:
    """When the caller's token expires (seconds since 1970); `auth` has checked the token before."""
    token = request.headers["authorization"].partition(" ")[2].strip()
    return float(jwt.decode(token, options={"verify_signature": False})["exp"])
