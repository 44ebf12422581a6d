"""Session timers in a user agent (RFC 4028): what is asked for and granted, and the clocks behind it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from telephony_adapters.sip import session_timer
from telephony_adapters.sip.dialogs import bye
from telephony_adapters.sip.leg import Leg
from telephony_adapters.sip.message import Header, Request, Response
from telephony_adapters.sip.session_timer import MAX_S, UAC, UAS, Ask, Grant, SessionTimer
from telephony_adapters.sip.state import UaState

_TOO_SMALL: Final = 422
_LEAST_WAIT_S: Final = 1.0
"""A refresh that failed is not tried again any sooner."""


def ask_for(state: UaState, leg: Leg) -> Ask | None:
    """Return what an INVITE or a refresh asks for (sections 7.1 and 7.4); None: nothing."""
    config = state.config
    if leg.agreed is not None:
        return session_timer.refresh(leg.agreed, config.min_se_s)
    return Ask(leg.interval_s, min_se_s=config.min_se_s) if leg.interval_s else None


def longer(ask: Ask | None, response: Response) -> Ask | None:
    """Return what to ask for after a 422 (section 7.3); None: it is none, or there is no use in asking again."""
    if response.status != _TOO_SMALL or ask is None:
        return None
    return ask.after_422(response.get("Min-SE"))


def agree(state: UaState, leg: Leg, ask: Ask | None, response: Response, now: float) -> None:
    """Arm what a 2xx to our request agrees on (section 7.2); a 2xx without an interval ends the session timer."""
    value = response.get("Session-Expires")
    if value is not None or leg.agreed is not None:
        _arm(state, leg, (ask or Ask()).accepted(value, now))


def too_small(state: UaState, request: Request, now: float) -> Sequence[Header]:
    """Return the headers of the 422 that a request deserves, nothing when its interval is right (section 9)."""
    granted = _grant(state, request, now)
    return granted.headers if granted is not None and granted.is_too_small else ()


def answered(state: UaState, leg: Leg, request: Request, now: float) -> Sequence[Header]:
    """Return the headers of our 2xx to an INVITE or UPDATE, and arm what they say (section 9)."""
    granted = _grant(state, request, now)
    if granted is None:
        if leg.agreed is not None:
            _arm(state, leg, None)
        return ()
    _arm(state, leg, granted.timer)
    return granted.headers


def try_again(state: UaState, leg: Leg, now: float) -> None:
    """Refresh once more, half-way to the end of the session: the last try failed, the call is still up."""
    if leg.agreed is None:
        return
    wait = (leg.agreed.expires_at - now) / 2
    if wait >= _LEAST_WAIT_S:
        state.timers.cancel(leg.session)
        leg.session = state.timers.set(now + wait, _Due(state), leg)


def _grant(state: UaState, request: Request, now: float) -> Grant | None:
    config = state.config
    asked = request.get("Session-Expires")
    if asked is None and not config.session_expires_s:
        return None
    return session_timer.grant(
        asked, request.get("Min-SE"), supported=request.has_option("Supported", "timer"), now=now,
        wanted_s=config.session_expires_s or MAX_S, least_s=config.min_se_s,
        refresher=UAS if config.refreshes else UAC,
    )  # fmt: skip


def _arm(state: UaState, leg: Leg, agreed: SessionTimer | None) -> None:
    state.timers.cancel(leg.session)
    leg.session, leg.agreed = None, agreed
    if agreed is not None:
        what = _Silent(state) if agreed.next_refresh is None else _Due(state)
        leg.session = state.timers.set(agreed.due, what, leg)


class _Due:
    """Refresh a session; it expires unless that succeeds."""

    __slots__ = ("state",)

    def __init__(self, state: UaState) -> None:
        self.state = state

    def __call__(self, leg: Leg, now: float) -> None:
        assert leg.agreed is not None  # noqa: S101 -- it is armed with what was agreed
        leg.session = self.state.timers.set(leg.agreed.expires_at, _Silent(self.state), leg)
        self.state.refresh(leg, now)


class _Silent:
    """Hang up on a peer that did not refresh, or did not let us (section 10)."""

    __slots__ = ("state",)

    def __init__(self, state: UaState) -> None:
        self.state = state

    def __call__(self, leg: Leg, now: float) -> None:
        bye(self.state, leg, now, by="timer", reason='SIP;cause=408;text="Session expired"')
