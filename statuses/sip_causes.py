"""SIP final responses and their pairs with Q.850 causes, as data (statuses.md 2.5 and the end of 2.6)."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from statuses.outcomes import Attribution, CallStatus
from statuses.rows import Row, cell, row

_US, _UNKNOWN = Attribution.US, Attribution.UNKNOWN

_NO_ANSWERED = cell(CallStatus.NO_ANSWERED)
_BUSY = cell(CallStatus.BUSY)
_REJECTED = cell(CallStatus.BUSY, "rejected")
_INVALID = cell(CallStatus.INVALID_NUMBER)
_NOT_AVAILABLE = cell(CallStatus.NOT_AVAILABLE)
_CONGESTION = cell(CallStatus.CONGESTION)
_HOTLINE = cell(CallStatus.CONGESTION, "hotline_refused")
_IDENTITY = cell(CallStatus.CONGESTION, "caller_identity")
_ROUTING = cell(CallStatus.CONGESTION, "routing")
_PROTOCOL = cell(CallStatus.FAILED, "protocol")
_CODEC = cell(CallStatus.FAILED, "codec")
_BLOCKED = cell(CallStatus.PHONE_BLOCK)

_ROWS: Final = (
    (400, "Bad Request", _PROTOCOL, None),
    (401, "Unauthorized", cell(CallStatus.CONGESTION, "trunk_credentials", _US), None),
    (402, "Payment Required", cell(CallStatus.CONGESTION, "no_balance", _US), None),
    (403, "Forbidden", _HOTLINE, _REJECTED),
    (404, "Not Found", _INVALID, None),
    (405, "Method Not Allowed", _PROTOCOL, None),
    (406, "Not Acceptable", _PROTOCOL, None),
    (407, "Proxy Authentication Required", cell(CallStatus.CONGESTION, "trunk_credentials", _US), None),
    (408, "Request Timeout", _NOT_AVAILABLE, _NO_ANSWERED),
    (409, "Conflict", _PROTOCOL, None),
    (410, "Gone", cell(CallStatus.INVALID_NUMBER, "number_changed"), None),
    (411, "Length Required", _PROTOCOL, None),
    (413, "Request Entity Too Large", _PROTOCOL, None),
    (414, "Request-URI Too Long", _PROTOCOL, None),
    (415, "Unsupported Media Type", _CODEC, None),
    (416, "Unsupported URI Scheme", _PROTOCOL, None),
    (420, "Bad Extension", _PROTOCOL, None),
    (421, "Extension Required", _PROTOCOL, None),
    (423, "Interval Too Brief", _PROTOCOL, None),
    (428, "Use Identity Header", _IDENTITY, None),
    (429, "Provide Referrer Identity", _IDENTITY, None),
    (437, "Unsupported Credential", _IDENTITY, None),
    (438, "Invalid Identity Header", _IDENTITY, None),
    (480, "Temporarily Unavailable", _NOT_AVAILABLE, _NO_ANSWERED),
    (481, "Call/Transaction Does Not Exist", _PROTOCOL, None),
    (482, "Loop Detected", _ROUTING, None),
    (483, "Too Many Hops", _ROUTING, None),
    (484, "Address Incomplete", _INVALID, None),
    (485, "Ambiguous", _INVALID, None),
    (486, "Busy Here", _BUSY, None),
    (487, "Request Terminated, without a CANCEL of ours", _NOT_AVAILABLE, _NO_ANSWERED),
    (488, "Not Acceptable Here", _CODEC, None),
    (491, "Request Pending", _PROTOCOL, None),
    (493, "Undecipherable", _PROTOCOL, None),
    (500, "Server Internal Error", _CONGESTION, None),
    (501, "Not Implemented", _PROTOCOL, None),
    (502, "Bad Gateway", _CONGESTION, _NOT_AVAILABLE),
    (503, "Service Unavailable", _CONGESTION, None),
    (504, "Server Time-out", _CONGESTION, _NO_ANSWERED),
    (505, "Version Not Supported", _PROTOCOL, None),
    (513, "Message Too Large", _PROTOCOL, None),
    (600, "Busy Everywhere", _BUSY, None),
    (603, "Decline", _REJECTED, None),
    (604, "Does Not Exist Anywhere", _INVALID, None),
    (606, "Not Acceptable", _CODEC, None),
    (607, "Unwanted (RFC 8197)", cell(CallStatus.CONGESTION, "unwanted"), _REJECTED),
    (608, "Rejected by analytics (RFC 8688)", cell(CallStatus.CONGESTION, "analytics"), None),
)

SIP: Final[Mapping[int, Row]] = MappingProxyType(
    {code: row(f"sip.{code}", meaning, quiet, rung) for code, meaning, quiet, rung in _ROWS}
)
"""Final responses by code."""

SIP_CLASSES: Final[Mapping[int, Row]] = MappingProxyType(
    {
        3: row("sip.3xx", "redirection, not followed", cell(CallStatus.NOT_AVAILABLE, "redirected")),
        4: row("sip.4xx", "any other 4xx", cell(CallStatus.FAILED, "protocol", _UNKNOWN)),
        5: row("sip.5xx", "any other 5xx", _CONGESTION),
        6: row("sip.6xx", "any other 6xx", cell(CallStatus.FAILED, "protocol", _UNKNOWN)),
    }
)
"""Defaults by the first digit of the code."""

SIP_NETWORK_BLOCKED: Final = row(
    "sip.603.network_blocked",
    "603 Network Blocked, by analytics (ATIS-1000099)",
    cell(CallStatus.CONGESTION, "analytics"),
)
SIP_NETWORK_BLOCKED_TEXT: Final = "v=analytics1"
"""What the Reason header of a 603 contains when the network, not the person, declined."""

SIP_LOCAL_TIMEOUT: Final = row(
    "sip.408.no_trying",
    "our own transaction timeout without a 100 Trying: the trunk is dead",
    cell(CallStatus.CONGESTION, "trunk_silent"),
)

_PAIRS: Final = (
    ((480,), (1, 22, 28), _INVALID, None),
    ((480,), (17,), _BUSY, None),
    ((480,), (21,), _REJECTED, None),
    ((480,), (19,), _NO_ANSWERED, None),
    ((480,), (18, 31), _NOT_AVAILABLE, _NO_ANSWERED),
    ((480,), (20, 27), _NOT_AVAILABLE, None),
    ((480,), (34, 38, 41, 42), _CONGESTION, None),
    ((480, 403, 404, 503), (54, 55, 87), _BLOCKED, None),
    ((403,), (52, 50, 57, 29, 63), _HOTLINE, None),
    ((403,), (1, 28), _INVALID, None),
    ((403,), (21,), _HOTLINE, _REJECTED),
    ((404,), (20, 27), _NOT_AVAILABLE, None),
    ((404,), (3,), _INVALID, None),
    ((486, 600, 603), (34, 42), _CONGESTION, None),
    ((486,), (16, 31), _BUSY, None),
    ((503,), (1,), _INVALID, None),
    ((503,), (17,), _BUSY, None),
    ((503,), (20, 27), _NOT_AVAILABLE, None),
)

SIP_AND_Q850: Final[Mapping[tuple[int, int], Row]] = MappingProxyType(
    {
        (sip, q850): row(f"sip.{sip}+q850.{q850}", f"SIP {sip} with cause {q850}", quiet, rung)
        for sips, causes, quiet, rung in _PAIRS
        for sip in sips
        for q850 in causes
    }
)
"""What is true when the SIP code and the cause in the Reason header disagree."""
