"""The closed vocabularies of a call's end (statuses.md 2.1 to 2.4, 2.9, 2.10)."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class CallStatus(StrEnum):
    """The twelve call statuses; the values are the wire forms of recall lists."""

    ANSWERED = "answered"
    NO_ANSWERED = "no-answered"
    BUSY = "busy"
    BUSY_LINE = "busy-line"
    IVR = "ivr"
    FAILED = "failed"
    CONGESTION = "congestion"
    CANCEL = "cancel"
    INVALID_NUMBER = "invalid-number"
    PHONE_BLOCK = "phone-block"
    NOT_AVAILABLE = "not-available"
    VOICEMAIL = "voicemail"


class Attribution(StrEnum):
    """On whose side the reason for the end lies."""

    US = "us"
    CARRIER = "carrier"
    CALLEE = "callee"
    UNKNOWN = "unknown"


class EndedBy(StrEnum):
    """Who ended the call: the far end (person or network), the dialer by itself, or an agent."""

    REMOTE = "remote"
    DIALER = "dialer"
    AGENT = "agent"


class CancelReason(StrEnum):
    """Why the dialer ended a call; OVERFLOW ends an answered one that no agent took in time.

    PROMPT_ENDED ends an answered one of a campaign without agents after its message, or when that never ends.
    """

    RING_TIMEOUT = "ring_timeout"
    CULL = "cull"
    CAMPAIGN_STOPPED = "campaign_stopped"
    ADMIN = "admin"
    AGENT_HANGUP = "agent_hangup"
    ANSWERED_ELSEWHERE = "answered_elsewhere"
    LOSE_RACE = "lose_race"
    OVERFLOW = "overflow"
    PROMPT_ENDED = "prompt_ended"


class Announcement(StrEnum):
    """What a recording in early media, or after the answer, said (statuses.md 2.10)."""

    UNREACHABLE = "unreachable"
    LOCKED = "locked"
    WRONG_NUMBER = "wrong_number"
    MAILBOX = "mailbox"
    NETWORK_BUSY = "network_busy"
    HOTLINE_BLOCKED = "hotline_blocked"


class AmdResult(StrEnum):
    """The result of answering-machine detection; NOTSURE is treated as HUMAN (statuses.md 2.9)."""

    HUMAN = "human"
    MACHINE = "machine"
    NOTSURE = "notsure"
    HANGUP = "hangup"


class LocalError(StrEnum):
    """A fault of ours; LOST means that the outcome is unknown because we crashed.

    NOT_ALLOWED: our rules let nobody call the number. NO_ROUTE: no trunk serves it. DAILY_CAP: the day's minutes or
    money are used up. TEMPLATE: a text names a field that the customer has not. SCRIPT: the script cannot be followed.
    AUDIO: a recording is missing or cannot be read. TTS_KEY: every key of the speech service is used up. VOICE: a text
    could not be spoken.
    """

    TEMPLATE = "template"
    SCRIPT = "script"
    SCRIPT_DELETED = "script_deleted"
    TTS_KEY = "tts_key"
    NO_HOTLINE = "no_hotline"
    AGENT_LEG = "agent_leg"
    CODEC = "codec"
    PROTOCOL = "protocol"
    LOST = "lost"
    NOT_ALLOWED = "not_allowed"
    NO_ROUTE = "no_route"
    DAILY_CAP = "daily_cap"
    AUDIO = "audio"
    VOICE = "voice"


CONTENT_FAULTS: Final = frozenset(
    {
        LocalError.TEMPLATE,
        LocalError.SCRIPT,
        LocalError.SCRIPT_DELETED,
        LocalError.TTS_KEY,
        LocalError.AUDIO,
        LocalError.VOICE,
    }
)
"""What is wrong with what a call would play, found before anyone is called."""

NEW_CODE: Final = "NEW"
"""The code of a lead that has not been called."""

STATUS_CODES: Final[Mapping[CallStatus, str]] = MappingProxyType(
    {
        CallStatus.ANSWERED: "A1",
        CallStatus.NO_ANSWERED: "NA",
        CallStatus.BUSY: "B1",
        CallStatus.BUSY_LINE: "BL1",
        CallStatus.IVR: "IV1",
        CallStatus.FAILED: "F1",
        CallStatus.CONGESTION: "CG1",
        CallStatus.CANCEL: "C1",
        CallStatus.INVALID_NUMBER: "IN1",
        CallStatus.PHONE_BLOCK: "PB1",
        CallStatus.NOT_AVAILABLE: "NA1",
        CallStatus.VOICEMAIL: "VM1",
    }
)
"""The default two-to-four character codes (statuses.md 2.1)."""

STATUS_COUNTERS: Final[Mapping[CallStatus, str]] = MappingProxyType(
    {s: "invalid" if s is CallStatus.INVALID_NUMBER else s.value.replace("-", "_") for s in CallStatus}
)
"""The names of the counters in reports (statuses.md 2.1)."""

_OLD_NAMES: Final[Mapping[str, CallStatus]] = {
    "noanswer": CallStatus.NO_ANSWERED,
    "cancelled": CallStatus.CANCEL,
    "canceled": CallStatus.CANCEL,
    "fail": CallStatus.FAILED,
}


def _fold(text: str) -> str:
    return "".join(ch for ch in text.casefold() if ch.isalnum())


_BY_NAME: Final[Mapping[str, CallStatus]] = MappingProxyType(
    {
        **_OLD_NAMES,
        **{_fold(code): status for status, code in STATUS_CODES.items()},
        **{_fold(name): status for status, name in STATUS_COUNTERS.items()},
        **{_fold(status.value): status for status in CallStatus},
    }
)


def parse_status(text: str) -> CallStatus:
    """Read a status from its label, wire form, counter, filter text or code (statuses.md 2.11 A13).

    Case, spaces, hyphens and underscores do not matter. Raises ValueError that lists what is accepted.
    """
    found = _BY_NAME.get(_fold(text))
    if found is None:
        accepted = ", ".join(f"{status.value} ({STATUS_CODES[status]})" for status in CallStatus)
        raise ValueError(f"unknown call status {text!r}; use one of: {accepted}")
    return found
