"""Live figures and the fifteen-minute chart of one engine."""

from __future__ import annotations

from collections import deque

from dialer.core.agents import Agent, AgentState
from dialer.core.calls import Phase
from dialer.core.figures import AgentNow, LiveFigures, Sample
from dialer.core.state import EngineState

SAMPLE_EVERY_S = 10.0
SAMPLES = 90
"""15 minutes."""


class Measure:
    """Look at an engine's state; a sample every ten seconds."""

    def __init__(self, state: EngineState, now: float) -> None:
        self._state = state
        self._samples: deque[Sample] = deque(maxlen=SAMPLES)
        self._last = (0, 0, 0)
        state.timers.set("sample", now + SAMPLE_EVERY_S)

    def sample(self, now: float) -> None:
        """Add one point of the chart."""
        state, totals = self._state, self._state.totals
        staff = state.roster.in_state
        placed, answered, abandoned = self._last
        self._last = (totals.placed, totals.answered, totals.abandoned)
        self._samples.append(
            Sample(
                at=now,
                idle=len(staff(AgentState.READY)),
                talking=sum(len(staff(s)) for s in (AgentState.TALKING, AgentState.RESERVED, AgentState.RINGING)),
                wrapping=len(staff(AgentState.WRAP_UP)),
                ringing=len(state.dialing),
                waiting=len(state.waiting),
                placed=totals.placed - placed,
                answered=totals.answered - answered,
                abandoned=totals.abandoned - abandoned,
            )
        )
        state.timers.set("sample", now + SAMPLE_EVERY_S)

    def figures(self, now: float) -> LiveFigures:
        """Return the figures of this moment."""
        state, totals, budget = self._state, self._state.totals, self._state.budget
        staff = state.roster.in_state
        answers, abandons = budget.counts(now)
        return LiveFigures(
            campaign_id=state.settings.campaign_id,
            at=now,
            running=state.running,
            idle=len(staff(AgentState.READY)),
            reserved=len(staff(AgentState.RESERVED)),
            asked=len(staff(AgentState.RINGING)),
            talking=len(staff(AgentState.TALKING)),
            wrapping=len(staff(AgentState.WRAP_UP)),
            paused=len(staff(AgentState.NOT_READY)),
            ringing=len(state.dialing),
            waiting=len(state.waiting),
            inbound=sum(1 for call in state.calls.values() if call.inbound) + len(state.arrivals),
            bridged=sum(1 for call in state.calls.values() if call.phase is Phase.TALKING),
            hopper=len(state.hopper),
            placed=totals.placed,
            answered=answers,
            abandoned=abandons,
            answer_rate=totals.answered / totals.finished if totals.finished else None,
            abandonment=abandons / answers if answers else None,
            abandon_limit=state.settings.legal.abandon_limit,
            occupancy=state.roster.occupancy(now),
            dials=state.decision.dials,
            reason=state.decision.reason,
            detail=state.decision.detail,
            next_open_at=None if state.window.is_open(now) else state.window.next_open(now),
            samples=tuple(self._samples),
            ignored=state.estimators.ignored,
            fallbacks=totals.fallbacks,
            strays=totals.strays,
            agents=self._agents(),
        )

    def _agents(self) -> tuple[AgentNow, ...]:
        everyone = [agent for state in AgentState for agent in self._state.roster.in_state(state).values()]
        return tuple(self._agent(agent) for agent in sorted(everyone, key=lambda agent: agent.agent_id))

    def _agent(self, agent: Agent) -> AgentNow:
        call = agent.call
        lead = self._state.previews.get(agent.agent_id) if call is None else call.lead
        return AgentNow(
            agent.agent_id, agent.state.value, agent.since, agent.code,
            None if call is None else call.call_id, None if lead is None else lead.lead_id,
        )  # fmt: skip
