"""Who is signed in where and does what, whatever order, repetition and loss the broker brings (pure).

Facts come in (`presence`, `said`, `order`, `announce` ...), each with the time; what the engines are to be told, and
the desks sent, is drained by `take`. Rules:

* A connection of a desk has a session of its own. The latest one is in charge; one that was replaced, or whose last
  will came, never is again: its late commands are refused.
* A command id counts once.
* A desk that is gone, or whose broker is, takes no more calls at once; not back within the grace, it is lost.
* An agent is in one campaign at a time, and the engine of that one alone hears of it.
"""

from __future__ import annotations

from typing import Final

from dialer.agents import messages as m
from dialer.agents.desk_commands import obey
from dialer.agents.desk_model import BUSY, Desk, Taken
from dialer.agents.messages import DeskState, Offer, OfferKind, Refused
from dialer.core.effects import AgentOrder, CommandAgent
from dialer.core.events import (
    AgentEvent,
    AgentLost,
    AgentPaused,
    AgentReady,
    AgentRejected,
    AgentSignedIn,
    SupervisionAsked,
)
from dialer.core.types import AgentId

AWAY: Final = "away"
"""The code of an agent whose desk is not heard of just now."""
HOLDS: Final = {
    AgentOrder.RESERVE: DeskState.RESERVED,
    AgentOrder.TALK: DeskState.TALKING,
    AgentOrder.WRAP_UP: DeskState.WRAP_UP,
}
"""What an order has hold the agent."""


class DeskBook:
    """The desks of one process; `me` names it in the states that it publishes."""

    def __init__(self, *, me: str, grace_s: float) -> None:
        self.me = me
        self._grace_s = grace_s
        self._desks: dict[AgentId, Desk] = {}
        self._owned: set[int] = set()
        self._out = Taken([], [], [], [])
        self._dirty: dict[AgentId, bool] = {}
        """Whose state is to be published; True: also of an agent in no campaign, of whom nobody speaks unasked."""

    def knows(self, agent_id: AgentId) -> bool:
        """Tell whether the agent is signed in to a campaign."""
        desk = self._desks.get(agent_id)
        return desk is not None and desk.campaign is not None

    def take(self) -> Taken:
        """Return what has to be passed on, and forget it."""
        out, self._out = self._out, Taken([], [], [], [])
        for agent_id, aloud in self._dirty.items():
            desk = self._desks[agent_id]
            if desk.campaign in self._owned or (aloud and desk.campaign is None):
                out.states.append((agent_id, self._state(desk)))
        self._dirty.clear()
        return out

    def next_timer(self) -> float | None:
        """Return when `expire` has something to do."""
        return min((d.away_at + self._grace_s for d in self._desks.values() if d.away_at is not None), default=None)

    def expire(self, now: float) -> None:
        """Give up the desks that did not come back within the grace."""
        for desk in self._desks.values():
            if desk.away_at is not None and desk.away_at + self._grace_s <= now:
                desk.away_at = None
                # While the broker is away nobody can say anything: those desks are remembered until it is back.
                self._lose(desk, now, forget=not (desk.unseen and desk.online))

    # --- the connection ---------------------------------------------------------------------------------------------

    def link_lost(self, now: float) -> None:
        """Note that the broker is gone, and with it the word of every desk."""
        for desk in self._desks.values():
            if desk.is_here:
                desk.unseen = True
                self._gone(desk, now)

    def link_back(self, now: float) -> None:
        """Note that the broker is back: desks have the grace to be heard of again; later they must sign in anew."""
        for desk in self._desks.values():
            self._mark(desk)
            if desk.unseen:
                desk.online, desk.away_at = False, now

    def presence(self, agent_id: AgentId, presence: m.Presence, now: float) -> None:
        """Note that a desk is there, or gone; what an ended session says is late and counts for nothing."""
        desk = self._desk(agent_id, now)
        if presence.session in desk.ended:
            if desk.is_here:  # what the broker keeps must say so to whoever comes later
                self._out.presences.append((agent_id, m.Presence(session=desk.session, online=True)))
            return
        if presence.online:
            self._came(desk, presence.session, now)
            return
        desk.ended.append(presence.session)
        if presence.session == desk.session:
            desk.online = desk.unseen = False
            if desk.told:
                self._gone(desk, now)
            else:  # no engine here waits for the agent
                desk.away_at = None
                self._lose(desk, now, forget=True)

    def _came(self, desk: Desk, session: str, now: float) -> None:
        if desk.session and desk.session != session and desk.session not in desk.ended:
            desk.ended.append(desk.session)
        was_here = desk.is_here
        desk.session, desk.away_at, desk.online, desk.unseen = session, None, True, False
        self._mark(desk)
        if not desk.told:
            self._introduce(desk)
        elif not was_here and desk.phase is DeskState.READY and desk.wants:
            desk.since = now
            self._tell(desk, AgentReady(desk.agent_id))

    def _gone(self, desk: Desk, now: float) -> None:
        desk.away_at = now
        self._mark(desk)
        if desk.phase is DeskState.READY and desk.wants:
            desk.since = now
            self._tell(desk, AgentPaused(desk.agent_id, AWAY))

    def _lose(self, desk: Desk, now: float, *, forget: bool) -> None:
        self._tell(desk, AgentLost(desk.agent_id))
        self._mark(desk, aloud=desk.told)
        desk.told = False
        desk.free(now)
        desk.since = now
        if forget:
            desk.campaign, desk.wants, desk.code = None, False, ""

    # --- who owns which campaign ------------------------------------------------------------------------------------

    def announce(self, campaign_id: int, now: float) -> None:
        """Tell the engine of a campaign, which this process now owns, who is there."""
        self._owned.add(campaign_id)
        for desk in self._desks.values():
            if desk.campaign == campaign_id and desk.online:
                desk.free(now)
                desk.told = False
                self._introduce(desk)

    def leave(self, campaign_id: int) -> None:
        """Say nothing more of a campaign: another process owns it, or nobody does."""
        self._owned.discard(campaign_id)
        for desk in self._desks.values():
            desk.told = desk.told and desk.campaign != campaign_id

    def heard(self, agent_id: AgentId, state: m.State, now: float) -> None:
        """Learn from what another process, or this one before it was started again, says of an agent."""
        if state.by == self.me or state.campaign_id is None:
            return
        desk = self._desk(agent_id, now)
        if desk.told or state.session in desk.ended or desk.session not in {"", state.session}:
            return
        desk.session, desk.campaign, desk.code = state.session, state.campaign_id, state.code
        desk.wants = state.state is not DeskState.NOT_READY or state.code == AWAY
        if desk.campaign not in self._owned:
            desk.hold(state.state if state.state in BUSY else DeskState.READY, state.call_id, state.lead_id, now)
        if desk.online:
            self._introduce(desk)
        else:
            desk.away_at = now

    def _introduce(self, desk: Desk) -> None:
        """Tell the engine that the agent is here, and whether they take calls."""
        if desk.campaign not in self._owned:
            return
        desk.told = True
        self._mark(desk)
        self._tell(desk, AgentSignedIn(desk.agent_id))
        if desk.wants and desk.is_here:
            self._tell(desk, AgentReady(desk.agent_id))
        elif desk.wants or desk.code:
            self._tell(desk, AgentPaused(desk.agent_id, desk.code or AWAY))

    # --- what engines order -----------------------------------------------------------------------------------------

    def order(self, campaign_id: int, order: CommandAgent, now: float) -> None:
        """Take an engine's order; one for an agent who is no longer in that campaign is late."""
        desk = self._desks.get(order.agent_id)
        if desk is None or not desk.told or desk.campaign != campaign_id:
            return
        self._mark(desk)
        if order.order in HOLDS:
            desk.hold(HOLDS[order.order], order.call_id, order.lead_id, now)
            desk.ends_at = None if order.wrap_up_s is None else now + order.wrap_up_s
        elif order.order is AgentOrder.OFFER:
            self._offer(desk, order, now)
        elif order.order is AgentOrder.WITHDRAW:
            self._withdraw(desk, order, now)
        elif order.order is AgentOrder.REFUSED:
            no = Offer(type=OfferKind.REFUSED, call_id=order.call_id, lead_id=order.lead_id, code=order.code)
            self._out.offers.append((desk.agent_id, no))
        elif order.order is AgentOrder.OFFLINE:
            self._lose(desk, now, forget=True)
        elif order.order is not AgentOrder.RELEASE or desk.call_id == order.call_id:
            self._free(desk, order, now)

    def _free(self, desk: Desk, order: CommandAgent, now: float) -> None:
        """Have nothing hold the agent; the engine may have taken them off calls too (paused, missed, unreachable)."""
        desk.free(now)
        if order.order is AgentOrder.PAUSE or order.code:
            desk.wants, desk.code = False, order.code or desk.code
        elif order.order is AgentOrder.READY and not (desk.wants and desk.is_here):
            self._tell(desk, AgentPaused(desk.agent_id, desk.code or AWAY))

    def _offer(self, desk: Desk, order: CommandAgent, now: float) -> None:
        if not desk.is_here:
            self._tell(desk, AgentRejected(desk.agent_id, order.call_id, order.lead_id))
            return
        desk.hold(DeskState.RINGING, order.call_id, order.lead_id, now)
        desk.ends_at = None if order.offer_s is None else now + order.offer_s
        offer = Offer(
            type=OfferKind.OFFER, call_id=order.call_id, lead_id=order.lead_id, phone=order.phone, name=order.name,
            expires_at=desk.ends_at,
        )  # fmt: skip
        self._out.offers.append((desk.agent_id, offer))

    def _withdraw(self, desk: Desk, order: CommandAgent, now: float) -> None:
        gone = Offer(type=OfferKind.WITHDRAW, call_id=order.call_id, lead_id=order.lead_id, code=order.code)
        self._out.offers.append((desk.agent_id, gone))
        is_offered = desk.phase in {DeskState.RINGING, DeskState.RESERVED}
        if is_offered and desk.holds(order.call_id, order.lead_id):
            self._free(desk, order, now)

    # --- what agents say --------------------------------------------------------------------------------------------

    def said(
        self,
        agent_id: AgentId,
        command: m.AnyCommand,
        now: float,
        *,
        campaign_id: int | None = None,
        fault: Refused | None = None,
    ) -> None:
        """Obey a command, or refuse it by `fault`; `campaign_id` is the one that a sign-in means.

        The answer is in the state.
        """
        desk = self._desk(agent_id, now)
        self._mark(desk, aloud=True)
        if desk.is_new(command.id):
            error = fault or self._obey(desk, command, now, campaign_id)
            desk.answer = m.Answer(id=command.id, error=error)

    def supervised(self, agent_id: AgentId, command: m.Supervise, now: float) -> None:
        """Take a supervisor into, or out of, an agent's talk; the answer is in the supervisor's state."""
        desk = self._desk(agent_id, now)
        self._mark(desk, aloud=True)
        if desk.is_new(command.id):
            desk.answer = m.Answer(id=command.id, error=self._supervise(desk, command))

    def _obey(self, desk: Desk, command: m.AnyCommand, now: float, campaign_id: int | None) -> Refused | None:
        if desk.is_over(command.session):
            return Refused.OLD_SESSION
        if isinstance(command, m.SignIn):
            return self._sign_in(desk, campaign_id, now)
        if desk.campaign is None:
            return Refused.NOT_SIGNED_IN
        if isinstance(command, m.SignOut):
            self._lose(desk, now, forget=True)
            return None
        return obey(desk, command, now, self._tell)

    def _sign_in(self, desk: Desk, campaign_id: int | None, now: float) -> Refused | None:
        if campaign_id is None:
            return Refused.UNKNOWN_CAMPAIGN
        if desk.campaign not in {None, campaign_id}:
            if desk.phase in BUSY:
                return Refused.BUSY
            self._lose(desk, now, forget=True)
        if desk.campaign is None:
            desk.campaign, desk.since = campaign_id, now
        if not desk.told:
            self._introduce(desk)
        return None

    def _supervise(self, desk: Desk, command: m.Supervise) -> Refused | None:
        target = self._desks.get(command.agent)
        if desk.is_over(command.session):
            return Refused.OLD_SESSION
        if target is None or (target.phase is not DeskState.TALKING and command.mode is not None):
            return Refused.NOT_TALKING
        self._tell(target, SupervisionAsked(target.agent_id, desk.agent_id, command.mode))
        return None

    def _tell(self, desk: Desk, event: AgentEvent) -> None:
        if desk.told and desk.campaign is not None:
            self._out.events.append((desk.campaign, event))

    def _mark(self, desk: Desk, *, aloud: bool = False) -> None:
        self._dirty[desk.agent_id] = aloud or self._dirty.get(desk.agent_id, False)

    def _desk(self, agent_id: AgentId, now: float) -> Desk:
        desk = self._desks.get(agent_id)
        if desk is None:
            desk = self._desks[agent_id] = Desk(agent_id, now)
        return desk

    def _state(self, desk: Desk) -> m.State:
        shown = desk.shown
        away = shown is DeskState.NOT_READY and desk.wants
        return m.State(
            session=desk.session, by=self.me, campaign_id=desk.campaign, state=shown, code=AWAY if away else desk.code,
            since=desk.since, call_id=desk.call_id, lead_id=desk.lead_id, ends_at=desk.ends_at, answer=desk.answer,
        )  # fmt: skip
