"""Hear ICMP errors on an unconnected UDP socket (Linux, IP_RECVERR): a trunk that is not there says so in milliseconds.

Without them a call to a closed port waits 32 s for Timer B; with them RFC 3261 section 18.4 holds: unreachable is
reported, too big and time exceeded are not. Whether an error is true or forged is the caller's to judge, by its quote.
"""

from __future__ import annotations

import contextlib
import socket
import struct
import sys
from typing import Final, NamedTuple

_QUEUE: Final = getattr(socket, "MSG_ERRQUEUE", 0)
_OPTIONS: Final = {socket.AF_INET: (socket.IPPROTO_IP, 11), socket.AF_INET6: (socket.IPPROTO_IPV6, 25)}
"""IP_RECVERR and IPV6_RECVERR of linux/in.h and in6.h; Python 3.11 does not name them."""
_ERROR: Final = struct.Struct("=IBBB9x")
"""struct sock_extended_err of linux/errqueue.h: errno, origin, type, code."""
_ORIGIN_V4: Final = 2
_ORIGIN_V6: Final = 3
_UNREACHABLE_V4: Final = 3
_TOO_BIG_V4: Final = 4
_UNREACHABLE_V6: Final = 1
_WORDS: Final = {
    (_ORIGIN_V4, 0): "no route to the network",
    (_ORIGIN_V4, 1): "the host does not answer",
    (_ORIGIN_V4, 3): "nothing listens on the port",
    (_ORIGIN_V6, 0): "no route to the network",
    (_ORIGIN_V6, 3): "the host does not answer",
    (_ORIGIN_V6, 4): "nothing listens on the port",
}
_FORBIDDEN: Final = "a firewall on the way refuses it"
QUOTE_BYTES: Final = 2048
TAKE_MAX: Final = 64
"""Errors that are read at a time."""


class Unreachable(NamedTuple):
    """One error: where the datagram was sent, how it began, and why it did not arrive."""

    host: str
    port: int
    quote: bytes
    why: str


def listen(sock: socket.socket) -> bool:
    """Ask the kernel for the errors; tell whether it gives them. From then on `take` must follow each socket error."""
    if sys.platform != "linux":
        return False
    with contextlib.suppress(OSError):
        sock.setsockopt(*_OPTIONS[sock.family], 1)
        return True
    return False


def take(sock: socket.socket) -> list[Unreachable]:
    """Return the errors that wait, at most TAKE_MAX; those that RFC 3261 section 18.4 ignores are left out."""
    found: list[Unreachable] = []
    for _ in range(TAKE_MAX if _QUEUE else 0):
        try:
            quote, told, _flags, address = sock.recvmsg(QUOTE_BYTES, 512, _QUEUE)
        except OSError:
            break
        why = next((why for *_level, data in told if (why := _why(data))), None)
        if why is not None and address:
            found.append(Unreachable(address[0], address[1], quote, why))
    return found


def _why(data: bytes) -> str | None:
    if len(data) < _ERROR.size:
        return None
    _errno, origin, kind, code = _ERROR.unpack_from(data)
    is_v4 = origin == _ORIGIN_V4 and kind == _UNREACHABLE_V4 and code != _TOO_BIG_V4
    if is_v4 or (origin == _ORIGIN_V6 and kind == _UNREACHABLE_V6):
        return _WORDS.get((origin, code), _FORBIDDEN)
    return None
