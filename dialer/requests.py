"""What people ask of agents' desks through the console, the API and the command line, and what it is to an engine."""

from __future__ import annotations

from typing import Final, Literal, TypeAlias
from unicodedata import category

import msgspec

from dialer.core.events import (
    AgentHeld,
    AgentHungUp,
    AgentTransferred,
    AgentWrappedUp,
    DialRequested,
    Requested,
    SupervisionAsked,
)
from dialer.core.types import AgentId, Lead, Supervision
from statuses.lead import Trigger

Action: TypeAlias = Literal["dial", "hang_up", "hold", "resume", "transfer", "supervise", "wrap_up"]
ACTIONS: Final[tuple[Action, ...]] = ("dial", "hang_up", "hold", "resume", "transfer", "supervise", "wrap_up")
FRESH_S: Final = 10.0
"""A request that no engine took within so many seconds is not done any more: the person has turned away (seconds)."""


ID_MAX: Final = 2**63 - 1
"""No row has a higher id: the database takes no other number."""
_KEPT: Final = frozenset("\n\t")


def clean(text: str) -> str:
    """Return a text without what no database takes, or no screen shows: control characters and halves of pairs."""
    return "".join(letter for letter in text if letter in _KEPT or category(letter) not in {"Cc", "Cs"})


class Wanted(msgspec.Struct, frozen=True):
    """One thing that an agent's desk is to do; the rest where the action needs it. Numbers are E.164."""

    action: Action
    agent_id: AgentId
    phone: str = ""
    """The number to call, or to send the customer on to."""
    lead_id: int = 0
    """The lead to call, instead of a number."""
    to_agent: AgentId | None = None
    supervisor: AgentId = ""
    mode: Supervision | None = None
    trigger: Trigger = Trigger.ANSWERED
    """What the talk came to: answered (success), callback_asked or do_not_recall."""
    note: str | None = None
    callback_at: float | None = None


def requested(request_id: int, wanted: Wanted) -> Requested:
    """Return the fact that an engine is told."""
    return Requested(request_id, _event(wanted))


def _event(
    wanted: Wanted,
) -> AgentHungUp | AgentHeld | AgentTransferred | DialRequested | SupervisionAsked | AgentWrappedUp:
    agent = wanted.agent_id
    match wanted.action:
        case "dial":
            return DialRequested(agent, Lead(wanted.lead_id, 0, 0, wanted.phone))
        case "hang_up":
            return AgentHungUp(agent)
        case "hold" | "resume":
            return AgentHeld(agent, wanted.action == "hold")
        case "transfer":
            return AgentTransferred(agent, wanted.to_agent, wanted.phone or None)
        case "supervise":
            return SupervisionAsked(agent, wanted.supervisor, wanted.mode)
        case "wrap_up":
            return AgentWrappedUp(agent, wanted.trigger, note=wanted.note, callback_at=wanted.callback_at)
