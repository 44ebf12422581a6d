"""Who calls, as a callee is told: From, P-Asserted-Identity, Privacy (RFC 3261 section 20.20, RFC 3323, RFC 3325)."""

from __future__ import annotations

import functools
import re
from enum import StrEnum
from typing import Final, NamedTuple

from telephony_adapters.sip.lexical import quote

ANONYMOUS: Final = '"Anonymous" <sip:anonymous@anonymous.invalid>'
"""The From of a caller who is not to be known (RFC 3323 section 4.1.1.3)."""

_NUMBER = re.compile(r"\+?[0-9*]{1,32}")
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9_-]*[A-Za-z0-9])?"
_HOST = re.compile(rf"{_LABEL}(?:\.{_LABEL})*|\[[0-9A-Fa-f:.]+\]")
_HOST_MAX = 255
_PORT_MAX = 65_535


class CallerPolicy(StrEnum):
    """How a trunk wants to be told who calls."""

    ASSERTED = "asserted"
    """From and P-Asserted-Identity: the carrier trusts us (RFC 3325 section 9.1)."""
    PREFERRED = "preferred"
    """From and P-Preferred-Identity: the carrier checks it (RFC 3325 section 9.2)."""
    FROM_ONLY = "from-only"
    """From alone."""
    ANONYMOUS = "anonymous"
    """P-Asserted-Identity for the carrier, nothing for the callee (RFC 3325 section 9.3)."""


class Caller(NamedTuple):
    """What a call's INVITE says about its caller."""

    from_: str
    """Without a tag."""
    headers: tuple[tuple[str, str], ...] = ()


def number_uri(number: str, host: str, port: int | None = None, *, user_phone: bool = False) -> str:
    """Return the SIP URI of a number at a host (RFC 3261 section 19.1.6), for callers and callees.

    Raise ValueError, without the number, unless it is digits and stars after an optional plus sign, and the host is a
    name or an address (IPv6 in brackets): so neither can add anything to a URI or to a header.
    """
    if not _NUMBER.fullmatch(number):
        raise ValueError("a number to be called or shown has 1 to 32 digits, after a + if it is international")
    where = f"{checked_host(host)}:{_checked_port(port)}" if port is not None else checked_host(host)
    return f"sip:{number}@{where};user=phone" if user_phone else f"sip:{number}@{where}"


@functools.lru_cache(maxsize=4096)
def caller(
    number: str, domain: str, *,
    display: str = "", policy: CallerPolicy = CallerPolicy.ASSERTED, user_phone: bool = False,
) -> Caller:  # fmt: skip
    """Return From and the identity headers of a call from this hotline; raise ValueError as `number_uri` does."""
    uri = number_uri(number, domain, user_phone=user_phone)
    shown = f"{quote(display)} <{uri}>" if display else f"<{uri}>"
    match policy:
        case CallerPolicy.ASSERTED:
            return Caller(shown, (("P-Asserted-Identity", shown),))
        case CallerPolicy.PREFERRED:
            return Caller(shown, (("P-Preferred-Identity", shown),))
        case CallerPolicy.FROM_ONLY:
            return Caller(shown)
        case CallerPolicy.ANONYMOUS:
            return Caller(ANONYMOUS, (("P-Asserted-Identity", shown), ("Privacy", "id")))


def checked_host(host: str) -> str:
    """Return a host that a URI may hold (RFC 3261 section 25.1); raise ValueError for anything else."""
    if len(host) > _HOST_MAX or not _HOST.fullmatch(host):
        raise ValueError(f"{host[:_HOST_MAX]!r} is no host: use a domain name, an IPv4 address, or [IPv6]")
    return host


def _checked_port(port: int) -> int:
    if not 0 < port <= _PORT_MAX:
        raise ValueError(f"{port} is no port: use 1 to {_PORT_MAX}")
    return port
