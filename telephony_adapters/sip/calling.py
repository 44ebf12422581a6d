"""The caller's side: INVITE, CANCEL, the ACK of a 2xx, PRACK, re-INVITE (RFC 3261 sections 9, 13, 14; RFC 3262)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from telephony_adapters.sip.dialogs import bye, challenged, credentials, end, establish, nothing, proofs
from telephony_adapters.sip.digest import Attempt, DigestSession
from telephony_adapters.sip.events import Accepted, Progressed, Refused, Renegotiated
from telephony_adapters.sip.flow import Flow, Send
from telephony_adapters.sip.leg import Leg, LegState
from telephony_adapters.sip.message import Header, Response
from telephony_adapters.sip.refresh import agreed, asked, interval_too_small
from telephony_adapters.sip.state import ALLOW, SDP, UaState, peer_address, sdp_of
from telephony_adapters.sip.stray import hang_up_stray
from telephony_adapters.sip.tables import State
from telephony_adapters.sip.transact import LIMIT_S, ClientTransaction

GLARES: Final = 6
"""How often a re-INVITE that met another one is tried again."""
_BUSY_S: Final = 0.02
"""Until a re-INVITE is tried again that found another transaction of its dialog open."""
_UNKNOWN, _TIMEOUT, _PENDING = 481, 408, 491
_RSEQ_DIGITS: Final = 10


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
    leg.reliable = reliable and state.config.reliable_provisionals
    state.legs[leg.key] = leg
    Invitation(state, leg, sdp, is_first=True).send(now)
    return leg


class Invitation:
    """An INVITE or re-INVITE of ours while it is out; it hears what becomes of it."""

    __slots__ = ("_attempt", "_is_first", "_is_refresh", "_leg", "_sdp", "_state")

    def __init__(
        self, state: UaState, leg: Leg, sdp: bytes | None, *, is_first: bool, is_refresh: bool = False
    ) -> None:
        self._state = state
        self._leg = leg
        self._sdp = sdp
        self._is_first = is_first
        self._is_refresh = is_refresh
        self._attempt = Attempt()

    def send(self, now: float) -> None:
        """Send it, or send it again with a password or a longer session interval."""
        state, leg, body = self._state, self._leg, self._sdp or b""
        leg.cseq += 1
        leg.invite_cseq = leg.cseq
        headers: list[Header] = [
            ("Contact", state.contact(leg.flow)), ("Allow", ALLOW), ("User-Agent", state.config.user_agent),
            ("Supported", state.supported if leg.reliable else "timer"), *asked(state, leg),
            *(leg.extra if self._is_first else ()), *credentials(state, leg, "INVITE", leg.target, body),
        ]  # fmt: skip
        if body:
            headers.append(("Content-Type", SDP))
            leg.local_sdp = body
        request = state.request(leg, "INVITE", cseq=leg.cseq, headers=headers, body=body)
        leg.pending = state.begin(leg.flow, request, self, leg, now)

    def __call__(self, transaction: ClientTransaction, status: int, response: Response | None, now: float) -> None:
        """Hear a response, or that none came."""
        leg = self._leg
        if response is None or status >= 300:  # noqa: PLR2004 -- SIP classes
            leg.pending = None
            (self._failed if self._is_first else self._reinvite_failed)(status, response, now)
        elif status < 200:  # noqa: PLR2004
            if self._is_first:
                self._progressed(transaction, response, now)
        elif transaction.ack is not None or leg.reoffer is transaction:
            self._again(transaction, response, now)
        elif leg.state is LegState.ENDED:
            hang_up_stray(self._state, transaction.flow, transaction.request, response, now)
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
            if response.get("RSeq") is not None and response.has_option("Require", "100rel"):
                _prack(state, leg, response, now)

    def _accepted(self, transaction: ClientTransaction, response: Response, now: float) -> None:
        state, leg = self._state, self._leg
        unwanted = leg.is_over or (leg.cancelled and not leg.keep_crossing)
        if self._is_first:
            establish(leg, response)
            leg.state = LegState.CONFIRMED
        else:
            leg.target = peer_address(response, "Contact") or leg.target
        leg.takes_update = response.has_option("Allow", "UPDATE")
        agreed(state, leg, response, now)
        sdp = sdp_of(response)
        leg.remote_sdp = sdp or leg.remote_sdp
        leg.glares = 0
        needs_answer = self._sdp is None and sdp is not None and not unwanted
        if needs_answer:
            leg.reoffer = transaction
        else:
            acknowledge(state, leg, transaction, None)
        if unwanted:
            bye(state, leg, now, reason=leg.cancel_reason)
        elif self._is_first:
            state.events.append(Accepted(leg, sdp or leg.remote_sdp, response, needs_answer))
        elif not self._is_refresh:
            state.events.append(Renegotiated(leg, response.status, sdp, needs_answer, self._sdp))

    def _again(self, transaction: ClientTransaction, response: Response, now: float) -> None:
        """Repeat the ACK of a 2xx that came again; one of another fork is hung up (section 13.2.2.4)."""
        if response.to_tag != self._leg.remote_tag:
            hang_up_stray(self._state, transaction.flow, transaction.request, response, now)
        elif transaction.ack is not None:
            self._state.sends.append(transaction.ack)

    def _retries(self, response: Response | None, now: float) -> bool:
        leg = self._leg
        if response is None or leg.cancelled:
            return False
        if challenged(leg, response, self._attempt) or interval_too_small(leg, response):
            self.send(now)
            return True
        return False

    def _failed(self, status: int, response: Response | None, now: float) -> None:
        if self._leg.state is LegState.ENDED or self._retries(response, now):
            return
        self._state.forget(self._leg)
        self._state.events.append(Refused(self._leg, status, response))

    def _reinvite_failed(self, status: int, response: Response | None, now: float) -> None:
        state, leg = self._state, self._leg
        if leg.is_over or self._retries(response, now):
            return
        if status == _PENDING and leg.glares < GLARES:
            leg.glares += 1
            self.later(_glare_s(state, leg), now)
        elif status == _UNKNOWN:
            end(state, leg, "lost", response)
        elif status == _TIMEOUT or (self._is_refresh and response is None):  # the peer is gone (section 12.2.1.2)
            bye(state, leg, now, by="lost")
        elif not self._is_refresh:
            state.events.append(Renegotiated(leg, status, None, offer=self._sdp))

    def later(self, delay_s: float, now: float) -> None:
        """Try a re-INVITE after a while."""
        self._state.timers.cancel(self._leg.retry)
        self._leg.retry = self._state.timers.set(now + delay_s, self._due, self._leg)

    def _due(self, leg: Leg, now: float) -> None:
        leg.retry = None
        reinvite(self._state, leg, self._sdp, now, is_refresh=self._is_refresh)


def _prack(state: UaState, leg: Leg, response: Response, now: float) -> None:
    """Acknowledge a reliable provisional response, in order and once (RFC 3262 section 4)."""
    number = response.get("RSeq") or ""
    if not (number.isascii() and number.isdigit() and len(number) <= _RSEQ_DIGITS and response.to_tag):
        return
    rseq, tag = int(number), response.to_tag
    last = max((seen for known, seen in leg.rseqs if known == tag), default=None)
    if last is not None and rseq != last + 1:
        return
    leg.rseqs.add((tag, rseq))
    early = Leg(leg.call_id, leg.flow, is_caller=True, local_tag=leg.local_tag)  # the early dialog, perhaps a fork's
    early.local, early.target, early.auth, early.routes = leg.local, leg.target, leg.auth, leg.routes
    establish(early, response)
    leg.cseq += 1
    early.cseq = leg.cseq
    request = state.request(early, "PRACK", cseq=leg.cseq)
    request.headers = [
        ("RAck", f"{rseq} {response.cseq} INVITE"), *credentials(state, early, "PRACK", request.uri)
    ]  # fmt: skip
    state.begin(early.flow, request, nothing, early, now)


def acknowledge(state: UaState, leg: Leg, transaction: ClientTransaction, sdp: bytes | None) -> None:
    """Send the ACK of a 2xx; it bears its INVITE's credentials (sections 13.2.2.4 and 22.1)."""
    headers = proofs(transaction.request.headers)
    if sdp:
        headers.append(("Content-Type", SDP))
    request = state.request(leg, "ACK", cseq=transaction.request.cseq, headers=headers, body=sdp or b"")
    transaction.ack = Send(leg.flow, request.data())
    state.sends.append(transaction.ack)


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
    leg.cancel = state.begin(transaction.flow, transaction.request.cancel(headers), nothing, leg, now)
    state.transactions.give_up_in(transaction, LIMIT_S, now)


def reinvite(state: UaState, leg: Leg, sdp: bytes | None, now: float, *, is_refresh: bool = False) -> None:
    """Change the session; one that meets another transaction of the dialog waits its turn (section 14.1)."""
    if leg.state is not LegState.CONFIRMED:
        return
    what = Invitation(state, leg, sdp, is_first=False, is_refresh=is_refresh)
    if leg.pending is not None or leg.waiting is not None or leg.accepted is not None or leg.reoffer is not None:
        what.later(_BUSY_S, now)
    else:
        what.send(now)


def _glare_s(state: UaState, leg: Leg) -> float:
    """Return how long to wait after a 491: 2.1 to 4 s for who made the Call-ID, 0 to 2 s for the other (14.1)."""
    drawn = state.ids.number(leg.call_id, f"glare/{leg.cseq}", 191)
    return 2.1 + drawn / 100 if leg.is_caller else drawn * 0.0105


def refresh(state: UaState, leg: Leg, now: float) -> None:
    """Refresh a session: by UPDATE where the peer takes it, else by a re-INVITE that changes nothing (RFC 4028 7.4)."""
    leg.session = None
    if leg.state is not LegState.CONFIRMED:
        return
    if leg.takes_update:
        _send_update(state, leg, Attempt(), now)
    else:
        reinvite(state, leg, leg.local_sdp, now, is_refresh=True)


def _send_update(state: UaState, leg: Leg, attempt: Attempt, now: float) -> None:
    leg.cseq += 1
    request = state.request(leg, "UPDATE", cseq=leg.cseq)
    request.headers = [
        ("Contact", state.contact(leg.flow)), ("Supported", state.supported), *asked(state, leg),
        *credentials(state, leg, "UPDATE", request.uri),
    ]  # fmt: skip

    def over(_transaction: ClientTransaction, status: int, response: Response | None, at: float) -> None:
        if leg.is_over:
            return
        if response is None:
            bye(state, leg, at, by="lost")
        elif challenged(leg, response, attempt) or interval_too_small(leg, response):
            _send_update(state, leg, attempt, at)
        elif status < 300:  # noqa: PLR2004 -- SIP classes
            agreed(state, leg, response, at)
        elif status == _UNKNOWN:
            end(state, leg, "lost", response)
        else:
            reinvite(state, leg, leg.local_sdp, at, is_refresh=True)

    state.begin(leg.flow, request, over, leg, now)
