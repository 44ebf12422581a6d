"""What the trunk says of a call, from the first response to its end."""

from __future__ import annotations

from dialer.core import hand
from dialer.core.agents import Agent, AgentInput, AgentState
from dialer.core.bridge import abandon, enqueue, hang_up, offer, overflow, serve_waiting
from dialer.core.calls import UNANSWERED, Call, Phase
from dialer.core.effects import AgentOrder, CommandAgent, RecordProgress
from dialer.core.events import (
    AgentWrappedUp,
    CallAnswered,
    CallEnded,
    CallProgressed,
    CallRinging,
    EarlyMediaHeard,
    MachineDetected,
    PromptEnded,
)
from dialer.core.flow import begin_script, prompt_over
from dialer.core.offering import withdraw
from dialer.core.prompts import prepare
from dialer.core.settling import settle, settle_lead
from dialer.core.state import EngineState
from statuses.outcomes import CONTENT_FAULTS, AmdResult, CallStatus, CancelReason, EndedBy, LocalError

BACK_OFF_S = 1.0
"""Rest a trunk after a 503 that names no time (RFC 3261 section 21.5.4)."""


def find(state: EngineState, call_id: str) -> Call | None:
    """Return the call; an unknown one is counted."""
    call = state.calls.get(call_id)
    if call is None:
        state.totals.strays += 1
    else:
        state.content.left(call_id)
    return call


def progressed(state: EngineState, event: CallProgressed, _now: float) -> None:
    """Note that the network took the call."""
    if (call := find(state, event.call_id)) is not None:
        call.progressed = True


def ringing(state: EngineState, event: CallRinging, now: float) -> None:
    """Note the first ring and start the ring timer."""
    call = find(state, event.call_id)
    if call is None or call.ringing_at is not None or call.answered_at is not None:
        return
    call.ringing_at, call.progressed = call.when(event.at, now), True
    if call.phase is Phase.PLACED:
        call.phase = Phase.RINGING
        state.timers.set(("ring", call.call_id), now + state.settings.ring_timeout_s)


def early_media(state: EngineState, event: EarlyMediaHeard, now: float) -> None:
    """Note early media and the announcement in it."""
    call = find(state, event.call_id)
    if call is not None and call.answered_at is None:
        call.progressed = True
        call.early_media_at = call.early_media_at or now
        call.announcement = event.announcement or call.announcement


def answered(state: EngineState, event: CallAnswered, now: float) -> None:
    """Find an agent for a person, or begin the script; hang up on a machine.

    A call that we have hung up already ends, whoever answered: our CANCEL has crossed the 200. A switch may be ending
    the call at this moment, so no agent is joined to it; a person who answered is an abandoned call by the law.
    """
    call = find(state, event.call_id)
    if call is None or call.answered_at is not None:
        return
    state.dialing.pop(call.call_id, None)
    state.timers.cancel(("ring", call.call_id))
    call.amd = None if call.by_hand else event.amd
    call.answered_at = call.when(event.at, now)
    state.effects.append(RecordProgress(call.call_id, call.answered_at))
    if not call.inbound:
        human = call.amd is not AmdResult.MACHINE
        state.estimators.call_finished(human, now - call.intent.begun_at, at=now, features=call.features)
        state.totals.answered += human
    if call.phase is Phase.ENDING:
        hang_up(state, call, call.cancel_reason or CancelReason.ADMIN, now)
    elif call.inbound:
        _take(state, call, now)
    elif call.amd is AmdResult.MACHINE:
        hang_up(state, call, CancelReason.CULL, now)
    else:
        _serve(state, call, now)


def _serve(state: EngineState, call: Call, now: float) -> None:
    """Give a person whom we called what the campaign has for them: their agent, the script, or any agent."""
    if call.by_hand:
        hand.join(state, call, now)
        return
    if call.run is not None:
        begin_script(state, call, call.run, now)
        return
    state.timers.set(("connect", call.call_id), now + state.settings.legal.connect_within_s)
    offer(state, call, now)


def _take(state: EngineState, call: Call, now: float) -> None:
    """Follow the script with a caller, or queue them; nothing is learned of it about the people whom we call.

    A script that is broken for this caller leads to the agents; where there are none, to the apology.
    """
    state.timers.cancel(("answer", call.call_id))
    prompts = prepare(state, call)
    if not isinstance(prompts, LocalError) and call.run is not None:
        begin_script(state, call, call.run, now)
        return
    call.run = None
    if isinstance(prompts, LocalError) and state.scripted and not state.agents_at_work:
        call.local_error = prompts
        overflow(state, call, now)
    else:
        enqueue(state, call, now)


def machine(state: EngineState, event: MachineDetected, now: float) -> None:
    """Let go of a call that turned out to be answered by a machine."""
    call = find(state, event.call_id)
    if call is None or call.phase is Phase.ENDING or call.by_hand:
        return  # an agent who dialed by hand hears for himself who answered
    call.amd = event.amd
    if event.amd is AmdResult.MACHINE:
        state.timers.cancel(("connect", call.call_id))
        hang_up(state, call, CancelReason.CULL, now)


def prompt_ended(state: EngineState, event: PromptEnded, now: float) -> None:
    """Hang up after the overflow message; go on in a script."""
    call = find(state, event.call_id)
    if call is None:
        return
    if call.phase is Phase.OVERFLOW:
        hang_up(state, call, CancelReason.OVERFLOW, now)
    prompt_over(state, call, now, played=event.played)


def ring_timeout(state: EngineState, call: Call, now: float) -> None:
    """Cancel a call that rang long enough."""
    hang_up(state, call, CancelReason.RING_TIMEOUT, now)


def ended(state: EngineState, event: CallEnded, now: float) -> None:
    """Settle the call, free the trunk, and send the agent into wrap-up."""
    call = state.calls.pop(event.call_id, None)
    if call is None:
        _ended_early(state, event, now)
        return
    _judge_content(state, event, now)
    if _rang_out(call, event):
        call.cancel_reason = CancelReason.RING_TIMEOUT
    forget(state, call)
    hand.end_onward(state, call)
    freed = withdraw(state, call, now)
    if not call.inbound:
        _learn(state, call, event, now)
    record = settle(state, call, event, now)
    if call.agent is not None:
        _release_agent(state, call, now, talked=record.verdict.status is CallStatus.ANSWERED)
    elif call.bridged_at is not None:
        hand.settle_alone(state, call, now)
    if freed:
        serve_waiting(state, now)


def _ended_early(state: EngineState, event: CallEnded, now: float) -> None:
    """Note that a caller hung up before the call was written down; else it is a stray."""
    arrival = state.arrivals.get(event.call_id)
    if arrival is None:
        state.totals.strays += 1
    elif arrival.ended is None:
        arrival.ended, arrival.ended_at = event, now


def _learn(state: EngineState, call: Call, event: CallEnded, now: float) -> None:
    """Free the trunk, and count what came of a call that we placed."""
    state.pool.give(call.intent.trunk, call.intent.begun_at)
    if event.sip_status == 503 or event.retry_after_s is not None:  # noqa: PLR2004 -- the SIP status code itself
        state.pool.back_off(call.intent.trunk, now + (event.retry_after_s or BACK_OFF_S))
    if call.answered_at is None:
        state.estimators.call_finished(False, now - call.intent.begun_at, at=now, features=call.features)  # noqa: FBT003 -- an observation
    else:
        _count_answer(state, call, now)


def _judge_content(state: EngineState, event: CallEnded, now: float) -> None:
    if event.local_error in CONTENT_FAULTS:
        state.content.failed(event.call_id, event.local_error, now)
    elif event.sip_status is not None:
        state.content.left(event.call_id)
    else:
        state.content.dropped(event.call_id)


def _rang_out(call: Call, event: CallEnded) -> bool:
    """Tell whether the trunk cancelled a call that nobody answered, for it rings no longer than its own limit."""
    unasked = call.cancel_reason is None and call.answered_at is None and not call.inbound
    return unasked and event.ended_by is EndedBy.DIALER and event.sip_status == 487  # noqa: PLR2004 -- the SIP status


def _count_answer(state: EngineState, call: Call, now: float) -> None:
    """Count who answered: only now is it sure, a machine may be recognised late and must not widen the budget."""
    machine = call.amd is AmdResult.MACHINE
    state.estimators.answer_ended(machine=machine)
    in_script = call.run is not None and call.run.has_begun  # who answered as we hung up heard nothing of it
    if machine or in_script or call.exempt:
        return
    state.budget.answered(now)
    if call.bridged_at is None:
        abandon(state, call, now)


def forget(state: EngineState, call: Call) -> None:
    """Drop the call from every index and disarm its timers."""
    state.dialing.pop(call.call_id, None)
    state.waiting.pop(call.call_id, None)
    for kind in (
        "ring", "answer", "connect", "queue", "reask", "join", "overflow", "flow", "ending", "summon",
    ):  # fmt: skip
        state.timers.cancel((kind, call.call_id))


def _release_agent(state: EngineState, call: Call, now: float, *, talked: bool) -> None:
    agent = call.agent
    if agent is None or state.roster.get(agent.agent_id) is not agent:
        # The desk vanished during the talk: nobody will wrap up.
        if talked and agent is not None:
            settle_lead(state, call, AgentWrappedUp(agent.agent_id), now)
        return
    if agent.state is AgentState.RESERVED:
        state.effects.append(CommandAgent(agent.agent_id, AgentOrder.RELEASE, call.call_id))
        hand.set_free(state, agent, now)
        if call.bridged_at is not None:  # the customer hung up while being given to this agent
            hand.settle_alone(state, call, now)
        return
    state.estimators.talk_finished(now - (call.bridged_at or now))
    wrap_up(state, call, agent, now)


def wrap_up(state: EngineState, call: Call, agent: Agent, now: float) -> None:
    """Send a talking agent into after-call work."""
    state.roster.move(agent, AgentInput.HANGUP, now)
    wrap_up_s = state.settings.wrap_up_s
    state.timers.set(("wrap", agent.agent_id), now + wrap_up_s)
    state.effects.append(CommandAgent(agent.agent_id, AgentOrder.WRAP_UP, call.call_id, call.lead.lead_id, wrap_up_s))


def cancel_unanswered(state: EngineState, reason: CancelReason, now: float) -> None:
    """Cancel every call that nobody has answered."""
    for call in tuple(state.dialing.values()):
        if call.phase in UNANSWERED and call.phase is not Phase.BEGINNING:
            hang_up(state, call, reason, now)


def switch_silent(state: EngineState, call: Call, now: float) -> None:
    """Close a call whose hang-up the switch never confirmed."""
    ended(state, CallEnded(call.call_id, ended_by=EndedBy.DIALER), now)
