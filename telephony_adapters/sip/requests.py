"""Requests that come in: whose they are, and what nobody needs to be asked about (RFC 3261 sections 8.2, 12.2.2)."""

from __future__ import annotations

from typing import Final

from telephony_adapters.sip.answering import acknowledged, respond, response_bytes, stop_provisional
from telephony_adapters.sip.dialogs import end
from telephony_adapters.sip.events import Cancelled, Incoming, Offered, Requested
from telephony_adapters.sip.flow import Flow, Send
from telephony_adapters.sip.ids import MAGIC
from telephony_adapters.sip.leg import Leg, LegState
from telephony_adapters.sip.message import Header, Request
from telephony_adapters.sip.refresh import answered
from telephony_adapters.sip.screen import screened
from telephony_adapters.sip.state import ALLOW, UaState, next_flow, peer_address, sdp_of
from telephony_adapters.sip.tables import Input, State
from telephony_adapters.sip.transact import INVITE_SERVER_KIND, SERVER_KIND, ServerTransaction

TRYING_S: Final = 0.2
"""After so long an INVITE that nobody answered gets 100 (section 17.2.1)."""
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
        _refuse(state, request, flow, *problem)
    elif method == "CANCEL":
        _cancel(state, request, flow, now)
    elif request.to_tag:
        _in_dialog(state, request, flow, now)
    elif method == "INVITE":
        _invite(state, request, flow, now)
    elif method in state.config.takes:
        _hand_over(state, request, flow, now)
    else:
        status = 481 if method in _ANSWERED_HERE and method != "OPTIONS" else 405
        _refuse(state, request, flow, status, [("Allow", ALLOW)] if status == 405 else [])  # noqa: PLR2004 -- section 8.2.1


def _key(request: Request, method: str) -> object:
    """Return what a request has in common with its repetitions, its CANCEL and its failure's ACK (section 17.2.3)."""
    via = request.via
    branch = via.branch
    if branch.startswith(MAGIC):
        return branch, via.host, via.port, method
    return request.call_id, request.from_tag, request.cseq, method, str(via.params), via.host, via.port


def reply_flow(request: Request, flow: Flow) -> Flow:
    """Return where responses go (section 18.2.2, RFC 3581): the connection, or the sender's address and Via's port."""
    via = request.via
    if flow.is_reliable or "rport" in via.params or via.port == flow.port:
        return flow
    return Flow(flow.transport, flow.host, via.port or 5060)


def reply_head(request: Request, flow: Flow) -> str:
    """Return the headers that every response repeats, but To (sections 8.2.6.2 and 18.2.1)."""
    lines: list[str] = []
    for name, value in request.headers:
        if name == "Via":
            lines.append(f"Via: {value if lines else _stamped(value, request, flow)}\r\n")
    sender = next(value for name, value in request.headers if name == "From")
    lines.append(f"From: {sender}\r\nCall-ID: {request.call_id}\r\nCSeq: {request.cseq} {request.method}\r\n")
    return "".join(lines)


def _stamped(value: str, request: Request, flow: Flow) -> str:
    """Note in the topmost Via where the request really came from."""
    params = request.via.params
    top, comma, rest = value.partition(",") if "," in value and '"' not in value else (value, "", "")
    if "rport" in params and not params["rport"]:
        top = top.replace(";rport", f";rport={flow.port}", 1)
    if request.via.host != flow.host or "rport" in params:
        top = f"{top};received={flow.host}"
    return top + comma + rest


def _to(state: UaState, request: Request) -> tuple[str, str]:
    """Return the To of responses and the tag in it; one of ours is added where there is none (section 8.2.6.2)."""
    to = next(value for name, value in request.headers if name == "To")
    if request.to_tag:
        return to, request.to_tag
    tag = state.ids.tag(f"{request.call_id}/{request.from_tag}/{request.via.branch}", "callee")
    return f"{to};tag={tag}", tag


def _refuse(state: UaState, request: Request, flow: Flow, status: int, headers: list[Header]) -> None:
    """Answer without keeping any state (section 8.2.7): the same request gets the same answer."""
    state.counters[f"answered {status}"] += 1
    data = response_bytes(reply_head(request, flow), _to(state, request)[0], status, headers=headers)
    state.sends.append(Send(reply_flow(request, flow), data))


def _serve(state: UaState, request: Request, flow: Flow) -> ServerTransaction | None:
    """Begin a server transaction; None, and 503 was sent, when there are too many."""
    if len(state.transactions.servers) >= state.config.max_servers:
        _refuse(state, request, flow, 503, [("Retry-After", "10")])
        return None
    kind = INVITE_SERVER_KIND if request.method == "INVITE" else SERVER_KIND
    to, _ = _to(state, request)
    transaction = ServerTransaction(
        kind, _key(request, request.method), reply_flow(request, flow), request, reply_head(request, flow), to
    )
    state.transactions.accept(transaction)
    return transaction


def _hand_over(state: UaState, request: Request, flow: Flow, now: float) -> None:
    transaction = _serve(state, request, flow)
    if transaction is None:
        return
    state.timers.set(now + 32.0, _Abandoned(state), transaction)
    state.events.append(Requested(transaction, request, flow))


class _Abandoned:
    """Forget a request that its owner never answered."""

    __slots__ = ("state",)

    def __init__(self, state: UaState) -> None:
        self.state = state

    def __call__(self, transaction: ServerTransaction, _now: float) -> None:
        if transaction.state in {State.TRYING, State.PROCEEDING}:
            self.state.transactions.drop(transaction)


def _invite(state: UaState, request: Request, flow: Flow, now: float) -> None:
    if not state.config.takes_invites:
        _refuse(state, request, flow, 403, [])
        return
    merge = (request.call_id, request.from_tag, request.cseq)
    if merge in state.merging:
        _refuse(state, request, flow, 482, [])
        return
    contact = peer_address(request, "Contact")
    if not contact:
        _refuse(state, request, flow, 400, [])
        return
    transaction = _serve(state, request, flow)
    if transaction is None:
        return
    state.merging[merge] = transaction
    state.timers.set(now + 32.0, lambda key, _now: state.merging.pop(key, None), merge)
    leg = Leg(request.call_id, transaction.flow, is_caller=False, local_tag=_to(state, request)[1])
    leg.local = transaction.to
    leg.remote = request.get("From") or ""
    leg.remote_tag, leg.remote_cseq, leg.invite = request.from_tag, request.cseq, request
    leg.target, leg.routes = contact, request.all("Record-Route")
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
    transaction.repeat = state.timers.set(now + TRYING_S, _Trying(state), transaction)


class _Trying:
    """Say 100 to an INVITE that still waits."""

    __slots__ = ("state",)

    def __init__(self, state: UaState) -> None:
        self.state = state

    def __call__(self, transaction: ServerTransaction, now: float) -> None:
        if transaction.state is State.PROCEEDING and not transaction.data:
            respond(self.state, transaction, 100, now)


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
    return leg if leg is not None and leg.remote_tag == request.from_tag else None


def _cancel(state: UaState, request: Request, flow: Flow, now: float) -> None:
    """End the INVITE that a CANCEL is for (section 9.2); the answer to both is made here."""
    transaction = state.transactions.servers.get(_key(request, "INVITE"))
    if transaction is None:
        _refuse(state, request, flow, 481, [])
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
    state.timers.cancel(transaction.repeat)
    stop_provisional(state, leg)
    respond(state, transaction, 487, now)
    if leg.state in {LegState.INVITED, LegState.EARLY}:
        state.forget(leg)
    state.events.append(Cancelled(leg, request))


def _in_dialog(state: UaState, request: Request, flow: Flow, now: float) -> None:
    leg = _leg_of(state, request)
    if leg is None:
        _refuse(state, request, flow, 481, [])
        return
    if request.cseq <= leg.remote_cseq:
        _refuse(state, request, flow, 500, [])
        return
    transaction = _serve(state, request, flow)
    if transaction is None:
        return
    leg.remote_cseq = request.cseq
    take = _IN_DIALOG.get(request.method)
    if take is None:
        respond(state, transaction, 405, now, headers=[("Allow", ALLOW)])
    else:
        take(state, leg, transaction, now)


def _bye(state: UaState, leg: Leg, transaction: ServerTransaction, now: float) -> None:
    respond(state, transaction, 200, now)
    if leg.waiting is not None:
        _terminate(state, leg, transaction.request, now)
    if leg.state in {LegState.CONFIRMED, LegState.ENDING}:
        end(state, leg, "remote", transaction.request)


def _reinvite(state: UaState, leg: Leg, transaction: ServerTransaction, now: float) -> None:
    """Let the owner decide, unless another offer is open (sections 14.2 and RFC 6141)."""
    if leg.waiting is not None or leg.state in {LegState.INVITED, LegState.EARLY}:
        respond(state, transaction, 500, now, headers=[("Retry-After", "2")])
    elif leg.pending is not None or leg.reoffer is not None:
        respond(state, transaction, 491, now)
    elif leg.is_over:
        respond(state, transaction, 481, now)
    else:
        leg.target = peer_address(transaction.request, "Contact") or leg.target
        _wait(state, leg, transaction, now)
        _offered(state, leg, transaction.request)


def _offered(state: UaState, leg: Leg, request: Request) -> None:
    sdp = sdp_of(request)
    leg.remote_sdp = sdp or leg.remote_sdp
    state.events.append(Offered(leg, sdp, request))


def _update(state: UaState, leg: Leg, transaction: ServerTransaction, now: float) -> None:
    """Take a refresh at once, hand an offer to the owner (RFC 3311 section 5.2)."""
    leg.target = peer_address(transaction.request, "Contact") or leg.target
    if sdp_of(transaction.request) is None:
        shown = [("Contact", state.contact(leg.flow)), *answered(state, leg, transaction.request, now)]
        respond(state, transaction, 200, now, headers=shown)
    elif leg.update is not None or leg.waiting is not None:
        respond(state, transaction, 500, now, headers=[("Retry-After", "2")])
    elif leg.pending is not None or leg.reoffer is not None:
        respond(state, transaction, 491, now)
    else:
        leg.update = transaction
        _offered(state, leg, transaction.request)


def _pracked(state: UaState, leg: Leg, transaction: ServerTransaction, now: float) -> None:
    """Match RAck with the reliable response that is being repeated (RFC 3262 section 3)."""
    wanted = [str(leg.rseq), str(leg.invite.cseq) if leg.invite else "", "INVITE"]
    if not leg.prack_waits or (transaction.request.get("RAck") or "").split() != wanted:
        respond(state, transaction, 481, now)
        return
    stop_provisional(state, leg)
    respond(state, transaction, 200, now)


def _options(state: UaState, _leg: Leg, transaction: ServerTransaction, now: float) -> None:
    respond(state, transaction, 200, now, headers=[("Allow", ALLOW), ("Supported", state.supported)])


_IN_DIALOG: Final = {"BYE": _bye, "INVITE": _reinvite, "UPDATE": _update, "PRACK": _pracked, "OPTIONS": _options}
