"""The callee's side of INVITE: what a user says to one that waits (RFC 3261 section 13.3, RFC 3262, RFC 3311)."""

from __future__ import annotations

from collections.abc import Sequence

from telephony_adapters.sip.dialogs import bye, close, retarget
from telephony_adapters.sip.events import Confirmed, Ended
from telephony_adapters.sip.flow import T1, T2, Send
from telephony_adapters.sip.leg import Leg, LegState
from telephony_adapters.sip.message import Header, Request
from telephony_adapters.sip.refresh import answered
from telephony_adapters.sip.reliable import MOST_RSEQ, Repeated, stop_provisional
from telephony_adapters.sip.replies import respond, response_bytes
from telephony_adapters.sip.state import ALLOW, SDP, UaState, sdp_of
from telephony_adapters.sip.transact import LIMIT_S, ServerTransaction


def provisional(
    state: UaState, leg: Leg, status: int, now: float, *, sdp: bytes | None = None, reliable: bool = False,
    headers: Sequence[Header] = (),
) -> None:  # fmt: skip
    """Send 1xx to the INVITE that waits; `reliable` where the caller can, one at a time (RFC 3262 section 3)."""
    transaction = leg.waiting
    if transaction is None:
        return
    request = transaction.request
    wanted = request.has_option("Require", "100rel") or (reliable and request.has_option("Supported", "100rel"))
    if wanted and status > 100 and leg.prack_waits:  # noqa: PLR2004 -- 100 is of this hop only
        leg.held.append(
            lambda same, at: provisional(state, same, status, at, sdp=sdp, reliable=True, headers=headers)
        )  # fmt: skip
        return
    if sdp:
        leg.local_sdp = sdp
    shown: list[Header] = [("Contact", state.contact(leg.flow)), *_recorded(request), *headers]
    if wanted and status > 100:  # noqa: PLR2004
        leg.rseq = (leg.rseq or state.ids.number(leg.local_tag, "rseq", MOST_RSEQ)) + 1
        shown += [("Require", "100rel"), ("RSeq", str(leg.rseq))]
        leg.holds_answer = sdp is not None
    shown += _typed(sdp)
    state.timers.cancel(transaction.repeat)
    data = response_bytes(transaction.head, transaction.to, status, headers=shown, body=sdp or b"")
    state.transactions.respond(transaction, status, data, now)
    if wanted and status > 100:  # noqa: PLR2004
        Repeated(state, transaction.flow, data).start(leg, _Unpracked(state), now)


class _Unpracked:
    """Refuse an INVITE whose caller never acknowledged a reliable provisional response (RFC 3262 section 3)."""

    __slots__ = ("state",)

    def __init__(self, state: UaState) -> None:
        self.state = state

    def __call__(self, leg: Leg, now: float) -> None:
        is_new = leg.state is not LegState.CONFIRMED
        if leg.update is not None:
            refuse(self.state, leg, 504, now)
        refuse(self.state, leg, 504, now)
        if is_new:
            self.state.events.append(Ended(leg, "lost", None))


def pracked(state: UaState, leg: Leg, now: float) -> None:
    """Go on after the PRACK: say what was held, in order."""
    stop_provisional(state, leg)
    held, leg.held = leg.held, []
    for say in held:
        say(leg, now)


def _recorded(request: Request) -> list[Header]:
    return [("Record-Route", route) for route in request.all("Record-Route")]


def accept(state: UaState, leg: Leg, now: float, *, sdp: bytes | None = None, headers: Sequence[Header] = ()) -> None:
    """Answer 200 to the INVITE, re-INVITE or UPDATE that waits; nothing happens when none does.

    It waits for the PRACK of a session description (RFC 3262 section 3).
    """
    update, transaction = leg.update, leg.waiting
    if update is None and transaction is None:
        return
    if update is None and leg.holds_answer:
        leg.held.append(lambda same, at: accept(state, same, at, sdp=sdp, headers=headers))
        return
    if sdp:
        leg.local_sdp = sdp
    shown: list[Header] = [("Contact", state.contact(leg.flow)), ("Allow", ALLOW), ("Supported", state.supported)]
    if update is not None:
        leg.update = None
        retarget(leg, update.request)
        leg.remote_sdp = sdp_of(update.request) or leg.remote_sdp
        shown += [*answered(state, leg, update.request, now), *headers, *_typed(sdp)]
        respond(state, update, 200, now, headers=shown, body=sdp or b"")
    elif transaction is not None:
        if leg.state is LegState.CONFIRMED:
            retarget(leg, transaction.request)
            leg.remote_sdp = sdp_of(transaction.request) or leg.remote_sdp
        shown += [*_recorded(transaction.request), *answered(state, leg, transaction.request, now), *headers]
        shown += _typed(sdp)
        leg.waiting = None
        leg.state = LegState.CONFIRMED
        stop_provisional(state, leg)
        data = response_bytes(transaction.head, transaction.to, 200, headers=shown, body=sdp or b"")
        _repeat_2xx(state, leg, transaction, data, now)


def _typed(sdp: bytes | None) -> list[Header]:
    return [("Content-Type", SDP)] if sdp else []


def _repeat_2xx(state: UaState, leg: Leg, transaction: ServerTransaction, data: bytes, now: float) -> None:
    """Send a 2xx, and repeat it until the ACK comes; without one the call is hung up (section 13.3.1.4)."""
    leg.accepted = Send(transaction.flow, data)
    leg.invite_cseq = transaction.request.cseq
    state.transactions.respond(transaction, 200, data, now)
    _await_ack(state, leg, now)


def _await_ack(state: UaState, leg: Leg, now: float) -> None:
    timers = state.timers
    leg.ack_wait = [timers.after(T1, now, _Again(state, T1), leg), timers.after(LIMIT_S, now, _Never(state), leg)]


class _Again:
    """Repeat a 2xx, each time after twice as long, T2 at most."""

    __slots__ = ("interval", "state")

    def __init__(self, state: UaState, interval: float) -> None:
        self.state = state
        self.interval = interval

    def __call__(self, leg: Leg, now: float) -> None:
        if leg.accepted is not None:
            self.interval = min(self.interval * 2, T2)
            self.state.sends.append(leg.accepted)
            leg.ack_wait[0] = self.state.timers.set(now + self.interval, self, leg)


class _Never:
    """Hang up a call whose ACK never came."""

    __slots__ = ("state",)

    def __init__(self, state: UaState) -> None:
        self.state = state

    def __call__(self, leg: Leg, now: float) -> None:
        stop_2xx(self.state, leg)
        self.state.counters["2xx never acknowledged"] += 1
        bye(self.state, leg, now, by="local" if leg.bye_waits else "lost", reason=leg.bye_reason)


def stop_2xx(state: UaState, leg: Leg) -> None:
    """Stop repeating our 2xx."""
    for timer in leg.ack_wait:
        state.timers.cancel(timer)
    leg.ack_wait, leg.accepted = [], None


def acknowledged(state: UaState, leg: Leg, request: Request, now: float) -> None:
    """Take the ACK of our 2xx."""
    sdp = sdp_of(request)
    leg.remote_sdp = sdp or leg.remote_sdp
    stop_2xx(state, leg)
    state.events.append(Confirmed(leg, sdp))
    if leg.bye_waits:
        bye(state, leg, now, reason=leg.bye_reason)


def refuse(
    state: UaState, leg: Leg, status: int, now: float, *, reason: str | None = None, headers: Sequence[Header] = ()
) -> None:
    """Refuse the INVITE, re-INVITE or UPDATE that waits; nothing happens when none does."""
    update, transaction = leg.update, leg.waiting
    if update is not None:
        leg.update = None
        respond(state, update, status, now, reason=reason, headers=headers)
    elif transaction is not None:
        leg.waiting, leg.held = None, []
        stop_provisional(state, leg)
        respond(state, transaction, status, now, reason=reason, headers=headers)
        if leg.state is not LegState.CONFIRMED:
            close(state, leg, now)


def ignore(state: UaState, leg: Leg, now: float) -> None:
    """Say nothing at all to the INVITE that waits, however often it comes again."""
    transaction, leg.waiting = leg.waiting, None
    if transaction is not None:
        transaction.data = b""
        state.timers.cancel(transaction.repeat)
        transaction.limit = state.timers.after(LIMIT_S, now, Abandoned(state), transaction)
    close(state, leg, now)


class Abandoned:
    """Forget a request that is never answered."""

    __slots__ = ("state",)

    def __init__(self, state: UaState) -> None:
        self.state = state

    def __call__(self, transaction: ServerTransaction, _now: float) -> None:
        """Drop it, whatever its state."""
        self.state.transactions.drop(transaction)


def fork(state: UaState, leg: Leg, now: float, *, sdp: bytes | None) -> Leg:
    """Answer the INVITE that the leg answered once more, as another phone behind a forking proxy would."""
    assert leg.accepted is not None  # noqa: S101 -- the owner answers before it forks
    assert leg.invite is not None  # noqa: S101
    other = Leg(leg.call_id, leg.flow, is_caller=False, local_tag=state.ids.tag(leg.local_tag, "fork"))
    other.local = leg.local.replace(leg.local_tag, other.local_tag)
    other.remote, other.remote_tag, other.target, other.routes = leg.remote, leg.remote_tag, leg.target, leg.routes
    other.invite, other.invite_cseq, other.remote_cseq = leg.invite, leg.invite_cseq, leg.invite_cseq
    other.state, other.local_sdp, other.remote_sdp = LegState.CONFIRMED, sdp, leg.remote_sdp
    data = leg.accepted.data.replace(leg.local_tag.encode(), other.local_tag.encode())
    other.accepted = Send(leg.accepted.flow, data)
    state.legs[other.key] = other
    state.sends.append(other.accepted)
    _await_ack(state, other, now)
    return other
