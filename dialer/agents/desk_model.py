"""One agent as the book of desks knows them (pure)."""

from __future__ import annotations

from collections import deque
from typing import Final, NamedTuple

from dialer.agents.messages import Answer, DeskState, Offer, Presence, State
from dialer.core.events import AgentEvent
from dialer.core.types import AgentId, CallId

REMEMBERED: Final = 256
"""Command ids of an agent that are known again."""
ENDED_SESSIONS: Final = 32
"""Sessions of an agent that are known to be over."""
BUSY: Final = frozenset({DeskState.RINGING, DeskState.RESERVED, DeskState.TALKING, DeskState.WRAP_UP})


class Desk:
    """One agent; `phase` is READY while nothing holds them, whether or not they want calls (`wants`)."""

    __slots__ = (
        "agent_id", "answer", "away_at", "call_id", "campaign", "code", "ended", "ends_at", "lead_id", "online",
        "phase", "seen", "session", "since", "told", "unseen", "wants",
    )  # fmt: skip

    def __init__(self, agent_id: AgentId, now: float) -> None:
        self.agent_id = agent_id
        self.session = ""
        self.online = False
        self.away_at: float | None = None
        self.unseen = False
        """The broker was lost, and the desk has not been heard of since."""
        self.campaign: int | None = None
        self.told = False
        """The engine of the campaign knows of the agent."""
        self.wants = False
        self.code = ""
        self.phase = DeskState.READY
        self.call_id: str | None = None
        self.lead_id: int | None = None
        self.ends_at: float | None = None
        self.since = now
        self.answer: Answer | None = None
        self.ended: deque[str] = deque(maxlen=ENDED_SESSIONS)
        self.seen: deque[str] = deque(maxlen=REMEMBERED)

    @property
    def is_here(self) -> bool:
        """Tell whether the desk can be reached."""
        return self.online and not self.unseen

    @property
    def shown(self) -> DeskState:
        """Return what the agent is doing."""
        if self.campaign is None:
            return DeskState.OFFLINE
        if self.phase is not DeskState.READY:
            return self.phase
        return DeskState.READY if self.wants and self.is_here else DeskState.NOT_READY

    def hold(self, phase: DeskState, call_id: CallId | None, lead_id: int | None, now: float) -> None:
        """Have a call, its offer or its wrap-up hold the agent."""
        self.phase, self.since, self.ends_at = phase, now, None
        self.call_id, self.lead_id = call_id, lead_id

    def free(self, now: float) -> None:
        """Have nothing hold the agent."""
        if self.phase is not DeskState.READY:
            self.phase, self.since = DeskState.READY, now
        self.call_id = self.lead_id = self.ends_at = None

    def holds(self, call_id: CallId | None, lead_id: int | None) -> bool:
        """Tell whether this call, or without one this lead, is what holds the agent."""
        return self.call_id == call_id if call_id is not None else self.call_id is None and self.lead_id == lead_id

    def is_over(self, session: str) -> bool:
        """Tell whether another connection, or none, is in charge."""
        return session != self.session or session in self.ended

    def is_new(self, command_id: str) -> bool:
        """Tell whether a command id comes for the first time, and remember it."""
        if command_id in self.seen:
            return False
        self.seen.append(command_id)
        return True


class Taken(NamedTuple):
    """What is to be passed on: to the engines, and to the broker."""

    events: list[tuple[int, AgentEvent]]
    offers: list[tuple[AgentId, Offer]]
    states: list[tuple[AgentId, State]]
    presences: list[tuple[AgentId, Presence]]
    """What the broker is to keep instead of what an ended session left there."""
