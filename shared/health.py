"""`/health/live`, `/health/ready` and `/metrics`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import BaseModel

if TYPE_CHECKING:
    from shared.service import Service


class Health(BaseModel):
    """The whole, and each part."""

    ok: bool
    parts: dict[str, bool]
    degraded: dict[str, bool] = {}
    """What is away although the service does its work; false means away."""


def router(service: Service) -> APIRouter:
    """The routes that platforms ask, without a token."""
    routes = APIRouter(tags=["operations"])

    @routes.get("/health/live", summary="Would a restart help?")
    async def live(response: Response) -> Health:
        parts = await service.live()
        ok = all(parts.values())
        response.status_code = 200 if ok else 503
        return Health(ok=ok, parts=parts)

    @routes.get("/health/ready", summary="Can it do its work now?")
    async def ready(response: Response) -> Health:
        parts = await service.ready()
        ok = all(parts.values())
        response.status_code = 200 if ok else 503
        return Health(ok=ok, parts=parts, degraded=service.degraded())

    @routes.get("/metrics", include_in_schema=False)
    async def metrics() -> Response:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    return routes
