"""All cause tables in one place, and the look-ups over them (statuses.md 2.5 to 2.9)."""

from __future__ import annotations

from typing import Final

from statuses.outcomes import Announcement, CallStatus
from statuses.pbx_causes import (
    CAUSE_NUMBERS,
    DIALSTATUS,
    DIALSTATUS_TIMEOUT,
    FREESWITCH,
    FREESWITCH_LOCAL,
    FREESWITCH_NAMES,
    FREESWITCH_ORIGINATE_TIMEOUT,
    MEDIA_FAULTS,
    QUEUE_LEFT,
)
from statuses.q850_causes import Q850, Q850_USER_REJECTED, USER_LOCATIONS
from statuses.rows import Outcome, Row, cell, row
from statuses.sip_causes import (
    SIP,
    SIP_AND_Q850,
    SIP_CLASSES,
    SIP_LOCAL_TIMEOUT,
    SIP_NETWORK_BLOCKED,
    SIP_NETWORK_BLOCKED_TEXT,
)

__all__ = [
    "ANNOUNCEMENTS",
    "CAUSE_NUMBERS",
    "DIALSTATUS",
    "DIALSTATUS_TIMEOUT",
    "FREESWITCH",
    "FREESWITCH_LOCAL",
    "FREESWITCH_NAMES",
    "FREESWITCH_ORIGINATE_TIMEOUT",
    "MEDIA_FAULTS",
    "Q850",
    "Q850_USER_REJECTED",
    "QUEUE_LEFT",
    "SIP",
    "SIP_AND_Q850",
    "SIP_CLASSES",
    "SIP_LOCAL_TIMEOUT",
    "SIP_NETWORK_BLOCKED",
    "Outcome",
    "Row",
    "freeswitch_name",
    "freeswitch_row",
    "q850_row",
    "sip_row",
]

ANNOUNCEMENTS: Final = {
    said: row(f"announcement.{said}", "the recording says so", cell(status, f"announced_{said}"))
    for said, status in (
        (Announcement.UNREACHABLE, CallStatus.NOT_AVAILABLE),
        (Announcement.LOCKED, CallStatus.PHONE_BLOCK),
        (Announcement.WRONG_NUMBER, CallStatus.INVALID_NUMBER),
        (Announcement.MAILBOX, CallStatus.VOICEMAIL),
        (Announcement.NETWORK_BUSY, CallStatus.CONGESTION),
        (Announcement.HOTLINE_BLOCKED, CallStatus.CONGESTION),
    )
}
"""What a recording in early media means (statuses.md 2.10)."""

_MAX_DIGITS: Final = 4
_DECLINE: Final = 603


def sip_row(code: int, reason_text: str | None = None) -> Row | None:
    """Return the row of a final response 3xx to 6xx, None for any other number (statuses.md 2.5)."""
    if code == _DECLINE and SIP_NETWORK_BLOCKED_TEXT in (reason_text or "").lower():
        return SIP_NETWORK_BLOCKED
    return SIP.get(code) or SIP_CLASSES.get(code // 100)


def q850_row(cause: int, location: str | None = None) -> Row | None:
    """Return the row of a Q.850 cause, None if the cause has none (statuses.md 2.6)."""
    if cause == CAUSE_NUMBERS["CALL_REJECTED"] and (location or "").strip().lower() in USER_LOCATIONS:
        return Q850_USER_REJECTED
    return Q850.get(cause)


def _number(cause: str) -> int | None:
    return int(cause) if cause.isascii() and cause.isdigit() and len(cause) <= _MAX_DIGITS else None


def freeswitch_name(cause: str) -> str:
    """Return the canonical name of a FreeSWITCH cause given by name or by number."""
    name = cause.strip().upper()
    number = _number(name)
    return FREESWITCH_NAMES.get(number, name) if number is not None else name


def freeswitch_row(cause: str) -> Row | None:
    """Return the row of a FreeSWITCH cause, by name or number, through Q.850 where it is one (statuses.md 2.7)."""
    name = freeswitch_name(cause)
    number = CAUSE_NUMBERS.get(name, _number(name))
    return FREESWITCH.get(name) or (q850_row(number) if number is not None else None)
