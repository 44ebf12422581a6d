"""How one simulated agent behaves; every agent draws from a stream of its own."""

from __future__ import annotations

from simulator.chance import quantile, stream
from simulator.profile import AgentProfile
from statuses.lead import Trigger

_LINK_LOST_WITHIN_S = 60.0


def agent_name(number: int) -> str:
    """Return what people see, for number 1 "Agent 01"."""
    return f"Agent {number:02d}"


def agent_id(number: int) -> str:
    """Return the id of an agent, for number 1 "agent-01"."""
    return f"agent-{number:02d}"


class Temper:
    """The compiled distributions of a profile, shared by its agents."""

    def __init__(self, profile: AgentProfile) -> None:
        self.profile = profile
        self.wrap_up = quantile(profile.wrap_up)
        self.accept_after = quantile(profile.accept_after)
        self.break_every = None if profile.break_every is None else quantile(profile.break_every)
        self.break_length = quantile(profile.break_length)
        self.away = quantile(profile.away)
        self.callback_after = quantile(profile.callback_after)


class Person:
    """One agent's decisions. Durations in seconds; the order of questions is part of the stream."""

    def __init__(self, agent: str, temper: Temper, *, seed: int) -> None:
        self._temper = temper
        self._random = stream(seed, f"agent/{agent}").random
        self.arrives_after_s = temper.profile.arrive_within_s * self._random()
        self.goes_home = self._random() < temper.profile.leave_share

    def _draw(self) -> float:
        return min(max(self._random(), 1e-9), 1.0 - 1e-9)

    def wrap_s(self) -> float:
        """Return how long the next after-call work takes."""
        return self._temper.wrap_up(self._draw())

    def reply(self) -> tuple[float, bool] | None:
        """Return when the agent answers an offer, and whether with yes; None: not at all."""
        choice, profile = self._random(), self._temper.profile
        after_s = self._temper.accept_after(self._draw())
        if choice < profile.misses:
            return None
        return after_s, choice >= profile.misses + profile.rejects

    def until_break_s(self) -> float | None:
        """Return the time at work before the next break, None without breaks."""
        every = self._temper.break_every
        return None if every is None else every(self._draw())

    def break_s(self) -> float:
        """Return how long this break takes."""
        return self._temper.break_length(self._draw())

    def away_s(self) -> float:
        """Return how long a lost link stays lost."""
        return self._temper.away(self._draw())

    def loses_link_after_s(self) -> float | None:
        """Return when in the next talk the link goes down, None when it holds."""
        lost, when = self._random(), self._random()
        return _LINK_LOST_WITHIN_S * when if lost < self._temper.profile.link_lost else None

    def word(self, now: float) -> tuple[Trigger, float | None]:
        """Return what the agent decides about the lead after a talk, and when to call back."""
        choice, profile = self._random(), self._temper.profile
        later = self._temper.callback_after(self._draw())
        if choice < profile.callback:
            return Trigger.CALLBACK_ASKED, now + later
        if choice < profile.callback + profile.do_not_recall:
            return Trigger.DO_NOT_RECALL, None
        return Trigger.ANSWERED, None
