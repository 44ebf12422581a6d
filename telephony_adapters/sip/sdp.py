"""Session descriptions as they pass through (RFC 8866): read leniently, written back byte for byte.

A line keeps its own end, so what nobody changed goes out as it came in. What may be said in offers and answers is in
`offer`.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

import msgspec

from telephony_adapters.sip.lexical import whole_number

BYTES_MAX: Final = 65_536
"""A longer description is refused."""
LINES_MAX: Final = 1000
"""One with more lines is refused."""
MEDIA_MAX: Final = 16
"""One with more m= lines is refused."""
FORMATS_MAX: Final = 64
"""So is an m= line with more formats."""
PORT_MAX: Final = 65_535
"""The largest port."""
DIRECTIONS: Final = frozenset({"sendrecv", "sendonly", "recvonly", "inactive"})
"""What a party does with a stream, seen from itself (RFC 8866 section 6.7)."""
NO_ADDRESS: Final = frozenset({"0.0.0.0", "::"})  # noqa: S104 -- addresses that are sent, not bound
"""Nobody sends media there: the old way to put on hold (RFC 3264 section 8.4)."""

_LINE = re.compile(r"[^\n]*\n|[^\n]+")
_CONNECTION_WORDS = 3
_MEDIA_WORDS = 3
_DYNAMIC = 96


class SdpError(ValueError):
    """A session description cannot be read or used; says what is wrong, and in which line."""


class Codec(NamedTuple):
    """One payload type, as rtpmap and fmtp describe it (RFC 8866 sections 6.6 and 6.15)."""

    payload: int
    name: str
    rate: int = 8000
    channels: int = 1
    fmtp: str = ""

    @property
    def key(self) -> tuple[str, int, int]:
        """Return what makes it the same codec under any number: encoding name, clock rate, channels."""
        return self.name.lower(), self.rate, self.channels

    @property
    def is_dynamic(self) -> bool:
        """Tell whether its number means nothing by itself (RFC 3551 section 6)."""
        return self.payload >= _DYNAMIC


PCMU: Final = Codec(0, "PCMU")
"""G.711 mu-law."""
PCMA: Final = Codec(8, "PCMA")
"""G.711 A-law."""
TELEPHONE_EVENT: Final = Codec(101, "telephone-event", fmtp="0-16")
"""Digits and tones by name (RFC 4733)."""
STATIC: Final = {
    codec.payload: codec
    for codec in (
        PCMU, Codec(3, "GSM"), Codec(4, "G723"), Codec(5, "DVI4"), Codec(6, "DVI4", 16_000), Codec(7, "LPC"), PCMA,
        Codec(9, "G722"), Codec(10, "L16", 44_100, 2), Codec(11, "L16", 44_100), Codec(12, "QCELP"), Codec(13, "CN"),
        Codec(14, "MPA", 90_000), Codec(15, "G728"), Codec(16, "DVI4", 11_025), Codec(17, "DVI4", 22_050),
        Codec(18, "G729"), Codec(26, "JPEG", 90_000), Codec(31, "H261", 90_000), Codec(32, "MPV", 90_000),
        Codec(33, "MP2T", 90_000), Codec(34, "H263", 90_000),
    )
}  # fmt: skip
"""Payload types that need no rtpmap (RFC 3551 section 6)."""


class Origin(NamedTuple):
    """The o= line: who describes the session, and how often it has changed (RFC 8866 section 5.2)."""

    session_id: str
    version: int
    host: str
    username: str = "-"

    def next(self) -> Origin:
        """Return the origin of the next description in the same dialog (RFC 3264 section 8)."""
        return self._replace(version=self.version + 1)

    def __str__(self) -> str:
        """Write its value."""
        return f"{self.username} {self.session_id} {self.version} {network(self.host)}"


class Media(msgspec.Struct, frozen=True):
    """One m= section."""

    lines: tuple[str, ...]
    """As received, with their ends; the m= line first."""
    kind: str
    """audio, video, image ..."""
    port: int
    """0 = refused, or given up (RFC 3264 sections 6 and 8.2)."""
    protocol: str
    formats: tuple[str, ...]
    host: str
    """From its own c= line, else from the session's; "" when the stream is not in use."""
    direction: str
    codecs: tuple[Codec, ...]
    """Of the formats that are payload types and known by rtpmap or by number, in order of preference."""

    @property
    def is_active(self) -> bool:
        """Tell whether the stream was neither refused nor given up."""
        return self.port != 0

    @property
    def is_held(self) -> bool:
        """Tell whether this party wants to hear nothing (RFC 3264 section 8.4)."""
        return self.direction in {"sendonly", "inactive"} or self.host in NO_ADDRESS


class Sdp(msgspec.Struct, frozen=True):
    """A session description."""

    head: tuple[str, ...]
    """The lines before the first m=, with their ends."""
    media: tuple[Media, ...]

    @property
    def data(self) -> bytes:
        """Return it as bytes: those received, where nothing was changed."""
        lines = [*self.head, *(line for media in self.media for line in media.lines)]
        return "".join(lines).encode("utf-8", "surrogateescape")

    @property
    def audio(self) -> Media | None:
        """Return the first audio stream that is in use."""
        return next((media for media in self.media if media.kind == "audio" and media.port), None)

    @property
    def direction(self) -> str:
        """Return the direction of the audio that is in use; without any it is inactive."""
        return audio.direction if (audio := self.audio) else "inactive"

    @property
    def is_held(self) -> bool:
        """Tell whether this party holds the call: it has audio, and wants to hear none (RFC 3264 section 8.4)."""
        heard = [media.is_held for media in self.media if media.kind == "audio" and media.port]
        return bool(heard) and all(heard)

    @property
    def end(self) -> str:
        """Return how its lines end."""
        return "\n" if self.head and not self.head[0].endswith("\r\n") else "\r\n"


def parse(body: bytes) -> Sdp:
    """Read a body of type application/sdp (RFC 8866 section 5); raise SdpError, naming the line."""
    if len(body) > BYTES_MAX:
        raise SdpError(f"the session description has {len(body)} bytes; {BYTES_MAX} are allowed")
    lines: list[str] = _LINE.findall(body.decode("utf-8", "surrogateescape"))
    if len(lines) > LINES_MAX:
        raise SdpError(f"the session description has {len(lines)} lines; {LINES_MAX} are allowed")
    if not lines or lines[0].rstrip() != "v=0":
        raise SdpError("line 1: a session description begins with v=0")
    starts = [number for number, line in enumerate(lines) if line[:2] == "m="]
    if len(starts) > MEDIA_MAX:
        raise SdpError(f"the session description has {len(starts)} m= lines; {MEDIA_MAX} are allowed")
    ends = [*starts[1:], len(lines)]
    head = _Section(lines, 0, starts[0] if starts else len(lines))
    sections = [_Section(lines, start, end) for start, end in zip(starts, ends, strict=False)]
    return Sdp(head.lines, tuple(section.media(head) for section in sections))


def refused(lines: tuple[str, ...], kind: str, protocol: str, formats: tuple[str, ...]) -> Media:
    """Return a stream that is not in use: what its lines say beside their formats means nothing."""
    return Media(lines, kind.lower(), 0, protocol, formats, "", "inactive", ())


def network(host: str) -> str:
    """Return the network and address type of an address, and the address, as o= and c= lines say it."""
    return f"IN IP{6 if ':' in host else 4} {host}"


class _Section:
    """What one section says: read once, line by line."""

    __slots__ = ("direction", "fmtp", "host", "lines", "rtpmap", "start")

    def __init__(self, lines: list[str], start: int, end: int) -> None:
        self.lines = tuple(lines[start:end])
        self.start = start
        self.host = self.direction = ""
        self.rtpmap: dict[str, tuple[str, int, int]] = {}
        self.fmtp: dict[str, str] = {}
        for number, line in enumerate(self.lines, start + 1):
            kind = line[:2]
            if kind == "a=":
                self._attribute(line[2:].rstrip())
            elif kind == "c=":
                self.host = _address(line[2:].split(), number)
            elif kind[1:] != "=" and line.strip(" \t\r\n\0"):
                raise SdpError(f"line {number}: not of the form type=value")

    def _attribute(self, text: str) -> None:
        name, _, value = text.partition(":")
        if name == "rtpmap":
            payload, _, encoding = value.strip().partition(" ")
            if mapped := _encoding(encoding):
                self.rtpmap[payload] = mapped
        elif name == "fmtp":
            payload, _, text = value.strip().partition(" ")
            self.fmtp[payload] = text.strip()
        elif name in DIRECTIONS:
            self.direction = name

    def media(self, head: _Section) -> Media:
        """Return the section as a stream; the session's address and direction hold where it has none of its own."""
        where = self.start + 1
        words = self.lines[0][2:].split()
        port = words[1].partition("/")[0] if len(words) >= _MEDIA_WORDS else ""
        number = whole_number(port)
        if number is None or number > PORT_MAX:
            raise SdpError(f"line {where}: m= needs a medium, a port up to {PORT_MAX}, a protocol and formats")
        kind, _, protocol, *formats = words
        if len(formats) > FORMATS_MAX or (not formats and number):
            raise SdpError(f"line {where}: m= has {len(formats)} formats; 1 to {FORMATS_MAX} are allowed")
        if not number:
            return refused(self.lines, kind, protocol, tuple(formats))
        host = self.host or head.host
        if not host:
            raise SdpError(f"line {where}: m= has no address: neither it nor the session has a c= line")
        direction = self.direction or head.direction or "sendrecv"
        codecs = tuple(codec for payload in formats if (codec := self._codec(payload)))
        return Media(self.lines, kind.lower(), number, protocol, tuple(formats), host, direction, codecs)

    def _codec(self, payload: str) -> Codec | None:
        number = whole_number(payload)
        if number is None or str(number) != payload:
            return None
        if mapped := self.rtpmap.get(payload):
            return Codec(number, *mapped, self.fmtp.get(payload, ""))
        known = STATIC.get(number)
        return known and known._replace(fmtp=self.fmtp.get(payload, ""))


def _address(words: list[str], number: int) -> str:
    if len(words) != _CONNECTION_WORDS:
        raise SdpError(f"line {number}: c= needs a network, an address type and an address")
    return words[2].partition("/")[0]


def _encoding(text: str) -> tuple[str, int, int] | None:
    """Return the name, clock rate and channels of an rtpmap; None when it cannot be read, which harms only itself."""
    name, _, numbers = text.strip().partition("/")
    rate, _, channels = numbers.partition("/")
    rate_hz, channel_count = whole_number(rate), whole_number(channels or "1")
    return (name, rate_hz, channel_count) if name and rate_hz and channel_count else None
