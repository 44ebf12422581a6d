"""Join an answered customer and an agent by third-party call control: media flows between them (RFC 3725).

Both legs are up with descriptions that name nobody; each is offered what the other one said, at the same time, in the
codecs that both know. Who answers with another address than the one that was passed on makes one more offer. Until then
nothing was said that was not true: a customer is never left with an agent's address that is not there.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Protocol

from dialer.core.events import CallConnected, CallEvent, ConnectFailed
from statuses.outcomes import CancelReason
from telephony_adapters.sip.agent import UserAgent
from telephony_adapters.sip.events import Confirmed, Offered, Renegotiated
from telephony_adapters.sip.leg import LegState
from telephony_adapters.sip.timers import Timers
from telephony_adapters.trunks.calls import Call, Desk, DeskState, Talk
from telephony_adapters.trunks.party import Party, SdpError, alike

CONNECT_LIMIT_S: Final = 5.0
"""A join that takes longer is given up: the engine gives the agent to others after 6 s (dialer.ports)."""
ROUNDS: Final = 3
"""How often an answer that changes the media is passed on before the join has failed."""


class Joins(Protocol):
    """What the bridge asks of the machine."""

    ua: UserAgent
    timers: Timers

    def tell(self, event: CallEvent) -> None:
        """Tell the engine."""
        ...

    def call_desk(self, desk: Desk, now: float, offer: bytes | None = None) -> None:
        """Place the call to an agent's phone."""
        ...

    def drop_desk(self, desk: Desk, now: float) -> None:
        """Hang up on an agent's phone."""
        ...


def connect(at: Joins, call: Call, desk: Desk, now: float) -> None:
    """Join; CallConnected or ConnectFailed follows within CONNECT_LIMIT_S."""
    talk = Talk(call, desk)
    if desk.talk is not None or call.talk is not None or call.party.heard is None:
        at.tell(ConnectFailed(call.call_id, talk.agent_id))
        return
    call.talk = desk.talk = talk
    talk.limit = at.timers.set(now + CONNECT_LIMIT_S, lambda late, then: fail(at, late, then), talk)
    if desk.state is DeskState.UP:
        _guarded(at, talk, now, lambda: _offer_both(at, talk, now))
    elif desk.state is DeskState.DOWN:
        _guarded(at, talk, now, lambda: at.call_desk(desk, now, desk.party.offer_of(call.party.heard or b"")))


def desk_answered(at: Joins, talk: Talk, now: float) -> None:
    """Go on: the agent's phone is up."""
    customer = talk.call.party
    heard = talk.desk.party.heard
    if heard is None:
        fail(at, talk, now)
        return
    if talk.desk.party.version > 1:  # it was offered the customer's media in the first place
        talk.used[talk.desk.party] = customer.heard or b""
        _guarded(at, talk, now, lambda: _offer(at, talk, customer, now))
    else:
        _guarded(at, talk, now, lambda: _offer_both(at, talk, now))


def _offer_both(at: Joins, talk: Talk, now: float) -> None:
    _offer(at, talk, talk.desk.party, now)
    _offer(at, talk, talk.call.party, now)


def _offer(at: Joins, talk: Talk, party: Party, now: float) -> None:
    source = talk.other(party).heard
    if source is None or party.leg is None:
        raise SdpError("one of the two said nothing about media")
    sdp = party.offer_of(source)
    talk.used[party] = source
    talk.open[party] = sdp
    at.ua.reinvite(party.leg, now, sdp)


def _guarded(at: Joins, talk: Talk, now: float, step: Callable[[], None]) -> None:
    try:
        step()
    except SdpError:
        fail(at, talk, now)


def renegotiated(at: Joins, talk: Talk, party: Party, event: Renegotiated, now: float) -> None:
    """Take what became of an offer of ours."""
    if talk.passing is not None and talk.other(talk.passing[0]) is party:
        _passed(at, talk, event, now)
        return
    if talk.open.get(party) != event.offer:
        return  # an older offer's: the one that counts is still out
    del talk.open[party]
    if event.status >= 300:  # noqa: PLR2004 -- SIP classes
        if not talk.joined:
            fail(at, talk, now)
        return
    if not talk.open:
        _guarded(at, talk, now, lambda: _settle(at, talk, now))


def _settle(at: Joins, talk: Talk, now: float) -> None:
    """Both answered: they are joined, unless one of them moved meanwhile and the other must be told."""
    moved = [
        party for party in (talk.call.party, talk.desk.party)
        if not alike(talk.used[party], talk.other(party).heard or b"")
    ]  # fmt: skip
    if moved and talk.rounds < ROUNDS:
        talk.rounds += 1
        for party in moved:
            _offer(at, talk, party, now)
        return
    if moved:
        raise SdpError("one of the two keeps changing its media")
    if not talk.joined:
        talk.joined = True
        talk.desk.state = DeskState.TALKING
        at.timers.cancel(talk.limit)
        at.tell(CallConnected(talk.call.call_id, talk.agent_id))


def fail(at: Joins, talk: Talk, now: float) -> None:
    """Give a join up: the customer is still on the line, the agent is free."""
    part(at, talk, now)
    at.tell(ConnectFailed(talk.call.call_id, talk.agent_id))


def part(at: Joins, talk: Talk, now: float) -> None:
    """Let go of both; an agent's phone that is to stay up falls silent, another one is hung up."""
    at.timers.cancel(talk.limit)
    talk.call.talk = talk.desk.talk = None
    desk = talk.desk
    leg = desk.party.leg
    _unanswered(at, talk, now)
    if leg is None:
        return
    if leg.state is LegState.CONFIRMED and desk.wanted:
        desk.state = DeskState.UP
        at.ua.reinvite(leg, now, desk.party.hold())
    else:
        at.drop_desk(desk, now)


def _unanswered(at: Joins, talk: Talk, now: float) -> None:
    """Refuse a change that was being passed on to somebody who is gone."""
    if talk.passing is not None and talk.passing[0].leg is not None:
        at.ua.refuse(talk.passing[0].leg, 488, now)
    talk.passing = None


def offered(at: Joins, party: Party, talk: Talk | None, event: Offered, now: float) -> None:
    """Pass one side's change (hold, resume, another phone) on to the other; alone it is answered here."""
    leg = event.leg
    if event.sdp is None:
        at.ua.accept(leg, now, sdp=leg.local_sdp)
    elif talk is None or not talk.joined:
        _answer_alone(at, party, event.sdp, now)
    elif talk.passing is not None or talk.other(party).leg is None:
        at.ua.refuse(leg, 491, now)
    else:
        _pass_on(at, talk, party, event.sdp, now)


def _answer_alone(at: Joins, party: Party, sdp: bytes, now: float) -> None:
    leg = party.leg
    if leg is None:
        return
    try:
        at.ua.accept(leg, now, sdp=party.answer_alone(sdp, "inactive"))
    except SdpError:
        at.ua.refuse(leg, 488, now)


def _pass_on(at: Joins, talk: Talk, party: Party, sdp: bytes, now: float) -> None:
    other = talk.other(party)
    if other.leg is None or party.leg is None:
        return
    try:
        offer = other.pass_on(sdp)
    except SdpError:
        at.ua.refuse(party.leg, 488, now)
        return
    talk.passing = (party, sdp)
    at.ua.reinvite(other.leg, now, offer)


def _passed(at: Joins, talk: Talk, event: Renegotiated, now: float) -> None:
    """Answer the one who wanted a change by what the other one said to it."""
    assert talk.passing is not None  # noqa: S101 -- asked by the caller
    party, offer = talk.passing
    talk.passing = None
    leg = party.leg
    if leg is None or offer is None:
        return
    if event.status >= 300 or event.sdp is None:  # noqa: PLR2004 -- SIP classes
        at.ua.refuse(leg, event.status if event.status >= 300 else 488, now)  # noqa: PLR2004
        return
    try:
        at.ua.accept(leg, now, sdp=party.answer_with(event.sdp, offer))
    except SdpError:
        at.ua.refuse(leg, 488, now)


def confirmed(at: Joins, talk: Talk | None, party: Party, event: Confirmed, now: float) -> None:
    """Pass on what the ACK answered to an offer of ours that a re-INVITE without one had asked for."""
    if talk is None or not talk.joined or event.sdp is None or talk.passing is not None:
        return
    other = talk.other(party)
    if other.leg is not None and not alike(event.sdp, talk.used.get(other, b"")):
        talk.used[other] = event.sdp
        at.ua.reinvite(other.leg, now, other.pass_on(event.sdp))


def hangup_reason(reason: CancelReason) -> str | None:
    """Return the Reason header of a CANCEL or BYE of ours (RFC 3326)."""
    return 'SIP;cause=200;text="Call completed elsewhere"' if reason is CancelReason.ANSWERED_ELSEWHERE else None
