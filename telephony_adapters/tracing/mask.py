"""Hide numbers and secrets in a SIP message before it is kept (P19): lengths stay, so that it still parses. PURE."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from typing import Final, TypeAlias

HIDDEN_FROM: Final = 7
"""So many digits in a row, separators of RFC 3966 between them or not, may be a phone number."""
SHOWN: Final = 3
"""How many of a number's last digits stay."""

_Hide: TypeAlias = Callable[[bytes], bytes]
_OCTET: Final = rb"(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)"
_ADDRESS: Final = (
    rb"(?<![\d.+]\d)(?:(?<=2)(?:5[0-5]|[0-4]\d)|(?<=1)\d\d|(?<=[1-9])\d|)(?:\." + _OCTET + rb"){3}(?!\.?\d|@)"
)
"""An IPv4 address: what reads like one in a message is one, unless it is a user."""
_OUR_ID: Final = (
    rb"(?<=0)(?<![0-9A-Za-z]0)[0-9a-f]{7}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}(?![0-9A-Za-z])"
)
"""A UUIDv7 is a call of ours: its digits are a time, until the year 2500 one that begins with 0, and a hash."""
_KEPT: Final = re.compile(rb"(\d(?:" + _ADDRESS + rb"|" + _OUR_ID + rb"))")
"""Patterns begin with one class, and look back from there: thus most of a message is passed over quickly."""


def _numbers(separator: bytes) -> re.Pattern[bytes]:
    """Match HIDDEN_FROM digits and more; of an escape such as %2B no digit is one, but %30 to %39 are, in disguise."""
    first = rb"[\d%](?:(?<=%)3\d|(?<=\d)(?<!%\d)(?<!%[0-9A-Fa-f]\d))"
    return re.compile(first + rb"(?:" + separator + rb"{0,4}(?:\d|%3\d)){" + b"%d" % (HIDDEN_FROM - 1) + rb",}")


_TEXT: Final = _numbers(rb"(?:[-.() \t\r\n]|%2[0-9A-Fa-f])")
"""Numbers as people write them; a header that is folded does not part one."""
_FIGURES: Final = _numbers(rb"(?:[-.()]|%2[0-9A-Fa-f])")
"""Numbers where a blank parts figures of their own: `CSeq: 7 BYE`, `m=audio 4000 RTP/AVP 8 0 18 101`."""
_DIGIT: Final = re.compile(rb"\d|%3\d")
_LINE_END: Final = re.compile(rb"(\r?\n)")
_HEADER_END: Final = re.compile(rb"(\r?\n(?![ \t]))")
_HEAD_END: Final = re.compile(rb"\r?\n\r?\n")
_STATUS: Final = re.compile(rb"SIP/\d\.\d \d{3} ", re.IGNORECASE)
_SEEN: Final = re.compile(rb"\S")
_BINARY: Final = re.compile(rb"[\x00-\x08\x0e-\x1f\x7f]")
_CREDENTIAL: Final = re.compile(
    rb'(?<![\w*-])(?P<head>(?P<name>[\w*-]+)[ \t]*=[ \t]*"?)(?P<value>(?<=")(?:[^"\\]|\\.)*|[^\s,"]*)', re.DOTALL
)
_OPEN: Final = frozenset({b"realm", b"algorithm", b"qop", b"nc", b"stale", b"uri", b"domain", b"charset"})
"""What credentials and challenges show of themselves; user, nonces and responses they do not (RFC 7616)."""
_SDP_FIGURES: Final = re.compile(
    rb"[bcmortvz]=|a=(?:candidate|crypto|extmap|fmtp|framesize|imageattr|maxptime|ptime|remote-candidates|rtcp|rtcp-fb|"
    rb"rtpmap|ssrc|ssrc-group|range)\b"
)
_SDP_SECRET: Final = re.compile(
    rb"^(k=|a=(?:ice-pwd|key-mgmt):|a=crypto:.*?inline:)(.*)", re.IGNORECASE
)  # RFC 4568: keys of the media


def mask_message(data: bytes) -> bytes:
    """Return the message with all but the last three digits of each number hidden, and without secrets.

    Hidden digits become `*`, and 0 where the grammar wants figures (CSeq, most of SDP). Credentials, keys, signed
    identities (RFC 8224: numbers in base64) and bodies that are not text are blanked whole. Nothing changes its length.
    """
    end = _HEAD_END.search(data)
    head, gap, body = (data, b"", b"") if end is None else (data[: end.start()], end[0], data[end.end() :])
    first, *rest = _HEADER_END.split(head)
    return b"".join([_start_line(first), *map(_header, rest), gap, _body(body)])


def _hide(text: bytes, *, numbers: re.Pattern[bytes], filler: bytes) -> bytes:
    if numbers.search(text) is None:
        return text

    def hidden(number: re.Match[bytes]) -> bytes:
        digits = list(_DIGIT.finditer(number[0]))
        shown = digits[-SHOWN].start()
        return _DIGIT.sub(covered, number[0][:shown]) + number[0][shown:]

    def covered(digit: re.Match[bytes]) -> bytes:
        return filler if len(digit[0]) == 1 else b"%%%02X" % filler[0]

    parts = _KEPT.split(text)
    parts[::2] = [numbers.sub(hidden, part) for part in parts[::2]]
    return b"".join(parts)


_stars: Final[_Hide] = functools.partial(_hide, numbers=_TEXT, filler=b"*")
_zeros: Final[_Hide] = functools.partial(_hide, numbers=_FIGURES, filler=b"0")


def _start_line(line: bytes) -> bytes:
    status = _STATUS.match(line)
    if status is None:
        return _stars(line)
    return status[0] + _stars(line[status.end() :])


def _header(line: bytes) -> bytes:
    name, _, _ = line.partition(b":")
    return _HEADERS.get(name.strip().lower(), _stars)(line)


def _blank(line: bytes) -> bytes:
    name, colon, value = line.partition(b":")
    return name + colon + _blotted(value)


def _blotted(value: bytes) -> bytes:
    return _SEEN.sub(b"*", value)


def _credentials(line: bytes) -> bytes:
    """Hide all but the harmless parameters of Digest; of another scheme (Basic, Bearer) everything."""
    name, colon, value = line.partition(b":")
    scheme = value.split(None, 1)[:1]
    if scheme and scheme[0].lower() in {b"basic", b"bearer"}:
        return _blank(line)
    return name + colon + _stars(_CREDENTIAL.sub(_credential, value))


def _credential(found: re.Match[bytes]) -> bytes:
    if found["name"].lower() in _OPEN:
        return found[0]
    return found["head"] + _blotted(found["value"])


def _body(body: bytes) -> bytes:
    if _BINARY.search(body):  # such as ISUP (RFC 3204), whose digits are coded
        return b"*" * len(body)
    return b"".join(map(_body_line, _LINE_END.split(body)))


def _body_line(line: bytes) -> bytes:
    line = _SDP_SECRET.sub(lambda found: found[1] + _blotted(found[2]), line)
    return _zeros(line) if _SDP_FIGURES.match(line) else _stars(line)


_HEADERS: Final[dict[bytes, _Hide]] = (
    dict.fromkeys(
        (
            b"cseq", b"content-length", b"date", b"expires", b"l", b"max-forwards", b"min-expires", b"min-se", b"rack",
            b"retry-after", b"rseq", b"session-expires", b"timestamp", b"x",
        ),
        _zeros,
    )
    | dict.fromkeys(
        (
            b"authentication-info", b"authorization", b"proxy-authenticate", b"proxy-authentication-info",
            b"proxy-authorization", b"www-authenticate",
        ),
        _credentials,
    )
    | dict.fromkeys((b"identity", b"y"), _blank)
)  # fmt: skip
