"""Write SIP messages."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from telephony_adapters.sip.message import Header, Message, Request, Response

PHRASES: Final = {
    100: "Trying", 180: "Ringing", 181: "Call Is Being Forwarded", 182: "Queued", 183: "Session Progress", 200: "OK",
    202: "Accepted", 300: "Multiple Choices", 301: "Moved Permanently", 302: "Moved Temporarily", 305: "Use Proxy",
    380: "Alternative Service", 400: "Bad Request", 401: "Unauthorized", 402: "Payment Required", 403: "Forbidden",
    404: "Not Found", 405: "Method Not Allowed", 406: "Not Acceptable", 407: "Proxy Authentication Required",
    408: "Request Timeout", 410: "Gone", 413: "Request Entity Too Large", 414: "Request-URI Too Long",
    415: "Unsupported Media Type", 416: "Unsupported URI Scheme", 420: "Bad Extension", 421: "Extension Required",
    422: "Session Interval Too Small", 423: "Interval Too Brief", 428: "Use Identity Header",
    429: "Provide Referrer Identity",
    437: "Unsupported Credential", 438: "Invalid Identity Header", 480: "Temporarily Unavailable",
    481: "Call/Transaction Does Not Exist", 482: "Loop Detected", 483: "Too Many Hops", 484: "Address Incomplete",
    485: "Ambiguous", 486: "Busy Here", 487: "Request Terminated", 488: "Not Acceptable Here", 489: "Bad Event",
    491: "Request Pending", 493: "Undecipherable", 500: "Server Internal Error", 501: "Not Implemented",
    502: "Bad Gateway", 503: "Service Unavailable", 504: "Server Time-out", 505: "Version Not Supported",
    513: "Message Too Large", 600: "Busy Everywhere", 603: "Decline", 604: "Does Not Exist Anywhere",
    606: "Not Acceptable", 607: "Unwanted", 608: "Rejected",
}  # fmt: skip
"""Reason phrases (RFC 3261 section 21 and the IANA registry)."""


def phrase(status: int) -> str:
    """Return the usual reason phrase of a status."""
    return PHRASES.get(status, "Unknown")


def write_request(method: str, uri: str, headers: Iterable[Header], body: bytes = b"") -> bytes:
    """Return a request's bytes; Content-Length is added."""
    return _write(f"{method} {uri} SIP/2.0", headers, body)


def write_response(status: int, reason: str, headers: Iterable[Header], body: bytes = b"") -> bytes:
    """Return a response's bytes; Content-Length is added."""
    return _write(f"SIP/2.0 {status} {reason}", headers, body)


def _write(line: str, headers: Iterable[Header], body: bytes) -> bytes:
    text = "".join([f"{name}: {value}\r\n" for name, value in headers])
    head = f"{line}\r\n{text}Content-Length: {len(body)}\r\n\r\n"
    return head.encode("utf-8", "surrogateescape") + body


def serialize(message: Message) -> bytes:
    """Return the bytes of a message that was read; Content-Length stands last and tells the body's true length."""
    headers = [header for header in message.headers if header[0] != "Content-Length"]
    if isinstance(message, Request):
        return write_request(message.method, message.uri, headers, message.body)
    if isinstance(message, Response):
        return write_response(message.status, message.reason, headers, message.body)
    raise TypeError(f"neither a request nor a response: {type(message).__name__}")
