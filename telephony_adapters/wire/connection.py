"""One TCP or TLS connection: whole messages in, joined writes out, and why it should end."""

from __future__ import annotations

import asyncio
from typing import Final, NamedTuple, Protocol

from telephony_adapters.sip.flow import Flow
from telephony_adapters.sip.framing import PING, PONG, FramingError, StreamFramer
from telephony_adapters.wire.explain import explain

READ_BYTES: Final = 16 * 1024
"""Bytes that are read before the loop turns: some thirty messages."""
CLOSED: Final = "the peer closed the connection"


class Limits(NamedTuple):
    """What connections may cost; times in seconds."""

    accepted: int = 1_000
    """Connections that others opened, at a time."""
    per_peer: int = 100
    """Of those, from one address."""
    opened: int = 1_000
    """Connections that we opened."""
    connect_s: float = 5.0
    handshake_s: float = 5.0
    """For TLS, in both directions."""
    first_message_s: float = 10.0
    """Until a peer that connected has sent one whole message."""
    message_s: float = 10.0
    """Until a message that has begun is whole."""
    stall_s: float = 10.0
    """How long a peer may read nothing of what waits for it."""
    buffer_bytes: int = 1024 * 1024
    """How much may wait for a peer."""
    queue: int = 1_000
    """Messages that wait for a connection in the making."""
    idle_s: float = 3_600.0
    """A connection that carried nothing for so long is closed, and nobody is told: nothing was lost."""
    ping_s: float | None = None
    """Ping the connections that we opened when nothing was heard for so long (RFC 5626); None: never."""
    pong_s: float = 10.0
    """Until something must be heard after a ping."""
    sweep_s: float = 1.0
    """How often all this is looked at."""


class Keeper(Protocol):
    """Who holds the connections."""

    limits: Limits

    def heard(self, connection: Connection, messages: list[bytes]) -> None:
        """Take whole messages."""
        ...

    def wants_flush(self, connection: Connection) -> None:
        """Call `flush` at the end of this turn."""
        ...

    def gone(self, connection: Connection, why: str) -> None:
        """Forget the connection; may be said more than once."""
        ...

    def ended(self, connection: Connection) -> None:
        """Learn that the transport is closed."""
        ...


class Connection(asyncio.BufferedProtocol):
    """A protocol of the event loop's. `now` is the loop's own time."""

    def __init__(self, keeper: Keeper, flow: Flow, *, is_ours: bool) -> None:
        self.flow = flow
        self.is_ours = is_ours
        """We opened it."""
        self.local: tuple[str, int] = ("", 0)
        self.has_spoken = False
        """It has sent one whole message."""
        self.transport: asyncio.Transport | None = None
        self._keeper = keeper
        self._clock = asyncio.get_running_loop().time
        self._framer = StreamFramer()
        self._buffer = bytearray(READ_BYTES)
        self._out: list[bytes] = []
        self._opened_at = self._heard_at = self._wrote_at = self._clock()
        self._partial_since: float | None = None
        self._stalled_since: float | None = None
        self._pinged_at: float | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Note our address; `begin` follows when the call that makes the transport has returned."""
        self.local = transport.get_extra_info("sockname")[:2]

    def begin(self, transport: asyncio.Transport) -> None:
        """Start to write: first what has waited."""
        self.transport = transport
        self._opened_at = self._heard_at = self._wrote_at = self._clock()
        self.flush()

    def connection_lost(self, exc: Exception | None) -> None:
        """Report the end."""
        self._keeper.gone(self, CLOSED if exc is None else explain(exc))
        self._keeper.ended(self)

    def get_buffer(self, sizehint: int) -> bytearray:  # noqa: ARG002 -- fairness decides the size, not the sender
        """Return where to read to."""
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        """Take what was read."""
        data = bytes(memoryview(self._buffer)[:nbytes])
        self._heard_at = self._clock()
        self._pinged_at = None
        try:
            self._take(self._framer.feed(data))
        except FramingError as error:
            self._take(error.frames)
            self.cut(str(error))

    def pause_writing(self) -> None:
        """Note that the peer does not keep up."""
        self._stalled_since = self._clock()

    def resume_writing(self) -> None:
        """Note that it does again."""
        self._stalled_since = None

    def write(self, data: bytes) -> bool:
        """Send a message at the end of this turn, or when the connection is made; False: too many wait for that."""
        if self.transport is None and len(self._out) >= self._keeper.limits.queue:
            return False
        if not self._out:
            self._keeper.wants_flush(self)
        self._out.append(data)
        return True

    def flush(self) -> None:
        """Write what this turn had to say, in one piece: one system call, one TLS record."""
        transport = self.transport
        if transport is None or not self._out:
            return
        data = b"".join(self._out)
        self._out.clear()
        self._wrote_at = self._clock()
        transport.write(data)
        if transport.get_write_buffer_size() > self._keeper.limits.buffer_bytes:
            self.cut("the peer does not read what is sent to it")

    def cut(self, why: str) -> None:
        """End it at once; what was not written is lost."""
        self._keeper.gone(self, why)
        if self.transport is not None:
            self.transport.abort()

    def close(self) -> None:
        """End it when everything is written."""
        self.flush()
        if self.transport is not None:
            self.transport.close()

    def is_idle(self, now: float) -> bool:
        """Tell whether it carried nothing for long, and nothing waits."""
        return not self._out and now - max(self._heard_at, self._wrote_at) > self._keeper.limits.idle_s

    def overdue(self, now: float) -> str | None:
        """Return why it must be cut now, if so."""
        limits = self._keeper.limits
        if _is_past(self._stalled_since, limits.stall_s, now):
            return "the peer does not read what is sent to it"
        if not self.is_ours and not self.has_spoken and now - self._opened_at > limits.first_message_s:
            return "the peer connected and said nothing"
        if _is_past(self._partial_since, limits.message_s, now):
            return "the peer sends a message too slowly"
        if _is_past(self._pinged_at, limits.pong_s, now):
            return "the peer does not answer to keep-alive"
        return None

    def keep_alive(self, now: float) -> None:
        """Ping if it is time to."""
        every = self._keeper.limits.ping_s
        if every is None or not self.is_ours or self._pinged_at is not None or now - self._heard_at < every:
            return
        self._pinged_at = now
        self.write(PING)

    def _take(self, frames: list[bytes]) -> None:
        messages = [frame for frame in frames if frame not in (PING, PONG)]
        if messages:
            self.has_spoken = True
        if not self._framer.pending:
            self._partial_since = None
        elif messages or self._partial_since is None:
            self._partial_since = self._heard_at
        if PING in frames:
            self.write(PONG)
        self._keeper.heard(self, messages)


def _is_past(since: float | None, limit_s: float, now: float) -> bool:
    return since is not None and now - since > limit_s
