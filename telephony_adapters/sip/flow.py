"""Where a message goes and comes from, and what a machine that speaks SIP looks like to the loop that turns it."""

from __future__ import annotations

from typing import NamedTuple, Protocol

T1: float = 0.5
"""Round-trip time estimate, seconds (RFC 3261 section 17.1.1.1)."""
T2: float = 4.0
"""Longest interval between retransmissions of non-INVITE requests and 2xx responses (RFC 3261 section 17.1.2.2)."""
T4: float = 5.0
"""Longest time that a message stays in the network (RFC 3261 section 17.1.2.2)."""


class Flow(NamedTuple):
    """One way to a peer: a transport and the peer's address as numbers; names are resolved before (RFC 3263).

    For TCP and TLS it names the connection to that address; `server_name` is what the certificate must bear.
    """

    transport: str
    """udp, tcp or tls."""
    host: str
    """An IPv4 or IPv6 address, without brackets."""
    port: int
    server_name: str = ""

    @property
    def is_reliable(self) -> bool:
        """Tell whether the transport repeats by itself: no retransmission above it."""
        return self.transport != "udp"

    def __str__(self) -> str:
        """Write it as people do: udp:10.0.0.1:5060, tls:[::1]:5061."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.transport}:{host}:{self.port}"


class Send(NamedTuple):
    """One message for one flow."""

    flow: Flow
    data: bytes


class Machine(Protocol):
    """What the loop turns: one mutation at a time, then its sends are taken and its timer is armed again.

    `now` is in seconds and never runs backwards; a live loop gives UTC epoch seconds.
    """

    def receive(self, data: bytes, flow: Flow, now: float) -> None:
        """Take one datagram, or one whole message of a stream."""
        ...

    def flow_lost(self, flow: Flow, why: str, now: float) -> None:
        """Learn that a flow broke, or could not be made: what was sent on it may not have arrived."""
        ...

    def handle_timer(self, now: float) -> None:
        """Fire every timer that is due."""
        ...

    def next_timer(self) -> float | None:
        """Return when the next timer is due."""
        ...

    def take_sends(self) -> list[Send]:
        """Return what is to be sent, in order, and forget it."""
        ...
