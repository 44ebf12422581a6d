"""The callees' phones as the machine sees them: a port each, and what is heard on it."""

from __future__ import annotations

from typing import Final, NamedTuple, Protocol

from simulator.wire.sounds import Sound

DISCARD_PORT: Final = 9
"""Where nobody listens (RFC 863)."""


class Heard(NamedTuple):
    """RTP packets of one call."""

    received: int = 0
    sent: int = 0


class Phones(Protocol):
    """Ports for media; none of the methods waits."""

    def open(self) -> int | None:
        """Take a port; None: all are in use."""
        ...

    def play(self, port: int, sound: Sound | None, *, payload_type: int, to: tuple[str, int]) -> None:
        """Send a sound, or nothing, to an address from now on."""
        ...

    def close(self, port: int) -> Heard:
        """Give a port back, with what passed through it."""
        ...


class NoPhones:
    """Phones for signalling alone: one port for all, at which nobody listens."""

    def open(self) -> int | None:
        """Return the port where nobody listens."""
        return DISCARD_PORT

    def play(self, port: int, sound: Sound | None, *, payload_type: int, to: tuple[str, int]) -> None:
        """Do nothing."""

    def close(self, port: int) -> Heard:  # noqa: ARG002 - the protocol names it
        """Return that nothing passed."""
        return Heard()
