"""Bring answered callees and idle agents together within two seconds, or apologise."""

from __future__ import annotations

from dialer.core.agents import AgentInput
from dialer.core.calls import Call, Phase
from dialer.core.effects import AgentOrder, CommandAgent, Connect, Hangup, Play, RecordProgress
from dialer.core.events import CallConnected, ConnectFailed
from dialer.core.recording import record
from dialer.core.state import EngineState
from statuses.outcomes import CancelReason

JOIN_LIMIT_S = 6.0
"""An agent's desk that has not come up by then counts as unreachable."""
ENDING_LIMIT_S = 10.0
"""A switch that does not confirm a hang-up by then has lost the call."""


def offer(state: EngineState, call: Call, now: float) -> None:
    """Reserve the agent who arranged the callback, else the longest idle one, or let the call wait (statuses.md T5)."""
    agent = state.roster.ready(call.lead.callback_agent) or state.roster.longest_idle()
    if agent is None:
        call.phase = Phase.WAITING
        state.waiting[call.call_id] = call
        return
    state.waiting.pop(call.call_id, None)
    state.estimators.idle_ended(now - agent.since)
    state.roster.move(agent, AgentInput.RESERVE, now)
    agent.call, call.agent, call.phase = call, agent, Phase.JOINING
    state.timers.set(("join", call.call_id), now + JOIN_LIMIT_S)
    state.effects.append(CommandAgent(agent.agent_id, AgentOrder.RESERVE, call.call_id, call.lead.lead_id))
    state.effects.append(Connect(call.call_id, agent.agent_id))


def serve_waiting(state: EngineState, now: float) -> None:
    """Give newly idle agents to those who wait, the longest waiting first."""
    while state.waiting and state.roster.longest_idle() is not None:
        offer(state, next(iter(state.waiting.values())), now)


def connected(state: EngineState, event: CallConnected, now: float) -> None:
    """Start the talk; a connection to an agent who is no longer reserved is a stray."""
    call = state.calls.get(event.call_id)
    agent = call.agent if call is not None else None
    if call is None or agent is None or call.phase is not Phase.JOINING or agent.agent_id != event.agent_id:
        state.totals.strays += 1
        return
    state.timers.cancel(("join", call.call_id))
    state.timers.cancel(("connect", call.call_id))
    state.roster.move(agent, AgentInput.JOIN, now)
    call.phase, call.bridged_at = Phase.TALKING, now
    state.effects.append(RecordProgress(call.call_id, now, agent.agent_id))
    if state.settings.record:
        record(state, call)
    if not call.abandoned:
        state.estimators.abandon_observed(abandoned=False, at=now)


def connect_failed(state: EngineState, event: ConnectFailed, now: float) -> None:
    """Set the unreachable agent aside and try another one for the customer who is still on the line."""
    call = state.calls.get(event.call_id)
    agent = call.agent if call is not None else None
    if call is None or agent is None or call.phase is not Phase.JOINING or agent.agent_id != event.agent_id:
        state.totals.strays += 1
        return
    agent.call, agent.code = None, "unreachable"
    state.roster.move(agent, AgentInput.UNREACHABLE, now)
    state.effects.append(CommandAgent(agent.agent_id, AgentOrder.RELEASE, call.call_id))
    lose_agent(state, call, now)


def lose_agent(state: EngineState, call: Call, now: float) -> None:
    """Look for another agent for an answered call whose agent vanished before the talk."""
    state.timers.cancel(("join", call.call_id))
    call.agent, call.agent_lost = None, True
    offer(state, call, now)
    if call.phase is Phase.WAITING and call.abandoned:
        overflow(state, call, now)


def too_late(state: EngineState, call: Call, now: float) -> None:
    """Count the call as abandoned: nobody spoke within the legal delay (16 CFR 310.4(b)(1)(iv)).

    Apologise if no agent is about to be joined.
    """
    abandon(state, call, now)
    if call.phase is Phase.WAITING:
        overflow(state, call, now)


def abandon(state: EngineState, call: Call, now: float) -> None:
    """Count an abandoned call, once."""
    if call.abandoned:
        return
    call.abandoned = True
    state.totals.abandoned += 1
    state.budget.abandoned(now)
    state.estimators.abandon_observed(abandoned=True, at=now)


def overflow(state: EngineState, call: Call, now: float) -> None:
    """Play the overflow message, or hang up when there is none."""
    state.waiting.pop(call.call_id, None)
    call.cancel_reason = CancelReason.OVERFLOW
    prompt = state.settings.overflow_prompt
    if prompt is None:
        hang_up(state, call, CancelReason.OVERFLOW, now)
        return
    call.phase = Phase.OVERFLOW
    state.timers.set(("overflow", call.call_id), now + state.settings.overflow_s)
    state.effects.append(Play(call.call_id, prompt))


def hang_up(state: EngineState, call: Call, reason: CancelReason, now: float) -> None:
    """End a call that was placed, and see to it that the end is confirmed."""
    call.cancel_reason, call.phase = reason, Phase.ENDING
    state.waiting.pop(call.call_id, None)
    state.timers.cancel(("ring", call.call_id))
    state.timers.set(("ending", call.call_id), now + ENDING_LIMIT_S)
    state.effects.append(Hangup(call.call_id, reason))
