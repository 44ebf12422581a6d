"""The page of a process without a console: its health, its figures, and call records where it has them."""

from __future__ import annotations

import hmac
from collections.abc import Callable

from fastapi import Depends, FastAPI, HTTPException, Request

from web.api import make_api_router, make_health_router
from web.deps import HasCalls, Health
from web.errors import install_error_handlers


def create_health_app(
    health: Callable[[], Health],
    metrics: Callable[[], str],
    *,
    calls: HasCalls | None = None,
    service_token: str = "",
) -> FastAPI:
    """Build `/livez`, `/readyz` and `/metrics`; with `calls`, `/api/cdr/...` for whoever sends the service token."""

    async def bearer(request: Request) -> None:
        kind, _, token = request.headers.get("authorization", "").partition(" ")
        matches = hmac.compare_digest(token.strip().encode(), service_token.encode())
        if not (service_token and kind.lower() == "bearer" and matches):
            raise HTTPException(401, "send the service token as a bearer", {"WWW-Authenticate": "Bearer"})

    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    install_error_handlers(app)
    app.include_router(make_health_router(health, metrics))
    if calls is not None:
        app.include_router(make_api_router(calls), dependencies=[Depends(bearer)])
    return app
