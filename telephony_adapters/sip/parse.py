"""Read SIP messages (RFC 3261 sections 7, 18.3 and 25.1), strictly where leniency is a risk; every size has a limit."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Final

from telephony_adapters.sip.message import Header, Request, Response, Via
from telephony_adapters.sip.names import KNOWN, METHODS, ONCE, TOKEN, is_token
from telephony_adapters.sip.uri import (
    MAX_PORT,
    UriError,
    header_params,
    is_uri,
    parse_host_port,
    parse_name_addr,
    split_list,
)

MAX_HEAD: Final = 65_535
"""Bytes of start line and headers."""
MAX_BODY: Final = 262_144
MAX_HEADERS: Final = 256
MAX_VALUE: Final = 16_384
"""Characters of one header's value, folded lines together."""
MAX_REPEATED: Final = 8_192
"""Characters of the headers that responses repeat, together (sections 8.2.6.2 and 12.1.1)."""
_REPEATED: Final = frozenset({"Via", "From", "To", "Call-ID", "CSeq", "Record-Route"})
_MAX_NUMBER: Final = 2**31
_MAX_FORWARDS: Final = 255
_MAX_DIGITS: Final = 10
_FEW_DIGITS: Final = 9
_FOLD: Final = re.compile(r"\r\n[ \t]+")
_ADDRESS: Final = re.compile(
    r"""(?:"[^"\\<>]*"\ *|[A-Za-z0-9\-.!%*_+`'~\ ]*)<sips?:[^\x00-\x20\x7f<>"]+>(?:;tag=([A-Za-z0-9\-.!%*_+`'~]+))?""",
    re.VERBOSE,
)
"""What nearly every From and To looks like; the others are read step by step."""
_VIA: Final = re.compile(
    r"""SIP/2\.0/([A-Z]+)\ ([A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?)(?::([0-9]{1,5}))?
    ((?:;[a-z0-9-]+(?:=[A-Za-z0-9\-.!%*_+`'~:\[\]]*)?)+)""",
    re.VERBOSE,
)
"""What nearly every Via looks like."""
_STATUS: Final = re.compile(r"SIP/2\.0 ([1-6][0-9][0-9])(?: (.*))?", re.IGNORECASE | re.DOTALL)


class Reject(StrEnum):
    """Why a message cannot be used."""

    EMPTY = "empty"
    NO_END = "no end of headers"
    TOO_LARGE = "too large"
    BARE_NEWLINE = "bare CR or LF"
    START_LINE = "start line"
    VERSION = "version"
    HEADER = "header line"
    REPEATED = "header repeated"
    MISSING = "header missing"
    VIA = "Via"
    ADDRESS = "From, To or Contact"
    CSEQ = "CSeq"
    CALL_ID = "Call-ID"
    MAX_FORWARDS = "Max-Forwards"
    CONTENT_LENGTH = "Content-Length"
    SHORT_BODY = "body shorter than Content-Length"
    REQUEST_URI = "Request-URI"


class SipSyntax(Exception):
    """The message cannot be used.

    `status` is what a request deserves (RFC 3261 section 21.4.1, 21.5.6), None = drop it; `headers` are those that were
    read, and `method` the request's, so that it can be answered.
    """

    def __init__(self, why: Reject, status: int | None = 400) -> None:
        super().__init__(why.value)
        self.why = why
        self.status = status
        self.headers: list[Header] = []
        self.method = ""


def parse_message(data: bytes) -> Request | Response:
    """Read one datagram, or one whole message of a stream; raise SipSyntax."""
    head, body = _split(data)
    line, newline, rest = head.partition("\r\n")
    if not newline:
        raise SipSyntax(Reject.HEADER, None)
    is_response = line[:4].upper() == "SIP/"
    headers: list[Header] = []
    try:
        _read_headers(rest, headers)
        if len(rest) > MAX_REPEATED:
            _check_repeated(headers)
        return _response(line, headers, body) if is_response else _request(line, headers, body)
    except SipSyntax as error:
        error.headers = headers
        error.method = line.partition(" ")[0]
        if is_response:
            error.status = None
        raise


def _check_repeated(headers: list[Header]) -> None:
    """Refuse what would make responses large: a small repetition of the request would bring a large one each time."""
    if sum(len(name) + len(value) + 4 for name, value in headers if name in _REPEATED) > MAX_REPEATED:
        raise SipSyntax(Reject.TOO_LARGE, 513)


def _split(data: bytes) -> tuple[str, bytes]:
    at = data.find(b"\r\n\r\n")
    if at < 0:
        raise SipSyntax(Reject.NO_END if data.strip(b"\r\n\0 ") else Reject.EMPTY, None)
    if at == 0 or data[:2] == b"\r\n":
        stripped = data.lstrip(b"\r\n")
        if not stripped:
            raise SipSyntax(Reject.EMPTY, None)
        return _split(stripped)
    if at > MAX_HEAD:
        raise SipSyntax(Reject.TOO_LARGE, None)
    return data[:at].decode("utf-8", "surrogateescape"), data[at + 4 :]


def _read_headers(text: str, headers: list[Header]) -> None:
    if "\r\n " in text or "\r\n\t" in text:
        text = _FOLD.sub(" ", text)
    lines = text.split("\r\n")
    if len(lines) > MAX_HEADERS:
        raise SipSyntax(Reject.TOO_LARGE)
    known_names = KNOWN
    for line in lines:
        name, colon, value = line.partition(":")
        known = known_names.get(name) or _name(name)
        if not colon or known is None:
            raise SipSyntax(Reject.HEADER)
        headers.append((known, value.strip(" \t")))
    if len(text) > MAX_VALUE and any(len(value) > MAX_VALUE for _, value in headers):
        raise SipSyntax(Reject.TOO_LARGE, 513)
    if text.count("\n") != len(lines) - 1 or text.count("\r") != len(lines) - 1:
        raise SipSyntax(Reject.BARE_NEWLINE)


def _name(name: str) -> str | None:
    name = name.rstrip(" \t")
    if not is_token(name):
        return None
    return KNOWN.get(name) or KNOWN.get(name.lower()) or name


def _response(line: str, headers: list[Header], body: bytes) -> Response:
    found = _STATUS.fullmatch(line)
    if found is None:
        raise SipSyntax(Reject.START_LINE)
    response = Response(*_essentials(headers, body))
    response.status, response.reason = int(found.group(1)), found.group(2) or ""
    return response


def _request(line: str, headers: list[Header], body: bytes) -> Request:
    parts = line.split(" ")
    if len(parts) != 3 or not TOKEN.issuperset(parts[0]) or not parts[0]:  # noqa: PLR2004 -- method, URI, version
        raise SipSyntax(Reject.START_LINE)
    method, uri, version = parts
    if version.upper() != "SIP/2.0":  # first: another version may spell everything else otherwise
        raise SipSyntax(Reject.VERSION, 505)
    essentials = _essentials(headers, body)
    if not is_uri(uri):
        raise SipSyntax(Reject.REQUEST_URI)
    if essentials[7] != method:
        raise SipSyntax(Reject.CSEQ)
    request = Request(*essentials)
    request.method, request.uri = method, uri
    return request


def _essentials(
    headers: list[Header], body: bytes
) -> tuple[list[Header], bytes, Via, str, str, str, int, str, dict[str, str]]:
    found = dict(reversed(headers))
    if len(found) < len(headers):
        _check_once(headers)
    try:
        via, call_id, cseq = found["Via"], found["Call-ID"], found["CSeq"]
        from_, to = found["From"], found["To"]
    except KeyError:
        raise SipSyntax(Reject.MISSING) from None
    if not call_id or " " in call_id or "\t" in call_id:
        raise SipSyntax(Reject.CALL_ID)
    number, method = _cseq(cseq)
    if "Max-Forwards" in found:
        _number(found["Max-Forwards"], _MAX_FORWARDS, Reject.MAX_FORWARDS)
    if "Contact" in found:
        _check_contacts([value for name, value in headers if name == "Contact"])
    length = found.get("Content-Length")
    if length is not None:
        body = _cut(body, length)
    elif len(body) > MAX_BODY:
        raise SipSyntax(Reject.TOO_LARGE, 513)
    return headers, body, parse_via(via), _tag(from_), _tag(to), call_id, number, method, found


def _check_once(headers: list[Header]) -> None:
    seen: set[str] = set()
    for name, _ in headers:
        if name in seen and name in ONCE:
            raise SipSyntax(Reject.REPEATED)
        seen.add(name)


def _cseq(value: str) -> tuple[int, str]:
    digits, _, method = value.partition(" ")
    method = method.strip(" \t")
    if method not in METHODS and not is_token(method):
        raise SipSyntax(Reject.CSEQ)
    return _number(digits, _MAX_NUMBER - 1, Reject.CSEQ), method


def _number(digits: str, most: int, why: Reject) -> int:
    if len(digits) <= _FEW_DIGITS and digits.isdecimal() and digits.isascii() and (number := int(digits)) <= most:
        return number
    if not (digits.isascii() and digits.isdigit()):
        raise SipSyntax(why)
    digits = digits.lstrip("0") or "0"
    if len(digits) > _MAX_DIGITS or int(digits) > most:
        raise SipSyntax(why)
    return int(digits)


def _cut(body: bytes, length: str) -> bytes:
    wanted = _number(length, MAX_BODY, Reject.CONTENT_LENGTH)
    if wanted > len(body):
        raise SipSyntax(Reject.SHORT_BODY)
    return body if wanted == len(body) else body[:wanted]


def parse_via(value: str) -> Via:
    """Read the first of a Via header's values; raise SipSyntax."""
    usual = _VIA.fullmatch(value)
    if usual is not None:
        transport, host, digits, params = usual.groups()
        port = int(digits) if digits else None
        if port is None or 0 < port <= MAX_PORT:
            split = [part.partition("=") for part in params[1:].split(";")]
            return Via(transport, host, port, {name: found for name, _, found in split})
    try:
        if "," in value:
            value = split_list(value)[0]
        sent, semicolon, rest = value.partition(";")
        words = sent.split()
        if len(words) != 2 or not words[0].upper().startswith("SIP/2.0/"):  # noqa: PLR2004 -- protocol and sent-by
            words = _spaced_via(sent)
        transport = words[0][8:]
        if not is_token(transport):
            raise SipSyntax(Reject.VIA)
        host, port = parse_host_port(words[1])
        return Via(transport, host, port, header_params(semicolon + rest))
    except UriError:
        raise SipSyntax(Reject.VIA) from None


def _spaced_via(sent: str) -> list[str]:
    """Read `SIP / 2.0 / UDP host : port`: blanks may stand around slashes and the colon (RFC 3261 section 25.1)."""
    name, version, rest = [*(part.strip() for part in sent.split("/", 2)), "", ""][:3]
    transport, _, place = rest.partition(" ")
    if name.upper() != "SIP" or version != "2.0":
        raise SipSyntax(Reject.VIA)
    return [f"SIP/2.0/{transport}", "".join(place.split())]


def _tag(value: str) -> str:
    found = _ADDRESS.fullmatch(value)
    if found is not None:
        return found.group(1) or ""
    try:
        return parse_name_addr(value).params.get("tag", "")
    except UriError:
        raise SipSyntax(Reject.ADDRESS) from None


def _check_contacts(values: list[str]) -> None:
    for value in values:
        if _ADDRESS.fullmatch(value) or value == "*":
            continue
        try:
            for part in split_list(value):
                parse_name_addr(part)
        except UriError:
            raise SipSyntax(Reject.ADDRESS) from None
