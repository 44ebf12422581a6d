"""Calls to the hotlines: written down, answered, queued for the agents, and missed when none came."""

from __future__ import annotations

from dialer.core.bridge import hang_up, overflow
from dialer.core.callers import caller_of
from dialer.core.callflow import ended
from dialer.core.calls import Call, Phase
from dialer.core.effects import Answer, BeginInbound, Hangup, ReleaseLeads
from dialer.core.events import CallArrived, InboundBegun
from dialer.core.state import Arrival, EngineState
from statuses.outcomes import CancelReason

ANSWER_LIMIT_S = 10.0
"""A switch that does not answer a call by then has lost it."""


def arrived(state: EngineState, event: CallArrived, now: float) -> None:
    """Have the call matched to its lead and written down; the caller hears ringing meanwhile."""
    if event.call_id in state.calls or event.call_id in state.arrivals:
        state.totals.strays += 1
        return
    state.arrivals[event.call_id] = Arrival(now)
    state.effects.append(BeginInbound(event.call_id, caller_of(event.phone), event.hotline, event.trunk, now))


def begun(state: EngineState, event: InboundBegun, now: float) -> None:
    """Answer a call that is durable; one that may not be taken is declined, one that is over is settled."""
    arrival = state.arrivals.pop(event.call_id, None)
    if arrival is None:
        state.totals.strays += 1
        return
    if event.intent is None or event.lead is None:
        state.effects.append(Hangup(event.call_id, CancelReason.ADMIN))
        return
    call = state.calls[event.call_id] = Call(event.intent, event.lead)
    call.phase, call.originated_at, call.ringing_at = Phase.PLACED, arrival.at, arrival.at
    if released := state.hopper.withdraw((event.lead.lead_id,)):
        state.effects.append(ReleaseLeads(tuple(released)))  # nobody calls a person who calls us
    if arrival.ended is not None:
        ended(state, arrival.ended, arrival.ended_at)
        return
    state.timers.set(("answer", call.call_id), now + ANSWER_LIMIT_S)
    state.effects.append(Answer(call.call_id))


def queue_over(state: EngineState, call: Call, now: float) -> None:
    """Tell a caller who has waited long enough so, and let them go; one who is being joined goes on."""
    if call.phase in {Phase.WAITING, Phase.ASKING}:
        overflow(state, call, now)


def not_answered(state: EngineState, call: Call, now: float) -> None:
    """Give up a call that the switch did not answer when it was told to."""
    if call.phase is Phase.PLACED:
        hang_up(state, call, CancelReason.ADMIN, now)
