"""The console's server."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from dialer.errors import BadInput, ResourceBusy
from dialer.service.server import WebServer, listen


async def hello(scope: dict[str, object], receive: object, send: object) -> None:
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 200, "headers": []})  # type: ignore[operator]
        await send({"type": "http.response.body", "body": b"xin chao"})  # type: ignore[operator]


async def test_it_serves_on_the_socket_it_was_given_and_stops_when_cancelled() -> None:
    sock = listen("127.0.0.1", 0)
    port = sock.getsockname()[1]
    server = WebServer(hello, sock)
    running = asyncio.create_task(server.run_forever())
    async with httpx.AsyncClient(trust_env=False) as http:
        answer = await http.get(f"http://127.0.0.1:{port}/")
    assert answer.text == "xin chao"
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running


def test_a_taken_port_is_named_with_what_to_do() -> None:
    sock = listen("127.0.0.1", 0)
    try:
        with pytest.raises(ResourceBusy, match=rf"port {sock.getsockname()[1]} on 127.0.0.1 is taken.*--port"):
            listen("127.0.0.1", sock.getsockname()[1])
    finally:
        sock.close()


@pytest.mark.parametrize("host", ["300.1.1.1", "203.0.113.1", "x" * 64])
def test_a_wrong_address_is_not_called_a_taken_port(host: str) -> None:
    with pytest.raises(BadInput, match=rf"^{host} is not an address of this machine .* --host or DIALER_HOST"):
        listen(host, 0)
