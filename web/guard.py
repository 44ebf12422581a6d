"""The one place that decides who may reach what: every page, API route, file and websocket passes here first."""

from __future__ import annotations

import hmac
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from web.auth import Sessions

PUBLIC: Final = frozenset({"/login", "/lang/vi", "/lang/en", "/livez", "/readyz", "/metrics", "/favicon.ico"})
STATIC: Final = "/static/"
LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})
_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
        "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self' ws: wss:; object-src 'none'; "
        "base-uri 'self'; form-action 'self'; frame-ancestors 'none'"
    ),
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
}


@dataclass(slots=True)
class Guard:
    """ASGI middleware; needs Starlette's session middleware around it.

    Refuses unknown Host headers (DNS rebinding), cross-site writes and websockets (Origin), and everybody who is not
    signed in; `/api/` also takes the service token as a bearer.
    """

    app: ASGIApp
    sessions: Sessions
    service_token: str
    hosts: frozenset[str] = LOOPBACK

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the connection on, or refuse it."""
        if scope["type"] not in {"http", "websocket"}:
            await self.app(scope, receive, send)
            return
        refusal = self._refusal(scope)
        if refusal is None and scope["type"] == "websocket":
            await self.app(scope, self._while_signed_in(scope, receive), send)
        elif refusal is None:
            await self.app(scope, receive, _with_headers(send))
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008, "reason": "not allowed"})
        else:
            await refusal(scope, receive, _with_headers(send))

    def _refusal(self, scope: Scope) -> Response | None:
        headers = Headers(scope=scope)
        if _host_name(headers.get("host", "")) not in self.hosts:
            return PlainTextResponse(
                "This host name is not served here; open the console by the address that the program printed.\n",
                status_code=400,
            )
        if not _same_origin(scope, headers):
            return PlainTextResponse("Requests from other sites are refused.\n", status_code=403)
        path = scope["path"]
        if path in PUBLIC or path.startswith(STATIC):
            return None
        if path.startswith("/api/") and self._is_bearer(headers):
            return None
        if self.sessions.is_open(scope["session"]):
            return None
        return _ask_to_sign_in(scope)

    def _while_signed_in(self, scope: Scope, receive: Receive) -> Receive:
        """Hang up at the first message after the session ended: a page left open must not outlive the sign-out."""

        async def wrapped() -> Message:
            message = await receive()
            if message["type"] == "websocket.receive" and not self.sessions.is_open(scope["session"]):
                return {"type": "websocket.disconnect", "code": 1008}
            return message

        return wrapped

    def _is_bearer(self, headers: Headers) -> bool:
        kind, _, token = headers.get("authorization", "").partition(" ")
        matches = hmac.compare_digest(token.strip().encode(), self.service_token.encode())
        return bool(self.service_token) and kind.lower() == "bearer" and matches


def allowed_hosts(extra: Iterable[str]) -> frozenset[str]:
    """Return the host names that are served: loopback and the configured ones."""
    return LOOPBACK | {name.lower() for name in extra}


def _host_name(host: str) -> str:
    try:
        return (urlsplit(f"//{host}").hostname or "").lower()
    except ValueError:
        return ""


def _same_origin(scope: Scope, headers: Headers) -> bool:
    origin = headers.get("origin")
    if origin is None or (scope["type"] == "http" and scope["method"] in _SAFE):
        return True
    return urlsplit(origin).netloc.lower() == headers.get("host", "").lower()


def _ask_to_sign_in(scope: Scope) -> Response:
    connection = HTTPConnection(scope)
    wants_page = (
        scope["type"] == "http" and scope["method"] in _SAFE and "text/html" in connection.headers.get("accept", "")
    )
    if wants_page and not scope["path"].startswith("/api/"):
        return RedirectResponse(f"/login?next={quote(scope['path'], safe='/')}", status_code=302)
    return JSONResponse(
        {"error": {"code": "not_signed_in", "message": "Sign in, or send the service token as a bearer."}},
        status_code=401,
        headers={"WWW-Authenticate": "Bearer"},
    )


def _with_headers(send: Send) -> Send:
    async def wrapped(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in _HEADERS.items():
                headers.setdefault(name, value)
        await send(message)

    return wrapped
