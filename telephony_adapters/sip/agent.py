"""The user agent: SIP calls and requests, sans-I/O. Datagrams, commands and times in; datagrams and events out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import partial
from typing import Any, Final

from telephony_adapters.sip import answering, calling
from telephony_adapters.sip.adopt import LeftBehind, end_left_behind
from telephony_adapters.sip.asking import ask
from telephony_adapters.sip.dialogs import bye
from telephony_adapters.sip.digest import DigestSession
from telephony_adapters.sip.events import SipEvent
from telephony_adapters.sip.flow import Flow, Send
from telephony_adapters.sip.leg import Leg, LegState
from telephony_adapters.sip.message import Header, Request, Response
from telephony_adapters.sip.parse import SipSyntax, parse_message
from telephony_adapters.sip.replies import respond, response_bytes
from telephony_adapters.sip.requests import on_request
from telephony_adapters.sip.state import UaConfig, UaState, addressed
from telephony_adapters.sip.stray import hang_up_stray, is_ours
from telephony_adapters.sip.tables import Input, State, response_input
from telephony_adapters.sip.transact import ServerTransaction

__all__ = ["UaConfig", "UserAgent"]

_ANSWERABLE: Final = frozenset({"Via", "CSeq"})
"""What tells a request apart; of the others as many are repeated as came (RFC 4475 section 3.3.1)."""
_NOBODY: Final = "sip:anonymous.invalid"
_WHYS_MAX: Final = 50
_BAD_REQUEST: Final = 400


class UserAgent:
    """Implements `Machine`. Every command takes the time; events are taken after each turn, in order."""

    def __init__(self, config: UaConfig) -> None:
        self._state = UaState(config)
        self._whys: set[str] = set()
        self._state.refresh = partial(calling.refresh, self._state)

    @property
    def counters(self) -> Counter[str]:
        """Return how often what was dropped, answered by itself or noticed, by reason."""
        return self._state.counters

    @property
    def legs(self) -> int:
        """Count the legs that are not over."""
        return len(self._state.legs)

    @property
    def transactions(self) -> int:
        """Count the transactions that are kept."""
        transactions = self._state.transactions
        return len(transactions.clients) + len(transactions.servers)

    def contact(self, flow: Flow, user: str = "") -> str:
        """Return our Contact toward a flow, in angle brackets."""
        return self._state.contact(flow, user)

    def leg(self, call_id: str) -> Leg | None:
        """Return the leg that we placed under a Call-ID."""
        return self._state.legs.get((call_id, self._state.ids.tag(call_id, "caller")))

    # --- what comes in -------------------------------------------------------------------------------------------

    def receive(self, data: bytes, flow: Flow, now: float) -> None:
        """Take one message; what is wrong with it is counted, and answered where the RFC says so."""
        try:
            message = parse_message(data)
        except SipSyntax as error:
            self._unreadable(error, flow)
            return
        if isinstance(message, Response):
            self._response(message, flow, now)
        else:
            on_request(self._state, message, flow, now)

    def flow_lost(self, flow: Flow, why: str, now: float) -> None:
        """Fail what is under way on a flow that broke (section 17.1.4, 17.2.4); calls that are up stay up.

        A connection that the peer made cannot be made again by us: its calls go on by the peer's Contact.
        """
        transactions = self._state.transactions
        self._count_loss(why)
        if flow.is_reliable and self._state.config.takes_invites:  # a stranger's connections end often
            for leg in self._state.legs.values():
                if not leg.is_caller and leg.flow == flow:
                    leg.flow = addressed(flow, leg.target, leg.routes)
        for transaction in transactions.on(flow):
            transactions.step(transaction, Input.ERROR, now)

    def _count_loss(self, why: str) -> None:
        """Count by reason; only so many reasons are told apart, since others may have a say in their words."""
        if why not in self._whys and len(self._whys) < _WHYS_MAX:
            self._whys.add(why)
        self._state.counters[f"flow lost: {why if why in self._whys else 'other'}"] += 1

    def handle_timer(self, now: float) -> None:
        """Fire every timer that is due."""
        step = self._state.transactions.step
        for what, whom in self._state.timers.due(now):
            if type(what) is Input:
                step(whom, what, now)
            else:
                what(whom, now)

    def next_timer(self) -> float | None:
        """Return when the next timer is due."""
        return self._state.timers.next()

    def take_sends(self) -> list[Send]:
        """Return what is to be sent, in order, and forget it."""
        sends = self._state.sends
        if not sends:
            return []
        taken = sends.copy()
        sends.clear()
        return taken

    def take_events(self) -> list[SipEvent]:
        """Return what happened, in order, and forget it."""
        events = self._state.events
        if events:
            self._state.events = []
        return events

    def _response(self, response: Response, flow: Flow, now: float) -> None:
        state = self._state
        transaction = state.transactions.clients.get((response.via.branch, response.cseq_method))
        if len(response.all("Via")) > 1:  # it has further to go, so it is not for us (section 8.1.3.3)
            state.counters["stray response"] += 1
        elif transaction is not None:
            if not state.transactions.step(transaction, response_input(response.status), now, response):
                state.counters["late response"] += 1
        elif response.cseq_method == "INVITE" and 200 <= response.status < 300 and is_ours(state, response):  # noqa: PLR2004 -- 2xx
            self._late_2xx(response, flow, now)
        else:
            state.counters["stray response"] += 1

    def _late_2xx(self, response: Response, flow: Flow, now: float) -> None:
        """End what an INVITE became that we gave up, even before a restart: no ghost call may remain."""
        leg = self.leg(response.call_id)
        if leg is not None and leg.remote_tag == response.to_tag and leg.state is not LegState.INVITED:
            self._state.counters["2xx after Timer M"] += 1
        else:
            hang_up_stray(self._state, flow, None, response, now)

    def _unreadable(self, error: SipSyntax, flow: Flow) -> None:
        """Count it; a request whose sender can be told is told (section 16.3, 18.3, 21.4.1)."""
        state = self._state
        state.counters[f"unreadable: {error.why.value}"] += 1
        headers = dict(reversed(error.headers))
        if error.status is None or error.method == "ACK" or not headers.keys() >= _ANSWERABLE:
            return
        head = "".join(f"Via: {value}\r\n" for name, value in error.headers if name == "Via")
        head += "".join(f"{name}: {headers[name]}\r\n" for name in ("From", "Call-ID", "CSeq") if name in headers)
        to = headers.get("To", f"<{_NOBODY}>")
        if ";tag=" not in to:
            to = f"{to};tag={state.ids.tag(head, 'callee')}"
        reason = f"Bad {error.why.value}" if error.status == _BAD_REQUEST else None
        state.sends.append(Send(flow, response_bytes(head, to, error.status, reason=reason)))

    # --- the caller's side ---------------------------------------------------------------------------------------

    def invite(  # noqa: PLR0913 -- a call has as many sides
        self, now: float, *, flow: Flow, uri: str, call_id: str, from_: str, to: str, sdp: bytes | None,
        headers: Sequence[Header] = (), auth: DigestSession | None = None, owner: Any = None,
        keep_crossing: bool = False, routes: Sequence[str] = (), interval_s: int | None = None, reliable: bool = True,
    ) -> Leg:  # fmt: skip
        """Place a call; Progressed, then Accepted or Refused follow. `from_` and `to` are name-addrs without tags.

        `keep_crossing`: a 2xx that crosses our CANCEL is told as Accepted; otherwise it is hung up here. `routes` are
        Route values, of an outbound proxy; `interval_s` the session interval to ask for, None = the configuration's;
        `reliable` lets provisional responses be reliable. Raises ValueError for a Call-ID that is live.
        """
        return calling.invite(
            self._state, now, flow=flow, uri=uri, call_id=call_id, from_=from_, to=to, sdp=sdp, headers=headers,
            auth=auth, owner=owner, keep_crossing=keep_crossing, routes=routes, interval_s=interval_s,
            reliable=reliable,
        )  # fmt: skip

    def cancel(self, leg: Leg, now: float, reason: str | None = None) -> None:
        """Give up a call that is not answered; CANCEL waits for a provisional response (section 9.1)."""
        calling.cancel(self._state, leg, now, reason=reason)

    def bye(self, leg: Leg, now: float, reason: str | None = None) -> None:
        """Hang up; Ended follows. A call that is not answered yet is cancelled, or refused by 480."""
        if leg.state is LegState.CONFIRMED:
            bye(self._state, leg, now, reason=reason)
        elif leg.is_caller:
            calling.cancel(self._state, leg, now, reason=reason)
        elif leg.held:  # accepted already; its 2xx waits for a PRACK
            leg.bye_waits, leg.bye_reason = True, reason
        else:
            answering.refuse(self._state, leg, 480, now)

    def reinvite(self, leg: Leg, now: float, sdp: bytes | None) -> None:
        """Change the session of a call that is up; Renegotiated follows, unless the call ends."""
        calling.reinvite(self._state, leg, sdp, now)

    def answer(self, leg: Leg, sdp: bytes) -> None:
        """Answer in the ACK the offer of a 2xx (`needs_answer`)."""
        calling.answer(self._state, leg, sdp)

    def ask(  # noqa: PLR0913 -- a request has as many sides
        self, now: float, *, flow: Flow, method: str, uri: str, from_: str, to: str, call_id: str, cseq: int,
        token: object, headers: Sequence[Header] = (), body: bytes = b"", auth: DigestSession | None = None,
    ) -> None:  # fmt: skip
        """Send a request outside any dialog; Responded follows. `cseq` must grow within a Call-ID, by 2 or more."""
        ask(
            self._state, now, flow=flow, method=method, uri=uri, from_=from_, to=to, call_id=call_id, cseq=cseq,
            token=token, headers=headers, body=body, auth=auth,
        )  # fmt: skip

    def end_left_behind(self, left: LeftBehind, now: float) -> Leg:
        """End, by CANCEL or BYE, a call that a dead process placed with the same key."""
        return end_left_behind(self._state, left, now)

    # --- the callee's side ---------------------------------------------------------------------------------------

    def provisional(
        self, leg: Leg, status: int, now: float, *, sdp: bytes | None = None, reliable: bool = False,
        headers: Sequence[Header] = (),
    ) -> None:  # fmt: skip
        """Send 1xx; `reliable` where the caller supports it (RFC 3262)."""
        if leg.state is LegState.INVITED and status > 100:  # noqa: PLR2004 -- 100 makes no dialog
            leg.state = LegState.EARLY
        answering.provisional(self._state, leg, status, now, sdp=sdp, reliable=reliable, headers=headers)

    def accept(self, leg: Leg, now: float, *, sdp: bytes | None = None, headers: Sequence[Header] = ()) -> None:
        """Answer 200 to the INVITE, re-INVITE or UPDATE that waits; Confirmed follows an INVITE's."""
        answering.accept(self._state, leg, now, sdp=sdp, headers=headers)

    def refuse(
        self, leg: Leg, status: int, now: float, *, reason: str | None = None, headers: Sequence[Header] = ()
    ) -> None:
        """Refuse the INVITE, re-INVITE or UPDATE that waits."""
        answering.refuse(self._state, leg, status, now, reason=reason, headers=headers)

    def forget(self, leg: Leg, now: float) -> None:
        """Say nothing at all to an INVITE, however often it comes."""
        answering.ignore(self._state, leg, now)

    def fork(self, leg: Leg, now: float, *, sdp: bytes | None = None) -> Leg:
        """Answer an INVITE a second time, as another phone would; the leg must have been accepted just before."""
        return answering.fork(self._state, leg, now, sdp=sdp)

    def respond(
        self, transaction: ServerTransaction, status: int, now: float, *, headers: Sequence[Header] = (),
        body: bytes = b"",
    ) -> None:  # fmt: skip
        """Answer a request outside any dialog (Requested)."""
        if transaction.state is not State.TERMINATED:
            respond(self._state, transaction, status, now, headers=headers, body=body)

    def request_of(self, leg: Leg) -> Request | None:
        """Return the INVITE, re-INVITE or UPDATE that waits for an answer."""
        waiting = leg.update or leg.waiting
        return waiting.request if waiting is not None else None
