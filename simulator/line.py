"""One call at the simulated switch, and an agent's leg that waits for one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from dialer.core.types import AgentId, CallId, Direction, Supervision
from simulator.script import Script


class Schedule(Protocol):
    """Run `what(payload, now)` at the moment `at`."""

    def __call__(self, at: float, what: Callable[[Any, float], None], payload: object) -> None:
        """Remember it; `what` must not run before this returns."""
        ...


class Line:
    """One call at the switch.

    `turn` grows when its course changes (who ends it, and when), `join` with each joining, `asked` with each prompt;
    what was scheduled for an older one is void.
    """

    __slots__ = (
        "agent_id", "answered", "asked", "attempt_no", "call_id", "counted", "direction", "heard", "is_joined",
        "is_summoned", "join", "on_hold", "owner", "phone", "placed_at", "playing", "script", "supervisors",
        "tape_from", "tape_turn", "trunk", "turn",
    )  # fmt: skip

    def __init__(
        self, call_id: CallId, script: Script, trunk: str, now: float, owner: object, *, counted: bool
    ) -> None:
        self.call_id = call_id
        self.script = script
        self.trunk = trunk
        self.placed_at = now
        self.owner = owner
        self.counted = counted
        """Holds a channel of the trunk."""
        self.phone = ""
        """The far end; "" = it came to nobody."""
        self.attempt_no = 0
        """Which INVITE to that number it was, or which caller."""
        self.direction = Direction.OUTBOUND
        self.turn = self.join = self.asked = 0
        self.heard = False
        """Something came back: CANCEL may be sent (RFC 3261 section 9.1)."""
        self.answered = self.is_joined = self.playing = self.on_hold = False
        self.is_summoned = False
        """Its agent was on the line before it."""
        self.agent_id: AgentId | None = None
        """Who is joined to it, is being joined, or waits on the line for its answer."""
        self.supervisors: dict[AgentId, Supervision] | None = None
        self.tape_from: float | None = None
        """Recorded since; None: not now."""
        self.tape_turn = 0
        """Recordings so far."""


class Summoned:
    """An agent's leg that waits for a call that is not placed yet; `is_up` once the agent has picked up."""

    __slots__ = ("agent_id", "call_id", "is_up", "owner")

    def __init__(self, call_id: CallId, agent_id: AgentId, owner: object) -> None:
        self.call_id = call_id
        self.agent_id = agent_id
        self.owner = owner
        self.is_up = False
