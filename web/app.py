"""Put the console together: sign-in, guard, JSON API, pages and files as one ASGI application."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from fastapi import FastAPI
from nicegui import ui
from starlette.middleware.sessions import SessionMiddleware
from starlette.staticfiles import StaticFiles

from web.api import make_api_router, make_health_router
from web.api_callbacks import make_callback_router
from web.api_desks import make_desk_router
from web.api_prompts import make_prompt_router
from web.api_recordings import make_recording_router
from web.api_traces import make_trace_router
from web.auth import SESSION_S, Passwords, Sessions, Throttle
from web.deps import WebDeps
from web.errors import install_error_handlers
from web.guard import Guard, allowed_hosts
from web.live import LiveBoard
from web.login import Desk, make_login_router
from web.pages import callbacks, campaigns, dial, lead, leads, script, scripts
from web.texts import TEXTS

COOKIE: Final = "dialer_session"
_STATIC: Final = Path(__file__).parent / "static"


def create_app(deps: WebDeps) -> FastAPI:
    """Build the application; once per process, because NiceGUI keeps its pages in the process.

    Serve it without an access log: addresses of `/api/` may hold phone numbers.
    """
    sessions = Sessions(deps.wall)
    board = LiveBoard(deps.engine, deps.now)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        await board.close()

    app = FastAPI(lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None)
    install_error_handlers(app)
    passwords = Passwords(deps.engine)
    app.include_router(
        make_login_router(Desk(deps.engine, deps.session_secret, deps.wall, sessions, passwords, Throttle()))
    )
    app.include_router(make_health_router(deps.health, deps.metrics))
    app.include_router(make_api_router(deps))
    app.include_router(make_callback_router(deps))
    app.include_router(make_desk_router(deps))
    if deps.traces is not None:
        app.include_router(make_trace_router(deps.traces))
    if deps.recordings is not None:
        app.include_router(make_recording_router(deps.recordings, deps.wall))
    if deps.prompts is not None:
        app.include_router(make_prompt_router(deps.prompts))
    app.mount("/static", StaticFiles(directory=_STATIC), name="static")
    _mount_pages(app, deps, board)
    # The last one added sees a request first: the session is read, then the guard decides, then anything else runs.
    app.add_middleware(Guard, sessions=sessions, service_token=deps.service_token, hosts=allowed_hosts(deps.hosts))
    app.add_middleware(
        SessionMiddleware,
        secret_key=deps.session_secret,
        session_cookie=COOKIE,
        max_age=int(SESSION_S),
        same_site="lax",
    )
    return app


def _mount_pages(app: FastAPI, deps: WebDeps, board: LiveBoard) -> None:
    campaigns.register(deps, board)
    leads.register(deps, board)
    lead.register(deps, board)
    callbacks.register(deps)
    scripts.register(deps)
    script.register(deps)
    dial.register(deps, board)
    ui.run_with(
        app,
        title=TEXTS["app.name"][0],
        favicon=_STATIC / "icon.svg",
        dark=False,
        language="vi",
        tailwind=False,
        binding_refresh_interval=None,  # nothing is bound to plain attributes: an idle console does no work
        reconnect_timeout=10.0,
        show_welcome_message=False,
    )
