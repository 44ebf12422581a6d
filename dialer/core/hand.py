"""A call that an agent chose: the agent's leg first, then the customer, joined as soon as somebody answers."""

from __future__ import annotations

from dialer.core.agents import Agent, AgentInput, AgentState
from dialer.core.bridge import connect, hang_up, lose_agent, serve_waiting
from dialer.core.calls import UNANSWERED, Call, Phase
from dialer.core.effects import AgentOrder, AnswerRequest, CommandAgent, Summon
from dialer.core.events import AgentWrappedUp
from dialer.core.settling import settle_lead
from dialer.core.state import EngineState
from dialer.core.types import AgentId, CallId, Declined, HoldReason
from statuses.outcomes import CancelReason

SUMMON_LIMIT_S = 45.0
"""An agent's phone that has not come up by then counts as unreachable: a person may have to pick it up."""


def answer(
    state: EngineState,
    request_id: int,
    code: HoldReason | Declined | None = None,
    *,
    call_id: CallId | None = None,
    lead_id: int | None = None,
) -> None:
    """Say what came of a request; 0 is nobody's."""
    if request_id:
        state.effects.append(AnswerRequest(request_id, None if code is None else code.value, call_id, lead_id))


def refuse(
    state: EngineState, agent_id: AgentId, code: HoldReason | Declined, request_id: int = 0, lead_id: int | None = None
) -> None:
    """Tell the agent, and whoever asked, why it is not done."""
    state.effects.append(CommandAgent(agent_id, AgentOrder.REFUSED, lead_id=lead_id, code=code.value))
    answer(state, request_id, code, lead_id=lead_id)


def set_free(state: EngineState, agent: Agent, now: float) -> None:
    """Let a reserved agent who is still here go back to where calls come from, or to the break that waited."""
    agent.call = None
    if state.roster.get(agent.agent_id) is not agent or not state.roster.move(agent, AgentInput.RELEASE, now):
        return
    if agent.pause_after:
        agent.pause_after = False
        state.roster.move(agent, AgentInput.PAUSE, now)
    serve_waiting(state, now)


def summon(state: EngineState, call: Call, now: float) -> None:
    """Bring the agent's leg up for a call that is written down."""
    if call.agent is None:
        raise RuntimeError("a call by hand lost its agent before it was placed; `leave` ends such a call")
    call.phase = Phase.SUMMONING
    state.timers.set(("summon", call.call_id), now + SUMMON_LIMIT_S)
    state.effects.append(Summon(call.call_id, call.agent.agent_id, call.intent.trunk))


def not_begun(state: EngineState, call: Call, reason: HoldReason, now: float) -> None:
    """Free the agent of a call that may not be placed, and say why."""
    agent = call.agent
    if agent is None:
        return
    state.effects.append(CommandAgent(agent.agent_id, AgentOrder.RELEASE, call.call_id))
    refuse(state, agent.agent_id, reason, call.request_id, call.lead.lead_id)
    set_free(state, agent, now)


def join(state: EngineState, call: Call, now: float) -> None:
    """Join the customer who has just answered to the agent who waits on the line; if that one is gone, to another."""
    agent = call.agent
    if agent is not None and state.roster.get(agent.agent_id) is agent and agent.state is AgentState.RESERVED:
        connect(state, call, agent, now)
        return
    lose_agent(state, call, now)


def leave(state: EngineState, call: Call, now: float, *, lost: bool) -> None:
    """End a call that nobody has answered yet: its agent hung up, or (`lost`) is gone (statuses.md 2.9)."""
    call.agent_lost = lost
    call.cancel_reason = CancelReason.AGENT_HANGUP
    if call.phase is not Phase.BEGINNING:
        hang_up(state, call, CancelReason.AGENT_HANGUP, now)


def lost(state: EngineState, agent: Agent, now: float) -> bool:
    """Drop what an agent who is gone had asked for, was asked, or had not reached yet; False: the rest is not ours."""
    wish = state.wishes.pop(agent.agent_id, None)
    if wish is not None:
        answer(state, wish.request_id, Declined.NOT_SIGNED_IN)
    lead = state.previews.pop(agent.agent_id, None)
    if lead is not None:
        state.timers.cancel(("preview", agent.agent_id))
        state.hopper.put_back(lead)
    call = agent.call
    if call is None or not call.by_hand or call.phase not in UNANSWERED:
        return wish is not None or lead is not None
    leave(state, call, now, lost=True)
    return True


def end_onward(state: EngineState, call: Call) -> None:
    """Free the channel by which a call that is over was sent on, or was to be."""
    onward = call.onward
    if onward is None:
        return
    if onward.trunk is not None:
        state.pool.give(onward.trunk)
    if call.phase is not Phase.AWAY:
        answer(state, onward.request_id, Declined.NO_CALL)


def settle_alone(state: EngineState, call: Call, now: float) -> None:
    """Settle the lead of a talk that ended without an agent: by the word of who gave it away, now or after wrap-up."""
    giver = call.giver
    if giver is not None and giver.call is call and state.roster.get(giver.agent_id) is giver:
        return  # the agent is in after-call work: SettleLead follows
    settle_lead(state, call, call.word or AgentWrappedUp(call.talked_with or ""), now)
