"""What agents who are asked to take a call say to it: accepted, rejected, or missed."""

from __future__ import annotations

from dialer.core.agents import Agent, AgentInput, AgentState
from dialer.core.bridge import offer, offer_again, reserve, serve_waiting
from dialer.core.calls import Call, Phase
from dialer.core.effects import AgentOrder, CommandAgent
from dialer.core.events import AgentAccepted, AgentRejected
from dialer.core.offering import answer, let_go, withdraw
from dialer.core.state import EngineState

MISSED = "missed"
"""Why an agent who did not answer an offer takes no calls any more."""


def accepted(state: EngineState, event: AgentAccepted, now: float) -> None:
    """Join the first who accepts; an offer that is over is taken back once more, for the desk still shows it."""
    agent, call = _asked(state, event)
    if agent is None or call is None:
        return
    answer(state, call, agent, "accepted")
    freed = withdraw(state, call, now)
    reserve(state, call, agent, AgentInput.ACCEPT, now)
    if freed:
        serve_waiting(state, now)


def rejected(state: EngineState, event: AgentRejected, now: float) -> None:
    """Ask the next; who rejected stays ready and is asked last."""
    agent, call = _asked(state, event)
    if agent is not None and call is not None:
        turn_down(state, agent, call, now)


def turn_down(state: EngineState, agent: Agent, call: Call, now: float, *, pauses: bool = False) -> None:
    """Take an agent's no, or (`pauses`) that they take no calls any more."""
    answer(state, call, agent, "rejected")
    call.declined[agent.agent_id] = now
    let_go(state, call, agent, AgentInput.DECLINE, now)
    if pauses:
        state.roster.move(agent, AgentInput.PAUSE, now)
    _go_on(state, call, now)
    serve_waiting(state, now)


def missed(state: EngineState, agent: Agent, now: float) -> None:
    """Take an agent who did not answer an offer off calls, and ask the next."""
    call = agent.call
    if agent.state is not AgentState.RINGING or call is None:
        return
    answer(state, call, agent, MISSED)
    call.declined[agent.agent_id] = now
    agent.code = MISSED
    let_go(state, call, agent, AgentInput.MISS, now)
    _go_on(state, call, now)


def asked_lost(state: EngineState, agent: Agent, call: Call, now: float) -> None:
    """Ask the next in place of an agent who has vanished."""
    answer(state, call, agent, "lost")
    _go_on(state, call, now)


def ask_again(state: EngineState, call: Call, now: float) -> None:
    """Offer a call that still waits to those who declined it before."""
    if call.phase is Phase.WAITING:
        offer(state, call, now)


def _go_on(state: EngineState, call: Call, now: float) -> None:
    if not call.asked:
        offer_again(state, call, now)


def _asked(state: EngineState, event: AgentAccepted | AgentRejected) -> tuple[Agent | None, Call | None]:
    """Return the agent and the call of an offer that stands; a stray word takes the offer from the desk again."""
    agent = state.roster.get(event.agent_id)
    call = agent.call if agent is not None and agent.state is AgentState.RINGING else None
    if call is not None and event.call_id in (None, call.call_id):
        return agent, call
    state.totals.strays += 1
    if event.call_id is not None and (agent is None or agent.call is None or agent.call.call_id != event.call_id):
        state.effects.append(CommandAgent(event.agent_id, AgentOrder.WITHDRAW, event.call_id, event.lead_id))
    return None, None
