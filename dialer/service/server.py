"""Serve the console in this process's event loop."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from typing import Any

import uvicorn

from dialer.errors import ResourceBusy

GOODBYE_S = 5.0


def listen(host: str, port: int) -> socket.socket:
    """Take the port before anything else starts; raise ResourceBusy when another process has it."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((host, port))
    except OSError as error:
        sock.close()
        raise ResourceBusy(
            f"port {port} on {host} is taken ({error.strerror}); stop its owner or use --port"
        ) from error
    sock.listen(128)
    sock.setblocking(False)  # noqa: FBT003 -- the standard library's signature
    return sock


class WebServer(uvicorn.Server):
    """Uvicorn without its own signal handling: the process's lifecycle owns signals."""

    def __init__(self, app: Any, sock: socket.socket) -> None:
        super().__init__(uvicorn.Config(app, log_config=None, access_log=False, timeout_graceful_shutdown=2))
        self._sock = sock

    @contextlib.contextmanager
    def capture_signals(self) -> Any:
        """Leave the signals alone."""
        yield

    async def run_forever(self) -> None:
        """Serve until cancelled; then say goodbye to open pages, and close the socket."""
        serving = asyncio.create_task(self.serve(sockets=[self._sock]))
        try:
            await asyncio.shield(serving)
        finally:
            self.should_exit = True
            await asyncio.wait({serving}, timeout=GOODBYE_S)
            self._sock.close()
