"""What agents' desks say."""

from __future__ import annotations

from dialer.core import hand, manual
from dialer.core.agents import Agent, AgentInput, AgentState
from dialer.core.asking import asked_lost, turn_down
from dialer.core.bridge import lose_agent, serve_waiting
from dialer.core.calls import Phase
from dialer.core.effects import AgentOrder, CommandAgent
from dialer.core.events import AgentLost, AgentPaused, AgentReady, AgentSignedIn, AgentWrappedUp
from dialer.core.settling import settle_lead
from dialer.core.state import EngineState
from dialer.core.types import AgentId


def at_desk(state: EngineState, agent_id: AgentId, now: float) -> Agent:
    """Return the agent, signed in; one who was lost during a talk that still runs comes back into that talk."""
    agent = state.roster.get(agent_id)
    if agent is not None:
        return agent
    for call in state.calls.values():
        if call.agent is not None and call.agent.agent_id == agent_id and call.bridged_at is not None:
            state.roster.restore(call.agent, now)
            state.effects.append(CommandAgent(agent_id, AgentOrder.TALK, call.call_id, call.lead.lead_id))
            return call.agent
    return state.roster.sign_in(agent_id, now)


def signed_in(state: EngineState, event: AgentSignedIn, now: float) -> None:
    """Add the agent, not ready."""
    at_desk(state, event.agent_id, now)


def ready(state: EngineState, event: AgentReady, now: float) -> None:
    """Take the agent's word; an agent in wrap-up who says ready has finished it."""
    agent = at_desk(state, event.agent_id, now)
    agent.pause_after, agent.code = False, ""
    if agent.state is AgentState.WRAP_UP:
        wrapped_up(state, AgentWrappedUp(event.agent_id), now)
        return
    if state.roster.move(agent, AgentInput.READY, now):
        serve_waiting(state, now)


def paused(state: EngineState, event: AgentPaused, now: float) -> None:
    """Take the agent off calls, after the present one if there is one."""
    agent = at_desk(state, event.agent_id, now)
    if agent.state is AgentState.RINGING and agent.call is not None:
        turn_down(state, agent, agent.call, now, pauses=True)
    elif agent.state is AgentState.RINGING:
        manual.rejected(state, event.agent_id, None, now)
    agent.code = event.code
    if agent.state in {AgentState.READY, AgentState.NOT_READY}:
        _left_idle(state, agent, now)
        state.roster.move(agent, AgentInput.PAUSE, now)
    else:
        agent.pause_after = True


def wrapped_up(state: EngineState, event: AgentWrappedUp, now: float) -> None:
    """Settle the lead by the agent's word and free the agent; too late a word is a stray."""
    agent = state.roster.get(event.agent_id)
    if agent is None or agent.state is not AgentState.WRAP_UP:
        state.totals.strays += 1
        return
    state.timers.cancel(("wrap", agent.agent_id))
    if agent.call is not None:
        agent.call.word = event  # of a customer who still talks to somebody else, it counts at the end
        settle_lead(state, agent.call, event, now)
        agent.call = None
    state.estimators.wrap_finished(now - agent.since, stayed=event.ready and not agent.pause_after)
    state.roster.move(agent, AgentInput.DONE, now)
    if agent.pause_after or not event.ready:
        agent.pause_after = False
        state.roster.move(agent, AgentInput.PAUSE, now)
        state.effects.append(CommandAgent(agent.agent_id, AgentOrder.PAUSE, code=agent.code))
        return
    state.effects.append(CommandAgent(agent.agent_id, AgentOrder.READY))
    serve_waiting(state, now)


def lost(state: EngineState, event: AgentLost, now: float) -> None:
    """Take the agent out (statuses.md 2.9).

    A customer who was about to be joined gets another agent; a talk goes on to its end.
    """
    agent = state.roster.get(event.agent_id)
    if agent is None:
        return
    call, was = agent.call, agent.state
    state.timers.cancel(("wrap", agent.agent_id))
    state.timers.cancel(("offer", agent.agent_id))
    _left_idle(state, agent, now)
    state.roster.remove(agent, now)
    if hand.lost(state, agent, now) or call is None:
        return
    if was is AgentState.RINGING:
        asked_lost(state, agent, call, now)
    elif was is AgentState.RESERVED and call.phase is Phase.JOINING:
        lose_agent(state, call, now)
    elif was is AgentState.WRAP_UP:
        settle_lead(state, call, AgentWrappedUp(agent.agent_id), now)


def _left_idle(state: EngineState, agent: Agent, now: float) -> None:
    if agent.state is AgentState.READY:
        state.estimators.idle_ended(now - agent.since, stayed=False)


def wrap_timeout(state: EngineState, agent: Agent, now: float) -> None:
    """End a wrap-up that took its whole time: no special action means success (N1)."""
    wrapped_up(state, AgentWrappedUp(agent.agent_id), now)
