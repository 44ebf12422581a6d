"""Join an answered customer and an agent by third-party call control: media flows between them (RFC 3725, ADR 0018).

Both legs are up with descriptions that name nobody; each is offered what the other one said, at the same time, in the
codecs that both know. Who answers with another address than the one that was passed on makes one more offer.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from dialer.core.events import CallConnected, CallEvent, ConnectFailed
from telephony_adapters.sip.agent import UserAgent
from telephony_adapters.sip.events import Cancelled, Confirmed, Offered, Renegotiated
from telephony_adapters.sip.leg import Leg, LegState
from telephony_adapters.sip.timers import Timers
from telephony_adapters.trunks.calls import Call, Passing, Talk
from telephony_adapters.trunks.desks import Desk, Desks, DeskState, owner_of
from telephony_adapters.trunks.party import Party, SdpError, alike, direction_of, is_held

JOIN_MAX_S: Final = 5.0
"""A join that takes longer is given up, whatever the settings say (dialer.ports)."""
ROUNDS: Final = 3
"""How often one of the two is told anew before the join has failed: somebody moves all the time."""
HUSH_S: Final = 0.5
"""A customer whose join failed goes on hearing nobody for so long, before we say so: mostly another agent comes."""
_OK, _PENDING, _NOT_ACCEPTABLE, _FAILURES = 200, 491, 488, range(400, 700)


class Bridge:
    """Every conversation. `tell` takes what the engine is to hear."""

    def __init__(self, ua: UserAgent, timers: Timers, desks: Desks, tell: Callable[[CallEvent], None]) -> None:
        self._ua = ua
        self._timers = timers
        self._desks = desks
        self._tell = tell

    # --- join -----------------------------------------------------------------------------------------------------

    def connect(self, call: Call, desk: Desk, now: float) -> None:
        """Join; CallConnected or ConnectFailed follows within JOIN_MAX_S. The last word of the engine counts."""
        old, other = call.talk, desk.talk
        if old is not None and old.desk is desk:
            if old.joined:
                self._tell(CallConnected(call.call_id, desk.agent_id))
            return
        if call.party.heard is None or (other is not None and other.joined):
            self._tell(ConnectFailed(call.call_id, desk.agent_id))
            return
        if old is not None:
            self.part(old, now)
        if other is not None:
            self.fail(other, now)
        self._timers.cancel(call.hush)
        talk = call.talk = desk.talk = Talk(call, desk)
        limit = min(self._desks.phones.join_limit_s, JOIN_MAX_S)
        talk.limit = self._timers.set(now + limit, self.fail, talk)
        self._guarded(talk, now, self._call if desk.state is DeskState.DOWN else self.go_on)

    def _call(self, talk: Talk, now: float) -> None:
        """Call the agent's phone, and name the customer's media at once."""
        desk, heard = talk.desk, talk.call.party.heard
        if heard is not None:
            offer = desk.party.offer_of(heard)
            talk.told[desk.party] = heard
            self._desks.call(desk, now, offer)

    def desk_up(self, desk: Desk, now: float) -> None:
        """Go on: the agent's phone is up, or has fallen silent after the conversation before."""
        if desk.talk is not None and not desk.talk.open:
            self._guarded(desk.talk, now, self.go_on)

    def go_on(self, talk: Talk, now: float) -> None:
        """Tell each of the two what the other says, where that is not known; they are joined when both know."""
        desk = talk.desk
        if desk.state is not DeskState.UP or desk.hushing is not None:
            return  # it rings, or still describes the conversation before
        for party in (desk.party, talk.call.party):
            if party not in talk.open:
                self._offer_if_new(talk, party, now)
        if not talk.open and not talk.joined:
            talk.joined = True
            self._timers.cancel(talk.limit)
            self._tell(CallConnected(talk.call.call_id, desk.agent_id))

    def _offer_if_new(self, talk: Talk, party: Party, now: float) -> None:
        source, known = talk.other(party).heard, talk.told.get(party)
        if source is None or party.leg is None:
            raise SdpError("one of the two said nothing about media")
        if known is not None:
            if alike(known, source):
                talk.told[party] = source
                return
            talk.rounds += 1
            if talk.rounds > ROUNDS:
                raise SdpError("one of the two keeps changing its media")
        self._offer(talk, party, party.offer_of(source), source, now)

    def _offer(self, talk: Talk, party: Party, offer: bytes, source: bytes, now: float) -> None:
        talk.told[party], talk.open[party] = source, offer
        if party is talk.desk.party:
            talk.desk.knows_customer = True
        if party.leg is not None:
            self._ua.reinvite(party.leg, now, offer)

    def _guarded(self, talk: Talk, now: float, step: Callable[[Talk, float], None]) -> None:
        """Do a step; descriptions that do not fit end a join, and leave those who talk as they are."""
        try:
            step(talk, now)
        except SdpError:
            if not talk.joined:
                self.fail(talk, now)

    # --- part -----------------------------------------------------------------------------------------------------

    def fail(self, talk: Talk, now: float) -> None:
        """Give a join up: the customer is still on the line, the agent is free."""
        self.part(talk, now)
        self._tell(ConnectFailed(talk.call.call_id, talk.desk.agent_id))

    def part(self, talk: Talk, now: float) -> None:
        """Let go of both; an agent's phone that is to stay up falls silent, another one is hung up."""
        call, desk, passing = talk.call, talk.desk, talk.passing
        self._timers.cancel(talk.limit)
        call.talk = desk.talk = talk.passing = None
        if passing is not None and passing.party.leg is not None:
            self._ua.refuse(passing.party.leg, _NOT_ACCEPTABLE, now)
        self._desks.let_go(desk, now)
        if call.party in talk.told:
            call.hush = self._timers.set(now + HUSH_S, self._hush, call)

    def _hush(self, call: Call, now: float) -> None:
        """Tell a customer that nobody is there: another customer may soon be heard where that agent was."""
        if call.talk is None and call.leg is not None and call.leg.state is LegState.CONFIRMED:
            self._ua.reinvite(call.leg, now, call.party.silence(call.trunk.offer or "inactive"))

    # --- what became of our offers --------------------------------------------------------------------------------

    def renegotiated(self, party: Party, event: Renegotiated, now: float) -> None:
        """Take what became of an offer of ours; one that a later offer has replaced is over."""
        desk, talk = owner_of(party), party.owner.talk
        if desk is not None and desk.hushing is not None and event.offer == desk.hushing:
            self._desks.hushed(desk)
            self.desk_up(desk, now)
        elif talk is None:
            return
        elif talk.passing is not None and event.offer == talk.passing.onward:
            self._passed(talk, party, event, now)
        elif event.offer == talk.open.get(party):
            del talk.open[party]
            if event.status == _OK:
                self._guarded(talk, now, self.go_on)
            elif not talk.joined:
                self.fail(talk, now)

    def session(self, event: Offered | Renegotiated | Confirmed | Cancelled, now: float) -> None:
        """Take what became of an offer, or a change that one of the two makes."""
        party: Party | None = event.leg.owner
        if party is None or party.owner.party is not party:  # a phone that was let go
            if isinstance(event, Offered):
                self._ua.refuse(event.leg, 481, now)
        elif isinstance(event, Offered):
            self.offered(party, event, now)
        elif isinstance(event, Renegotiated):
            self.renegotiated(party, event, now)
        elif isinstance(event, Confirmed):
            self.confirmed(party, event, now)
        else:
            self.taken_back(party)

    # --- changes that one of the two makes ------------------------------------------------------------------------

    def offered(self, party: Party, event: Offered, now: float) -> None:
        """Pass one side's change (hold, resume, another phone) on to the other; alone it is answered here.

        What changes nothing is answered here, too: it refreshes the session (RFC 4028).
        """
        leg, talk = event.leg, party.owner.talk
        if event.sdp is not None and event.sdp == party.heard:
            self._ua.accept(leg, now, sdp=leg.local_sdp)
        elif talk is None:
            self._alone(party, event, now)
        elif not talk.joined or talk.passing is not None:
            self._ua.refuse(leg, _PENDING, now)
        else:
            self._guard_offer(leg, now, lambda: self._pass_on(talk, party, event, now))

    def _guard_offer(self, leg: Leg, now: float, step: Callable[[], None]) -> None:
        try:
            step()
        except SdpError:
            self._ua.refuse(leg, _NOT_ACCEPTABLE, now)

    def _alone(self, party: Party, event: Offered, now: float) -> None:
        leg = event.leg
        direction = "inactive" if owner_of(party) is not None else party.owner.trunk.offer or "inactive"
        if event.sdp is None:
            self._ua.accept(leg, now, sdp=party.silence(direction))
        else:
            sdp = event.sdp
            self._guard_offer(leg, now, lambda: self._ua.accept(leg, now, sdp=party.answer_alone(sdp, direction)))

    def _pass_on(self, talk: Talk, party: Party, event: Offered, now: float) -> None:
        other = talk.other(party)
        heard = other.heard
        if heard is None or other.leg is None:
            raise SdpError("the other one said nothing about media")
        if event.sdp is None:  # our offer is asked for: what the other one said, who may be on hold no longer
            direction = direction_of(heard) if other.holds else "sendrecv"
            talk.told[party] = heard
            self._ua.accept(event.leg, now, sdp=party.offer_of(heard, direction))
            return
        onward = other.pass_on(event.sdp)
        talk.passing = Passing(party, event.sdp, onward)
        self._ua.reinvite(other.leg, now, onward)

    def taken_back(self, party: Party) -> None:
        """Learn that a change was cancelled by who wanted it, before its answer."""
        talk = party.owner.talk
        if talk is not None and talk.passing is not None and talk.passing.party is party:
            talk.passing = talk.passing._replace(offer=None)

    def _passed(self, talk: Talk, other: Party, event: Renegotiated, now: float) -> None:
        """Answer the one who wanted a change by what the other one said to it."""
        assert talk.passing is not None  # noqa: S101 -- asked by the caller
        party, offer, _ = talk.passing
        talk.passing = None
        talk.open.pop(other, None)
        leg = party.leg
        if leg is None:
            return
        if event.status != _OK or event.sdp is None:
            self._ua.refuse(leg, event.status if event.status in _FAILURES else _NOT_ACCEPTABLE, now)
            return
        answer, sdp = event.sdp, offer
        if sdp is None:
            self._say_again(talk, party, other, now)
            return
        talk.told[other] = sdp

        def accept() -> None:
            self._ua.accept(leg, now, sdp=party.answer_with(answer, sdp))
            talk.told[party], party.holds = answer, is_held(sdp)

        self._guard_offer(leg, now, accept)

    def _say_again(self, talk: Talk, party: Party, other: Party, now: float) -> None:
        """Undo a change that was taken back after the other one had agreed to it."""
        heard = party.heard
        if heard is not None:
            self._offer(talk, other, other.pass_on(heard), heard, now)

    def confirmed(self, party: Party, event: Confirmed, now: float) -> None:
        """Pass on what an ACK answered to the offer that a re-INVITE without one had asked for."""
        talk, sdp = party.owner.talk, event.sdp
        if talk is None or not talk.joined or sdp is None:
            return
        other = talk.other(party)
        try:
            party.holds = is_held(sdp)
            known = talk.told.get(other)
            if known is None or not alike(known, sdp) or direction_of(known) != direction_of(sdp):
                self._offer(talk, other, other.pass_on(sdp), sdp, now)
        except SdpError:
            return  # nobody can read it: the other one is left with what was said before
