"""A TCP proxy of the tests' own: what goes through it can be cut, and kept out."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Self

from tests.plugins.processes import HOST, free_port


class Proxy:
    """Passes connections to a port of this machine on; enter it to listen on `port`."""

    def __init__(self, target: int) -> None:
        self.port = free_port()
        self.target = target
        self.passed = 0
        """Connections that it has passed on."""
        self.is_away = False
        self.open: set[_Side] = set()
        self.tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        """Listen."""
        self._server = await asyncio.get_running_loop().create_server(lambda: _Near(self), HOST, self.port)
        return self

    async def __aexit__(self, *_: object) -> None:
        """Cut what is open, and listen no more."""
        assert self._server is not None
        self._server.close()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        await self.cut()

    async def cut(self) -> None:
        """Reset every connection that is open."""
        ends = [side.ended for side in self.open]
        for side in tuple(self.open):
            side.abort()
        await asyncio.gather(*(end.wait() for end in ends))

    @contextlib.asynccontextmanager
    async def away(self) -> AsyncIterator[None]:
        """Cut every connection, and take none meanwhile."""
        self.is_away = True
        await self.cut()
        try:
            yield
        finally:
            self.is_away = False


class _Side(asyncio.Protocol):
    """One end of a connection that is passed on; what comes before the other end is there waits."""

    def __init__(self, proxy: Proxy) -> None:
        self.proxy = proxy
        self.peer: _Side | None = None
        self.ended = asyncio.Event()
        self._transport: asyncio.Transport | None = None
        self._early = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self.proxy.open.add(self)

    def data_received(self, data: bytes) -> None:
        if self.peer is None:
            self._early += data
        else:
            self.peer.write(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self.proxy.open.discard(self)
        self.ended.set()
        if self.peer is not None:
            self.peer.close()

    def join(self, peer: _Side) -> None:
        self.peer = peer
        if self.ended.is_set():
            peer.close()
        elif self._early:
            peer.write(self._early)

    def write(self, data: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()


class _Near(_Side):
    """The end that somebody has opened: it opens the other one."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        if self.proxy.is_away:
            self.abort()
            return
        task = asyncio.create_task(self._reach())
        self.proxy.tasks.add(task)
        task.add_done_callback(self.proxy.tasks.discard)

    async def _reach(self) -> None:
        far = _Side(self.proxy)
        try:
            await asyncio.get_running_loop().create_connection(lambda: far, HOST, self.proxy.target)
        except OSError:
            self.abort()
            return
        self.proxy.passed += 1
        far.join(self)
        self.join(far)
