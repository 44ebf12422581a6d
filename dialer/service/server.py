"""Serve the console in this process's event loop."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
from typing import Any

import uvicorn

from dialer.errors import BadInput, DialerError, ResourceBusy

GOODBYE_S = 5.0


def listen(host: str, port: int) -> socket.socket:
    """Take the port before anything else starts; raise ResourceBusy when it is taken, BadInput when it cannot be."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((host, port))
    except (OSError, UnicodeError) as error:
        sock.close()
        raise _refusal(host, port, error) from error
    sock.listen(128)
    sock.setblocking(False)  # noqa: FBT003 -- the standard library's signature
    return sock


def _refusal(host: str, port: int, error: OSError | UnicodeError) -> DialerError:
    why = error.strerror if isinstance(error, OSError) else "not a host name"
    match getattr(error, "errno", None):
        case errno.EADDRINUSE:
            return ResourceBusy(f"port {port} on {host} is taken ({why}); stop its owner or use --port")
        case errno.EACCES | errno.EPERM:
            return BadInput(f"port {port} on {host} is not this user's to take ({why}); use --port, 1024 or above")
        case _:
            return BadInput(
                f"{host} is not an address of this machine ({why}); name another with --host or DIALER_HOST"
            )


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
