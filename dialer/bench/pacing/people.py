"""The people of the benchmark: who answers, after how long, and for how long they talk, the same for every policy.

Common random numbers: the n-th attempt of a seed is the same person with the same patience whichever policy dials; only
the share of people who answer may depend on the time of day (the shifts).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TypeAlias

import msgspec
import numpy as np

from dialer.core.pacing.centre import StaffChange

_BLOCK = 4096
_HOUR = 3600.0
_RINGS_OUT = 0.7
_STORM_FAILS_S = 0.2
"""A trunk that is out answers 503 at once."""
Draw: TypeAlias = Callable[[np.random.Generator, int], tuple[list[float], list[float], list[float], list[float]]]
"""(generator, count) -> seconds to the answer, to the failure, of talk, of wrap-up."""


class World(msgspec.Struct, frozen=True):
    """Times of people in general (pacing.md 0); seconds."""

    name: str
    grace_s: float
    draw: Draw


def _markov(rng: np.random.Generator, count: int) -> tuple[list[float], list[float], list[float], list[float]]:
    ring = rng.exponential(15.0, count).tolist()
    return ring, ring, rng.exponential(120.0, count).tolist(), [0.0] * count


def _realistic(rng: np.random.Generator, count: int) -> tuple[list[float], list[float], list[float], list[float]]:
    answer = np.maximum(rng.normal(10.0, 4.0, count), 1.0)
    fail = np.where(rng.random(count) < _RINGS_OUT, 25.0, rng.uniform(1.0, 5.0, count))
    sigma = math.sqrt(math.log(1 + 0.8**2))
    talk = rng.lognormal(math.log(105.0) - sigma**2 / 2, sigma, count)
    return answer.tolist(), fail.tolist(), talk.tolist(), [15.0] * count


WORLDS: Mapping[str, World] = MappingProxyType(
    {"markov": World("markov", 0.0, _markov), "realistic": World("realistic", 2.0, _realistic)}
)


class Shift(msgspec.Struct, frozen=True):
    """What changes during a run; times in seconds from the start of the run."""

    name: str
    about: str
    at: float = 3 * _HOUR
    """When it happens; what follows is compared with what the policy reaches in the end."""
    before: float = 0.2
    after: float = 0.2
    """Share of people who answer before and after `at`."""
    bursts: bool = False
    """For ten minutes of each hour after `at` the share is `burst_p`."""
    burst_p: float = 0.5
    clump: int = 0
    """So many people in a row on the list are alike: half the clumps answer never, the others twice as often."""
    sine: float = 0.0
    """Relative height of a wave over four hours."""
    more_ring_s: float = 0.0
    """Post-dial delay added from `at` on."""
    storm_s: float = 0.0
    """For so long from `at` every call fails at once."""
    leave_share: float = 0.0
    """This share of the agents goes at `at`."""
    cold: bool = False
    """Nothing is known at the start, and the legal window is empty."""

    def p_at(self, number: int, now: float) -> float:
        """Return the chance that this attempt, placed now, is answered."""
        p = self.after if now >= self.at else self.before
        if self.bursts and now >= self.at and (now - self.at) % _HOUR < _HOUR / 6:
            p = self.burst_p
        if self.clump and now >= self.at:
            p *= 2.0 * ((number // self.clump * 2654435761 >> 7) % 2)
        if self.sine:
            p *= 1 + self.sine * math.sin(2 * math.pi * now / (4 * _HOUR))
        return p

    def staff(self, agents: int) -> tuple[StaffChange, ...]:
        """Return the agents who go."""
        gone = round(agents * self.leave_share)
        return (StaffChange(self.at, -gone),) if gone else ()


STEADY = Shift("steady", "nothing changes", at=0.0)
SHIFTS: Mapping[str, Shift] = MappingProxyType(
    {
        shift.name: shift
        for shift in (
            Shift("more-answers", "the answer rate steps from .2 to .5", after=0.5),
            Shift("fewer-answers", "the answer rate steps from .5 to .2", before=0.5),
            Shift("bursts", "ten minutes of each hour half of the people answer", bursts=True),
            Shift("clumps", "runs of 40 leads that never answer and runs that answer twice as often", clump=40),
            Shift("leave", "30 % of the agents go at once", leave_share=0.3),
            Shift("storm", "five minutes of 503 from the trunk", storm_s=300.0),
            Shift("delay", "three seconds of post-dial delay more", more_ring_s=3.0),
            Shift("sine", "the answer rate swings by 40 % over four hours", at=0.0, sine=0.4),
            Shift("cold", "a campaign's first day: nothing is known, the legal window is empty", at=0.0, cold=True),
        )
    }
)


class People:
    """The people of one seed; `Customers` of a centre."""

    def __init__(self, world: World, p: float, seed: int, shift: Shift = STEADY) -> None:
        """Take the share `p` of people who answer, for a shift that has none of its own."""
        self._world, self._p, self._seed, self._shift = world, p, seed, shift
        self._steady = shift.name == STEADY.name
        self._luck: list[float] = []
        self._times: tuple[list[float], list[float], list[float], list[float]] = ([], [], [], [])

    def attempt(self, number: int, now: float) -> tuple[bool, float]:
        """Return whether a person answers, and the seconds until the answer or the failure."""
        if number >= len(self._luck):
            self._draw(number)
        if self._steady:
            answers, more = self._luck[number] < self._p, 0.0
        else:
            shift = self._shift
            if shift.at <= now < shift.at + shift.storm_s:
                return False, _STORM_FAILS_S
            answers = self._luck[number] < shift.p_at(number, now)
            more = shift.more_ring_s if now >= shift.at else 0.0
        return answers, more + self._times[0 if answers else 1][number]

    def talk_s(self, number: int) -> float:
        """Return the seconds of talk."""
        return self._times[2][number]

    def wrap_s(self, number: int) -> float:
        """Return the seconds of wrap-up."""
        return self._times[3][number]

    def _draw(self, number: int) -> None:
        while number >= len(self._luck):
            rng = np.random.default_rng([self._seed, len(self._luck) // _BLOCK])
            self._luck.extend(rng.random(_BLOCK).tolist())
            for known, drawn in zip(self._times, self._world.draw(rng, _BLOCK), strict=True):
                known.extend(drawn)
