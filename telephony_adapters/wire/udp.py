"""One bound UDP socket: reads in batches, sends at once, waits for room in a bounded queue, hears ICMP."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import ipaddress
import logging
import socket
import struct
import sys
from collections import Counter, deque
from typing import Any, Final, Protocol, TypeAlias

from telephony_adapters.sip.flow import Flow
from telephony_adapters.wire import icmp
from telephony_adapters.wire.explain import explain
from telephony_adapters.wire.watch import watch

log = logging.getLogger(__name__)

Address: TypeAlias = Any
"""What `recvfrom` gives: (host, port), or (host, port, flow info, scope) for IPv6."""
Batch: TypeAlias = list[tuple[bytes, Address]]

READ_MAX: Final = 64
"""Datagrams that are read before the loop turns: fairness, and one turn's work for all of them."""
DATAGRAM_MAX: Final = 65_535
PORT_MAX: Final = 65_535
QUEUE_MAX: Final = 4_096
"""Datagrams that wait for room; what comes then is lost, as on any network."""
BUFFER_BYTES: Final = 4 * 1024 * 1024
PEERS_MAX: Final = 10_000
"""Addresses that are remembered; a scan with forged senders empties the table, no more."""
RECENT: Final = 512
QUOTE_MIN: Final = 200
"""An ICMP error is believed if it quotes so much of what was sent lately: a stranger knows no branch (RFC 5927)."""
_SO_RCVBUFFORCE: Final = 33
_SO_MEMINFO: Final = 55
_MEMINFO_DROPS: Final = 8


class UdpOwner(Protocol):
    """Who gets what the socket hears."""

    def datagrams(self, endpoint: UdpEndpoint, batch: Batch) -> None:
        """Take what was read at one wake-up."""
        ...

    def lost(self, flow: Flow, why: str) -> None:
        """Learn that what was sent to a peer did not arrive; never called from inside `datagrams`."""
        ...


class Flows(dict[Address, Flow]):
    """The flow of each sender: made once, so that a datagram costs a look-up."""

    def __missing__(self, address: Address) -> Flow:
        """Make the flow; a link-local host keeps its scope."""
        if len(self) >= PEERS_MAX:
            self.clear()
        host, port, *more = address
        scope = more[1] if len(more) > 1 and more[1] else 0
        flow = self[address] = Flow("udp", f"{host}%{scope}" if scope and "%" not in host else host, port)
        return flow


class _Addresses(dict[Flow, Address]):
    """The socket address of each flow; raises ValueError for what is none: nothing resolves names here."""

    def __missing__(self, flow: Flow) -> Address:
        if len(self) >= PEERS_MAX:
            self.clear()
        ipaddress.ip_address(flow.host)
        if not 0 < flow.port <= PORT_MAX:
            raise ValueError(flow.port)
        host, _, scope = flow.host.partition("%")
        address = self[flow] = (host, flow.port, 0, _scope(scope)) if scope else (host, flow.port)
        return address


class UdpEndpoint:
    """Sends and receives; make it in the loop that runs it, `close` it there."""

    def __init__(self, sock: socket.socket, owner: UdpOwner, counters: Counter[str]) -> None:
        self.flows = Flows()
        self.local: tuple[str, int] = sock.getsockname()[:2]
        self.is_v6 = sock.family == socket.AF_INET6
        self.counters = counters
        self._socket = sock
        self._owner = owner
        self._sendto = sock.sendto
        self._addresses = _Addresses()
        self._queue: deque[tuple[Flow, bytes]] = deque()
        self._recent: deque[tuple[Flow, bytes]] = deque(maxlen=RECENT)
        self._hears_icmp = icmp.listen(sock)
        self._watch = watch(asyncio.get_running_loop(), sock, self._wake)

    def close(self) -> None:
        """Close the socket; what waits for room is lost."""
        self._watch.close()
        self._socket.close()
        self._queue.clear()

    def send(self, flow: Flow, data: bytes) -> None:
        """Send one datagram, or let it wait; a failure is counted, and told where the peer is out of reach."""
        if self._queue:
            self._wait(flow, data)
            return
        try:
            self._sendto(data, self._addresses[flow])
        except BlockingIOError:
            self._wait(flow, data)
        except (OSError, ValueError):
            self._send_again(flow, data)
        else:
            self._recent.append((flow, data))

    def kernel_drops(self) -> int:
        """Return how many datagrams the kernel threw away for want of buffer (Linux; 0 elsewhere)."""
        with contextlib.suppress(OSError, struct.error):
            told = self._socket.getsockopt(socket.SOL_SOCKET, _SO_MEMINFO, 64)
            return int(struct.unpack_from("=I", told, 4 * _MEMINFO_DROPS)[0])
        return 0

    def _wake(self) -> None:
        if self._queue:
            self._send_waiting()
        batch: Batch = []
        recvfrom, add = self._socket.recvfrom, batch.append
        try:
            for _ in range(READ_MAX):
                add(recvfrom(DATAGRAM_MAX))
        except BlockingIOError:
            pass
        except OSError:
            self._take_errors()
        if batch:
            self._owner.datagrams(self, batch)
        else:
            self._take_errors()

    def _wait(self, flow: Flow, data: bytes) -> None:
        if len(self._queue) >= QUEUE_MAX:
            self.counters["udp.send_overflow"] += 1
            return
        if not self._queue:
            self._watch.want_write(wanted=True)
        self.counters["udp.send_waited"] += 1
        self._queue.append((flow, data))

    def _send_waiting(self) -> None:
        waiting, self._queue = self._queue, deque()
        while waiting and not self._queue:
            self.send(*waiting.popleft())
        self._queue.extend(waiting)
        if not self._queue:
            self._watch.want_write(wanted=False)

    def _send_again(self, flow: Flow, data: bytes) -> None:
        """Clear the way and try once more: the error may have been an earlier datagram's, and this one has not left."""
        self._take_errors()
        try:
            self._sendto(data, self._addresses[flow])
        except BlockingIOError:
            self._wait(flow, data)
        except OSError as error:
            self.counters["udp.send_failed"] += 1
            if error.errno != errno.ENOBUFS:
                self._owner.lost(flow, explain(error))
        except ValueError:
            self.counters["udp.send_failed"] += 1
            self._owner.lost(flow, "the address or the port is none")
        else:
            self._recent.append((flow, data))

    def _take_errors(self) -> None:
        lost: dict[Flow, str] = {}
        for error in icmp.take(self._socket) if self._hears_icmp else ():
            flow = self._quoted(error)
            self.counters["udp.icmp" if flow else "udp.icmp_not_believed"] += 1
            if flow:
                lost[flow] = error.why
        for flow, why in lost.items():
            self._owner.lost(flow, why)

    def _quoted(self, error: icmp.Unreachable) -> Flow | None:
        if len(error.quote) < QUOTE_MIN:
            return None
        for flow, data in reversed(self._recent):
            if flow.port == error.port and flow.host.partition("%")[0] == error.host and data.startswith(error.quote):
                return flow
        return None


def bind_udp(host: str, port: int) -> socket.socket:
    """Return a bound, non-blocking socket with a large receive buffer; `host` is an address. Raises OSError.

    An IPv6 socket takes IPv6 only: each flow has one spelling, and 0.0.0.0 may be bound beside it.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_DGRAM)
    try:
        sock.settimeout(0)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.bind((host, port))
    except OSError:
        sock.close()
        raise
    _widen(sock)
    return sock


def _widen(sock: socket.socket) -> None:
    """Ask for BUFFER_BYTES and say what was granted: too little means lost datagrams at each burst."""
    with contextlib.suppress(OSError):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER_BYTES)
    granted = _granted(sock)
    if granted < BUFFER_BYTES and sys.platform == "linux":
        with contextlib.suppress(OSError):
            sock.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, BUFFER_BYTES)
        granted = _granted(sock)
    host, port = sock.getsockname()[:2]
    level = logging.INFO if granted >= BUFFER_BYTES else logging.WARNING
    log.log(
        level,
        "udp:%s:%d has a receive buffer of %d bytes of the %d asked for%s",
        host, port, granted, BUFFER_BYTES,
        "" if granted >= BUFFER_BYTES else f": bursts may be lost; set net.core.rmem_max={BUFFER_BYTES}",
        extra={"action": "udp.buffer", "granted_bytes": granted},
    )  # fmt: skip


def _granted(sock: socket.socket) -> int:
    """Return the buffer as asked for: Linux doubles it for its own book-keeping, and reports the double."""
    granted = sock.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF)
    return granted // 2 if sys.platform == "linux" else granted


def _scope(text: str) -> int:
    return int(text) if text.isdecimal() else socket.if_nametoindex(text)
