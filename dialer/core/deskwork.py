"""What an agent does with a talk from the desk: end it, hold it, give it away; and supervisors who come in."""

from __future__ import annotations

from dialer.core import bridge, deskflow, hand
from dialer.core.agents import Agent, AgentInput, AgentState
from dialer.core.callflow import wrap_up
from dialer.core.calls import UNANSWERED, Call, Onward, Phase
from dialer.core.effects import AgentOrder, CheckNumber, CommandAgent, Hold, Supervise, Transfer
from dialer.core.events import (
    AgentHeld,
    AgentHungUp,
    AgentTransferred,
    AgentWrappedUp,
    CallTransferred,
    NumberChecked,
    SupervisionAsked,
)
from dialer.core.state import EngineState
from dialer.core.types import AgentId, Declined, HoldReason
from statuses.outcomes import CancelReason


def hung_up(state: EngineState, event: AgentHungUp, now: float, request_id: int = 0) -> None:
    """End the agent's talk, or the call by hand that nobody has answered yet."""
    agent = state.roster.get(event.agent_id)
    call = None if agent is None else agent.call
    if call is not None and call.agent is agent and call.by_hand and call.phase in UNANSWERED:
        hand.leave(state, call, now, lost=False)
    elif call is not None and _talks(call, agent):
        bridge.hang_up(state, call, CancelReason.AGENT_HANGUP, now)
    else:
        hand.refuse(state, event.agent_id, Declined.NO_CALL, request_id)
        return
    hand.answer(state, request_id, call_id=call.call_id)


def held(state: EngineState, event: AgentHeld, _now: float, request_id: int = 0) -> None:
    """Give the customer music, or the agent back."""
    call = _talk_of(state, event.agent_id, request_id)
    if call is not None:
        state.effects.append(Hold(call.call_id, on=event.on))
        hand.answer(state, request_id, call_id=call.call_id)


def transferred(state: EngineState, event: AgentTransferred, now: float, request_id: int = 0) -> None:
    """Give the customer to another agent at once, or look whether a number outside may be called."""
    call = _talk_of(state, event.agent_id, request_id)
    if call is None:
        return
    code: HoldReason | Declined | None
    if event.to_agent is not None and event.to_phone is None:
        code = _give(state, call, event.to_agent, now)
    elif event.to_phone and event.to_agent is None:
        code = _ask_about(state, call, event.to_phone, request_id, now)
        if code is None:
            return  # answered when the customer talks there
    else:
        code = Declined.BAD_TARGET
    if code is not None:
        hand.refuse(state, event.agent_id, code, request_id)
    else:
        hand.answer(state, request_id, call_id=call.call_id)


def _give(state: EngineState, call: Call, to: AgentId, now: float) -> Declined | None:
    """Send the first agent into wrap-up and join the second; without the second the customer comes back."""
    giver = call.agent
    if giver is None or giver.agent_id == to:
        return Declined.BAD_TARGET
    if call.onward is not None:
        return Declined.AGENT_BUSY  # the switch may be sending the customer on at this moment
    taker = state.roster.ready(to)
    if taker is None:
        return Declined.NOT_SIGNED_IN if state.roster.get(to) is None else Declined.NOT_READY
    wrap_up(state, call, giver, now)
    call.giver = giver
    state.estimators.idle_ended(now - taker.since)
    state.roster.move(taker, AgentInput.RESERVE, now)
    bridge.assign(state, call, taker)
    bridge.connect(state, call, taker, now)
    return None


def _ask_about(state: EngineState, call: Call, phone: str, request_id: int, now: float) -> HoldReason | Declined | None:
    """Have the store look whether the number is listed, unless no trunk can take the call.

    Whether the campaign may dial now does not matter: the customer talks already, and no lead is called.
    """
    if call.onward is not None or call.agent is None:
        return Declined.AGENT_BUSY
    code = _no_way(state, phone, now)
    if code is None:
        call.onward = Onward(phone, request_id, call.agent.agent_id)
        state.effects.append(CheckNumber(call.call_id, phone))
    return code


def _no_way(state: EngineState, phone: str, now: float) -> HoldReason | Declined | None:
    return state.pool.holds(now, phone) if state.pool.serves(phone) else Declined.BAD_TARGET


def checked(state: EngineState, event: NumberChecked, now: float) -> None:
    """Send the customer on, by a trunk that has room, or tell the agent why not."""
    call = state.calls.get(event.call_id)
    if call is None or call.onward is None or call.onward.phone != event.phone or call.onward.trunk is not None:
        state.totals.strays += 1
        return
    asker = None if call.agent is None else call.agent.agent_id
    if event.reason is not None or not _talks(call, call.agent) or asker != call.onward.agent_id:
        _not_sent(state, call, event.reason or Declined.NO_CALL)
        return
    trunk = state.pool.take(now, event.phone)
    if trunk is None:
        _not_sent(state, call, state.pool.holds(now, event.phone) or HoldReason.TRUNK_CAPACITY)
        return
    call.onward.trunk = trunk
    state.effects.append(Transfer(call.call_id, event.phone, call.intent.hotline, trunk))


def sent_on(state: EngineState, event: CallTransferred, now: float) -> None:
    """Send the agent into wrap-up: the customer talks to somebody else; or let the talk go on when that failed."""
    call = state.calls.get(event.call_id)
    onward = None if call is None else call.onward
    if call is None or onward is None or onward.trunk is None or call.phase is Phase.AWAY:
        state.totals.strays += 1
        return
    if not event.done:
        _not_sent(state, call, Declined.TRANSFER_FAILED)
        return
    hand.answer(state, onward.request_id, call_id=call.call_id)
    agent, call.agent = call.agent, None
    if call.phase in {Phase.TALKING, Phase.JOINING}:
        state.timers.cancel(("join", call.call_id))
        call.phase = Phase.AWAY
    if agent is None or state.roster.get(agent.agent_id) is not agent:
        return
    if agent.state is AgentState.TALKING:
        call.giver = agent
        wrap_up(state, call, agent, now)
    elif agent.state is AgentState.RESERVED:  # was to get the customer who has just gone
        state.effects.append(CommandAgent(agent.agent_id, AgentOrder.RELEASE, call.call_id))
        hand.set_free(state, agent, now)


def _not_sent(state: EngineState, call: Call, code: HoldReason | Declined) -> None:
    onward, call.onward = call.onward, None
    if onward is None:
        return
    if onward.trunk is not None:
        state.pool.give(onward.trunk)
    hand.refuse(state, onward.agent_id, code, onward.request_id)


def wrapped_up(state: EngineState, event: AgentWrappedUp, now: float, request_id: int) -> None:
    """Take the result that a person wrote down for the agent, if a customer waits for one."""
    agent = state.roster.get(event.agent_id)
    if agent is None or agent.state is not AgentState.WRAP_UP:
        hand.refuse(state, event.agent_id, Declined.NO_CALL, request_id)
        return
    call_id = None if agent.call is None else agent.call.call_id
    deskflow.wrapped_up(state, event, now)
    hand.answer(state, request_id, call_id=call_id)


def supervised(state: EngineState, event: SupervisionAsked, _now: float, request_id: int = 0) -> None:
    """Bring a supervisor into the agent's talk, change what they may do, or take them out."""
    call = _talk_of(state, event.agent_id, request_id)
    if call is None:
        return
    if event.supervisor == event.agent_id or not _is_free(state, event.supervisor):
        hand.answer(state, request_id, Declined.AGENT_BUSY)
        return
    state.effects.append(Supervise(call.call_id, event.supervisor, event.mode))
    hand.answer(state, request_id, call_id=call.call_id)


def _is_free(state: EngineState, supervisor: AgentId) -> bool:
    """Tell whether no call of this campaign can reach the supervisor now: they are no agent here, or on a break."""
    agent = state.roster.get(supervisor)
    return agent is None or agent.state is AgentState.NOT_READY


def _talk_of(state: EngineState, agent_id: AgentId, request_id: int) -> Call | None:
    """Return the talk that this agent is in; None, and the agent is told, when there is none."""
    agent = state.roster.get(agent_id)
    call = None if agent is None else agent.call
    if call is not None and _talks(call, agent):
        return call
    hand.refuse(state, agent_id, Declined.NO_CALL, request_id)
    return None


def _talks(call: Call, agent: Agent | None) -> bool:
    return call.phase is Phase.TALKING and agent is not None and call.agent is agent
