"""Who of the ready agents gets a call, and how they are asked to take it."""

from __future__ import annotations

import msgspec

from dialer.core.agents import Agent, AgentInput, AgentState
from dialer.core.calls import Call, Phase
from dialer.core.effects import AgentOrder, CommandAgent, Hold
from dialer.core.state import EngineState
from dialer.core.types import CampaignSettings, Offering, OfferMade, Strategy

REASK_S = 5.0
"""An agent who did not take a call is not asked again for the same one before this."""


def asks(settings: CampaignSettings) -> bool:
    """Tell whether agents are asked before they get a call."""
    return settings.offering is Offering.ASK or rings_all(settings)


def rings_all(settings: CampaignSettings) -> bool:
    """Tell whether a call is offered to all ready agents at once."""
    return settings.strategy is Strategy.RING_ALL


def choices(state: EngineState, call: Call, now: float) -> list[Agent]:
    """Return the ready agents who may have the call, in the order of the campaign's strategy.

    The agent who arranged a callback comes first (statuses.md T5), those who declined this call last.
    """
    ready = state.roster.in_state(AgentState.READY)
    if not ready:
        return []
    strategy, declined, prefers = state.settings.strategy, call.declined, call.lead.callback_agent
    if strategy is Strategy.LONGEST_IDLE and not declined:
        return [state.roster.ready(prefers) or next(iter(ready.values()))]
    free = [agent for name, agent in ready.items() if name not in declined or declined[name] + REASK_S <= now]
    if strategy is Strategy.FEWEST_CALLS:
        free.sort(key=lambda agent: agent.served)
    elif strategy is Strategy.TOP_DOWN:
        free.sort(key=lambda agent: agent.agent_id)
    elif strategy is Strategy.ROUND_ROBIN:
        free.sort(key=lambda agent: (agent.agent_id <= state.last_offered, agent.agent_id))
    free.sort(key=lambda agent: (agent.agent_id in declined, agent.agent_id != prefers))
    return free


def asked_again_at(state: EngineState, call: Call) -> float | None:
    """Return when the first ready agent who declined the call may be asked again, None when there is none."""
    ready = state.roster.in_state(AgentState.READY)
    return min((at + REASK_S for name, at in call.declined.items() if name in ready), default=None)


def ask(state: EngineState, call: Call, agents: list[Agent], now: float) -> None:
    """Offer the call to these ready agents."""
    call.phase = Phase.ASKING
    state.waiting.pop(call.call_id, None)
    state.asking[call.call_id] = call
    state.timers.cancel(("reask", call.call_id))
    music(state, call, on=True)
    offer_s = state.settings.offer_s
    for agent in agents:
        state.estimators.idle_ended(now - agent.since)
        state.roster.move(agent, AgentInput.OFFER, now)
        agent.call, state.last_offered = call, agent.agent_id
        call.asked[agent.agent_id] = now
        state.timers.set(("offer", agent.agent_id), now + offer_s)
        told = CommandAgent(agent.agent_id, AgentOrder.OFFER, call.call_id, call.lead.lead_id, offer_s=offer_s)
        state.effects.append(msgspec.structs.replace(told, phone=call.intent.phone, name=call.lead.name))


def answer(state: EngineState, call: Call, agent: Agent, outcome: str) -> None:
    """Note what came of an offer to an agent; it no longer stands."""
    call.offers.append(OfferMade(agent.agent_id, call.asked.pop(agent.agent_id), outcome))
    state.timers.cancel(("offer", agent.agent_id))
    if not call.asked:
        state.asking.pop(call.call_id, None)


def withdraw(state: EngineState, call: Call, now: float) -> bool:
    """Take the call back from all who are still asked; tell whether there was anybody."""
    names = tuple(call.asked)
    for name in names:
        agent = state.roster.get(name)
        if agent is None:
            raise RuntimeError("an agent who is asked has left; `lost` takes the offer back")
        answer(state, call, agent, "withdrawn")
        let_go(state, call, agent, AgentInput.WITHDRAW, now)
    return bool(names)


def let_go(state: EngineState, call: Call, agent: Agent, what: AgentInput, now: float) -> None:
    """Free an agent whose offer is over, and tell the desk."""
    agent.call = None
    state.roster.move(agent, what, now)
    state.effects.append(
        CommandAgent(agent.agent_id, AgentOrder.WITHDRAW, call.call_id, call.lead.lead_id, code=agent.code)
    )


def music(state: EngineState, call: Call, *, on: bool) -> None:
    """Give the customer who waits music, or end that."""
    if call.on_hold is not on:
        call.on_hold = on
        state.effects.append(Hold(call.call_id, on))
