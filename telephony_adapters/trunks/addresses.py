"""Where SIP servers are and where we listen, as people write them."""

from __future__ import annotations

import ipaddress
import re
from typing import Final, NamedTuple

from telephony_adapters.trunks.reading import Key

_PLACE: Final = re.compile(r"(?:(?P<name>[A-Za-z0-9_.-]+)|\[(?P<v6>[0-9A-Fa-f:.]+)\])(?::(?P<port>[0-9]{1,5}))?")
_LABEL: Final = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?")
_NAME_MAX: Final = 253
_PORT_MAX: Final = 65_535
_TRANSPORTS: Final = ("udp", "tcp", "tls")


class Server(NamedTuple):
    """A host, an address without brackets, and a port; without a port a name's SRV records say it (RFC 3263)."""

    host: str
    port: int | None = None

    @property
    def uri_host(self) -> str:
        """Return the host as a URI holds it: IPv6 in brackets."""
        return f"[{self.host}]" if ":" in self.host else self.host

    def __str__(self) -> str:
        """Write it as people do."""
        return self.uri_host if self.port is None else f"{self.uri_host}:{self.port}"


def parse_server(text: str) -> Server:
    """Read sip.example.vn, 10.0.0.1:5060 or [::1]:5060; raise ValueError for anything else."""
    found = _PLACE.fullmatch(text)
    if found is None:
        raise ValueError("IPv6 stands in brackets" if text.count(":") > 1 and "[" not in text else "")
    port = None if found["port"] is None else int(found["port"])
    if port is not None and not 1 <= port <= _PORT_MAX:
        raise ValueError(f"there is no port {port}")
    return Server(_address(found["v6"]) if found["v6"] else _name(found["name"]), port)


def _address(text: str) -> str:
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        raise ValueError(f"{text} is no address") from None


def _name(text: str) -> str:
    """Return a name or an IPv4 address; what ends in a number is an address (RFC 3696 section 2)."""
    labels = text.split(".")
    if labels[-1].isdigit():
        return _address(text)
    if len(text) > _NAME_MAX or not all(_LABEL.fullmatch(label) for label in labels):
        raise ValueError(f"{text} is no name of a host")
    return text


def _read_server(value: object) -> Server:
    if not isinstance(value, str):
        raise ValueError  # noqa: TRY004 -- what `Key.read` raises
    return parse_server(value)


def _read_listen(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError  # noqa: TRY004 -- what `Key.read` raises
    transport, _, place = value.partition(":")
    if transport not in _TRANSPORTS:
        raise ValueError("it begins with " + ", ".join(_TRANSPORTS))
    parse_server(place)
    return value


SERVER: Final = Key('a host, such as "sip.example.vn", "10.0.0.1:5060" or "[::1]:5060"', _read_server)
LISTEN: Final = Key('a place to listen, such as "udp:0.0.0.0:5060"', _read_listen)
