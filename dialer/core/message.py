"""Play a campaign's message to whoever answers: the kind autodialer, without agents.

One message, then we hang up. There are no keys, branches or transfers to an agent yet, so a person who hangs up before
the end always did so without a key: IVR; who hears it to the end is Answered (statuses.md 2.9, A9).
"""

from __future__ import annotations

from dialer.core.bridge import abandon, hang_up
from dialer.core.calls import Call, Phase
from dialer.core.effects import Play
from dialer.core.state import EngineState
from statuses.outcomes import CancelReason, LocalError

PROMPT_LIMIT_S = 120.0
"""A message whose end nobody reports is over by then."""


def begin_message(state: EngineState, call: Call, prompt: str, now: float) -> None:
    """Start the message at the answer; the 2-second rule is about agents and does not apply."""
    call.agentless, call.phase = True, Phase.PROMPT
    state.timers.set(("prompt", call.call_id), now + PROMPT_LIMIT_S)
    state.effects.append(Play(call.call_id, prompt))


def message_over(state: EngineState, call: Call, now: float, *, played: bool = True) -> None:
    """Hang up; a message that could not be played is a fault of ours, and its silence an abandoned call."""
    if call.phase is not Phase.PROMPT:
        return
    if not played:
        call.local_error = LocalError.SCRIPT
        if not call.inbound:
            state.budget.answered(now)
        abandon(state, call, now)
    hang_up(state, call, CancelReason.PROMPT_ENDED, now)
