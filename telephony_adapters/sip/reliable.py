"""Reliable provisional responses (RFC 3262): the caller's PRACK, and the callee's wait for it."""

from __future__ import annotations

from typing import Final

from telephony_adapters.sip.dialogs import credentials, establish, nothing
from telephony_adapters.sip.flow import T1, Flow, Send
from telephony_adapters.sip.leg import Early, Hook, Leg
from telephony_adapters.sip.lexical import whole_number
from telephony_adapters.sip.message import Header, Response
from telephony_adapters.sip.state import UaState, sdp_of
from telephony_adapters.sip.transact import LIMIT_S

MOST_RSEQ: Final = 2**31 - 1
"""The first RSeq is below this number (section 3)."""


def prack(state: UaState, leg: Leg, response: Response, now: float) -> None:
    """Acknowledge a reliable provisional response, in order and once (section 4)."""
    rseq = whole_number(response.get("RSeq") or "")
    known = leg.early.get(response.to_tag)
    if not rseq or not response.to_tag or known is None or not response.has_option("Require", "100rel"):
        return
    if known.rseq and rseq != known.rseq + 1:
        return
    leg.early[response.to_tag] = Early(rseq, sdp_of(response) or known.sdp)
    early = Leg(leg.call_id, leg.flow, is_caller=True, local_tag=leg.local_tag)  # the early dialog, perhaps a fork's
    early.local, early.target, early.auth = leg.local, leg.target, leg.auth
    establish(early, response)
    leg.cseq += 1
    early.cseq = leg.cseq
    headers: list[Header] = [("RAck", f"{rseq} {response.cseq} INVITE")]
    request = state.request(early, "PRACK", cseq=early.cseq, headers=headers)
    headers += credentials(state, early, "PRACK", request.uri)
    state.transactions.begin(early.flow, request, nothing, early, now)


class Repeated:
    """A reliable provisional response that is repeated, each time after twice as long (section 3)."""

    __slots__ = ("_data", "_flow", "_interval", "_state")

    def __init__(self, state: UaState, flow: Flow, data: bytes) -> None:
        self._state = state
        self._flow = flow
        self._data = data
        self._interval = T1

    def start(self, leg: Leg, never: Hook, now: float) -> None:
        """Begin; `never` is called when no PRACK came in time."""
        timers = self._state.timers
        leg.prack_waits = [timers.after(T1, now, self, leg), timers.after(LIMIT_S, now, never, leg)]

    def __call__(self, leg: Leg, now: float) -> None:
        """Send it once more."""
        self._interval *= 2
        self._state.sends.append(Send(self._flow, self._data))
        leg.prack_waits[0] = self._state.timers.set(now + self._interval, self, leg)


def stop_provisional(state: UaState, leg: Leg) -> None:
    """Stop repeating a reliable provisional response."""
    for timer in leg.prack_waits:
        state.timers.cancel(timer)
    leg.prack_waits, leg.holds_answer = [], False
