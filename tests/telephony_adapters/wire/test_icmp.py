"""ICMP errors of the real kernel, and those that RFC 3261 section 18.4 ignores."""

from __future__ import annotations

import contextlib
import select
import socket
import struct
import sys
from typing import cast

import pytest

from telephony_adapters.wire import icmp
from telephony_adapters.wire.icmp import Unreachable

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="IP_RECVERR is Linux's")


def error(origin: int, kind: int, code: int) -> bytes:
    return struct.pack("=IBBBxII", 111, origin, kind, code, 0, 0)


class Told:
    """A socket with one error in its queue."""

    def __init__(self, *ancillary: bytes, address: object = ("192.0.2.1", 5060)) -> None:
        self._waiting = [(b"quote", [(0, 11, data) for data in ancillary], 0, address)]

    def recvmsg(self, *_: int) -> object:
        if not self._waiting:
            raise BlockingIOError
        return self._waiting.pop()


def taken(told: Told) -> list[Unreachable]:
    return icmp.take(cast("socket.socket", told))


@pytest.mark.parametrize(("family", "host"), [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")])
def test_a_closed_port_is_told_with_its_quote(family: socket.AddressFamily, host: str) -> None:
    with socket.socket(family, socket.SOCK_DGRAM) as sock, socket.socket(family, socket.SOCK_DGRAM) as gone:
        sock.settimeout(0)
        gone.bind((host, 0))
        port = gone.getsockname()[1]
        gone.close()
        assert icmp.listen(sock)
        assert icmp.take(sock) == []
        sock.sendto(b"x" * 300, (host, port))
        poll = select.poll()  # any file number: `select` ends at 1024
        poll.register(sock, select.POLLERR)
        poll.poll(0)
        assert icmp.take(sock) == [Unreachable(host, port, b"x" * 300, "nothing listens on the port")]
        assert icmp.take(sock) == []
        with contextlib.suppress(ConnectionRefusedError):
            sock.sendto(b"y", (host, port))


@pytest.mark.parametrize(("origin", "kind", "code", "why"), [
    (2, 3, 0, "no route to the network"),
    (2, 3, 1, "the host does not answer"),
    (2, 3, 3, "nothing listens on the port"),
    (2, 3, 13, "a firewall on the way refuses it"),
    (2, 3, 4, None),  # too big: the next copy is cut into fragments
    (2, 4, 0, None),  # source quench
    (2, 11, 0, None),  # time exceeded
    (3, 1, 0, "no route to the network"),
    (3, 1, 3, "the host does not answer"),
    (3, 1, 4, "nothing listens on the port"),
    (3, 1, 1, "a firewall on the way refuses it"),
    (3, 2, 0, None),  # too big
    (3, 3, 0, None),  # time exceeded
    (1, 3, 3, None),  # of this machine's own making
])  # fmt: skip
def test_only_what_is_out_of_reach_counts(origin: int, kind: int, code: int, why: str | None) -> None:
    assert [one.why for one in taken(Told(error(origin, kind, code)))] == ([why] if why else [])


def test_what_the_kernel_says_otherwise_does_not_count() -> None:
    assert taken(Told()) == []
    assert taken(Told(b"short")) == []
    assert taken(Told(error(2, 3, 3), address=None)) == []
    assert len(taken(Told(b"short", error(2, 3, 3)))) == 1
