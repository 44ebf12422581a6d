"""What SIP says of a call, as the engine's events: progress, announcements, and how it ended; pure.

It takes plain values: a status, the values of headers, reasons as (protocol, cause, text, location) of RFC 3326.
`statuses.classify` then decides what the call came to (statuses.md 2.4).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, TypeAlias

from dialer.core.events import CallEnded, CallEvent, CallProgressed, CallRinging, EarlyMediaHeard
from dialer.core.types import CallId
from statuses.outcomes import Announcement, EndedBy, LocalError
from telephony_adapters.trunks.guard import Refusal
from telephony_adapters.trunks.health import REST_MAX_S
from telephony_adapters.trunks.model import ANNOUNCEMENTS, Trunk
from telephony_adapters.trunks.routes import Closed
from telephony_adapters.trunks.spend import CapReached

ReasonValue: TypeAlias = tuple[str, int | None, str, str]
"""Protocol, cause, text and location of a Reason (RFC 3326, RFC 8606)."""

_TRYING, _RINGING, _SESSION_PROGRESS = 100, 180, 183
_OK, _TERMINATED, _UNAVAILABLE = 200, 487, 503
_Q850: Final = "q.850"
_CAUSES: Final = range(1, 128)
_TEXT_MAX: Final = 200
_ENDS: Final[Mapping[str, tuple[EndedBy, str]]] = {
    "remote": (EndedBy.REMOTE, ""),
    "local": (EndedBy.DIALER, ""),
    "timer": (EndedBy.DIALER, "the session was not refreshed (RFC 4028)"),
    "lost": (EndedBy.REMOTE, "the far end no longer knew the call"),
}


def progress(
    call_id: CallId,
    status: int,
    trunk: Trunk,
    *,
    has_sdp: bool = False,
    early_media: Sequence[str] = (),
    announcement: Sequence[str] = (),
) -> CallEvent:
    """Return what a provisional response means.

    `early_media` are the values of P-Early-Media (RFC 5009): without media to us, a 183 is no early media.
    `announcement` are those of the trunk's `announcement_header`.
    """
    if status == _TRYING:
        return CallProgressed(call_id)
    said = announced(announcement, trunk.announcements or ANNOUNCEMENTS) if announcement else None
    if said is not None:
        return EarlyMediaHeard(call_id, said)
    if status == _RINGING:
        return CallRinging(call_id)
    if status != _SESSION_PROGRESS or not has_sdp or not _is_media(early_media):
        return CallProgressed(call_id)
    return CallRinging(call_id) if trunk.ringing_183 else EarlyMediaHeard(call_id)


def announced(values: Iterable[str], words: Mapping[str, Announcement]) -> Announcement | None:
    """Return what a header says that a recording says: by the longest of the known words that its values hold."""
    said = " ".join(values).casefold()
    word = max((word for word in words if word.casefold() in said), key=len, default=None)
    return None if word is None else words[word]


def _is_media(early_media: Sequence[str]) -> bool:
    """Tell whether media is on its way to us; a carrier that says nothing of it may well send some."""
    directions = {part.strip().lower() for value in early_media for part in value.split(",")}
    return not directions or bool(directions & {"sendrecv", "sendonly"})


def refused(
    call_id: CallId,
    status: int,
    *,
    phrase: str = "",
    reasons: Sequence[ReasonValue] = (),
    retry_after_s: float | None = None,
    made_here: bool = False,
    cancelled: bool = False,
) -> CallEnded:
    """Return the end of a call that nobody answered: its final response, 300 to 699.

    `made_here`: there was none; it stands for our Timer B (408) or a transport that failed (503). `cancelled`: we had
    sent CANCEL, so that a 487 is our own doing. A SIP cause in Reason is text only: the status itself stands.
    """
    cause = _q850(reasons)
    by_us = made_here or (cancelled and status == _TERMINATED)
    rests = status == _UNAVAILABLE and not made_here and retry_after_s is not None
    return CallEnded(
        call_id,
        sip_status=status,
        q850=cause[1] if cause is not None else None,
        q850_location=(cause[3] or None) if cause is not None else None,
        reason_text=_words(phrase, *(text for _, _, text, _ in reasons)),
        ended_by=EndedBy.DIALER if by_us else EndedBy.REMOTE,
        retry_after_s=min(retry_after_s or 0.0, REST_MAX_S) if rests else None,
    )


def hung_up(call_id: CallId, by: str, *, reasons: Sequence[ReasonValue] = (), by_agent: bool = False) -> CallEnded:
    """Return the end of a call that was answered: by `remote`, `local`, `timer` or `lost`, as the user agent says it.

    `reasons` are of the BYE; `by_agent`: the agent's leg ended first, and we ended this one.
    """
    ended_by, words = _ENDS[by]
    cause = _q850(reasons)
    return CallEnded(
        call_id,
        sip_status=_OK,
        q850=cause[1] if cause is not None else None,
        q850_location=(cause[3] or None) if cause is not None else None,
        reason_text=_words(words, *(text for _, _, text, _ in reasons)),
        ended_by=EndedBy.AGENT if by_agent else ended_by,
    )


def not_placed(call_id: CallId, why: Refusal | CapReached | Closed) -> CallEnded:
    """Return the end of a call that was never sent: not allowed, no money left, or its trunk's gate is closed.

    A closed gate is a 503 of our own making, so that the lead is called again and the engine leaves the trunk alone.
    """
    match why:
        case Refusal():
            error, words, rest_s = LocalError.NOT_ALLOWED, why.words(), None
        case CapReached():
            error, words, rest_s = LocalError.DAILY_CAP, f"daily cap of {why.trunk or 'all trunks'}", why.rest_s
        case Closed():
            return CallEnded(
                call_id, sip_status=_UNAVAILABLE, ended_by=EndedBy.DIALER, retry_after_s=why.rest_s,
                reason_text=f"trunk: {why.reason}",
            )  # fmt: skip
    return CallEnded(
        call_id, ended_by=EndedBy.DIALER, local_error=error, reason_text=_words(words), retry_after_s=rest_s
    )


def _q850(reasons: Sequence[ReasonValue]) -> ReasonValue | None:
    """Return the first reason with a cause of Q.850 (RFC 6432)."""
    return next((each for each in reasons if each[0].lower() == _Q850 and each[1] in _CAUSES), None)


def _words(*texts: str) -> str | None:
    """Join texts that a stranger wrote: each once, without control characters, not too long."""
    joined = "; ".join(dict.fromkeys(filter(None, texts)))
    return "".join(char if char.isprintable() else " " for char in joined)[:_TEXT_MAX] or None
