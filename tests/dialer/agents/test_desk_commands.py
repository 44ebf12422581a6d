"""What each command does in each state: obeyed, or refused with its reason and nothing said to the engine."""

from __future__ import annotations

from typing import Any

import pytest

from dialer.agents import messages as m
from dialer.agents.desk_commands import obey
from dialer.agents.desk_model import Desk
from dialer.agents.messages import DeskState, Refused
from dialer.core import events as e
from dialer.core.events import AgentEvent

S = DeskState
OBEYED: dict[type[Any], tuple[dict[str, Any], set[DeskState], type[AgentEvent]]] = {
    m.Ready: ({}, {S.READY, S.RESERVED, S.TALKING, S.WRAP_UP}, e.AgentReady),
    m.Accept: ({"call_id": "c1"}, {S.RINGING}, e.AgentAccepted),
    m.Reject: ({"call_id": "c1"}, {S.RINGING}, e.AgentRejected),
    m.WrapUp: ({"call_id": "c1"}, {S.WRAP_UP}, e.AgentWrappedUp),
    m.HangUp: ({"call_id": "c1"}, {S.RESERVED, S.TALKING}, e.AgentHungUp),
    m.Hold: ({"call_id": "c1", "on": True}, {S.TALKING}, e.AgentHeld),
    m.Transfer: ({"call_id": "c1", "to_agent": "ba"}, {S.TALKING}, e.AgentTransferred),
    m.Dial: ({"lead_id": 7}, {S.READY}, e.DialRequested),
}


@pytest.mark.parametrize("phase", [S.READY, S.RINGING, S.RESERVED, S.TALKING, S.WRAP_UP])
@pytest.mark.parametrize("kind", OBEYED)
def test_every_command_in_every_state(kind: type[Any], phase: DeskState) -> None:
    fields, where, event = OBEYED[kind]
    desk, told = Desk("an", 0.0), []
    desk.hold(phase, None if phase is S.READY else "c1", 7, 0.0)
    error = obey(desk, kind(id="1", session="s", **fields), 1.0, lambda _desk, one: told.append(one))
    if phase in where:
        assert (error, [type(one) for one in told]) == (None, [event])
    else:
        wish = kind is m.Ready
        assert (error, told) == (None if wish else Refused.BUSY if kind is m.Dial else Refused.TOO_LATE, [])
        assert desk.phase is phase


def test_a_pause_while_it_rings_is_a_no_to_the_offer() -> None:
    desk, told = Desk("an", 0.0), []
    desk.hold(S.RINGING, "c1", 7, 0.0)
    obey(desk, m.Pause(id="1", session="s", code="lunch"), 1.0, lambda _desk, one: told.append(one))
    assert told == [e.AgentRejected("an", "c1", 7), e.AgentPaused("an", "lunch")]
