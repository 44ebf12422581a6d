"""Requests that come in: whose they are, and what nobody needs to be asked about (RFC 3261 sections 8.2, 12.2.2)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from telephony_adapters.sip.answering import Abandoned, acknowledged, pracked
from telephony_adapters.sip.calling import cancel
from telephony_adapters.sip.dialogs import close, end, retarget
from telephony_adapters.sip.events import Cancelled, Incoming, Offered, Requested
from telephony_adapters.sip.flow import Flow, Send
from telephony_adapters.sip.ids import MAGIC
from telephony_adapters.sip.leg import Leg, LegState
from telephony_adapters.sip.message import Header, Request
from telephony_adapters.sip.names import METHODS
from telephony_adapters.sip.refresh import answered, too_small
from telephony_adapters.sip.reliable import stop_provisional
from telephony_adapters.sip.replies import reply_flow, reply_head, respond, response_bytes
from telephony_adapters.sip.screen import screened
from telephony_adapters.sip.state import ALLOW, SDP, UaState, next_flow, peer_address, recorded, sdp_of
from telephony_adapters.sip.tables import Input, State
from telephony_adapters.sip.transact import INVITE_SERVER_KIND, LIMIT_S, SERVER_KIND, ServerTransaction

TRYING_S: Final = 0.2
"""After so long an INVITE that nobody answered gets 100 (section 17.2.1)."""
_UNANSWERED: Final = (LegState.INVITED, LegState.EARLY)
_ANSWERED_HERE: Final = ALLOW.replace(",", "").split()


def on_request(state: UaState, request: Request, flow: Flow, now: float) -> None:
    """Take a request."""
    method = request.method
    if method == "ACK":
        _ack(state, request, now)
        return
    transaction = state.transactions.servers.get(_key(request, method))
    if transaction is not None:
        state.transactions.step(transaction, Input.REQUEST, now)
        return
    problem = screened(request, state.supports, method)
    if problem is not None:
        _reply(state, request, flow, *problem)
    elif method == "CANCEL":
        _cancel(state, request, flow, now)
    elif request.to_tag:
        _in_dialog(state, request, flow, now)
    elif method == "INVITE":
        _invite(state, request, flow, now)
    elif method in state.config.answers:
        _reply(state, request, flow, 200, [("Allow", ALLOW), ("Accept", SDP), ("Supported", state.supported)])
    elif method in state.config.takes:
        _hand_over(state, request, flow, now)
    else:
        outside = method in _ANSWERED_HERE and method != "OPTIONS"
        _reply(state, request, flow, *((481, []) if outside else _not_served(method)))


def _not_served(method: str) -> tuple[int, list[Header]]:
    """Refuse a method: 405 if it is known, 501 if nobody knows it (sections 8.2.1 and 21.5.2)."""
    return 405 if method in METHODS else 501, [("Allow", ALLOW)]


def _key(request: Request, method: str) -> object:
    """Return what a request has in common with its repetitions, its CANCEL and its failure's ACK (section 17.2.3)."""
    via = request.via
    branch = via.branch
    if branch.startswith(MAGIC) and branch != MAGIC:  # the cookie alone tells nothing apart
        return branch, via.host, via.port, method
    return request.call_id, request.from_tag, request.cseq, method, str(via.params), via.host, via.port


def _to(state: UaState, request: Request) -> tuple[str, str]:
    """Return the To of responses and the tag in it; one of ours is added where there is none (section 8.2.6.2)."""
    to = request.get("To") or ""
    if request.to_tag:
        return to, request.to_tag
    tag = state.ids.tag(f"{request.call_id}/{request.from_tag}/{request.via.branch}", "callee")
    return f"{to};tag={tag}", tag


def _reply(state: UaState, request: Request, flow: Flow, status: int, headers: Sequence[Header] = ()) -> None:
    """Answer without keeping any state (section 8.2.7): the same request gets the same answer."""
    state.counters[f"answered {status}"] += 1
    data = response_bytes(reply_head(request, flow), _to(state, request)[0], status, headers=headers)
    state.sends.append(Send(reply_flow(request, flow), data))


def _serve(state: UaState, request: Request, flow: Flow, to: str) -> ServerTransaction | None:
    """Begin a server transaction; None, and 503 was sent, when there are too many.

    Calls that are up may still be hung up then: they are as many as were let in.
    """
    most = state.config.max_servers * (2 if request.to_tag else 1)
    if len(state.transactions.servers) >= most:
        _reply(state, request, flow, 503, [("Retry-After", "10")])
        return None
    is_invite = request.method == "INVITE"
    transaction = ServerTransaction(
        INVITE_SERVER_KIND if is_invite else SERVER_KIND, _key(request, request.method), reply_flow(request, flow),
        request, reply_head(request, flow), to,
    )  # fmt: skip
    if is_invite and not request.to_tag:
        transaction.merge = _merge(request)
    state.transactions.accept(transaction)
    return transaction


def _merge(request: Request) -> tuple[str, str, int]:
    return request.call_id, request.from_tag, request.cseq


def _hand_over(state: UaState, request: Request, flow: Flow, now: float) -> None:
    transaction = _serve(state, request, flow, _to(state, request)[0])
    if transaction is not None:
        transaction.limit = state.timers.after(LIMIT_S, now, Abandoned(state), transaction)
        state.events.append(Requested(transaction, request, flow))


def _invite(state: UaState, request: Request, flow: Flow, now: float) -> None:
    contact = peer_address(request, "Contact")
    if request.get("Contact") is None and not request.via.branch.startswith(MAGIC):
        contact = peer_address(request, "From")  # RFC 2543 asks for no Contact
    if not state.config.takes_invites:
        _reply(state, request, flow, 403)
    elif _merge(request) in state.transactions.merging or (request.call_id, _to(state, request)[1]) in state.legs:
        # The second: a copy so late that its transaction is forgotten, though its call goes on.
        _reply(state, request, flow, 482)
    elif not contact:
        _reply(state, request, flow, 400)
    elif small := too_small(state, request, now):
        _reply(state, request, flow, 422, small)
    else:
        _incoming(state, request, flow, contact, now)


def _incoming(state: UaState, request: Request, flow: Flow, contact: str, now: float) -> None:
    to, tag = _to(state, request)
    transaction = _serve(state, request, flow, to)
    if transaction is None:
        return
    leg = Leg(request.call_id, transaction.flow, is_caller=False, local_tag=tag)
    leg.local = to
    leg.remote = request.get("From") or ""
    leg.remote_tag, leg.remote_cseq, leg.invite = request.from_tag, request.cseq, request
    leg.target, leg.routes = contact, recorded(request)
    leg.flow = next_flow(flow, leg.target, leg.routes)
    leg.remote_sdp = sdp_of(request)
    leg.takes_update = request.has_option("Allow", "UPDATE")
    _wait(state, leg, transaction, now)
    state.legs[leg.key] = leg
    state.events.append(Incoming(leg, request))


def _wait(state: UaState, leg: Leg, transaction: ServerTransaction, now: float) -> None:
    """Let an INVITE wait for its owner; the peer gets 100 if that takes long."""
    leg.waiting = transaction
    transaction.leg = leg
    transaction.repeat = state.timers.after(TRYING_S, now, _Trying(state), transaction)


class _Trying:
    """Say 100 to an INVITE that still waits."""

    __slots__ = ("state",)

    def __init__(self, state: UaState) -> None:
        self.state = state

    def __call__(self, transaction: ServerTransaction, now: float) -> None:
        if transaction.state is State.PROCEEDING and not transaction.data:
            sent_at = transaction.request.get("Timestamp")  # the only response that tells it (section 8.2.6.1)
            respond(self.state, transaction, 100, now, headers=[("Timestamp", sent_at)] if sent_at else ())


def _ack(state: UaState, request: Request, now: float) -> None:
    transaction = state.transactions.servers.get(_key(request, "INVITE"))
    if transaction is not None and state.transactions.step(transaction, Input.ACK, now):
        return
    leg = _leg_of(state, request)
    if leg is not None and leg.accepted is not None and leg.invite_cseq == request.cseq:
        acknowledged(state, leg, request, now)
    else:
        state.counters["stray ACK"] += 1


def _leg_of(state: UaState, request: Request) -> Leg | None:
    """Find the dialog of a request; both tags must fit (section 12.2.2)."""
    leg = state.legs.get((request.call_id, request.to_tag))
    if leg is None:
        return None
    if leg.is_caller and leg.state in _UNANSWERED:
        return leg if request.from_tag in leg.early else None
    return leg if leg.remote_tag == request.from_tag else None


def _cancel(state: UaState, request: Request, flow: Flow, now: float) -> None:
    """End the INVITE that a CANCEL is for (section 9.2); the answer to both is made here."""
    transaction = state.transactions.servers.get(_key(request, "INVITE"))
    if transaction is None:
        _reply(state, request, flow, 481)
        return
    state.sends.append(Send(transaction.flow, response_bytes(reply_head(request, flow), transaction.to, 200)))
    leg = transaction.leg
    if transaction.state is State.PROCEEDING and isinstance(leg, Leg) and leg.waiting is transaction:
        _terminate(state, leg, request, now)


def _terminate(state: UaState, leg: Leg, request: Request, now: float) -> None:
    """Answer 487 to the INVITE that waits; a new call is over with it, one that is up goes on."""
    transaction, leg.waiting = leg.waiting, None
    if transaction is None:
        return
    leg.held = []
    stop_provisional(state, leg)
    respond(state, transaction, 487, now)
    if leg.state in _UNANSWERED:
        close(state, leg, now)
    state.events.append(Cancelled(leg, request))


def _in_dialog(state: UaState, request: Request, flow: Flow, now: float) -> None:
    leg = _leg_of(state, request)
    if leg is None or (leg.state is LegState.ENDING and request.method != "BYE"):
        _reply(state, request, flow, 481)
        return
    is_early = leg.is_caller and leg.state in _UNANSWERED  # there may be several dialogs, each with its own CSeq
    if request.cseq <= leg.remote_cseq and not is_early:
        _reply(state, request, flow, 500)
        return
    transaction = _serve(state, request, flow, request.get("To") or "")
    if transaction is None:
        return
    if not is_early:
        leg.remote_cseq = request.cseq
    take = _IN_DIALOG.get(request.method)
    if take is None:
        status, headers = _not_served(request.method)
        respond(state, transaction, status, now, headers=headers)
    else:
        take(state, leg, transaction, now)


def _bye(state: UaState, leg: Leg, transaction: ServerTransaction, now: float) -> None:
    respond(state, transaction, 200, now)
    if leg.state not in _UNANSWERED:
        end(state, leg, "remote", transaction.request, now)
    elif leg.is_caller:  # all its 2xx were lost, and it gave up waiting for our ACK
        cancel(state, leg, now)
    else:
        _terminate(state, leg, transaction.request, now)


def _later(state: UaState, leg: Leg, transaction: ServerTransaction, now: float) -> bool:
    """Refuse an offer while another one is open (RFC 3261 section 14.2, RFC 3311 section 5.2); True when that was so.

    A new offer can overtake the ACK of our last 2xx: it is tried again.
    """
    if leg.waiting is not None or leg.update is not None:
        respond(state, transaction, 500, now, headers=[("Retry-After", "2")])
    elif leg.pending is not None or leg.reoffer is not None or leg.accepted is not None:
        respond(state, transaction, 491, now)
    else:
        return False
    return True


def _reinvite(state: UaState, leg: Leg, transaction: ServerTransaction, now: float) -> None:
    """Let the owner decide, unless another offer is open."""
    if _later(state, leg, transaction, now):
        return
    if small := too_small(state, transaction.request, now):
        respond(state, transaction, 422, now, headers=small)
        return
    _wait(state, leg, transaction, now)
    _offered(state, leg, transaction.request)


def _offered(state: UaState, leg: Leg, request: Request) -> None:
    state.events.append(Offered(leg, sdp_of(request), request))


def _update(state: UaState, leg: Leg, transaction: ServerTransaction, now: float) -> None:
    """Take a refresh at once, hand an offer to the owner (RFC 3311 section 5.2)."""
    request = transaction.request
    has_offer = sdp_of(request) is not None
    if has_offer and _later(state, leg, transaction, now):
        return
    if small := too_small(state, request, now):
        respond(state, transaction, 422, now, headers=small)
    elif has_offer:
        leg.update = transaction
        _offered(state, leg, request)
    else:
        shown: list[Header] = [("Contact", state.contact(leg.flow))]
        if leg.state is LegState.CONFIRMED:
            retarget(leg, request)
            shown += answered(state, leg, request, now)
        respond(state, transaction, 200, now, headers=shown)


def _pracked(state: UaState, leg: Leg, transaction: ServerTransaction, now: float) -> None:
    """Match RAck with the reliable response that is being repeated (RFC 3262 section 3)."""
    invite, request = leg.waiting, transaction.request
    wanted = [str(leg.rseq), str(invite.request.cseq) if invite else "", "INVITE"]
    if invite is None or not leg.prack_waits or (request.get("RAck") or "").split() != wanted:
        respond(state, transaction, 481, now)
        return
    sdp = sdp_of(request)
    if sdp is not None and sdp_of(invite.request) is not None:  # a second offer, which UPDATE could make as well
        respond(state, transaction, 488, now)
    else:
        leg.remote_sdp = sdp or leg.remote_sdp
        respond(state, transaction, 200, now)
    pracked(state, leg, now)


def _options(state: UaState, _leg: Leg, transaction: ServerTransaction, now: float) -> None:
    respond(state, transaction, 200, now, headers=[("Allow", ALLOW), ("Supported", state.supported)])


_IN_DIALOG: Final = {"BYE": _bye, "INVITE": _reinvite, "UPDATE": _update, "PRACK": _pracked, "OPTIONS": _options}
