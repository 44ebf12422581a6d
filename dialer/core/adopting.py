"""Take up a talk that went on at the switch while no dialer ran (architecture.md section 7)."""

from __future__ import annotations

from dialer.core.agents import Agent, AgentState
from dialer.core.bridge import abandon
from dialer.core.calls import Call, Phase
from dialer.core.events import CallAdopted
from dialer.core.manual import is_by_hand
from dialer.core.state import EngineState


def adopted(state: EngineState, event: CallAdopted, now: float) -> None:
    """Know the call again; its agent comes back into the talk at the next sign of life, or is gone when it ends."""
    attempt = event.attempt
    if attempt.lead is None or attempt.bridged_at is None or attempt.agent_id is None:
        raise ValueError(f"call {event.call_id} is no talk with an agent: it cannot be taken up again")
    call = Call(attempt.intent, attempt.lead)
    call.phase, call.progressed = Phase.TALKING, True
    call.recording = True  # nobody knows; if it was, the record is wanted
    call.originated_at, call.answered_at, call.bridged_at = (
        attempt.intent.begun_at, attempt.answered_at or attempt.bridged_at, attempt.bridged_at,
    )  # fmt: skip
    call.agent = agent = Agent(attempt.agent_id, now)
    call.talked_with = agent.agent_id
    agent.state, agent.call = AgentState.TALKING, call
    state.calls[call.call_id] = call
    if not call.inbound:
        state.pool.occupy(attempt.intent.trunk)
    call.by_hand = call.by_hand or is_by_hand(state)
    call.exempt = call.inbound or call.by_hand or state.scripted
    if not call.exempt and attempt.bridged_at - call.answered_at > state.settings.legal.connect_within_s:
        abandon(state, call, now)
