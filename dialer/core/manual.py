"""The kinds manual and preview: an agent dials a number, or accepts a lead, and is on the line before the customer.

Nothing is paced. In a manual campaign nothing is leased either; in a preview campaign the leads of the hopper are
offered one by one to agents who are ready.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from dialer.core import bridge, hand, pace
from dialer.core.agents import Agent, AgentInput, AgentState
from dialer.core.asking import MISSED
from dialer.core.callflow import ended
from dialer.core.calls import Call, Phase
from dialer.core.effects import AgentOrder, BeginAttempts, CommandAgent, Hangup, ReleaseLeads, SeekLead
from dialer.core.events import AgentOnLine, CallEnded, ConnectFailed, DialRequested, LeadFound
from dialer.core.state import Decision, EngineState, Wish
from dialer.core.trunks import NO_TRUNK
from dialer.core.types import AgentId, CampaignKind, Declined, HoldReason, Lead
from statuses.outcomes import CancelReason, EndedBy, LocalError

BY_HAND: Final = frozenset({CampaignKind.MANUAL, CampaignKind.PREVIEW})
"""The kinds of campaign whose agents choose whom to call."""
LOOK_EVERY_S: Final = 5.0
"""A campaign of such a kind looks at its window and its leads at least so often."""
_NOT_FREE: Final = {
    AgentState.NOT_READY: Declined.NOT_READY,
    AgentState.WRAP_UP: Declined.WRAP_UP_FIRST,
}
"""Why an agent who is not ready may not dial; in any other state: busy with another customer."""


def is_by_hand(state: EngineState) -> bool:
    """Tell whether this campaign's agents choose whom to call."""
    return state.settings.kind in BY_HAND


def decide(state: EngineState, now: float) -> None:
    """Offer leads to the agents who are ready; when the campaign may not call, take the offers back."""
    state.timers.set("pace", now + LOOK_EVERY_S)
    reason = pace.closed_by(state, now)
    if reason is not None:
        if reason is not HoldReason.STORE_SLOW:
            withdraw(state, [lead.lead_id for lead in state.previews.values()], now, give_back=True)
        pace.close(state, reason, now)
        return
    if state.settings.kind is CampaignKind.MANUAL:
        state.decision = Decision(0, None, "agents dial by hand")
        pace.empty_hopper(state)
        return
    offered = _offer_leads(state, now)
    waits = None if len(state.hopper) else HoldReason.NOTHING_DUE if state.hopper.dry else HoldReason.HOPPER_EMPTY
    state.decision = Decision(offered, waits, f"{len(state.previews)} leads are offered to agents")
    pace.refill(state, now)


def _offer_leads(state: EngineState, now: float) -> int:
    """Give each agent who is ready the first lead that this agent has not turned down; who arranged it goes first."""
    offered, parked = 0, 0
    for lead in tuple(state.hopper.in_turn(best_first=state.settings.best_time)):
        ready = state.roster.in_state(AgentState.READY)
        if not ready:
            break
        agent = state.roster.ready(lead.callback_agent) or _willing(state, ready.values(), lead)
        if agent is None:
            parked += 1
            continue
        _offer(state, agent, lead, now)
        offered += 1
    state.parked = parked
    return offered


def _willing(state: EngineState, ready: Iterable[Agent], lead: Lead) -> Agent | None:
    unwilling = state.turned_down.get(lead.lead_id, ())
    return next((agent for agent in ready if agent.agent_id not in unwilling), None)


def _offer(state: EngineState, agent: Agent, lead: Lead, now: float) -> None:
    state.hopper.withdraw([lead.lead_id])
    state.estimators.idle_ended(now - agent.since)
    state.roster.move(agent, AgentInput.OFFER, now)
    state.previews[agent.agent_id] = lead
    offer_s = state.settings.offer_s
    state.timers.set(("preview", agent.agent_id), now + offer_s)
    state.effects.append(CommandAgent(
        agent.agent_id, AgentOrder.OFFER, lead_id=lead.lead_id, offer_s=offer_s, phone=lead.phone, name=lead.name,
    ))  # fmt: skip


def accepted(state: EngineState, agent_id: AgentId, lead_id: int | None, now: float) -> None:
    """Call the lead that was offered (None: whichever it is); an answer that comes too late is a stray."""
    found = _answered_offer(state, agent_id, lead_id)
    if found is None:
        return
    agent, lead = found
    state.roster.move(agent, AgentInput.ACCEPT, now)
    code = _begin(state, agent, lead, 0, now)
    if code is not None:
        hand.refuse(state, agent_id, code, lead_id=lead.lead_id)
        state.hopper.put_back(lead)
        hand.set_free(state, agent, now)


def rejected(state: EngineState, agent_id: AgentId, lead_id: int | None, now: float) -> None:
    """Give the lead to the next agent; this one is not asked about it again while it waits here."""
    found = _answered_offer(state, agent_id, lead_id)
    if found is None:
        return
    if len(state.turned_down) > pace.PARKED_MOST:
        state.turned_down.clear()
    state.turned_down.setdefault(found[1].lead_id, set()).add(agent_id)
    _decline(state, *found, AgentInput.DECLINE, now)


def missed(state: EngineState, agent: Agent, now: float) -> None:
    """Set an agent aside who did not say anything in time; the lead goes to the next one."""
    lead = state.previews.pop(agent.agent_id, None)
    if lead is not None:
        agent.code = MISSED
        state.effects.append(CommandAgent(agent.agent_id, AgentOrder.WITHDRAW, lead_id=lead.lead_id, code=MISSED))
        _decline(state, agent, lead, AgentInput.MISS, now)


def withdraw(state: EngineState, lead_ids: Iterable[int], now: float, *, give_back: bool = False) -> None:
    """End the offers of leads that may not be called any more; with `give_back` they return to the hopper."""
    gone = frozenset(lead_ids)
    for agent_id, lead in tuple(state.previews.items()):
        if lead.lead_id not in gone:
            continue
        found = _answered_offer(state, agent_id, lead.lead_id)
        state.effects.append(CommandAgent(agent_id, AgentOrder.WITHDRAW, lead_id=lead.lead_id))
        if found is not None:
            _decline(state, *found, AgentInput.WITHDRAW, now)
        if not give_back:
            state.hopper.withdraw([lead.lead_id])


def _answered_offer(state: EngineState, agent_id: AgentId, lead_id: int | None) -> tuple[Agent, Lead] | None:
    """End an offer and return its two sides; None, and a stray, when it was over or of another lead."""
    lead, agent = state.previews.get(agent_id), state.roster.get(agent_id)
    if lead is None or agent is None or lead_id not in {None, lead.lead_id}:
        state.totals.strays += 1
        return None
    del state.previews[agent_id]
    state.timers.cancel(("preview", agent_id))
    return agent, lead


def _decline(state: EngineState, agent: Agent, lead: Lead, how: AgentInput, now: float) -> None:
    state.hopper.put_back(lead)
    state.roster.move(agent, how, now)
    if agent.pause_after:
        agent.pause_after = False
        state.roster.move(agent, AgentInput.PAUSE, now)


def dial(state: EngineState, event: DialRequested, now: float, request_id: int = 0) -> None:
    """Reserve the agent and look for the lead, or say why not."""
    agent, lead = state.roster.get(event.agent_id), event.lead
    code = _forbids(state, agent, lead.phone, now)
    if agent is None or code is not None:
        hand.refuse(state, event.agent_id, code or Declined.NOT_SIGNED_IN, request_id, lead.lead_id or None)
        return
    state.estimators.idle_ended(now - agent.since)
    state.roster.move(agent, AgentInput.RESERVE, now)
    state.wishes[agent.agent_id] = Wish(lead.lead_id, lead.phone, request_id)
    state.effects.append(SeekLead(agent.agent_id, lead.lead_id, lead.phone, lead.name))


def _forbids(state: EngineState, agent: Agent | None, phone: str, now: float) -> HoldReason | Declined | None:
    if not is_by_hand(state):
        return Declined.NOT_BY_HAND
    if agent is None:
        return Declined.NOT_SIGNED_IN
    if agent.state is not AgentState.READY:
        return _NOT_FREE.get(agent.state, Declined.AGENT_BUSY)
    return _closed_for(state, phone, now)


def _closed_for(state: EngineState, phone: str, now: float) -> HoldReason | None:
    """Return what forbids a call to this number at this moment, as far as the engine knows."""
    if (reason := pace.closed_by(state, now)) is not None:
        return reason
    if len(state.calls) >= state.settings.max_calls:
        return HoldReason.CAMPAIGN_CAP
    if not state.hotlines.healthy(now):
        return HoldReason.NO_HOTLINE
    return state.pool.holds(now, phone) if phone and state.pool.serves(phone) else None


def found(state: EngineState, event: LeadFound, now: float) -> None:
    """Begin the call that was asked for, or say why not; a lead that nobody waits for any more goes back."""
    wish, agent, lead = state.wishes.get(event.agent_id), state.roster.get(event.agent_id), event.lead
    if wish is not None and (wish.lead_id, wish.phone) != (event.asked_lead, event.asked_phone):
        wish = None  # the answer to an earlier wish of this agent, who was away meanwhile
    else:
        state.wishes.pop(event.agent_id, None)
    code: HoldReason | None = event.reason or HoldReason.GONE
    if lead is not None:
        state.hopper.withdraw([lead.lead_id])
        code = HoldReason.IN_PROGRESS if _is_taken(state, lead) else None
        if code is None and wish is not None and agent is not None:
            code = _begin(state, agent, lead, wish.request_id, now)
        elif code is None:
            code = HoldReason.NO_AGENT
        if code is not None and code is not HoldReason.IN_PROGRESS:
            state.effects.append(ReleaseLeads((lead.lead_id,)))
    if code is not None and wish is not None and agent is not None:
        hand.refuse(state, event.agent_id, code, wish.request_id, None if lead is None else lead.lead_id)
        hand.set_free(state, agent, now)


def _is_taken(state: EngineState, lead: Lead) -> bool:
    """Tell whether another agent is asked about this lead, or a call to it has begun."""
    asked = any(other.lead_id == lead.lead_id for other in state.previews.values())
    return asked or any(call.lead.lead_id == lead.lead_id for call in state.calls.values())


def _begin(state: EngineState, agent: Agent, lead: Lead, request_id: int, now: float) -> HoldReason | None:
    """Write the intent down for a reserved agent, or return what forbids it."""
    code = _closed_for(state, lead.phone, now)
    if code is not None:
        return code
    intent = pace.intend(state, lead, state.pool.take(now, lead.phone) or NO_TRUNK, now, by_hand=True)
    call = state.calls[intent.call_id]
    call.request_id = request_id
    state.turned_down.pop(lead.lead_id, None)
    bridge.assign(state, call, agent)
    state.effects.append(BeginAttempts((intent,)))
    return None


def on_line(state: EngineState, event: AgentOnLine, now: float) -> None:
    """Call the customer, now that the agent hears it ring."""
    call = state.calls.get(event.call_id)
    if call is None or call.phase is not Phase.SUMMONING or _agent_id(call) != event.agent_id:
        state.totals.strays += 1
        return
    state.timers.cancel(("summon", call.call_id))
    reason = pace.closed_by(state, now)
    if reason is not None and reason in pace.VOIDS:  # the window closed, or it was paused, while the agent picked up
        call.cancel_reason = CancelReason.CAMPAIGN_STOPPED
        pace.drop(state, call, None, now)
        hand.refuse(state, event.agent_id, reason, lead_id=call.lead.lead_id)
        return
    pace.place(state, call, now)


def leg_failed(state: EngineState, event: ConnectFailed, now: float) -> None:
    """Give up a call whose agent's leg did not come up: nobody was called, and the lead loses nothing (T12)."""
    call = state.calls.get(event.call_id)
    if call is None or call.phase is not Phase.SUMMONING:
        bridge.connect_failed(state, event, now)
    elif _agent_id(call) == event.agent_id:
        too_slow(state, call, now)
    else:
        state.totals.strays += 1


def too_slow(state: EngineState, call: Call, now: float) -> None:
    """Set the agent aside whose phone did not come up, and end the call: Failed/agent_leg (statuses.md 2.9)."""
    agent = call.agent
    if agent is None or call.phase is not Phase.SUMMONING:
        return
    call.agent = None
    state.effects.append(Hangup(call.call_id, CancelReason.AGENT_HANGUP))
    agent.call, agent.code = None, Declined.UNREACHABLE.value
    state.roster.move(agent, AgentInput.UNREACHABLE, now)
    state.effects.append(CommandAgent(agent.agent_id, AgentOrder.RELEASE, call.call_id, code=agent.code))
    ended(state, CallEnded(call.call_id, ended_by=EndedBy.DIALER, local_error=LocalError.AGENT_LEG), now)


def _agent_id(call: Call) -> AgentId | None:
    return None if call.agent is None else call.agent.agent_id
