"""SIP URIs and the addresses of people in headers (RFC 3261 sections 19.1, 20.10 and 25.1)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, NamedTuple

from telephony_adapters.sip.lexical import unquote

_HOST: Final = re.compile(r"(?:[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9.])?|\[[0-9A-Fa-f:.]+\])")
_USER: Final = re.compile(r"(?:[A-Za-z0-9\-_.!~*'()&=+$,;?/:]|%[0-9A-Fa-f]{2})+")
_HIDDEN: Final = re.compile(r"[\x00-\x20\x7f<>\"]")
"""What no URI holds, and what could break out of a header."""
_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*")
MAX_PORT: Final = 65_535
SIP_SCHEMES: Final = frozenset({"sip", "sips"})


class UriError(ValueError):
    """The text is no URI, or no address, that can be used; the message says why."""


class SipUri(NamedTuple):
    """A sip or sips URI. `user` and parameters stay escaped as they came; `host` of IPv6 without brackets."""

    scheme: str
    user: str
    host: str
    port: int | None = None
    params: Mapping[str, str] = {}
    headers: str = ""

    def __str__(self) -> str:
        """Write it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        user = f"{self.user}@" if self.user else ""
        port = f":{self.port}" if self.port is not None else ""
        params = "".join(f";{name}={value}" if value else f";{name}" for name, value in self.params.items())
        return f"{self.scheme}:{user}{host}{port}{params}" + (f"?{self.headers}" if self.headers else "")


class NameAddr(NamedTuple):
    """An address in a header: display name (unquoted), URI as text, and the header's own parameters."""

    display: str
    uri: str
    params: Mapping[str, str]

    def __str__(self) -> str:
        """Write it, with brackets."""
        display = f"{quoted(self.display)} " if self.display else ""
        params = "".join(f";{name}={value}" if value else f";{name}" for name, value in self.params.items())
        return f"{display}<{self.uri}>{params}"


def quoted(text: str) -> str:
    """Return a quoted string (RFC 3261 section 25.1); line ends are left out, nothing can break out of it."""
    plain = text.replace("\r", "").replace("\n", "").replace("\0", "")
    return '"' + plain.replace("\\", "\\\\").replace('"', '\\"') + '"'


def parse_uri(text: str) -> SipUri:
    """Read a sip or sips URI; raise UriError for anything else."""
    scheme, colon, rest = text.partition(":")
    scheme = scheme.lower()
    if not colon or scheme not in SIP_SCHEMES:
        raise UriError(f"no sip or sips URI: {scheme[:20]!r}")
    if _HIDDEN.search(rest):
        raise UriError("a URI holds no blanks, quotes or angle brackets")
    user, at, place = rest.rpartition("@")
    if at and not _USER.fullmatch(user):
        raise UriError("the user part of the URI has characters that must be escaped")
    place, _, headers = place.partition("?")
    hostport, *params = place.split(";")
    host, port = parse_host_port(hostport)
    return SipUri(scheme, user, host, port, _params(params) if params else {}, headers)


def is_uri(text: str) -> bool:
    """Tell whether a text looks like a URI of any scheme: the rest is the scheme's affair."""
    scheme, colon, rest = text.partition(":")
    return bool(colon and rest and _SCHEME.fullmatch(scheme) and not _HIDDEN.search(rest))


def parse_host_port(text: str) -> tuple[str, int | None]:
    """Read host or host:port; IPv6 in brackets, which are taken off."""
    found = _HOST.match(text)
    if not found:
        raise UriError("there is no host")
    host, rest = found.group(), text[found.end() :]
    if host[0] == "[":
        host = host[1:-1]
    if not rest:
        return host, None
    digits = rest[1:]
    if rest[0] != ":" or not (digits.isascii() and digits.isdigit()) or not 0 < int(digits[:6]) <= MAX_PORT:
        raise UriError("what follows the host is no port")
    return host, int(digits)


def _params(parts: list[str]) -> dict[str, str]:
    params: dict[str, str] = {}
    for part in parts:
        name, _, value = part.partition("=")
        if not name:
            raise UriError("a parameter has no name")
        params[name.lower()] = value
    return params


def split_list(value: str) -> list[str]:
    """Split a header's value at its commas, outside quotes and angle brackets; blanks around the parts go."""
    if "," not in value:
        return [value]
    if '"' not in value and "<" not in value:
        return [part.strip() for part in value.split(",")]
    return split_outside(value, ",")


def split_outside(value: str, separator: str) -> list[str]:
    """Split at a separator that is outside quoted strings and angle brackets; raise UriError when one stays open."""
    parts: list[str] = []
    start, at, end = 0, 0, len(value)
    angle = False
    while at < end:
        char = value[at]
        if char == '"':
            at = end_of_quote(value, at)
        elif char == "<":
            angle = True
        elif char == ">":
            angle = False
        elif char == separator and not angle:
            parts.append(value[start:at].strip())
            start = at + 1
        at += 1
    if angle:
        raise UriError("an angle bracket is never closed")
    parts.append(value[start:].strip())
    return parts


def end_of_quote(value: str, at: int) -> int:
    """Return where the quoted string that begins at `at` ends; raise UriError when it does not."""
    at += 1
    end = len(value)
    while at < end:
        char = value[at]
        if char == "\\":
            at += 2
            continue
        if char == '"':
            return at
        at += 1
    raise UriError("a quoted string is never closed")


def parse_name_addr(value: str) -> NameAddr:
    """Read `"Display" <uri>;params`, `Display <uri>;params` or `uri;params` (they are the header's, section 20)."""
    value = value.strip()
    display, uri, rest = _bracketed(value) if _has_bracket(value) else ("", *_bare(value))
    if not is_uri(uri):
        raise UriError("the address is no URI")
    return NameAddr(display, uri, header_params(rest))


def _has_bracket(value: str) -> bool:
    at = end_of_quote(value, 0) if value.startswith('"') else 0
    return "<" in value[at:]


def _bare(value: str) -> tuple[str, str]:
    uri, semicolon, rest = value.partition(";")
    uri = uri.rstrip()
    if "?" in uri or "," in uri:
        raise UriError("a URI with a comma or a question mark needs angle brackets")
    return uri, semicolon + rest


def _bracketed(value: str) -> tuple[str, str, str]:
    if value.startswith('"'):
        closed = end_of_quote(value, 0)
        display = unquote(value[: closed + 1])
        rest = value[closed + 1 :].lstrip()
    else:
        at = value.index("<")
        display, rest = value[:at].strip(), value[at:]
        if display and not all(_is_word(word) for word in display.split()):
            raise UriError("a display name with such characters needs quotes")
    if not rest.startswith("<"):
        raise UriError("something stands between the display name and the address")
    uri, closing, params = rest[1:].partition(">")
    if not closing:
        raise UriError("an angle bracket is never closed")
    return display, uri, params


def _is_word(word: str) -> bool:
    return not set(word) & set('"<>,;:@()[]{}=?/\\')


def header_params(rest: str) -> dict[str, str]:
    """Read `;name=value;name` after an address or a value; names in small letters, values as they came.

    One semicolon too many at the end is forgiven; a parameter without a name is not.
    """
    rest = rest.strip()
    if not rest:
        return {}
    if rest[0] != ";":
        raise UriError("something other than parameters follows the address")
    parts = split_outside(rest[1:], ";") if '"' in rest else rest[1:].split(";")
    if not parts[-1].strip():
        parts.pop()
    params: dict[str, str] = {}
    for part in parts:
        name, _, value = part.partition("=")
        name = name.strip().lower()
        if not name:
            raise UriError("a parameter has no name")
        params[name] = value.strip()
    return params
