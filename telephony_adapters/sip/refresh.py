"""Session timers in a user agent (RFC 4028): who refreshes, when, and when a silent peer is given up."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from telephony_adapters.sip.dialogs import bye
from telephony_adapters.sip.leg import Leg
from telephony_adapters.sip.message import Header, Message, Request, Response
from telephony_adapters.sip.state import UaState

_TOO_SMALL: Final = 422
_MOST_S: Final = 2**31 - 1
_GRACE_S: Final = 32.0
"""A session ends so long, or a third of its interval, before it expires (section 10)."""


def asked(state: UaState, leg: Leg) -> Sequence[Header]:
    """Return the headers by which an INVITE or a refresh asks for a session interval (section 7.1)."""
    seconds = leg.interval_s
    return [("Session-Expires", str(seconds)), ("Min-SE", str(state.config.min_se_s))] if seconds else ()


def interval_too_small(leg: Leg, response: Response) -> bool:
    """Take a 422; True when the request is worth sending again with a longer interval (section 7.3)."""
    least = _seconds(response.get("Min-SE")) if response.status == _TOO_SMALL else None
    if least is None or least <= leg.interval_s:
        return False
    leg.interval_s = least
    return True


def least_allowed(state: UaState, request: Request) -> int | None:
    """Return the interval that a request should have asked for, None when it is right as it is (section 9)."""
    wanted = _seconds(request.get("Session-Expires"))
    least = state.config.min_se_s
    return least if wanted is not None and wanted < least and request.has_option("Supported", "timer") else None


def agreed(state: UaState, leg: Leg, response: Response, now: float) -> None:
    """Arm what a 2xx to our request agrees on (section 7.2); a 2xx without an interval ends the session timer."""
    seconds, refresher = _session_expires(response)
    _arm(state, leg, seconds, we=refresher != "uas", now=now)


def answered(state: UaState, leg: Leg, request: Request, now: float) -> Sequence[Header]:
    """Return the headers of our 2xx to a request that asks for an interval, and arm it (section 9)."""
    seconds, refresher = _session_expires(request)
    if not seconds:
        _arm(state, leg, 0, we=False, now=now)
        return ()
    peer_can = request.has_option("Supported", "timer")
    peer = peer_can and refresher != "uas"
    _arm(state, leg, seconds, we=not peer, now=now)
    value = f"{seconds};refresher={'uac' if peer else 'uas'}"
    return [("Session-Expires", value), *([("Require", "timer")] if peer else [])]


def _session_expires(message: Message) -> tuple[int, str]:
    value = message.get("Session-Expires") or ""
    digits, _, params = value.partition(";")
    seconds = _seconds(digits) or 0
    return seconds, params.replace(" ", "").lower().partition("refresher=")[2].partition(";")[0]


def _seconds(value: str | None) -> int | None:
    digits = (value or "").partition(";")[0].strip()
    return min(int(digits), _MOST_S) if digits.isascii() and digits.isdigit() and len(digits) <= 10 else None  # noqa: PLR2004 -- 32 bits


def _arm(state: UaState, leg: Leg, seconds: int, *, we: bool, now: float) -> None:
    state.timers.cancel(leg.session)
    leg.session, leg.interval_s = None, seconds or leg.interval_s
    if not seconds:
        return
    if we:
        leg.session = state.timers.set(now + seconds / 2, state.refresh, leg)
    else:
        leg.session = state.timers.set(now + seconds - min(_GRACE_S, seconds / 3), _Silent(state), leg)


class _Silent:
    """Hang up on a peer that did not refresh (section 10)."""

    __slots__ = ("state",)

    def __init__(self, state: UaState) -> None:
        self.state = state

    def __call__(self, leg: Leg, now: float) -> None:
        bye(self.state, leg, now, by="timer", reason='SIP;cause=408;text="Session expired"')
