"""Where call records may be posted: the form of a callback URL, and the addresses that are refused."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Final, NamedTuple, TypeAlias
from urllib.parse import urlsplit

URL_LENGTH: Final = 2048
PRIVATE_SETTING: Final = "DIALER_WEBHOOK_PRIVATE=yes"
_Address: TypeAlias = IPv4Address | IPv6Address
_PORTS: Final = {"https": 443, "http": 80}
_PRINTABLE: Final = range(0x21, 0x7F)
_NAT64: Final = ip_network("64:ff9b::/96")
_METADATA: Final = frozenset(map(ip_address, ("169.254.169.254", "fd00:ec2::254", "100.100.100.200")))
"""Where clouds hand out a machine's credentials; some of these lie in ordinary private ranges."""


class Target(NamedTuple):
    """A callback URL in its parts; `path` holds the query too."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def authority(self) -> str:
        """Return the host as a Host header names it: the usual port left out."""
        host = bracketed(self.host)
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"


def bracketed(host: str) -> str:
    """Return a host as it stands in a URL: an IPv6 address in brackets."""
    return f"[{host}]" if ":" in host else host


def parse_callback(text: str) -> str:
    """Return the URL as it will be called; raise ValueError that says what a callback URL looks like."""
    target_of(text)
    return text


def target_of(url: str) -> Target:
    """Take a callback URL apart; raise ValueError that says what it should look like."""
    if len(url) > URL_LENGTH or any(ord(sign) not in _PRINTABLE or sign == "\\" for sign in url):
        raise ValueError(f"write the address in at most {URL_LENGTH} ASCII characters without blanks")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise ValueError("it is not a URL; write one like https://crm.example.com/calls") from error
    if parts.scheme not in _PORTS or not parts.hostname:
        raise ValueError("write a URL like https://crm.example.com/calls")
    if "@" in parts.netloc or parts.fragment or port == 0:
        raise ValueError("leave out user names, passwords, #fragments and port 0")
    query = f"?{parts.query}" if parts.query else ""
    return Target(parts.scheme, parts.hostname, port or _PORTS[parts.scheme], (parts.path or "/") + query)


def url_refusal(url: str, *, private: bool) -> str | None:
    """Say why a URL may not be set, as far as that shows without asking for its address; None = it may.

    `private`: the installation allows addresses of its own network (DIALER_WEBHOOK_PRIVATE).
    """
    target = target_of(url)
    secure = target.scheme == "https"
    if not secure and not private:
        return (
            f"call records hold phone numbers: use https, or set {PRIVATE_SETTING} for a receiver in your own network"
        )
    if target.host == "localhost" or target.host.endswith(".localhost"):
        return address_refusal("127.0.0.1", secure=secure, private=private)
    try:
        ip_address(target.host)
    except ValueError:
        return None
    return address_refusal(target.host, secure=secure, private=private)


def address_refusal(address: str, *, secure: bool, private: bool) -> str | None:
    """Say why nothing is posted to an IP address; None = it may be.

    Public addresses over TLS only; loopback and private ones only with `private`; never link-local, metadata,
    multicast, unspecified or reserved ones.
    """
    found = _bare(ip_address(address.partition("%")[0]))
    if found in _METADATA or found.is_link_local or found.is_multicast or found.is_unspecified:
        return f"{found} is a link-local, metadata or multicast address; nothing is ever posted there"
    if found.is_reserved and not found.is_loopback:
        return f"{found} is a reserved address; nothing is ever posted there"
    if found.is_global:
        return None if secure else f"{found} is a public address: use https"
    return None if private else f"{found} is an address of a private network; set {PRIVATE_SETTING} if it is yours"


def _bare(address: _Address) -> _Address:
    """Return the IPv4 address that an IPv6 one stands for, if it does."""
    if isinstance(address, IPv4Address):
        return address
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    teredo = address.teredo[1] if address.teredo else None
    return address.ipv4_mapped or address.sixtofour or teredo or address
