"""Calls over SIP trunks, sans-I/O: the engine's commands and datagrams in; call events and datagrams out.

It holds the customers' legs; agents' phones and conversations have modules of their own. What may be called over
which trunk, and whether it is well, is said by the trunks (`Trunk`); what a call's end means is read off the wire by
`causes`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Final, TypeAlias, assert_never

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
from statuses.outcomes import AmdResult, Announcement, CancelReason, EndedBy, LocalError
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
from telephony_adapters.sip.reason import parse_reasons
from telephony_adapters.sip.state import ALLOW
from telephony_adapters.sip.timers import Timers
from telephony_adapters.trunks import causes
from telephony_adapters.trunks.bridge import Bridge
from telephony_adapters.trunks.calls import Call, facts_of, give_up, is_heard, refusal
from telephony_adapters.trunks.desks import Desk, Desks, DeskState, owner_of
from telephony_adapters.trunks.party import Media
from telephony_adapters.trunks.summons import Summons
from telephony_adapters.trunks.trunk import Invitation, Phones, Trunk

Told: TypeAlias = CallEvent | TrunkClosed | TrunkOpened

DOMAIN: Final = "dialer.invalid"
"""Behind the @ of our Call-IDs; it is nobody's (RFC 2606)."""
_GRACE_S: Final = 5.0
"""The adapter gives a call up so long after the engine should have."""
_SETUP_S: Final = 10.0
"""The engine begins to count the ringing when it rings, at the latest after this."""
_UNAVAILABLE: Final = 503


class TrunkMachine:
    """Implements `Machine`. Commands take the time; `take_events` gives what the engine is to hear, in order."""

    def __init__(self, ua: UaConfig, trunks: Sequence[Trunk], phones: Phones, media: Media) -> None:
        self.ua = UserAgent(ua)
        self.timers = Timers()
        self.trunks = {trunk.name: trunk for trunk in trunks}
        self.counters: Counter[str] = Counter()
        self.on_leg: Callable[[str, Leg, float], None] | None = None
        """Told ("placed" | "answered" | "over", leg, now) of every leg: the journal."""
        self._media = media
        self._calls: dict[str, Call] = {}
        self._events: list[Told] = []
        self._desks = Desks(
            self.ua, self.timers, phones, media, domain=DOMAIN, fell=self._phone_down, noted=self._noted
        )
        self._bridge = Bridge(self.ua, self.timers, self._desks, self._tell)
        self._summons = Summons(self._desks, self.timers, self._tell)

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
            at = trunk.next_at()
            if at is not None and at <= now:
                self._poll(trunk, now)
        self._hear(now)

    def _poll(self, trunk: Trunk, now: float) -> None:
        trunk.poll(self.ua, now)
        for call_id in trunk.over(now):
            self.counters["over the day's cap"] += 1
            self.hangup(call_id, CancelReason.ADMIN, now)

    def next_timer(self) -> float | None:
        """Return when something is due."""
        first = self.ua.next_timer()
        own = self.timers.next()
        if own is not None and (first is None or own < first):
            first = own
        for trunk in self.trunks.values():
            at = trunk.next_at()
            if at is not None and (first is None or at < first):
                first = at
        return first

    def take_sends(self) -> list[Send]:
        """Return what is to be sent."""
        return self.ua.take_sends()

    def take_events(self) -> list[Told]:
        """Return what the engine is to hear, and forget it."""
        for trunk in self.trunks.values():
            changes = trunk.take_changes()
            if changes:
                self._events += changes
        events = self._events
        if events:
            self._events = []
        return events

    # --- the engine's commands -----------------------------------------------------------------------------------

    def originate(self, call_id: str, *, phone: str, hotline: str, trunk: str, ring_s: float, now: float) -> None:
        """Place a call, unless the trunk's own guard refuses it: then CallEnded says why.

        Raises ValueError for a live id, KeyError for a trunk that there is not.
        """
        if call_id in self._calls:
            raise ValueError(f"call {call_id} is live already; an attempt sends one INVITE")
        route = self.trunks[trunk]
        at = route.admit(call_id, phone, now)
        if isinstance(at, CallEnded):
            self._summons.give_up(call_id, now, at)
            return
        call = self._calls[call_id] = Call(call_id, phone, hotline, route, ring_s, self._media)
        call.placed_at = at
        self._summons.placed(call_id)
        call.limit = self.timers.set(at + min(ring_s + _SETUP_S + _GRACE_S, route.ring_limit_s), self._too_long, call)
        if at > now:
            self.timers.set(at, self._invite, call)
        else:
            self._invite(call, now)

    def _invite(self, call: Call, now: float) -> None:
        """Send the INVITE, unless the call was given up before its turn came."""
        if self._calls.get(call.call_id) is not call:
            return
        try:
            what = call.trunk.invitation(call.phone, call.hotline, now)
        except ValueError:
            end = CallEnded(call.call_id, ended_by=EndedBy.DIALER, local_error=LocalError.NO_HOTLINE)
            self._over(call, end, now)
            return
        if what is None:
            self._over(call, causes.refused(call.call_id, _UNAVAILABLE, made_here=True), now)
        else:
            self._place(call, what, now)

    def _place(self, call: Call, what: Invitation, now: float) -> None:
        route = call.trunk
        leg = call.party.leg = self.ua.invite(
            now, flow=what.flow, uri=what.uri, call_id=f"{call.call_id}@{DOMAIN}", from_=what.from_, to=what.to,
            sdp=None if route.offer is None else call.party.first_offer(route.offer), headers=what.headers,
            auth=route.auth, owner=call.party, interval_s=what.interval_s, reliable=what.reliable,
        )  # fmt: skip
        self._noted("placed", leg, now)

    def _too_long(self, call: Call, now: float) -> None:
        if call.hangup_reason is None:
            self.counters["limit"] += 1
            reason = CancelReason.RING_TIMEOUT if call.answered_at is None else CancelReason.ADMIN
            self.hangup(call.call_id, reason, now)

    def hangup(self, call_id: str, reason: CancelReason, now: float) -> None:
        """CANCEL or BYE; an unknown id is ignored.

        An answer that crosses our CANCEL is told as one: a person is on the line. Not when an admin ends the call, nor
        long after the hang-up: then nobody may be left to hear of it.
        """
        call = self._calls.get(call_id)
        if call is None:
            self._summons.give_up(call_id, now)
            return
        leg, call.hangup_reason = call.leg, reason
        if leg is None:
            self._over(call, CallEnded(call_id, ended_by=EndedBy.DIALER), now)
            return
        if call.talk is not None:
            self._bridge.part(call.talk, now)
        give_up(self.ua, self.timers, call, leg, now)

    def connect(self, call_id: str, agent_id: str, now: float) -> None:
        """Join an answered call to an agent; CallConnected or ConnectFailed follows."""
        call, desk = self._calls.get(call_id), self._desks.get(agent_id)
        if call is None or call.answered_at is None or call.hangup_reason is not None or desk.waits_for_other(call_id):
            self._events.append(ConnectFailed(call_id, agent_id))
        else:
            self._summons.joining(call_id, desk, now)
            self._bridge.connect(call, desk, now)

    def summon(self, call_id: str, agent_id: str, now: float) -> None:
        """Call an agent for a call that is not placed yet; AgentOnLine or ConnectFailed follows."""
        if call_id in self._calls:
            self._events.append(ConnectFailed(call_id, agent_id))
        else:
            self._summons.summon(call_id, agent_id, now)

    def station(self, agent_id: str, now: float, *, up: bool) -> None:
        """Keep an agent's phone on the line between calls, or let it go."""
        self._desks.station(agent_id, now, up=up)

    def hang_up_all(self, now: float) -> None:
        """End every call, let every phone go, and leave the registrars: the process stops."""
        for call_id in tuple(self._calls):
            self.hangup(call_id, CancelReason.ADMIN, now)
        for desk in self._desks.all.values():
            self._desks.drop(desk, now)
        for trunk in self.trunks.values():
            trunk.close(self.ua, now)

    def end_left_behind(self, left: LeftBehind, now: float) -> None:
        """End a call that a dead process placed."""
        leg = self.ua.end_left_behind(left, now)
        if not left.remote_tag:  # a CANCEL has no end that is told
            self._noted("over", leg, now)
        self.counters["left behind"] += 1

    def snapshot(self) -> list[CallStatusAtSwitch]:
        """List the live calls to customers."""
        live = [CallStatusAtSwitch(call.call_id, call.answered_at is not None) for call in self._calls.values()]
        return live + self._summons.snapshot()

    def phones(self) -> dict[str, DeskState]:
        """Return where each agent's phone stands that was called."""
        return {desk.agent_id: desk.state for desk in self._desks.all.values()}

    # --- what the user agent tells --------------------------------------------------------------------------------

    def _hear(self, now: float) -> None:
        for event in self.ua.take_events():
            self._one(event, now)

    def _one(self, event: SipEvent, now: float) -> None:
        match event:
            case Progressed() | Accepted() | Refused() | Ended():
                party = event.leg.owner
                if party is not None and type(party.owner) is Call:
                    self._customer(party.owner, event, now)
                elif party is not None and (desk := owner_of(party)) is not None:
                    self._phone(desk, event, now)
                elif isinstance(event, Refused | Ended):  # a phone that was let go, or a dead process's call
                    self._noted("over", event.leg, now)
            case Offered() | Renegotiated() | Confirmed() | Cancelled():
                self._bridge.session(event, now)
            case Responded():
                for trunk in self.trunks.values():
                    trunk.responded(event, now)
            case Requested():
                shown = (("Allow", ALLOW), ("Accept", "application/sdp"))
                self.ua.respond(event.transaction, 200, now, headers=shown)
            case Incoming():
                self.counters["incoming"] += 1  # the user agent takes none
            case _:
                assert_never(event)

    # --- customers ------------------------------------------------------------------------------------------------

    def _customer(self, call: Call, event: Progressed | Accepted | Refused | Ended, now: float) -> None:
        match event:
            case Progressed():
                self._progressed(call, event, now)
            case Accepted():
                self._answered(call, event, now)
            case Refused():
                if not self._goes_elsewhere(call, event, now):
                    self._over(call, refusal(call, event), now)
            case Ended():
                if call.answered_at is None:  # it crossed our CANCEL, and was hung up
                    call.trunk.answered(call.call_id, now)
                reasons = parse_reasons(event.message.all("Reason")) if event.message is not None else ()
                end = causes.hung_up(call.call_id, event.by, reasons=reasons, by_agent=call.by_agent)
                self._over(call, end, now)

    def _progressed(self, call: Call, event: Progressed, now: float) -> None:
        """Tell the engine what is new: repeated and backward provisional responses are the rule on the wire."""
        if event.sdp is not None:
            call.early_sdp = event.sdp
        said = call.trunk.progress(call.call_id, event.message, has_sdp=event.sdp is not None)
        if isinstance(said, CallRinging) and not call.rang:
            self._ring_on(call, now)
        if call.is_news(said):
            self._events.append(said)

    def _ring_on(self, call: Call, now: float) -> None:
        """Let it ring for as long as the engine does, which begins to count now."""
        self.timers.cancel(call.limit)
        at = min(now + call.ring_s + _GRACE_S, call.placed_at + call.trunk.ring_limit_s)
        call.limit = self.timers.set(at, self._too_long, call)

    def _answered(self, call: Call, event: Accepted, now: float) -> None:
        said = call.trunk.progress(call.call_id, event.message, has_sdp=False)
        machine = isinstance(said, EarlyMediaHeard) and said.announcement is Announcement.MAILBOX
        if machine and call.is_news(said):  # by the carrier's word
            self._events.append(said)
        call.answered_at, call.hangup_reason = now, None
        self.timers.cancel(call.limit)
        call.limit = self.timers.set(now + call.trunk.call_limit_s, self._too_long, call)
        call.trunk.answered(call.call_id, now)
        self._events.append(CallAnswered(call.call_id, AmdResult.MACHINE if machine else None))
        self._noted("answered", event.leg, now)
        if not is_heard(self.ua, call, event):  # nobody could ever be heard on it
            self.counters["answered without media"] += 1
            self.hangup(call.call_id, CancelReason.ADMIN, now)

    def _goes_elsewhere(self, call: Call, event: Refused, now: float) -> bool:
        """Try another server when nothing could be sent to this one, and nothing came back (RFC 3263 section 4.3)."""
        leg = event.leg
        if event.message is not None or event.status != _UNAVAILABLE or leg.cancelled or call.progressed:
            return False
        call.trunk.unreachable(leg.flow, now)
        what = call.trunk.invitation(call.phone, call.hotline, now, (leg.flow,))
        if what is None:
            return False
        self.counters["other server"] += 1
        self._place(call, what, now)
        return True

    def _over(self, call: Call, event: CallEnded, now: float) -> None:
        del self._calls[call.call_id]
        timers = self.timers
        timers.cancel(call.limit)
        if call.talk is not None:
            self._bridge.part(call.talk, now)
        timers.cancel(call.hush)
        leg = call.leg
        facts = None if call.answered_at is not None else facts_of(call, event)
        call.trunk.ended(call.call_id, call.phone, facts, leg.flow if leg is not None else None, now)
        if event.retry_after_s:
            call.trunk.asked_for_rest(event.retry_after_s, now)
        self._events.append(self._summons.over(call, event, now))
        if leg is not None:
            self._noted("over", leg, now)

    # --- agents' phones -------------------------------------------------------------------------------------------

    def _phone(self, desk: Desk, event: Progressed | Accepted | Refused | Ended, now: float) -> None:
        if isinstance(event, Accepted):
            self._noted("answered", event.leg, now)
            self._desks.picked_up(desk, now)
            self._bridge.desk_up(desk, now)
            self._summons.picked_up(desk)
        elif not isinstance(event, Progressed):
            self.counters[f"agent's phone: {event.status if isinstance(event, Refused) else event.by}"] += 1
            self._noted("over", event.leg, now)
            self._phone_down(desk, now)

    def _phone_down(self, desk: Desk, now: float) -> None:
        """Take in that an agent's phone is gone: a talk ends by it, a join fails."""
        talk, awaited = desk.talk, self._summons.fell(desk)
        self._desks.down(desk, now)
        if awaited is not None:
            self._calls[awaited].by_agent = True
            self.hangup(awaited, CancelReason.AGENT_HANGUP, now)
        if talk is not None and not talk.joined:
            self._bridge.fail(talk, now)
        elif talk is not None:
            talk.call.by_agent = True
            self._bridge.part(talk, now)
            if talk.call.leg is not None:
                self.ua.bye(talk.call.leg, now)

    def _tell(self, event: CallEvent) -> None:
        self._events.append(event)

    def _noted(self, what: str, leg: Leg, now: float) -> None:
        if self.on_leg is not None:
            self.on_leg(what, leg, now)
