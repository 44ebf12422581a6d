"""Wake when a socket can be read, and while that is wanted, written: on asyncio's loop and on uvloop."""

from __future__ import annotations

import asyncio
import select
import socket
import sys
from collections.abc import Callable
from typing import Protocol, TypeAlias


class Watch(Protocol):
    """Calls its function until it is closed; it never owns the socket."""

    def want_write(self, *, wanted: bool) -> None:
        """Wake for room to write, too, or no longer."""
        ...

    def close(self) -> None:
        """Wake no more."""
        ...


class NestedWatch:
    """Put an epoll of its own between the socket and the loop (Linux).

    An ICMP error that waits makes a socket report EPOLLERR, and uvloop stops watching what reports that, for good. An
    epoll that holds the socket is only ever readable. It costs nothing that can be measured.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, sock: socket.socket, wake: Callable[[], object]) -> None:
        self._loop = loop
        self._socket = sock.fileno()
        self._epoll = select.epoll(1)
        self._epoll.register(self._socket, select.EPOLLIN)
        loop.add_reader(self._epoll.fileno(), wake)

    def want_write(self, *, wanted: bool) -> None:
        """Wake for room to write, too, or no longer."""
        self._epoll.modify(self._socket, select.EPOLLIN | (select.EPOLLOUT if wanted else 0))

    def close(self) -> None:
        """Wake no more."""
        self._loop.remove_reader(self._epoll.fileno())
        self._epoll.close()


class PlainWatch:
    """Ask the loop itself."""

    def __init__(self, loop: asyncio.AbstractEventLoop, sock: socket.socket, wake: Callable[[], object]) -> None:
        self._loop = loop
        self._socket = sock.fileno()
        self._wake = wake
        loop.add_reader(self._socket, wake)

    def want_write(self, *, wanted: bool) -> None:
        """Wake for room to write, too, or no longer."""
        if wanted:
            self._loop.add_writer(self._socket, self._wake)
        else:
            self._loop.remove_writer(self._socket)

    def close(self) -> None:
        """Wake no more."""
        self._loop.remove_reader(self._socket)
        self._loop.remove_writer(self._socket)


WatchFactory: TypeAlias = Callable[[asyncio.AbstractEventLoop, socket.socket, Callable[[], object]], Watch]
watch: WatchFactory = NestedWatch if sys.platform == "linux" else PlainWatch
"""What this system takes."""
