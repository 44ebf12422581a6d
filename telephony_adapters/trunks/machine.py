"""Calls over SIP trunks, sans-I/O: the engine's commands and datagrams in; call events and datagrams out.

It holds the customers' legs and the agents' phones. What may be called over which trunk, and whether it is well, is
said by the trunks themselves (`Trunk`); what a call's end means is read off the wire by `causes`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Final, assert_never

from dialer.core.events import (
    CallAnswered,
    CallEnded,
    CallEvent,
    CallRinging,
    ConnectFailed,
    EarlyMediaHeard,
    TrunkClosed,
    TrunkOpened,
)
from dialer.ports import CallStatusAtSwitch
from statuses.outcomes import CancelReason, EndedBy
from telephony_adapters.sip.adopt import LeftBehind
from telephony_adapters.sip.agent import UaConfig, UserAgent
from telephony_adapters.sip.events import (
    Accepted,
    Cancelled,
    Confirmed,
    Ended,
    Incoming,
    Offered,
    Progressed,
    Refused,
    Renegotiated,
    Requested,
    Responded,
    SipEvent,
)
from telephony_adapters.sip.flow import Flow, Send
from telephony_adapters.sip.leg import Leg
from telephony_adapters.sip.reason import parse_reasons, parse_retry_after
from telephony_adapters.sip.timers import Timers
from telephony_adapters.trunks import bridge, causes
from telephony_adapters.trunks.calls import Call, Desk, DeskState, facts_of, session_id
from telephony_adapters.trunks.party import Media, Party
from telephony_adapters.trunks.trunk import Phones, Trunk

DOMAIN: Final = "dialer.invalid"
"""Behind the @ of our Call-IDs; it is nobody's (RFC 2606)."""
_GRACE_S: Final = 5.0
"""The adapter gives a call up so long after the engine should have."""


class TrunkMachine:
    """Implements `Machine`. Commands take the time; `take_events` gives what the engine is to hear, in order."""

    def __init__(self, ua: UaConfig, trunks: Sequence[Trunk], phones: Phones | None, media: Media) -> None:
        self.ua = UserAgent(ua)
        self.timers = Timers()
        self.trunks = {trunk.name: trunk for trunk in trunks}
        self.counters: Counter[str] = Counter()
        self.on_leg: Callable[[str, Leg, float], None] | None = None
        """Told ("placed" | "answered" | "over", leg, now) of every leg: the journal."""
        self._phones = phones
        self._media = media
        self._calls: dict[str, Call] = {}
        self._desks: dict[str, Desk] = {}
        self._events: list[CallEvent | TrunkClosed | TrunkOpened] = []

    # --- Machine -------------------------------------------------------------------------------------------------

    def receive(self, data: bytes, flow: Flow, now: float) -> None:
        """Take one message."""
        self.ua.receive(data, flow, now)
        self._hear(now)

    def flow_lost(self, flow: Flow, why: str, now: float) -> None:
        """Learn that a flow broke."""
        self.ua.flow_lost(flow, why, now)
        self._hear(now)

    def handle_timer(self, now: float) -> None:
        """Fire what is due."""
        self.ua.handle_timer(now)
        for what, whom in self.timers.due(now):
            what(whom, now)
        for trunk in self.trunks.values():
            trunk.poll(self.ua, now)
            for call_id in trunk.over(now):
                self.counters["over the day's cap"] += 1
                self.hangup(call_id, CancelReason.ADMIN, now)
        self._hear(now)

    def next_timer(self) -> float | None:
        """Return when something is due."""
        dues = [self.ua.next_timer(), self.timers.next(), *(trunk.next_at() for trunk in self.trunks.values())]
        return min((due for due in dues if due is not None), default=None)

    def take_sends(self) -> list[Send]:
        """Return what is to be sent."""
        return self.ua.take_sends()

    def take_events(self) -> list[CallEvent | TrunkClosed | TrunkOpened]:
        """Return what the engine is to hear, and forget it."""
        for trunk in self.trunks.values():
            self._events += trunk.take_changes()
        events = self._events
        if events:
            self._events = []
        return events

    # --- the engine's commands -----------------------------------------------------------------------------------

    def originate(self, call_id: str, *, phone: str, hotline: str, trunk: str, ring_s: float, now: float) -> None:
        """Place a call, unless the trunk's own guard refuses it: then CallEnded says why. ValueError: a live id."""
        if call_id in self._calls:
            raise ValueError(f"call {call_id} is live already; an attempt sends one INVITE")
        route = self.trunks.get(trunk)
        if route is None:
            self._events.append(causes.refused(call_id, 503, made_here=True))
            return
        at = route.admit(call_id, phone, now)
        if isinstance(at, CallEnded):
            self._events.append(at)
            return
        call = self._calls[call_id] = Call(call_id, phone, route, self._media, now)
        call.limit = self.timers.set(at + min(ring_s + _GRACE_S, route.ring_limit_s), self._too_long, call)
        if at > now:
            self.timers.set(at, lambda waiting, then: self._invite(waiting, hotline, then), call)
        else:
            self._invite(call, hotline, now)

    def _invite(self, call: Call, hotline: str, now: float) -> None:
        if call.call_id not in self._calls:
            return  # it was given up before its turn came
        route = call.trunk
        what = route.invitation(call.phone, hotline, now)
        if what is None:
            self._over(call, causes.refused(call.call_id, 503, made_here=True), now)
            return
        call.party.leg = self.ua.invite(
            now, flow=what.flow, uri=what.uri, call_id=f"{call.call_id}@{DOMAIN}", from_=what.from_, to=what.to,
            sdp=None if route.offer is None else call.party.first_offer(route.offer), headers=what.headers,
            auth=route.auth, owner=call.party, interval_s=what.interval_s, reliable=what.reliable,
        )  # fmt: skip
        self._noted("placed", call.party.leg, now)

    def _too_long(self, call: Call, now: float) -> None:
        self.counters["limit"] += 1
        self.hangup(call.call_id, CancelReason.ADMIN, now)

    def hangup(self, call_id: str, reason: CancelReason, now: float) -> None:
        """CANCEL or BYE; an unknown id is ignored.

        An answer that crosses our CANCEL is told as one: a person is on the line. Not when an admin ends the call: then
        nobody may be left to hear of it.
        """
        call = self._calls.get(call_id)
        if call is None:
            return
        call.hangup_reason = reason
        if call.leg is None:
            self._over(call, CallEnded(call_id, ended_by=EndedBy.DIALER), now)
            return
        call.leg.keep_crossing = reason is not CancelReason.ADMIN
        self.ua.cancel(call.leg, now, bridge.hangup_reason(reason))
        self._hear(now)

    def connect(self, call_id: str, agent_id: str, now: float) -> None:
        """Join an answered call to an agent; CallConnected or ConnectFailed follows."""
        call = self._calls.get(call_id)
        if call is None or call.answered_at is None or self._phones is None:
            self._events.append(ConnectFailed(call_id, agent_id))
            return
        bridge.connect(self, call, self._desk(agent_id), now)
        self._hear(now)

    def station(self, agent_id: str, now: float, *, up: bool) -> None:
        """Keep an agent's phone on the line between calls, or let it go."""
        if self._phones is None or not self._phones.nailed_up:
            return
        desk = self._desk(agent_id)
        desk.wanted = up
        if up and desk.state is DeskState.DOWN:
            self.call_desk(desk, now)
        elif not up and desk.talk is None and desk.state is not DeskState.DOWN:
            self.drop_desk(desk, now)

    def hang_up_all(self, now: float) -> None:
        """End every call and let every phone go: the process stops."""
        for call_id in tuple(self._calls):
            self.hangup(call_id, CancelReason.ADMIN, now)
        for desk in self._desks.values():
            desk.wanted = False
            if desk.state is not DeskState.DOWN:
                self.drop_desk(desk, now)

    def end_left_behind(self, left: LeftBehind, now: float) -> None:
        """End a call that a dead process placed."""
        leg = self.ua.end_left_behind(left, now)
        leg.owner = Party(None, self._media, "0")
        if not left.remote_tag:  # a CANCEL has no end that is told
            self._noted("over", leg, now)
        self.counters["left behind"] += 1

    def snapshot(self) -> list[CallStatusAtSwitch]:
        """List the live calls to customers."""
        return [CallStatusAtSwitch(call.call_id, call.answered_at is not None) for call in self._calls.values()]

    def desks(self) -> dict[str, DeskState]:
        """Return the state of each agent's phone that was called."""
        return {desk.agent_id: desk.state for desk in self._desks.values()}

    # --- agents' phones (bridge.Joins) ----------------------------------------------------------------------------

    def tell(self, event: CallEvent) -> None:
        """Tell the engine."""
        self._events.append(event)

    def call_desk(self, desk: Desk, now: float, offer: bytes | None = None) -> None:
        """Call an agent's phone; without an offer it is asked to wait on the line in silence."""
        assert self._phones is not None  # noqa: S101 -- asked by who has phones
        desk.calls += 1
        desk.state = DeskState.CALLING
        request = self._phones.invitation(desk.agent_id, now)
        if request is None:
            self._desk_down(desk, now)
            return
        desk.party.leg = self.ua.invite(
            now, flow=request.flow, uri=request.uri, call_id=f"{desk.agent_id}-{desk.calls}-{int(now * 1000)}@{DOMAIN}",
            from_=request.from_, to=request.to, sdp=offer or desk.party.first_offer("inactive"),
            headers=request.headers, auth=self._phones.auth, owner=desk.party, interval_s=request.interval_s,
            reliable=request.reliable,
        )  # fmt: skip
        self._noted("placed", desk.party.leg, now)

    def drop_desk(self, desk: Desk, now: float) -> None:
        """Hang up on an agent's phone."""
        leg = desk.party.leg
        desk.state = DeskState.DOWN
        desk.party = Party(desk, self._media, session_id(f"{desk.agent_id}/{desk.calls}"))
        if leg is not None:
            self.ua.cancel(leg, now)

    def _desk(self, agent_id: str) -> Desk:
        desk = self._desks.get(agent_id)
        if desk is None:
            desk = self._desks[agent_id] = Desk(agent_id, self._media)
        return desk

    def _desk_down(self, desk: Desk, now: float) -> None:
        """Take in that an agent's phone is gone; a talk ends by it."""
        talk = desk.talk
        desk.state = DeskState.DOWN
        desk.party = Party(desk, self._media, session_id(f"{desk.agent_id}/{desk.calls}"))
        if talk is None:
            return
        if talk.joined:
            self._end_talk(talk.call, now, by=EndedBy.AGENT)
        else:
            bridge.fail(self, talk, now)

    def _end_talk(self, call: Call, now: float, *, by: EndedBy) -> None:
        talk = call.talk
        if talk is not None:
            bridge.part(self, talk, now)
        if call.leg is not None:
            call.ended_by = by
            self.ua.bye(call.leg, now)

    # --- what the user agent tells --------------------------------------------------------------------------------

    def _hear(self, now: float) -> None:
        for event in self.ua.take_events():
            self._one(event, now)

    def _one(self, event: SipEvent, now: float) -> None:
        match event:
            case Progressed() | Accepted() | Refused() | Ended():
                owner = event.leg.owner.owner
                if isinstance(owner, Call):
                    self._customer(owner, event, now)
                elif isinstance(owner, Desk) and event.leg is owner.party.leg:
                    self._phone(owner, event, now)
                elif isinstance(event, Refused | Ended):  # a phone that was let go, or a dead process's call
                    self._noted("over", event.leg, now)
            case Offered() | Renegotiated() | Confirmed():
                self._session(event, now)
            case Responded():
                for trunk in self.trunks.values():
                    trunk.responded(event, now)
            case Requested():
                self.ua.respond(event.transaction, 200, now, headers=[("Accept", "application/sdp")])
            case Incoming() | Cancelled():
                self.counters["incoming"] += 1  # the user agent takes none
            case _:
                assert_never(event)

    def _customer(self, call: Call, event: Progressed | Accepted | Refused | Ended, now: float) -> None:
        match event:
            case Progressed():
                self._progressed(call, event)
            case Accepted():
                self._answered(call, event, now)
            case Refused():
                self._over(call, _refused(call, event), now)
            case Ended():
                reasons = parse_reasons(event.message.all("Reason")) if event.message is not None else ()
                by_agent = call.ended_by is EndedBy.AGENT
                self._over(call, causes.hung_up(call.call_id, event.by, reasons=reasons, by_agent=by_agent), now)

    def _progressed(self, call: Call, event: Progressed) -> None:
        """Tell the engine what is new: repeated and backward provisional responses are the rule on the wire."""
        said = call.trunk.progress(call.call_id, event)
        match said:
            case CallRinging():
                is_new, call.rang = not call.rang, True
            case EarlyMediaHeard():
                is_new = said.announcement is not call.announcement or not call.progressed
                call.announcement = said.announcement or call.announcement
            case _:
                is_new = not call.progressed
        call.progressed = True
        if is_new:
            self._events.append(said)

    def _answered(self, call: Call, event: Accepted, now: float) -> None:
        call.answered_at, call.hangup_reason = now, None
        self.timers.cancel(call.limit)
        call.limit = self.timers.set(now + call.trunk.call_limit_s, self._too_long, call)
        call.trunk.answered(call.call_id, now)
        if event.needs_answer and event.sdp is not None:
            self.ua.answer(event.leg, call.party.answer_alone(event.sdp, "inactive"))
        self._noted("answered", event.leg, now)
        self._events.append(CallAnswered(call.call_id))

    def _over(self, call: Call, event: CallEnded, now: float) -> None:
        del self._calls[call.call_id]
        self.timers.cancel(call.limit)
        if call.talk is not None:
            bridge.part(self, call.talk, now)
        leg = call.leg
        call.trunk.ended(call.call_id, call.phone, facts_of(call, event), leg.flow if leg is not None else None, now)
        if event.retry_after_s:
            call.trunk.asked_for_rest(event.retry_after_s, now)
        if leg is not None:
            self._noted("over", leg, now)
        self._events.append(event)

    def _phone(self, desk: Desk, event: Progressed | Accepted | Refused | Ended, now: float) -> None:
        match event:
            case Progressed():
                pass
            case Accepted():
                desk.state = DeskState.UP
                self._noted("answered", event.leg, now)
                if desk.talk is not None:
                    bridge.desk_answered(self, desk.talk, now)
                elif not desk.wanted:
                    self.drop_desk(desk, now)
            case Refused() | Ended():
                self.counters[f"agent's phone: {event.status if isinstance(event, Refused) else event.by}"] += 1
                self._noted("over", event.leg, now)
                self._desk_down(desk, now)

    def _session(self, event: Offered | Renegotiated | Confirmed, now: float) -> None:
        party: Party = event.leg.owner
        talk = party.owner.talk
        if party.leg is not event.leg:
            if isinstance(event, Offered):
                self.ua.refuse(event.leg, 481, now)
        elif isinstance(event, Offered):
            bridge.offered(self, party, talk, event, now)
        elif talk is not None and isinstance(event, Renegotiated):
            bridge.renegotiated(self, talk, party, event, now)
        elif isinstance(event, Confirmed):
            bridge.confirmed(self, talk, party, event, now)

    def _noted(self, what: str, leg: Leg, now: float) -> None:
        if self.on_leg is not None:
            self.on_leg(what, leg, now)


def _refused(call: Call, event: Refused) -> CallEnded:
    message = event.message
    if message is None:
        return causes.refused(call.call_id, event.status, made_here=True)
    after = parse_retry_after(message.get("Retry-After") or "")
    return causes.refused(
        call.call_id, event.status, phrase=message.reason, reasons=parse_reasons(message.all("Reason")),
        retry_after_s=float(after.delay_s) if after is not None else None, cancelled=event.leg.cancelled,
    )  # fmt: skip
