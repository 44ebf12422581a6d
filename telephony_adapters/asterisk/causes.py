"""What Asterisk says of a call's end, as the engine's event (statuses.md 2.8); pure.

Asterisk 22 tells the SIP status (`tech_cause`) and a Q.850 cause, which it derives from that status. A derived cause
says nothing of its own, and is dropped, for some are misleading (480 and 483 both become 19). CHANUNAVAIL, and every
other DIALSTATUS, is never looked at: the status and the cause are.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from dialer.core.events import CallEnded
from dialer.core.types import CallId
from statuses.outcomes import EndedBy, LocalError

_OK, _TIMEOUT, _NO_ANSWER_SIP, _TERMINATED, _UNAVAILABLE = 200, 408, 480, 487, 503
_NORMAL, _NO_ANSWER, _CONGESTION, _INTERWORKING = 16, 19, 34, 127
_CAUSES: Final = range(1, 128)
TIMER_B_S: Final = 32.0
"""So long Asterisk waits for any response to an INVITE before it makes a 408 itself (RFC 3261 section 17.1.1.2)."""
_DERIVED: Final[Mapping[int, int]] = {
    302: 23, 401: 21, 403: 21, 404: 1, 407: 21, 408: 18, 409: 41, 410: 22, 420: 3, 480: 19, 483: 19, 484: 28, 485: 1,
    486: 17, 488: 58, 500: 38, 501: 29, 502: 27, 504: 102, 505: 127, 600: 17, 603: 21, 604: 1, 606: 58,
}  # fmt: skip
"""Which cause Asterisk makes of a status (`ast_sip_hangup_sip2cause`); the others by their class."""
_BY_CLASS: Final[Mapping[int, int]] = {4: _INTERWORKING, 5: _CONGESTION, 6: _INTERWORKING}


class End(NamedTuple):
    """What is known when a channel is gone; `ours`: who hung it up, if we did."""

    cause: int
    tech_cause: int
    answered: bool
    ours: EndedBy | None
    silent: bool
    """The far side gave no sign of life before."""
    elapsed_s: float
    """Since the call was placed."""
    timeout_s: float
    """For how long Asterisk was told to let it ring."""


def derived(status: int) -> int:
    """Return the Q.850 cause that Asterisk makes of a SIP status."""
    return _DERIVED.get(status) or _BY_CLASS.get(status // 100, _NORMAL)


def ended(call_id: CallId, end: End) -> CallEnded:
    """Return the end of a call."""
    if end.answered:
        by = end.ours or EndedBy.REMOTE
        return CallEnded(call_id, sip_status=_OK, q850=_genuine(end) or _NORMAL, ended_by=by)
    if end.ours is not None and end.tech_cause in {0, _TERMINATED}:
        return CallEnded(call_id, sip_status=_TERMINATED, ended_by=end.ours)
    if _rang_out(end):
        return CallEnded(call_id, sip_status=_TERMINATED, ended_by=EndedBy.DIALER)
    return _refused(call_id, end)


def _refused(call_id: CallId, end: End) -> CallEnded:
    cause = _genuine(end)
    if end.tech_cause == _TIMEOUT and end.silent and end.elapsed_s >= TIMER_B_S - 1:
        return CallEnded(call_id, sip_status=_TIMEOUT, ended_by=EndedBy.DIALER)
    status = end.tech_cause or (None if cause else _UNAVAILABLE)
    return CallEnded(call_id, sip_status=status, q850=cause, ended_by=EndedBy.REMOTE)


def _rang_out(end: End) -> bool:
    """Tell whether Asterisk gave the call up by itself: it says 480 and 19 then, as a far end may."""
    return (
        end.cause == _NO_ANSWER and end.tech_cause in {0, _NO_ANSWER_SIP} and end.elapsed_s >= end.timeout_s - 0.5 > 0
    )


def _genuine(end: End) -> int | None:
    """Return the Q.850 cause that the network said, not one that Asterisk made of a SIP status."""
    if end.cause not in _CAUSES or (end.tech_cause and end.cause == derived(end.tech_cause)):
        return None
    return end.cause


def not_placed(call_id: CallId) -> CallEnded:
    """Return the end of a call that Asterisk would not place: no endpoint, or nobody signed in there (a 503)."""
    return CallEnded(call_id, sip_status=_UNAVAILABLE)


def vanished(call_id: CallId, *, answered: bool) -> CallEnded:
    """Return the end of a call that Asterisk no longer knows, and whose end we did not hear.

    Nobody can tell what became of it, which is what LOST means: it counts as an attempt and is not called again by
    itself, for it may have reached the person. One that was answered was a talk all the same: the far end ended it.
    """
    return CallEnded(
        call_id, sip_status=_OK if answered else None, ended_by=EndedBy.REMOTE, local_error=LocalError.LOST
    )
