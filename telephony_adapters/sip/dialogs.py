"""What both sides do within a dialog: the ACK of a 2xx, BYE, and how it ends (RFC 3261 sections 12 to 15)."""

from __future__ import annotations

from collections.abc import Sequence

from telephony_adapters.sip.digest import Attempt, Outcome
from telephony_adapters.sip.events import Ended
from telephony_adapters.sip.flow import Send
from telephony_adapters.sip.leg import Leg, LegState
from telephony_adapters.sip.message import Header, Message, Request, Response
from telephony_adapters.sip.replies import respond
from telephony_adapters.sip.state import SDP, UaState, next_flow, peer_address, recorded
from telephony_adapters.sip.transact import LIMIT_S, ClientTransaction


def bye(state: UaState, leg: Leg, now: float, *, reason: str | None = None, by: str = "local") -> None:
    """End a confirmed call (section 15.1.1); a callee waits for the ACK of its 2xx, or for its time-out, first."""
    if leg.is_over:
        return
    leg.bye_reason = reason
    if leg.accepted is not None and not leg.is_caller and by != "timer":
        leg.bye_waits = True
        return
    settle(state, leg, now)
    state.timers.cancel(leg.retry)  # nothing may follow the BYE: it would be refused as out of order
    leg.retry = None
    leg.state = LegState.ENDING
    Goodbye(state, leg, by).send(now)


class Goodbye:
    """A BYE while it is out; without `by` nobody is told of its end."""

    __slots__ = ("_attempt", "_by", "_is_second", "_leg", "_state")

    def __init__(self, state: UaState, leg: Leg, by: str) -> None:
        self._state = state
        self._leg = leg
        self._by = by
        self._attempt = Attempt()
        self._is_second = False

    def send(self, now: float) -> None:
        """Send it, or send it again with a password."""
        state, leg = self._state, self._leg
        leg.cseq += 1
        request = state.request(leg, "BYE", cseq=leg.cseq)
        if leg.bye_reason or leg.auth is not None:
            reason: list[Header] = [("Reason", leg.bye_reason)] if leg.bye_reason else []
            request.headers = [*reason, *credentials(state, leg, "BYE", request.uri)]
        state.transactions.begin(leg.flow, request, self, leg, now)

    def __call__(self, _transaction: ClientTransaction, status: int, response: Response | None, now: float) -> None:
        """Hear the response, or that none came; a connection that broke gets one more try."""
        if response is not None and challenged(self._leg, response, self._attempt):
            self.send(now)
        elif response is None and status == 503 and not self._is_second:  # noqa: PLR2004 -- the transport failed
            self._is_second = True
            self.send(now)
        elif self._by:
            end(self._state, self._leg, self._by, response, now)


def end(state: UaState, leg: Leg, by: str, message: Request | Response | None, now: float) -> None:
    """Tell the owner, once, that an answered call is over."""
    if leg.state is LegState.ENDED:
        return
    close(state, leg, now)
    state.events.append(Ended(leg, by, message))


def close(state: UaState, leg: Leg, now: float) -> None:
    """Let go of a leg, and say what is still owed."""
    settle(state, leg, now)
    state.forget(leg)


def settle(state: UaState, leg: Leg, now: float) -> None:
    """Answer what waits in a call that ends: 487 for requests (section 15.1.2), an ACK for a 2xx with an offer.

    A re-INVITE of ours that was answered 1xx has no timer of its own: it does not outlive its call for long.
    """
    if leg.pending is not None:
        state.transactions.give_up_in(leg.pending, LIMIT_S, now)
    for transaction in (leg.waiting, leg.update):
        if transaction is not None:
            respond(state, transaction, 487, now)
    leg.waiting = leg.update = None
    reoffer, leg.reoffer = leg.reoffer, None
    if reoffer is not None:
        acknowledge(state, leg, reoffer, None)


def acknowledge(state: UaState, leg: Leg, transaction: ClientTransaction, sdp: bytes | None) -> None:
    """Send the ACK of a 2xx; it bears its INVITE's credentials (sections 13.2.2.4 and 22.1)."""
    headers = proofs(transaction.request.headers) if leg.auth is not None else []
    if sdp:
        headers.append(("Content-Type", SDP))
    request = state.request(leg, "ACK", cseq=transaction.request.cseq, headers=headers, body=sdp or b"")
    transaction.ack = Send(leg.flow, request.data())
    state.sends.append(transaction.ack)


def credentials(state: UaState, leg: Leg, method: str, uri: str, body: bytes = b"") -> Sequence[Header]:
    """Return the Authorization headers of a request; none before the first challenge."""
    if leg.auth is None:
        return ()
    cnonce = state.ids.tag(f"{leg.call_id}/{leg.cseq}", f"cnonce/{method}")
    return leg.auth.authorize(method, uri, cnonce, body)


def challenged(leg: Leg, response: Response, attempt: Attempt) -> bool:
    """Take a 401 or 407; True when the request is worth sending again with a password."""
    if leg.auth is None or response.status not in {401, 407}:
        return False
    header = "WWW-Authenticate" if response.status == 401 else "Proxy-Authenticate"  # noqa: PLR2004 -- SIP codes
    return leg.auth.challenged(response.status, response.all(header), attempt) is Outcome.RETRY


def establish(leg: Leg, response: Response) -> None:
    """Fill the caller's dialog from the response that makes it (section 12.1.2)."""
    leg.remote_tag = response.to_tag
    leg.remote = response.get("To") or leg.remote
    leg.routes = recorded(response)[::-1]
    leg.remote_cseq = -1
    retarget(leg, response)


def retarget(leg: Leg, message: Message) -> None:
    """Take the peer's Contact: what follows goes there, by the route set (sections 12.2.1.2 and 12.2.2)."""
    leg.target = peer_address(message, "Contact") or leg.target
    leg.flow = next_flow(leg.flow, leg.target, leg.routes)


def proofs(headers: Sequence[Header]) -> list[Header]:
    """Return the credentials among headers."""
    return [header for header in headers if header[0] in {"Authorization", "Proxy-Authorization"}]


def nothing(_transaction: ClientTransaction, _status: int, _response: Response | None, _now: float) -> None:
    """Leave it: what matters comes by another way, or nobody asked."""
