"""Header names of SIP: canonical spellings, compact forms, which hold comma lists and which may stand only once."""

from __future__ import annotations

from typing import Final

TOKEN: Final = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.!%*_+`'~")
"""The characters of a token (RFC 3261 section 25.1)."""

_COMPACT: Final = {
    "a": "Accept-Contact",
    "b": "Referred-By",
    "c": "Content-Type",
    "d": "Request-Disposition",
    "e": "Content-Encoding",
    "f": "From",
    "i": "Call-ID",
    "j": "Reject-Contact",
    "k": "Supported",
    "l": "Content-Length",
    "m": "Contact",
    "o": "Event",
    "r": "Refer-To",
    "s": "Subject",
    "t": "To",
    "u": "Allow-Events",
    "v": "Via",
    "x": "Session-Expires",
    "y": "Identity",
}
"""Compact forms (the IANA registry of SIP header fields)."""

LISTS: Final = frozenset(
    {
        "Accept", "Accept-Encoding", "Accept-Language", "Alert-Info", "Allow", "Allow-Events", "Call-Info", "Contact",
        "Content-Encoding", "Content-Language", "Error-Info", "In-Reply-To", "P-Asserted-Identity",
        "P-Preferred-Identity", "Path", "Proxy-Require", "Reason", "Record-Route", "Require", "Route", "Service-Route",
        "Supported", "Unsupported", "Via", "Warning",
    }
)  # fmt: skip
"""Headers whose value is a list: several lines mean the same as one with commas (RFC 3261 section 7.3.1)."""

ONCE: Final = frozenset(
    {
        "CSeq", "Call-ID", "Content-Disposition", "Content-Length", "Content-Type", "Date", "Expires", "From",
        "Max-Forwards", "Min-Expires", "Min-SE", "Organization", "Priority", "RAck", "RSeq", "Reply-To", "Retry-After",
        "Server", "Session-Expires", "Subject", "Timestamp", "To", "User-Agent",
    }
)  # fmt: skip
"""Headers that a message has at most once (RFC 3261 sections 7.3.1 and 20)."""

_OTHERS: Final = frozenset(
    {
        "Authorization", "Authentication-Info", "Event", "Join", "MIME-Version", "P-Access-Network-Info",
        "P-Charging-Vector", "P-Early-Media", "Privacy", "Proxy-Authenticate", "Proxy-Authorization", "Refer-To",
        "Referred-By", "Remote-Party-ID", "Replaces", "Subscription-State", "WWW-Authenticate",
    }
)  # fmt: skip

_CANONICAL: Final = {name.lower(): name for name in LISTS | ONCE | _OTHERS | {*_COMPACT.values()}} | _COMPACT
KNOWN: Final = {name: name for name in _CANONICAL.values()} | _CANONICAL
"""Canonical name by a spelling: as it is written most, in small letters, or compact."""


METHODS: Final = frozenset(
    {
        "ACK", "BYE", "CANCEL", "INFO", "INVITE", "MESSAGE", "NOTIFY", "OPTIONS", "PRACK", "PUBLISH", "REFER",
        "REGISTER", "SUBSCRIBE", "UPDATE",
    }
)  # fmt: skip
"""Methods that are known (the IANA registry), whether we serve them (405) or not; of the others we say 501."""


def canonical(name: str) -> str:
    """Return the canonical spelling of a header's name; one that nobody knows stays as it is written."""
    return KNOWN.get(name) or KNOWN.get(name.lower()) or name


def is_token(text: str) -> bool:
    """Tell whether a text is a token (RFC 3261 section 25.1)."""
    return bool(text) and TOKEN.issuperset(text)
