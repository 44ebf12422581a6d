"""The caller's side: INVITE, CANCEL, the answer in the ACK, re-INVITE (RFC 3261 sections 9, 13 and 14)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from telephony_adapters.sip.dialogs import (
    acknowledge,
    bye,
    challenged,
    close,
    credentials,
    end,
    establish,
    nothing,
    retarget,
)
from telephony_adapters.sip.digest import Attempt, DigestSession
from telephony_adapters.sip.events import Accepted, Progressed, Refused, Renegotiated
from telephony_adapters.sip.flow import Flow
from telephony_adapters.sip.leg import Early, Leg, LegState
from telephony_adapters.sip.message import Header, Response
from telephony_adapters.sip.refresh import agree, ask_for, longer, try_again
from telephony_adapters.sip.reliable import prack
from telephony_adapters.sip.state import ALLOW, SDP, UaState, sdp_of
from telephony_adapters.sip.stray import hang_up_stray
from telephony_adapters.sip.tables import State
from telephony_adapters.sip.transact import LIMIT_S, ClientTransaction

FORKS: Final = 64
"""Early dialogs that are remembered of one INVITE; a callee that invents more of them is not acknowledged."""
GLARES: Final = 6
"""How often a re-INVITE that met another one is tried again."""
_BUSY_S: Final = 0.02
"""Until a re-INVITE is tried again that found another transaction of its dialog open; twice as long each time."""
_BUSY_MAX_S: Final = 0.08
_UNKNOWN, _TIMEOUT, _PENDING = 481, 408, 491


def invite(  # noqa: PLR0913 -- a call has as many sides
    state: UaState, now: float, *, flow: Flow, uri: str, call_id: str, from_: str, to: str, sdp: bytes | None,
    headers: Sequence[Header] = (), auth: DigestSession | None = None, owner: Any = None, keep_crossing: bool = False,
    routes: Sequence[str] = (), interval_s: int | None = None, reliable: bool = True,
) -> Leg:  # fmt: skip
    """Place a call; Progressed, then Accepted or Refused follow. ValueError: a leg of ours has this Call-ID already."""
    leg = Leg(call_id, flow, is_caller=True, local_tag=state.ids.tag(call_id, "caller"), owner=owner)
    if leg.key in state.legs:
        raise ValueError("a call with this Call-ID is live already")
    leg.local, leg.remote, leg.target = f"{from_};tag={leg.local_tag}", to, uri
    leg.routes, leg.extra, leg.auth, leg.keep_crossing = routes, headers, auth, keep_crossing
    leg.interval_s = state.config.session_expires_s if interval_s is None else interval_s
    leg.takes_reliable = reliable
    state.legs[leg.key] = leg
    Invitation(state, leg, sdp, is_first=True).send(now)
    return leg


class Invitation:
    """An INVITE or re-INVITE of ours while it is out; it hears what becomes of it."""

    __slots__ = (
        "_ask", "_attempt", "_before", "_busy_s", "_glares", "_is_first", "_is_refresh", "_leg", "_sdp", "_state",
    )  # fmt: skip

    def __init__(
        self, state: UaState, leg: Leg, sdp: bytes | None, *, is_first: bool, is_refresh: bool = False
    ) -> None:
        self._state = state
        self._leg = leg
        self._sdp = sdp
        self._is_first = is_first
        self._is_refresh = is_refresh
        self._attempt = Attempt()
        self._ask = ask_for(state, leg)
        self._before: bytes | None = None
        """What we had said, and say again when the change is refused (section 14.1)."""
        self._glares = 0
        self._busy_s = _BUSY_S

    def send(self, now: float) -> None:
        """Send it, or send it again with a password or a longer session interval."""
        state, leg, body = self._state, self._leg, self._sdp or b""
        leg.cseq += 1
        leg.invite_cseq = leg.cseq
        # Without an offer a reliable 1xx would bring one, and PRACK carries no answer here.
        supported = state.supported if body and leg.takes_reliable else "timer"
        headers: list[Header] = [
            ("Contact", state.contact(leg.flow)), ("Allow", ALLOW), ("Supported", supported),
            ("User-Agent", state.config.user_agent),
        ]  # fmt: skip
        if self._ask is not None:
            headers += self._ask.headers()
        if self._is_first:
            headers += leg.extra
        if body:
            headers.append(("Content-Type", SDP))
            if leg.local_sdp != body:
                self._before = leg.local_sdp
            leg.local_sdp = body
        request = state.request(leg, "INVITE", cseq=leg.cseq, headers=headers, body=body)
        if leg.auth is not None:
            headers += credentials(state, leg, "INVITE", request.uri, body)
        leg.pending = state.transactions.begin(leg.flow, request, self, leg, now)

    def __call__(self, transaction: ClientTransaction, status: int, response: Response | None, now: float) -> None:
        """Hear a response, or that none came."""
        leg = self._leg
        if response is None or status >= 300:  # noqa: PLR2004 -- SIP classes
            leg.pending = None
            (self._failed if self._is_first else self._reinvite_failed)(status, response, now)
        elif status < 200:  # noqa: PLR2004
            if self._is_first and not leg.is_over:
                self._progressed(transaction, response, now)
            else:  # of a re-INVITE nothing but a final response is of use: it is not waited for without end
                self._state.transactions.give_up_in(transaction, LIMIT_S, now)
        elif transaction.ack is not None or leg.reoffer is transaction:
            self._again(transaction, response, now)
        elif leg.state is LegState.ENDED:  # a re-INVITE that the end of its call has overtaken
            acknowledge(self._state, leg, transaction, None)
        else:
            leg.pending = None
            self._accepted(transaction, response, now)

    def _progressed(self, transaction: ClientTransaction, response: Response, now: float) -> None:
        state, leg = self._state, self._leg
        if leg.cancelled:
            if leg.cancel is None:
                cancel_in(state, leg, transaction, now)
        else:
            state.events.append(Progressed(leg, response.status, sdp_of(response), response))
        if response.status > 100:  # noqa: PLR2004 -- 100 is of this hop only
            leg.state = LegState.EARLY
            if response.to_tag not in leg.early and len(leg.early) < FORKS:
                leg.early[response.to_tag] = Early()
            prack(state, leg, response, now)

    def _accepted(self, transaction: ClientTransaction, response: Response, now: float) -> None:
        state, leg = self._state, self._leg
        unwanted = leg.is_over or (leg.cancelled and not leg.keep_crossing)
        sdp = sdp_of(response)
        if self._is_first:
            establish(leg, response)
            leg.state = LegState.CONFIRMED
            leg.cancelled = unwanted
            known = leg.early.get(response.to_tag)
            leg.early = {}
            leg.remote_sdp = sdp or (known.sdp if known else None)
        else:
            retarget(leg, response)
            leg.remote_sdp = sdp or leg.remote_sdp
        leg.takes_update = response.has_option("Allow", "UPDATE")
        agree(state, leg, self._ask, response, now)
        needs_answer = self._sdp is None and sdp is not None and not unwanted
        if needs_answer:
            leg.reoffer = transaction
        else:
            acknowledge(state, leg, transaction, None)
        if unwanted:
            bye(state, leg, now, reason=leg.cancel_reason)
        elif self._is_first:
            state.events.append(Accepted(leg, leg.remote_sdp, response, needs_answer))
        elif not self._is_refresh:
            state.events.append(Renegotiated(leg, response.status, sdp, needs_answer, self._sdp))

    def _again(self, transaction: ClientTransaction, response: Response, now: float) -> None:
        """Repeat the ACK of a 2xx that came again; one of another fork is hung up (section 13.2.2.4)."""
        if response.to_tag != self._leg.remote_tag:
            hang_up_stray(self._state, transaction.flow, transaction, response, now)
        elif transaction.ack is not None:
            self._state.sends.append(transaction.ack)

    def _retries(self, response: Response | None, now: float) -> bool:
        leg = self._leg
        if response is None or leg.cancelled:
            return False
        longer_ask = longer(self._ask, response)
        if longer_ask is None and not challenged(leg, response, self._attempt):
            return False
        self._ask = longer_ask or self._ask
        leg.early = {}
        self.send(now)
        return True

    def _failed(self, status: int, response: Response | None, now: float) -> None:
        if self._leg.state is LegState.ENDED or self._retries(response, now):
            return
        close(self._state, self._leg, now)
        self._state.events.append(Refused(self._leg, status, response))

    def _reinvite_failed(self, status: int, response: Response | None, now: float) -> None:
        state, leg = self._state, self._leg
        if leg.is_over or self._retries(response, now):
            return
        leg.local_sdp = self._before or leg.local_sdp
        if status == _PENDING and self._glares < GLARES:
            self._glares += 1
            self.later(_glare_s(state, leg), now)
        elif status == _UNKNOWN:
            end(state, leg, "lost", response, now)
        elif status == _TIMEOUT:  # the peer is gone (section 12.2.1.2)
            bye(state, leg, now, by="lost")
        elif self._is_refresh:
            try_again(state, leg, now)
        else:
            state.events.append(Renegotiated(leg, status, None, offer=self._sdp))

    def start(self, now: float) -> None:
        """Send a re-INVITE as soon as no other transaction of its dialog is open (section 14.1)."""
        leg = self._leg
        self._state.timers.cancel(leg.retry)
        leg.retry = None
        if leg.pending or leg.waiting or leg.update or leg.accepted or leg.reoffer:
            self.later(self._busy_s, now)
            self._busy_s = min(2 * self._busy_s, _BUSY_MAX_S)
        else:
            self.send(now)

    def later(self, delay_s: float, now: float) -> None:
        """Try a re-INVITE after a while."""
        self._leg.retry = self._state.timers.set(now + delay_s, self._due, self._leg)

    def _due(self, _leg: Leg, now: float) -> None:
        self.start(now)


def answer(state: UaState, leg: Leg, sdp: bytes) -> None:
    """Answer, in the ACK, the offer that a 2xx made; nothing happens when none waits."""
    transaction, leg.reoffer = leg.reoffer, None
    if transaction is not None:
        leg.local_sdp = sdp
        acknowledge(state, leg, transaction, sdp)


def cancel(state: UaState, leg: Leg, now: float, *, reason: str | None = None) -> None:
    """Give up a call that is not answered yet; an answered one is hung up (section 9.1)."""
    if leg.cancelled or leg.is_over:
        return
    if leg.state is LegState.CONFIRMED:
        bye(state, leg, now, reason=reason)
        return
    leg.cancelled, leg.cancel_reason = True, reason
    transaction = leg.pending
    if transaction is not None and transaction.state is State.PROCEEDING:
        cancel_in(state, leg, transaction, now)


def cancel_in(state: UaState, leg: Leg, transaction: ClientTransaction, now: float) -> None:
    """Send the CANCEL of an INVITE that is in Proceeding; without an end it is given up after 64 T1."""
    headers = [("Reason", leg.cancel_reason)] if leg.cancel_reason else []
    request = transaction.request.cancel(headers)
    leg.cancel = state.transactions.begin(transaction.flow, request, nothing, leg, now)
    state.transactions.give_up_in(transaction, LIMIT_S, now)


def reinvite(state: UaState, leg: Leg, sdp: bytes | None, now: float, *, is_refresh: bool = False) -> None:
    """Change the session; of several that wait for their turn, the last one is sent, and one refreshes by itself."""
    if leg.state is LegState.CONFIRMED and not (is_refresh and leg.retry is not None):
        Invitation(state, leg, sdp, is_first=False, is_refresh=is_refresh).start(now)


def _glare_s(state: UaState, leg: Leg) -> float:
    """Return how long to wait after a 491: 2.1 to 4 s for who made the Call-ID, 0 to 2 s for the other (14.1)."""
    drawn = state.ids.number(leg.call_id, f"glare/{leg.local_tag}/{leg.cseq}", 201)
    return 2.1 + min(drawn, 190) / 100 if leg.is_caller else drawn / 100


def refresh(state: UaState, leg: Leg, now: float) -> None:
    """Refresh a session: by UPDATE where the peer takes it, else by a re-INVITE that changes nothing (RFC 4028 7.4)."""
    if leg.state is not LegState.CONFIRMED:
        return
    if leg.takes_update:
        _Update(state, leg).send(now)
    else:
        reinvite(state, leg, leg.local_sdp, now, is_refresh=True)


class _Update:
    """An UPDATE without an offer while it is out: it refreshes the session (RFC 4028 section 7.4)."""

    __slots__ = ("_ask", "_attempt", "_leg", "_state")

    def __init__(self, state: UaState, leg: Leg) -> None:
        self._state = state
        self._leg = leg
        self._attempt = Attempt()
        self._ask = ask_for(state, leg)

    def send(self, now: float) -> None:
        """Send it, or send it again with a password or a longer interval."""
        state, leg = self._state, self._leg
        leg.cseq += 1
        headers: list[Header] = [("Contact", state.contact(leg.flow)), ("Supported", state.supported)]
        if self._ask is not None:
            headers += self._ask.headers()
        request = state.request(leg, "UPDATE", cseq=leg.cseq, headers=headers)
        headers += credentials(state, leg, "UPDATE", request.uri)
        state.transactions.begin(leg.flow, request, self, leg, now)

    def __call__(self, _transaction: ClientTransaction, status: int, response: Response | None, now: float) -> None:
        """Hear what became of it."""
        state, leg = self._state, self._leg
        if leg.is_over:
            return
        longer_ask = longer(self._ask, response) if response is not None else None
        if longer_ask is not None or (response is not None and challenged(leg, response, self._attempt)):
            self._ask = longer_ask or self._ask
            self.send(now)
        elif response is not None and status < 300:  # noqa: PLR2004 -- SIP classes
            retarget(leg, response)
            agree(state, leg, self._ask, response, now)
        elif status == _UNKNOWN:
            end(state, leg, "lost", response, now)
        elif status == _TIMEOUT:
            bye(state, leg, now, by="lost")
        elif status in {405, 501}:
            leg.takes_update = False
            reinvite(state, leg, leg.local_sdp, now, is_refresh=True)
        else:
            try_again(state, leg, now)
