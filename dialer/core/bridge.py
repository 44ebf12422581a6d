"""Bring answered callees and idle agents together within two seconds, or apologise."""

from __future__ import annotations

from dialer.core.agents import Agent, AgentInput
from dialer.core.calls import Call, Phase
from dialer.core.effects import AgentOrder, CommandAgent, Connect, Hangup, Play, RecordProgress
from dialer.core.events import CallConnected, ConnectFailed
from dialer.core.offering import ask, asked_again_at, asks, choices, music, rings_all, withdraw
from dialer.core.prompts import apology
from dialer.core.recording import record
from dialer.core.state import EngineState
from statuses.outcomes import CancelReason

JOIN_LIMIT_S = 6.0
"""An agent's desk that has not come up by then counts as unreachable."""
ENDING_LIMIT_S = 10.0
"""A switch that does not confirm a hang-up by then has lost the call."""


def offer(state: EngineState, call: Call, now: float) -> None:
    """Give an answered call to an agent, ask one or all of them whether they take it, or let it wait."""
    agents = choices(state, call, now)
    if not agents:
        _wait(state, call, now)
    elif not asks(state.settings):
        agent = agents[0]
        state.estimators.idle_ended(now - agent.since)
        reserve(state, call, agent, AgentInput.RESERVE, now)
    else:
        _join_queue(call, now)
        ask(state, call, agents if rings_all(state.settings) else agents[:1], now)


def _wait(state: EngineState, call: Call, now: float) -> None:
    call.phase = Phase.WAITING
    state.waiting[call.call_id] = call
    _join_queue(call, now)
    if call.waits_willingly:
        music(state, call, on=True)
    if (again_at := asked_again_at(state, call)) is not None:
        state.timers.set(("reask", call.call_id), again_at)


def _join_queue(call: Call, now: float) -> None:
    if call.queued_at is None:
        call.queued_at = now


def enqueue(state: EngineState, call: Call, now: float) -> None:
    """Queue who has called us, or has asked a script for an agent, for so long as the campaign says."""
    state.timers.set(("queue", call.call_id), now + state.settings.queue_s)
    _join_queue(call, now)
    offer(state, call, now)


def reserve(state: EngineState, call: Call, agent: Agent, what: AgentInput, now: float) -> None:
    """Join the call to the agent, who is reserved for it from now on."""
    state.waiting.pop(call.call_id, None)
    state.timers.cancel(("reask", call.call_id))
    state.roster.move(agent, what, now)
    assign(state, call, agent)
    connect(state, call, agent, now)


def assign(state: EngineState, call: Call, agent: Agent) -> None:
    """Give a reserved agent a call, and tell the desk."""
    agent.call, call.agent = call, agent
    state.last_offered = agent.agent_id
    state.effects.append(CommandAgent(agent.agent_id, AgentOrder.RESERVE, call.call_id, call.lead.lead_id))


def connect(state: EngineState, call: Call, agent: Agent, now: float) -> None:
    """Join an answered call to the agent who is reserved for it."""
    call.phase = Phase.JOINING
    state.timers.set(("join", call.call_id), now + JOIN_LIMIT_S)
    music(state, call, on=False)
    state.effects.append(Connect(call.call_id, agent.agent_id))


def serve_waiting(state: EngineState, now: float) -> None:
    """Give newly idle agents to those who wait, the longest waiting first."""
    if state.waiting and state.roster.longest_idle() is not None:
        for call in sorted(state.waiting.values(), key=_answered_at):
            if state.roster.longest_idle() is None:
                return
            offer(state, call, now)
    if state.asking and rings_all(state.settings):
        for call in tuple(state.asking.values()):
            if agents := choices(state, call, now):
                ask(state, call, agents, now)


def _answered_at(call: Call) -> float:
    return call.answered_at or 0.0


def connected(state: EngineState, event: CallConnected, now: float) -> None:
    """Start the talk; a connection to an agent who is no longer reserved is a stray."""
    call = state.calls.get(event.call_id)
    agent = call.agent if call is not None else None
    if call is None or agent is None or call.phase is not Phase.JOINING or agent.agent_id != event.agent_id:
        state.totals.strays += 1
        return
    state.timers.cancel(("join", call.call_id))
    state.timers.cancel(("connect", call.call_id))
    state.timers.cancel(("queue", call.call_id))
    state.roster.move(agent, AgentInput.JOIN, now)
    first = call.bridged_at is None
    agent.served += 1
    call.phase, call.bridged_at, call.talked_with = Phase.TALKING, call.bridged_at or now, agent.agent_id
    call.queue_left_at = call.queue_left_at or now
    state.effects.append(RecordProgress(call.call_id, now, agent.agent_id))
    state.effects.append(CommandAgent(agent.agent_id, AgentOrder.TALK, call.call_id, call.lead.lead_id))
    _taken_over(call)
    if state.settings.record:
        record(state, call)
    if first and not (call.abandoned or call.inbound):
        state.estimators.abandon_observed(abandoned=False, at=now)


def _taken_over(call: Call) -> None:
    """Let the agent who gave the customer away wrap up for nobody: the result is the new agent's to tell."""
    if call.giver is not None and call.giver is not call.agent and call.giver.call is call:
        call.giver.call = None
    call.giver = call.word = None


def connect_failed(state: EngineState, event: ConnectFailed, now: float) -> None:
    """Set the unreachable agent aside and try another one for the customer who is still on the line."""
    call = state.calls.get(event.call_id)
    agent = call.agent if call is not None else None
    if call is None or agent is None or call.phase is not Phase.JOINING or agent.agent_id != event.agent_id:
        state.totals.strays += 1
        return
    agent.call, agent.code = None, "unreachable"
    state.roster.move(agent, AgentInput.UNREACHABLE, now)
    state.effects.append(CommandAgent(agent.agent_id, AgentOrder.RELEASE, call.call_id, code=agent.code))
    lose_agent(state, call, now)


def lose_agent(state: EngineState, call: Call, now: float) -> None:
    """Look for another agent for an answered call whose agent vanished before the talk."""
    state.timers.cancel(("join", call.call_id))
    call.agent = None
    if call.bridged_at is not None:
        bring_back(state, call, now)
        return
    call.agent_lost = True
    if call.by_hand:  # from here on the customer waits for any agent, and the law counts
        call.by_hand = False
        state.timers.set(("connect", call.call_id), now + state.settings.legal.connect_within_s)
    offer_again(state, call, now)


def offer_again(state: EngineState, call: Call, now: float) -> None:
    """Look for the next agent, or let go of who has waited too long."""
    offer(state, call, now)
    if call.phase is Phase.WAITING and _is_late(state, call, now):
        overflow(state, call, now)


def bring_back(state: EngineState, call: Call, now: float) -> None:
    """Return a customer whom the second agent did not take to the first, else to any agent, with music meanwhile."""
    giver = call.giver
    here = giver is not None and giver.call is call and state.roster.get(giver.agent_id) is giver
    if giver is not None and here and state.roster.move(giver, AgentInput.RETURN, now):
        state.timers.cancel(("wrap", giver.agent_id))
        assign(state, call, giver)
        connect(state, call, giver, now)
        return
    state.timers.set(("queue", call.call_id), now + state.settings.queue_s)
    offer(state, call, now)
    if call.phase is not Phase.JOINING:
        music(state, call, on=True)


def _is_late(state: EngineState, call: Call, now: float) -> bool:
    if call.bridged_at is not None:
        return False  # of who has talked to an agent already, the time in the queue counts anew
    if call.waits_willingly:
        return call.queued_at is not None and now >= call.queued_at + state.settings.queue_s
    return call.abandoned


def too_late(state: EngineState, call: Call, now: float) -> None:
    """Count the call as abandoned: nobody spoke within the legal delay (16 CFR 310.4(b)(1)(iv)).

    Apologise if no agent is about to be joined, or asked.
    """
    abandon(state, call, now)
    if call.phase is Phase.WAITING:
        overflow(state, call, now)


def abandon(state: EngineState, call: Call, now: float) -> None:
    """Count an abandoned call, once; who called us is not one."""
    if call.abandoned or call.inbound:
        return
    call.abandoned = True
    state.totals.abandoned += 1
    state.budget.abandoned(now)
    state.estimators.abandon_observed(abandoned=True, at=now)


def overflow(state: EngineState, call: Call, now: float) -> None:
    """Play the overflow message, or hang up when there is none."""
    _leave_queue(state, call, now)
    call.cancel_reason = CancelReason.OVERFLOW
    prompt = apology(state, call)
    if prompt is None:
        hang_up(state, call, CancelReason.OVERFLOW, now)
        return
    call.phase = Phase.OVERFLOW
    music(state, call, on=False)
    state.timers.set(("overflow", call.call_id), now + state.settings.overflow_s)
    state.effects.append(Play(call.call_id, prompt))


def hang_up(state: EngineState, call: Call, reason: CancelReason, now: float) -> None:
    """End a call that was placed, and see to it that the end is confirmed."""
    call.cancel_reason, call.phase = reason, Phase.ENDING
    _leave_queue(state, call, now)
    state.timers.cancel(("ring", call.call_id))
    state.timers.cancel(("summon", call.call_id))
    state.timers.set(("ending", call.call_id), now + ENDING_LIMIT_S)
    state.effects.append(Hangup(call.call_id, reason))


def _leave_queue(state: EngineState, call: Call, now: float) -> None:
    """Take a call from the queue, and back from whoever is asked to take it; they take others."""
    state.waiting.pop(call.call_id, None)
    state.timers.cancel(("queue", call.call_id))
    state.timers.cancel(("reask", call.call_id))
    if call.queued_at is not None and call.queue_left_at is None:
        call.queue_left_at = now
    if withdraw(state, call, now):
        serve_waiting(state, now)
