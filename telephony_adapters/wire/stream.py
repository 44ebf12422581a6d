"""TCP and TLS: one connection for each flow, opened when something is to be sent, accepted where we listen.

RFC 3261 section 18: what came on a connection is answered on it; requests use it again while it lives. A connection
that breaks is reported as `lost`, once; the next message for its flow opens a new one.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import ssl
import sys
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator
from typing import Any, Final, NamedTuple, Protocol, TypeAlias

from dialer.errors import DialerError
from telephony_adapters.sip.flow import Flow
from telephony_adapters.wire.connection import CLOSED, Connection, Limits
from telephony_adapters.wire.explain import explain
from telephony_adapters.wire.listen import Listen

log = logging.getLogger(__name__)

ClientTls: TypeAlias = Callable[[Flow], ssl.SSLContext]
"""The context for a flow; raises BadInput where there is none."""

BACKLOG: Final = 512
ACCEPT_AGAIN_S: Final = 0.1
"""After a failure, which is mostly want of file descriptors: some may be free then."""
CLOSE_S: Final = 1.0
"""How long closing waits for peers to read what was sent to them, and for TLS to say goodbye."""
_DEAD_AFTER_MS: Final = 30_000
"""Bytes that a peer does not acknowledge for so long end the connection: it is gone, and TCP would try for minutes."""


class StreamOwner(Protocol):
    """Who gets what the connections hear."""

    def messages(self, flow: Flow, local: tuple[str, int], messages: list[bytes]) -> None:
        """Take whole messages of one connection, none perhaps; `Streams.flush` must follow."""
        ...

    def lost(self, flow: Flow, why: str) -> None:
        """Learn that a connection broke, or could not be made; never called from inside `messages`."""
        ...


class _Listener(NamedTuple):
    sock: socket.socket
    transport: str
    tls: ssl.SSLContext | None


class Streams:
    """All connections of a loop; `close` it there."""

    def __init__(
        self,
        owner: StreamOwner,
        *,
        counters: Counter[str],
        limits: Limits,
        client_tls: ClientTls,
    ) -> None:
        self.limits = limits
        self.counters = counters
        self._owner = owner
        self._client_tls = client_tls
        self._loop = asyncio.get_running_loop()
        self._by_flow: dict[Flow, Connection] = {}
        self._accepted: Counter[str] = Counter()
        self._alive: set[Connection] = set()
        self._dirty: list[Connection] = []
        self._listeners: list[_Listener] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._making: dict[asyncio.Task[Any], Callable[[], object]] = {}
        self._an_end = asyncio.Event()
        self._closing = False
        self._sweeper: asyncio.TimerHandle | None = None

    @property
    def flows(self) -> list[Flow]:
        """The flows that have a connection, or get one."""
        return list(self._by_flow)

    async def listen(self, place: Listen, tls: ssl.SSLContext | None = None) -> Listen:
        """Accept connections there; return the place with its real port. Raises OSError."""
        sock = _listener(place.host, place.port)
        listener = _Listener(sock, place.transport, tls)
        self._listeners.append(listener)
        self._loop.add_reader(sock, self._accept, listener)
        return place._replace(port=sock.getsockname()[1])

    def send(self, flow: Flow, data: bytes) -> None:
        """Send a message on the flow's connection at the next `flush`; open one if there is none."""
        connection = self._by_flow.get(flow) or self._open(flow)
        if connection is not None and not connection.write(data):
            self.counters["stream.queue_overflow"] += 1

    def local(self, flow: Flow) -> tuple[str, int]:
        """Return our address and port on the flow's connection; an empty one while there is none."""
        connection = self._by_flow.get(flow)
        return connection.local if connection is not None else ("", 0)

    def flush(self) -> None:
        """Write what was sent since the last time."""
        dirty, self._dirty = self._dirty, []
        for connection in dirty:
            connection.flush()

    async def close(self) -> None:
        """Accept and open no more, and end all connections: what was sent has CLOSE_S to leave."""
        self._closing = True
        if self._sweeper is not None:
            self._sweeper.cancel()
        for listener in self._listeners:
            self._loop.remove_reader(listener.sock)
            listener.sock.close()
        await self._end_making()
        for connection in list(self._alive):
            connection.close()
        await self._wait_for_ends(CLOSE_S)
        for connection in list(self._alive):
            connection.cut("closing")
        await self._wait_for_ends(CLOSE_S)
        self._by_flow.clear()

    # --- Keeper ------------------------------------------------------------------------------------------------------

    def heard(self, connection: Connection, messages: list[bytes]) -> None:
        """Pass messages on; what came after the connection was given up is not heard."""
        if self._by_flow.get(connection.flow) is connection:
            self._owner.messages(connection.flow, connection.local, messages)

    def wants_flush(self, connection: Connection) -> None:
        """Call `flush` at the end of this turn."""
        self._dirty.append(connection)

    def gone(self, connection: Connection, why: str) -> None:
        """Forget the connection; its flow is lost, unless all it ever did was to connect to us."""
        if self._forget(connection) and (connection.is_ours or connection.has_spoken) and not self._closing:
            self.counters["stream.lost"] += 1
            self._owner.lost(connection.flow, why)

    def ended(self, connection: Connection) -> None:
        """Note that nothing of the connection is left."""
        self._alive.discard(connection)
        self._an_end.set()

    # --- the rest ----------------------------------------------------------------------------------------------------

    def _accept(self, listener: _Listener) -> None:
        """Accept by hand: a stranger is refused before TLS costs anything, and a failed handshake is counted."""
        try:
            sock, address = listener.sock.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return
        except OSError as error:
            self._rest_from(listener, error)
            return
        sock.settimeout(0)
        flow = Flow(listener.transport, *address[:2])
        if self._is_full(flow.host):
            self.counters["stream.over_limit"] += 1
            sock.close()
        else:
            self._spawn(self._admit(self._add(flow, is_ours=False), sock, listener.tls))

    def _rest_from(self, listener: _Listener, error: OSError) -> None:
        """Accept nobody for a while: the failure is mostly want of file descriptors, and some may be free then."""
        self.counters["stream.accept_failed"] += 1
        log.warning("a connection was not accepted: %s", explain(error), extra={"action": "tcp.not_accepted"})
        self._loop.remove_reader(listener.sock)
        self._loop.call_later(ACCEPT_AGAIN_S, self._accept_again, listener)

    def _accept_again(self, listener: _Listener) -> None:
        if not self._closing:
            self._loop.add_reader(listener.sock, self._accept, listener)

    def _is_full(self, host: str) -> bool:
        limits = self.limits
        return self._accepted.total() >= limits.accepted or self._accepted[host] >= limits.per_peer

    def _add(self, flow: Flow, *, is_ours: bool) -> Connection:
        if (before := self._by_flow.get(flow)) is not None:
            before.cut(CLOSED)  # the peer used its port again before we saw the end
        connection = self._by_flow[flow] = Connection(self, flow, is_ours=is_ours)
        if not is_ours:
            self._accepted[flow.host] += 1
        self._sweep_later()
        return connection

    async def _admit(self, connection: Connection, sock: socket.socket, tls: ssl.SSLContext | None) -> None:
        with self._making_of(connection, lambda: sock.shutdown(socket.SHUT_RDWR)):
            transport, _ = await self._loop.connect_accepted_socket(
                lambda: connection, sock, ssl=tls,
                ssl_handshake_timeout=self.limits.handshake_s if tls else None,
                ssl_shutdown_timeout=CLOSE_S if tls else None,
            )  # fmt: skip
            self._begin(connection, transport)

    def _open(self, flow: Flow) -> Connection | None:
        ours = len(self._by_flow) - self._accepted.total()
        if self._closing or ours >= self.limits.opened:
            self.counters["stream.over_limit"] += 1
            self._owner.lost(flow, "too many connections are open")
            return None
        connection = self._add(flow, is_ours=True)
        self._spawn(self._connect(connection))
        return connection

    async def _connect(self, connection: Connection) -> None:
        flow = connection.flow
        try:
            tls = self._client_tls(flow) if flow.transport == "tls" else None
            async with asyncio.timeout(self.limits.connect_s):
                transport, _ = await self._loop.create_connection(
                    lambda: connection if tls is None else _Deaf(), flow.host, flow.port
                )
        except (OSError, ValueError, OverflowError) as error:
            self.gone(connection, explain(error))
        except DialerError as error:
            self.gone(connection, str(error))
        else:
            connection.local = transport.get_extra_info("sockname")[:2]
            if tls is None:
                self._begin(connection, transport)
            else:
                await self._secure(connection, transport, tls)

    async def _secure(self, connection: Connection, transport: asyncio.Transport, tls: ssl.SSLContext) -> None:
        """Agree on TLS; by hand, since a call that is given a socket and fails at once leaves uvloop's in disorder."""
        flow = connection.flow
        with self._making_of(connection, transport.abort):
            secured = await self._loop.start_tls(
                transport, connection, tls, server_hostname=flow.server_name or flow.host,
                ssl_handshake_timeout=self.limits.handshake_s, ssl_shutdown_timeout=CLOSE_S,
            )  # fmt: skip
            if secured is not None:
                self._begin(connection, secured)

    @contextlib.contextmanager
    def _making_of(self, connection: Connection, shut: Callable[[], object]) -> Iterator[None]:
        """Know how to end a handshake while it goes on; its failure is the connection's end."""
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 -- a coroutine's context, told to mypy
        self._making[task] = shut
        try:
            yield
        except OSError as error:
            self.counters["stream.handshake_failed"] += 1
            if not connection.is_ours:
                log.info("a peer was refused: %s", explain(error), extra={"action": "tls.refused"})
            self.gone(connection, explain(error))
        finally:
            del self._making[task]

    async def _end_making(self) -> None:
        """End what is not made yet.

        A handshake is broken off rather than its task cancelled: uvloop complains of exceptions that nobody takes.
        """
        await asyncio.sleep(0)  # a task that has not begun would leave its socket open
        for shut in self._making.values():
            with contextlib.suppress(OSError):
                shut()
        for task in self._tasks - self._making.keys():
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=CLOSE_S)

    def _begin(self, connection: Connection, transport: asyncio.Transport) -> None:
        """Begin with a connection, unless it was given up or broke meanwhile."""
        if transport.is_closing():
            self.gone(connection, CLOSED)
        elif self._by_flow.get(connection.flow) is not connection:
            transport.abort()
        else:
            self.counters["stream.opened" if connection.is_ours else "stream.accepted"] += 1
            self._alive.add(connection)
            _watch_over(transport)
            connection.begin(transport)

    def _forget(self, connection: Connection) -> bool:
        if self._by_flow.get(connection.flow) is not connection:
            return False
        del self._by_flow[connection.flow]
        if not connection.is_ours:
            host = connection.flow.host
            self._accepted[host] -= 1
            if not self._accepted[host]:
                del self._accepted[host]
        return True

    def _sweep_later(self) -> None:
        if self._sweeper is None:
            self._sweeper = self._loop.call_later(self.limits.sweep_s, self._sweep)

    def _sweep(self) -> None:
        """Cut what is overdue, close what is idle, ping."""
        self._sweeper = None
        now = self._loop.time()
        for connection in list(self._alive):
            if (why := connection.overdue(now)) is not None:
                self.counters["stream.cut"] += 1
                connection.cut(why)
            elif connection.is_idle(now):
                self.counters["stream.idle"] += 1
                self._forget(connection)
                connection.close()
            else:
                connection.keep_alive(now)
        self.flush()
        if self._by_flow:
            self._sweep_later()

    async def _wait_for_ends(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while self._alive:
                    self._an_end.clear()
                    await self._an_end.wait()

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


class _Deaf(asyncio.Protocol):
    """Stands in until TLS is agreed on: what comes in the clear is nobody's."""


def _listener(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.create_server((host, port), family=family, backlog=BACKLOG)
    sock.settimeout(0)
    return sock


def _watch_over(transport: asyncio.Transport) -> None:
    """Let the kernel find out that a peer is gone, be it that nothing is said or that nothing is acknowledged."""
    sock = transport.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    if sys.platform == "linux":
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 60)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 10)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _DEAD_AFTER_MS)
