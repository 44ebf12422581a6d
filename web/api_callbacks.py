"""Callbacks over HTTP: the list that the page Lịch hẹn gọi lại shows, and the mark that one is done."""

from __future__ import annotations

from datetime import date
from typing import Annotated

import msgspec
from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from crm.callbacks import CallbackFilter, finish_callback, list_callbacks
from web.deps import WebDeps
from web.i18n import DEFAULT_ZONE


def make_callback_router(deps: WebDeps) -> APIRouter:
    """Build `/api/callbacks` and `/api/callbacks/done`; `web.guard` has let the asker in."""
    router = APIRouter(prefix="/api/callbacks")

    @router.get("")
    async def callbacks(  # noqa: PLR0917 -- the address's parameters
        campaign_id: int | None = None,
        day: date | None = None,
        zone: str = DEFAULT_ZONE,
        done: bool = False,  # noqa: FBT001, FBT002 -- the address's parameter
        limit: Annotated[int, Query(ge=1, le=1000)] = 50,
        offset: Annotated[int, Query(ge=0)] = 0,
    ) -> Response:
        page = await list_callbacks(
            deps.engine, CallbackFilter(campaign_id, day, zone, done), offset=offset, limit=limit
        )
        return Response(msgspec.json.encode(page), media_type="application/json", headers={"Cache-Control": "no-store"})

    @router.post("/done")
    async def finish(request: Request, key: str) -> Response:
        by = str(request.session.get("user", "api"))
        await finish_callback(deps.engine, key, by=by, now=deps.now())
        return Response(status_code=204)

    return router
