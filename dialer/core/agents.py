"""Agents of one campaign: a state table, who is idle longest, and where their time went."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from dialer.core.types import AgentId

if TYPE_CHECKING:
    from dialer.core.calls import Call


class AgentState(StrEnum):
    """PITEL's Ready, Not Ready, Talk, After call.

    RINGING: asked whether they take a call. RESERVED: the moment between the choice and the talk.
    """

    NOT_READY = "not_ready"
    READY = "ready"
    RINGING = "ringing"
    RESERVED = "reserved"
    TALKING = "talking"
    WRAP_UP = "wrap_up"


class AgentInput(StrEnum):
    """What moves an agent."""

    READY = "ready"
    PAUSE = "pause"
    OFFER = "offer"
    ACCEPT = "accept"
    DECLINE = "decline"
    WITHDRAW = "withdraw"
    """The offer is over and it was not the agent's doing: their idle time goes on."""
    MISS = "miss"
    RESERVE = "reserve"
    JOIN = "join"
    UNREACHABLE = "unreachable"
    RELEASE = "release"
    HANGUP = "hangup"
    DONE = "done"
    RETURN = "return"
    """A call that was given away comes back."""


_S, _I = AgentState, AgentInput
TRANSITIONS: dict[tuple[AgentState, AgentInput], AgentState] = {
    (_S.NOT_READY, _I.READY): _S.READY,
    (_S.NOT_READY, _I.PAUSE): _S.NOT_READY,
    (_S.READY, _I.READY): _S.READY,
    (_S.READY, _I.PAUSE): _S.NOT_READY,
    (_S.READY, _I.RESERVE): _S.RESERVED,
    (_S.READY, _I.OFFER): _S.RINGING,
    (_S.RINGING, _I.ACCEPT): _S.RESERVED,
    (_S.RINGING, _I.DECLINE): _S.READY,
    (_S.RINGING, _I.WITHDRAW): _S.READY,
    (_S.RINGING, _I.MISS): _S.NOT_READY,
    (_S.RESERVED, _I.JOIN): _S.TALKING,
    (_S.RESERVED, _I.RELEASE): _S.READY,
    (_S.RESERVED, _I.UNREACHABLE): _S.NOT_READY,
    (_S.TALKING, _I.HANGUP): _S.WRAP_UP,
    (_S.WRAP_UP, _I.DONE): _S.READY,
    (_S.WRAP_UP, _I.READY): _S.READY,
    (_S.WRAP_UP, _I.PAUSE): _S.WRAP_UP,
    (_S.WRAP_UP, _I.RETURN): _S.RESERVED,
}


class Agent:
    """One signed-in agent; `call` is the call offered, reserved, talked or wrapped up."""

    __slots__ = ("agent_id", "call", "code", "idle_since", "pause_after", "served", "since", "state")

    def __init__(self, agent_id: AgentId, now: float) -> None:
        self.agent_id = agent_id
        self.state = AgentState.NOT_READY
        self.since = now
        self.idle_since = now
        """Since when ready, offers that came to nothing left out."""
        self.served = 0
        """Talks since they signed in."""
        self.call: Call | None = None
        self.pause_after = False
        self.code = ""


class Roster:
    """All agents signed in to a campaign; `seconds` is the time they spent in states that they have left."""

    def __init__(self) -> None:
        self._agents: dict[AgentId, Agent] = {}
        self._in: dict[AgentState, dict[AgentId, Agent]] = {state: {} for state in AgentState}
        self.seconds: dict[AgentState, float] = dict.fromkeys(AgentState, 0.0)

    def __len__(self) -> int:
        """Count the agents who are signed in."""
        return len(self._agents)

    def get(self, agent_id: AgentId) -> Agent | None:
        """Return the agent, None when not signed in here."""
        return self._agents.get(agent_id)

    def sign_in(self, agent_id: AgentId, now: float) -> Agent:
        """Add the agent, not ready; an agent who is here already stays as is."""
        agent = self._agents.get(agent_id)
        if agent is None:
            agent = self._agents[agent_id] = Agent(agent_id, now)
            self._in[agent.state][agent_id] = agent
        return agent

    def restore(self, agent: Agent, now: float) -> None:
        """Put an agent who was removed back, in the state of that time."""
        agent.since = now
        self._agents[agent.agent_id] = agent
        self._in[agent.state][agent.agent_id] = agent

    def move(self, agent: Agent, what: AgentInput, now: float) -> bool:
        """Apply one input; return False (and change nothing) when the table has no such row."""
        target = TRANSITIONS.get((agent.state, what))
        if target is None:
            return False
        if target is not agent.state:
            self.seconds[agent.state] += now - agent.since
            del self._in[agent.state][agent.agent_id]
            self._in[target][agent.agent_id] = agent
            agent.state, agent.since = target, now
            if what is AgentInput.WITHDRAW:
                self._in[target] = dict(sorted(self._in[target].items(), key=_idle_since))
            elif target is AgentState.READY:
                agent.idle_since = now
        return True

    def remove(self, agent: Agent, now: float) -> None:
        """Take the agent out; the time so far is kept."""
        self.seconds[agent.state] += now - agent.since
        del self._in[agent.state][agent.agent_id]
        del self._agents[agent.agent_id]

    def in_state(self, state: AgentState) -> dict[AgentId, Agent]:
        """Return the agents of a state, longest in it first (of those who are ready, longest idle)."""
        return self._in[state]

    def ready(self, agent_id: AgentId | None) -> Agent | None:
        """Return the agent if ready for a call."""
        return None if agent_id is None else self._in[AgentState.READY].get(agent_id)

    def longest_idle(self) -> Agent | None:
        """Return the agent who has been ready the longest."""
        return next(iter(self._in[AgentState.READY].values()), None)

    def occupancy(self, now: float) -> float | None:
        """Return (talk + wrap-up) / staffed time without pauses, None before anybody worked."""
        spent = {
            state: self.seconds[state] + sum(now - a.since for a in agents.values())
            for state, agents in self._in.items()
        }
        staffed = sum(seconds for state, seconds in spent.items() if state is not AgentState.NOT_READY)
        busy = spent[AgentState.TALKING] + spent[AgentState.WRAP_UP]
        return busy / staffed if staffed > 0 else None


def _idle_since(item: tuple[AgentId, Agent]) -> float:
    return item[1].idle_since
