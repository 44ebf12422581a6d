"""Where we listen: transport, address and port, as people write them; pure."""

from __future__ import annotations

import re
from typing import Final, NamedTuple, Self

from dialer.errors import BadInput

TRANSPORTS: Final = ("udp", "tcp", "tls")
_LISTEN: Final = re.compile(r"(?P<transport>[a-z]+):(?P<host>\[[^\]]+\]|[^:\[\]]+)(?::(?P<port>\d{1,5}))?")
_PORT_MAX: Final = 65_535


def default_port(transport: str) -> int:
    """Return 5061 for TLS, else 5060 (RFC 3261 section 19.1.2)."""
    return 5061 if transport == "tls" else 5060


class Listen(NamedTuple):
    """One place; port 0: any that is free."""

    transport: str
    host: str
    port: int

    def __str__(self) -> str:
        """Write it as `parse` reads it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.transport}:{host}:{self.port}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read udp:127.0.0.1:5070, tcp:[::1]:5060 or tls:0.0.0.0 (the usual port); raise BadInput."""
        found = _LISTEN.fullmatch(text.strip())
        if found is None or found["transport"] not in TRANSPORTS:
            raise BadInput(
                f"{text!r} is no place to listen: write udp:127.0.0.1:5060, tcp:[::1]:5060 or tls:0.0.0.0:5061"
            )
        transport = found["transport"]
        port = int(found["port"]) if found["port"] else default_port(transport)
        if port > _PORT_MAX:
            raise BadInput(f"there is no port {port}: the last one is {_PORT_MAX}")
        return cls(transport, found["host"].strip("[]"), port)
