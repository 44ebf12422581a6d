"""Well-formed SIP messages for Hypothesis, by RFC 3261 section 25.1, in plain spelling: what every reader must read."""

from __future__ import annotations

from collections.abc import Iterable
from random import Random
from typing import Final, NamedTuple

from hypothesis import strategies as st

from telephony_adapters.sip.names import TOKEN, canonical

_ALNUM = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
FOLD: Final = "\r\n "
tokens = st.text(sorted(TOKEN), min_size=1, max_size=16)
words = st.text(_ALNUM, min_size=1, max_size=12)
_labels = st.from_regex(r"[a-z]{1,9}(-[a-z]{1,4})?", fullmatch=True)  # the last must not hold digits, says sipmessage
hosts = (
    st.lists(_labels, min_size=1, max_size=3).map(".".join)
    | st.ip_addresses(v=4).map(str)
    | st.ip_addresses(v=6).map(lambda address: f"[{address}]")
)
ports = st.integers(1, 65_535).map(lambda port: f":{port}") | st.just("")
_escaped = st.integers(0, 255).map(lambda octet: f"%{octet:02X}")
_users = st.lists(st.text(_ALNUM + "-_.!~*'()&=+$,;?/", min_size=1, max_size=8) | _escaped, min_size=1, max_size=4)
users = _users.map("".join)
_values = st.lists(st.text(_ALNUM + "-_.!~*'()[]/:&+$", min_size=1, max_size=8) | _escaped, min_size=1, max_size=2)
uri_params = st.tuples(words, st.just("") | _values.map("".join))
quoted = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=12).map(
    lambda text: '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
)
header_params = st.tuples(tokens, st.just("") | tokens)
methods = st.sampled_from(["INVITE", "ACK", "BYE", "CANCEL", "OPTIONS", "REGISTER", "UPDATE", "PRACK", "INFO"]) | tokens
bodies = st.binary(max_size=80)


def params(pairs: Iterable[tuple[str, str]]) -> str:
    """Write parameters; of two with one name, the first stays."""
    first: dict[str, tuple[str, str]] = {}
    for name, value in pairs:
        first.setdefault(name.lower(), (name, value))
    return "".join(f";{name}={value}" if value else f";{name}" for name, value in first.values())


@st.composite
def uris(draw: st.DrawFn) -> str:
    """Write a sip or sips URI."""
    user = draw(st.just("") | users.map(lambda text: f"{text}@"))
    tail = params(draw(st.lists(uri_params, max_size=3)))
    return f"{draw(st.sampled_from(['sip', 'sips']))}:{user}{draw(hosts)}{draw(ports)}{tail}"


@st.composite
def addresses(draw: st.DrawFn, tag: str = "") -> str:
    """Write a name-addr, with a tag if one is given."""
    display = draw(st.just("") | quoted | st.lists(words, min_size=1, max_size=3).map(" ".join))
    others = [pair for pair in draw(st.lists(header_params, max_size=2)) if pair[0].lower() != "tag"]
    return f"{display} <{draw(uris())}>{params([*others, *([('tag', tag)] if tag else [])])}".lstrip()


@st.composite
def vias(draw: st.DrawFn) -> str:
    """Write one Via value."""
    others = [pair for pair in draw(st.lists(header_params, max_size=2)) if pair[0].lower() != "branch"]
    branch = f"z9hG4bK{draw(words)}"
    transport = draw(st.sampled_from(["UDP", "TCP", "TLS", "SCTP"]))
    return f"SIP/2.0/{transport} {draw(hosts)}{draw(ports)}{params([*others, ('branch', branch)])}"


class Parts(NamedTuple):
    """A message in parts: `headers` are names and values, without Content-Length."""

    start: str
    headers: list[tuple[str, str]]
    body: bytes

    @property
    def data(self) -> bytes:
        """Return the octets."""
        lines = [f"{name}: {value}" for name, value in self.headers]
        return "\r\n".join([self.start, *lines, f"Content-Length: {len(self.body)}", "", ""]).encode() + self.body

    def disguised(self, random: Random) -> bytes:
        """Return the octets in unusual spelling, which must read the same (RFC 3261 section 7.3)."""
        lines = [_disguise(name, value, random) for name, value in self.headers]
        length = f"{random.choice(['l', 'Content-length', 'CONTENT-LENGTH  '])}:\t{len(self.body)} "
        return "\r\n".join([self.start, *lines, length, "", ""]).encode() + self.body


def _disguise(name: str, value: str, random: Random) -> str:
    compact = [short for short in "fitvm" if canonical(short) == name]
    shown = random.choice([name.upper(), name.lower(), name, *compact]) + random.choice(["", " ", "\t"])
    return f"{shown}:{random.choice(['', ' ', FOLD, FOLD + ' '])}{value}{random.choice(['', ' ', FOLD])}"


@st.composite
def _lists(draw: st.DrawFn, name: str, values: list[str]) -> list[tuple[str, str]]:
    """Write a list as one line with commas, or as several lines."""
    if draw(st.booleans()) and values and '"' not in "".join(values):  # sipmessage reads two quoted names as one
        return [(name, ", ".join(values))]
    return [(name, value) for value in values]


@st.composite
def messages(draw: st.DrawFn) -> Parts:
    """Write a request or a response."""
    method = draw(methods)
    status = f"SIP/2.0 {draw(st.integers(100, 699))} {draw(words)}"
    request = f"{method} {draw(uris())} SIP/2.0"
    headers = [
        ("From", draw(addresses(tag=draw(tokens)))),
        ("To", draw(addresses(tag=draw(st.just("") | tokens)))),
        ("Call-ID", draw(words) + draw(st.just("") | hosts.map(lambda host: f"@{host}"))),
        ("CSeq", f"{draw(st.integers(0, 2**31 - 1))} {method}"),
        ("Max-Forwards", str(draw(st.integers(0, 255)))),
        ("X-" + draw(words), draw(st.text(_ALNUM + ' ;,="', max_size=12)).strip()),
        *draw(_lists("Via", draw(st.lists(vias(), min_size=1, max_size=3)))),
        *draw(_lists("Contact", draw(st.lists(addresses(), max_size=2)))),
        *draw(_lists("Route", draw(st.lists(uris().map(lambda uri: f"<{uri}>"), max_size=2)))),
    ]
    return Parts(draw(st.sampled_from([request, status])), headers, draw(bodies))
