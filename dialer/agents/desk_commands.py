"""What agents say, once it is known to be from the connection in charge, and new (pure)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeAlias

from dialer.agents import messages as m
from dialer.agents.desk_model import BUSY, Desk
from dialer.agents.messages import DeskState, Refused
from dialer.core.events import (
    AgentAccepted,
    AgentEvent,
    AgentHeld,
    AgentHungUp,
    AgentPaused,
    AgentReady,
    AgentRejected,
    AgentTransferred,
    AgentWrappedUp,
    DialRequested,
)
from dialer.core.types import Lead

Tell: TypeAlias = Callable[[Desk, AgentEvent], None]
"""How the engine of the agent's campaign hears of it."""
ON_CALL: Final = frozenset({DeskState.RESERVED, DeskState.TALKING})


def obey(desk: Desk, command: m.AnyCommand, now: float, tell: Tell) -> Refused | None:
    """Do what a signed-in agent says; return why not, None when it is done."""
    return _DOING[type(command)](desk, command, now, tell)


def _ready(desk: Desk, _command: m.Ready, now: float, tell: Tell) -> None:
    desk.wants, desk.code = True, ""
    if desk.phase is DeskState.WRAP_UP:
        desk.free(now)
    elif desk.phase is DeskState.READY:
        desk.since = now
    if desk.phase is not DeskState.RINGING:
        tell(desk, AgentReady(desk.agent_id))


def _pause(desk: Desk, command: m.Pause, now: float, tell: Tell) -> None:
    desk.wants, desk.code = False, command.code
    if desk.phase is DeskState.RINGING:
        tell(desk, AgentRejected(desk.agent_id, desk.call_id, desk.lead_id))
        desk.free(now)
    elif desk.phase is DeskState.READY:
        desk.since = now
    tell(desk, AgentPaused(desk.agent_id, command.code))


def _accept(desk: Desk, command: m.Accept, now: float, tell: Tell) -> Refused | None:
    if not _is_offered(desk, command, now):
        return Refused.TOO_LATE
    tell(desk, AgentAccepted(desk.agent_id, desk.call_id, desk.lead_id))
    desk.hold(DeskState.RESERVED, desk.call_id, desk.lead_id, now)
    return None


def _reject(desk: Desk, command: m.Reject, now: float, tell: Tell) -> Refused | None:
    if not _is_offered(desk, command, now):
        return Refused.TOO_LATE
    tell(desk, AgentRejected(desk.agent_id, desk.call_id, desk.lead_id))
    desk.free(now)
    return None


def _is_offered(desk: Desk, command: m.Accept | m.Reject, now: float) -> bool:
    in_time = desk.ends_at is None or now <= desk.ends_at
    return desk.phase is DeskState.RINGING and in_time and desk.holds(command.call_id, command.lead_id)


def _wrap_up(desk: Desk, command: m.WrapUp, now: float, tell: Tell) -> Refused | None:
    if desk.phase is not DeskState.WRAP_UP or command.call_id != desk.call_id:
        return Refused.TOO_LATE
    at = None if command.callback_at is None else command.callback_at.timestamp()
    trigger, stays = m.TRIGGERS[command.result], command.ready
    desk.free(now)
    desk.wants = desk.wants and stays
    tell(desk, AgentWrappedUp(desk.agent_id, trigger, command.disposition, command.note, at, stays))
    return None


def _hang_up(desk: Desk, command: m.HangUp, _now: float, tell: Tell) -> Refused | None:
    if desk.phase not in ON_CALL or command.call_id != desk.call_id:
        return Refused.TOO_LATE
    tell(desk, AgentHungUp(desk.agent_id))
    return None


def _hold(desk: Desk, command: m.Hold, _now: float, tell: Tell) -> Refused | None:
    if desk.phase is not DeskState.TALKING or command.call_id != desk.call_id:
        return Refused.TOO_LATE
    tell(desk, AgentHeld(desk.agent_id, command.on))
    return None


def _transfer(desk: Desk, command: m.Transfer, _now: float, tell: Tell) -> Refused | None:
    if desk.phase is not DeskState.TALKING or command.call_id != desk.call_id:
        return Refused.TOO_LATE
    tell(desk, AgentTransferred(desk.agent_id, command.to_agent, command.to_phone))
    return None


def _dial(desk: Desk, command: m.Dial, _now: float, tell: Tell) -> Refused | None:
    if desk.phase in BUSY:
        return Refused.BUSY
    tell(desk, DialRequested(desk.agent_id, Lead(command.lead_id or 0, 0, 0, command.phone or "")))
    return None


_DOING: Final[dict[type[m.Command], Callable[[Desk, Any, float, Tell], Refused | None]]] = {
    m.Ready: _ready,
    m.Pause: _pause,
    m.Accept: _accept,
    m.Reject: _reject,
    m.WrapUp: _wrap_up,
    m.HangUp: _hang_up,
    m.Hold: _hold,
    m.Transfer: _transfer,
    m.Dial: _dial,
}
