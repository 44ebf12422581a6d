from __future__ import annotations

from typing import Any

import pytest
from starlette.types import Message, Receive, Scope, Send

from web.auth import Sessions
from web.guard import Guard, allowed_hosts

TOKEN = "service-token-of-the-tests"


async def _inside(scope: Scope, receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 299, "headers": []})
    await send({"type": "http.response.body", "body": b""})


async def _ask(
    path: str,
    *,
    method: str = "GET",
    kind: str = "http",
    session: dict[str, Any] | None = None,
    **headers: str,
) -> list[Message]:
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    given = {"host": "127.0.0.1:8080", "accept": "text/html"} | headers
    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in given.items()]
    scope = {
        "type": kind,
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": raw,
        "session": session or {},
        "scheme": "http",
        "server": ("127.0.0.1", 8080),
    }
    guard = Guard(_inside, Sessions(lambda: 1000.0), TOKEN, allowed_hosts(["dialer.example"]))
    await guard(scope, receive, send)
    return sent


def _open() -> dict[str, Any]:
    session: dict[str, Any] = {}
    Sessions(lambda: 1000.0).open(session, user="admin")
    return session


async def _status(path: str, **more: Any) -> int:
    return int((await _ask(path, **more))[0]["status"])


@pytest.mark.parametrize("path", ["/", "/leads", "/leads/7", "/anything", "/_nicegui/3/static/nicegui.js", "/login/x"])
async def test_a_stranger_is_sent_to_the_sign_in_page(path: str) -> None:
    start = (await _ask(path))[0]
    assert start["status"] == 302
    assert dict(start["headers"])[b"location"].decode().startswith("/login?next=/")


@pytest.mark.parametrize("path", ["/api/cdr/search", "/api/calls/trace.pcap", "/api/", "/_nicegui_ws/socket.io/"])
async def test_a_stranger_without_a_browser_gets_401(path: str) -> None:
    assert await _status(path, accept="application/json") == 401


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
async def test_a_stranger_cannot_write(method: str) -> None:
    assert await _status("/leads", method=method) == 401


async def test_a_strangers_websocket_is_closed() -> None:
    sent = await _ask("/_nicegui_ws/socket.io/", kind="websocket")
    assert [message["type"] for message in sent] == ["websocket.close"]


@pytest.mark.parametrize("path", ["/login", "/livez", "/readyz", "/static/console.css", "/lang/en", "/favicon.ico"])
async def test_what_everyone_may_see(path: str) -> None:
    assert await _status(path) == 299


@pytest.mark.parametrize("path", ["/", "/leads", "/api/cdr/search", "/api/calls/trace", "/_nicegui_ws/socket.io/"])
async def test_who_is_signed_in_may_see_everything(path: str) -> None:
    assert await _status(path, session=_open()) == 299


async def test_the_service_token_opens_the_api_and_nothing_else() -> None:
    assert await _status("/api/cdr/search", authorization=f"Bearer {TOKEN}") == 299
    assert await _status("/api/cdr/search", authorization=f"Bearer {TOKEN}x") == 401
    assert await _status("/api/cdr/search", authorization=f"Basic {TOKEN}") == 401
    assert await _status("/api/cdr/search", authorization="Bearer ") == 401
    assert await _status("/leads", authorization=f"Bearer {TOKEN}") == 302


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example:8080", "", "[", "localhost.evil.example"])
async def test_other_host_names_are_refused_even_when_signed_in(host: str) -> None:
    assert await _status("/", session=_open(), host=host) == 400


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:1", "[::1]:8080", "LOCALHOST:8080", "dialer.example:443"])
async def test_our_host_names_are_served(host: str) -> None:
    assert await _status("/", session=_open(), host=host) == 299


async def test_another_sites_page_cannot_write_nor_open_the_websocket() -> None:
    evil = "http://evil.example"
    assert await _status("/logout", method="POST", session=_open(), origin=evil) == 403
    assert await _status("/login", method="POST", origin=evil) == 403
    assert await _status("/logout", method="POST", session=_open(), origin="null") == 403
    sent = await _ask("/_nicegui_ws/socket.io/", kind="websocket", session=_open(), origin=evil)
    assert [message["type"] for message in sent] == ["websocket.close"]
    assert await _status("/logout", method="POST", session=_open(), origin="http://127.0.0.1:8080") == 299


async def test_answers_forbid_framing_and_other_sites() -> None:
    headers = dict((await _ask("/", session=_open()))[0]["headers"])
    assert headers[b"x-frame-options"] == b"DENY"
    assert b"frame-ancestors 'none'" in headers[b"content-security-policy"]
    assert b"default-src 'self'" in headers[b"content-security-policy"]


async def test_a_websocket_that_is_open_ends_with_its_session() -> None:
    clock = [1000.0]
    sessions = Sessions(lambda: clock[0])
    session: dict[str, Any] = {}
    sessions.open(session, user="admin")
    heard: list[str] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        for _ in range(3):
            heard.append((await receive())["type"])
            clock[0] += 7 * 3600  # after the second message the session is over

    async def receive() -> Message:
        return {"type": "websocket.receive", "text": "ping"}

    async def send(message: Message) -> None:
        raise AssertionError(message)

    scope = {"type": "websocket", "path": "/_nicegui_ws/", "headers": [(b"host", b"localhost")], "session": session}
    await Guard(app, sessions, TOKEN)(scope, receive, send)
    assert heard == ["websocket.receive", "websocket.receive", "websocket.disconnect"]
