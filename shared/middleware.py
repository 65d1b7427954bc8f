"""Every request: a span that continues the caller's trace, its time, and whether its events are delayed."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from opentelemetry import trace

from shared import metrics, telemetry

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

_QUIET = ("/health", "/metrics")


class Observed:
    """ASGI middleware; plain, because the ready-made base classes cost more than the request."""

    def __init__(self, app: ASGIApp, publishing_delayed: Callable[[], bool]) -> None:
        self._app = app
        self._delayed = publishing_delayed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, and observe."""
        if scope["type"] != "http" or scope["path"].startswith(_QUIET):
            await self._app(scope, receive, send)
            return
        started, status = time.perf_counter(), 500

        async def observed(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = message.setdefault("headers", [])
                context = trace.get_current_span().get_span_context()
                headers.append((b"trace-id", f"{context.trace_id:032x}".encode()))
                if self._delayed() and scope["method"] not in {"GET", "HEAD"}:
                    headers.append((b"x-publishing", b"delayed"))
            await send(message)

        caller = next((value.decode("latin-1") for name, value in scope["headers"] if name == b"traceparent"), None)
        with telemetry.server_span(f"{scope['method']}", caller) as span:
            try:
                await self._app(scope, receive, observed)
            finally:
                route = getattr(scope.get("route"), "path", "unknown")
                span.update_name(f"{scope['method']} {route}")
                span.set_attribute("http.response.status_code", status)
                metrics.HTTP_SECONDS.labels(scope["method"], route, str(status)).observe(time.perf_counter() - started)
