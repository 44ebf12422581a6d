"""The JSON API over a running service: call records for the command line, and the service's health."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Final

import msgspec
from fastapi import APIRouter, Query, Request
from starlette.responses import JSONResponse, Response

from cdr.queries import LIMIT_MAX, PAGE
from dialer.errors import BadInput
from dialer.metrics import CONTENT_TYPE
from web.api_analysts import make_analyst_router
from web.api_filter import read_filter
from web.deps import HasCalls, Health

Limit = Annotated[int, Query(ge=1, le=LIMIT_MAX)]
Offset = Annotated[int, Query(ge=0)]
_OK: Final = "ok"


def make_health_router(health: Callable[[], Health], metrics: Callable[[], str]) -> APIRouter:
    """Build `/livez` (the process answers), `/readyz` (each dependency; 503 while one is not "ok") and `/metrics`."""
    router = APIRouter()

    @router.get("/livez")
    async def alive() -> dict[str, str]:
        return {"status": _OK}

    @router.get("/readyz")
    async def ready() -> JSONResponse:
        found = dict(health())
        well = all(words == _OK for words in found.values())
        return JSONResponse(
            {"status": _OK if well else "not ready", "dependencies": found}, status_code=200 if well else 503
        )

    @router.get("/metrics")
    async def figures() -> Response:
        return Response(metrics(), media_type=CONTENT_TYPE)

    return router


def make_api_router(deps: HasCalls) -> APIRouter:
    """Build `/api/cdr/search|count|history|detail|verify` and what analysts need; `web.guard` has let the asker in."""
    router = APIRouter(prefix="/api/cdr")

    @router.get("/search")
    async def search(request: Request) -> Response:
        return _json(await deps.cdr.search(read_filter(request)))

    @router.get("/count")
    async def count(request: Request) -> Response:
        return _json(await deps.cdr.count(read_filter(request)))

    @router.get("/history")
    async def history(phone: str, limit: Limit = PAGE, offset: Offset = 0) -> Response:
        return _json(await deps.cdr.history(phone, limit, offset))

    @router.get("/detail")
    async def detail(call_id: str) -> Response:
        return _json(await deps.cdr.detail(call_id))

    @router.get("/keys")
    async def keys(call_id: str) -> Response:
        return _json(await deps.cdr.keys(call_id))

    @router.get("/verify")
    async def verify(request: Request) -> Response:
        return _json(await deps.cdr.verify(_positions(request.query_params.getlist("upto"))))

    router.include_router(make_analyst_router(deps))
    return router


def _positions(pairs: list[str]) -> dict[int, int]:
    """Read `upto=PARTITION:OFFSET`, once for each partition."""
    split = [pair.partition(":") for pair in pairs]
    if not all(part.isdecimal() and offset.isdecimal() for part, _, offset in split):
        raise BadInput("the parameter upto has a wrong value; write PARTITION:OFFSET")
    return {int(part): int(offset) for part, _, offset in split}


def _json(value: object) -> Response:
    return Response(msgspec.json.encode(value), media_type="application/json", headers={"Cache-Control": "no-store"})
