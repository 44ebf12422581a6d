"""What disqualifies a request before anybody looks at what it wants (RFC 3261 section 8.2)."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from typing import Final

from telephony_adapters.sip.message import Header, Request
from telephony_adapters.sip.uri import SIP_SCHEMES

_EXEMPT: Final = frozenset({"ACK", "CANCEL"})
_READABLE: Final = ("application/sdp", "multipart/")
_WITH_SESSION: Final = frozenset({"INVITE", "UPDATE", "PRACK"})


def screened(request: Request, supports: AbstractSet[str], method: str) -> tuple[int, list[Header]] | None:
    """Return (status, headers) of the refusal that a request deserves, None when it deserves none."""
    if request.uri.partition(":")[0].lower() not in SIP_SCHEMES:
        return 416, []
    if method not in _EXEMPT and request.get("Require") is not None:
        unknown = [tag for tag in request.all("Require") if tag.lower() not in supports]
        if unknown:
            return 420, [("Unsupported", ", ".join(unknown))]
    if request.body and (problem := _unreadable(request, method)) is not None:
        return problem
    if method == "INVITE" and not _takes_sdp(request):
        return 406, []
    return None


def _unreadable(request: Request, method: str) -> tuple[int, list[Header]] | None:
    """Refuse a body that we must understand and do not (section 8.2.3)."""
    disposition = (request.get("Content-Disposition") or "").lower()
    if method not in _WITH_SESSION or "handling=optional" in disposition.replace(" ", ""):
        return None
    encoding = (request.get("Content-Encoding") or "identity").lower()
    if encoding != "identity":
        return 415, [("Accept-Encoding", "identity")]
    kind = (request.get("Content-Type") or "").lower()
    if not kind.startswith(_READABLE):
        return 415, [("Accept", "application/sdp")]
    return None


def _takes_sdp(request: Request) -> bool:
    """Tell whether the caller can read a session description; no Accept means that it can (section 20.1)."""
    if request.get("Accept") is None:
        return True
    accepts = [value.partition(";")[0].strip().lower() for value in request.all("Accept")]
    return any(kind in {"application/sdp", "application/*", "*/*"} for kind in accepts)
