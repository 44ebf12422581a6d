"""Live figures of one campaign: what the console, the API and `campaign status` show."""

from __future__ import annotations

import msgspec

from dialer.core.types import AgentId, CallId, HoldReason


class Sample(msgspec.Struct, frozen=True, gc=False):
    """One point of the 15-minute chart: gauges at `at`; `placed` and its like count since the last point."""

    at: float
    idle: int
    talking: int
    wrapping: int
    ringing: int
    waiting: int
    placed: int
    answered: int
    abandoned: int


class AgentNow(msgspec.Struct, frozen=True, gc=False):
    """One signed-in agent: the state (of AgentState), since when, and the call and lead that it is about."""

    agent_id: AgentId
    state: str
    since: float
    code: str = ""
    call_id: CallId | None = None
    lead_id: int | None = None


class LiveFigures(msgspec.Struct, frozen=True):
    """One campaign at one moment. Rates are shares in 0..1; None = nothing to divide by yet."""

    campaign_id: int
    at: float
    running: bool
    idle: int
    reserved: int
    talking: int
    wrapping: int
    paused: int
    ringing: int
    """Placed, not answered (from INVITE on)."""
    waiting: int
    """Answered, no agent yet."""
    bridged: int
    hopper: int
    placed: int
    answered: int
    """Answered by a person for whom an agent was meant, over the legal window."""
    abandoned: int
    answer_rate: float | None
    abandonment: float | None
    abandon_limit: float
    occupancy: float | None
    dials: int
    """Calls placed by the last decision."""
    reason: HoldReason | None
    """What limited the last decision; None = nothing did."""
    detail: str
    next_open_at: float | None
    """When the call window opens again, if it is closed."""
    samples: tuple[Sample, ...] = ()
    asked: int = 0
    """Agents who are asked whether they take a call."""
    inbound: int = 0
    """Calls to the hotlines in progress."""
    ignored: int = 0
    """Impossible durations (a clock that stepped back) that were not learned from."""
    fallbacks: int = 0
    """Decisions that the pacer could not make and progressive made."""
    strays: int = 0
    """Facts about calls or agents that the engine did not expect: the trunk or a desk is out of step."""
    agents: tuple[AgentNow, ...] = ()
    """Who is signed in, by id."""
