"""Find the address that Via and Contact must bear: the one that a peer can answer to."""

from __future__ import annotations

import ipaddress
import socket

from dialer.errors import Unreachable
from telephony_adapters.wire.explain import explain


def address_toward(host: str, port: int = 5060) -> str:
    """Return this machine's address on the way to an address; nothing is sent. Raises Unreachable: there is no way.

    Behind NAT it is the inner address: `rport` and `received` (RFC 3581), or the trunk's settings, say the outer one.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as sock:
        try:
            sock.connect((host, port))
        except OSError as error:
            raise Unreachable(f"there is no way from here to {host}: {explain(error)}") from error
        return str(sock.getsockname()[0])


def sent_by(bound: tuple[str, int], peer: str) -> tuple[str, int]:
    """Return host and port for Via and Contact of a socket bound there, for a peer at this address.

    A socket bound to a real address bears that; one bound to 0.0.0.0 or :: bears the address on the way to the peer.
    """
    host, port = bound
    return (address_toward(peer), port) if ipaddress.ip_address(host).is_unspecified else (host, port)
