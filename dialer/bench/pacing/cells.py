"""What is compared: cells (a world, a team, an answer rate or a shift), goals (pacing.md 0), the length of a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

import msgspec

from dialer.bench.pacing.people import SHIFTS, STEADY, WORLDS, Shift, World

GRIDS: Final = ("markov", "realistic", "shift")
LIMIT: Final = 0.03
"""Abandoned / answered, for every policy."""
TARGET: Final = 0.97 * LIMIT
"""What our policy steers to: the legal budget stops it at the limit itself."""
WARM_UP_S: Final = 2 * 3600.0
_HOURS: Mapping[int, float] = MappingProxyType({5: 8, 10: 8, 20: 6, 50: 3, 100: 2})
"""Measured hours by agents: large teams answer more calls in an hour."""
_SHIFT_HOURS: Final = 5.0
_COLD_HOURS: Final = 8.0
REALISTIC_GOALS: Mapping[int, float] = MappingProxyType({5: 0.76, 10: 0.84, 20: 0.89, 50: 0.94, 100: 0.96})
"""Occupancy at p = .2."""
AHEAD_GOALS: Mapping[int, float] = MappingProxyType({5: 0.0, 10: 15.0, 20: 0.0, 50: 0.0, 100: 0.0})
"""Points of occupancy ahead of the best-tuned VICIdial, in the realistic world at p = .2."""
OPTIMUM_SHARE: Final = 0.99
"""Of the exact optimum, in the Markov world."""
WORST_HALF_HOUR: Final = 0.06
"""Abandoned / answered in any 30 minutes of a shift."""
RECOVERED_S: Final = 600.0
"""Occupancy is back within 2 points of steady state."""
AGENTS: Final = (5, 10, 20, 50, 100)
ANSWERS: Final = (0.1, 0.2, 0.3, 0.5)


class Cell(msgspec.Struct, frozen=True):
    """One world, one team, one answer rate; `shift` names what changes."""

    grid: str
    agents: int
    p: float
    shift: str = STEADY.name

    @property
    def world(self) -> World:
        """Return the people's times."""
        return WORLDS["markov" if self.grid == "markov" else "realistic"]

    @property
    def change(self) -> Shift:
        """Return what changes."""
        return SHIFTS.get(self.shift, STEADY)

    @property
    def warm_up_s(self) -> float:
        """Return the seconds that are played before anything is measured."""
        return 0.0 if self.change.cold else WARM_UP_S

    @property
    def measured_s(self) -> float:
        """Return the seconds that are measured."""
        if self.change is not STEADY:
            return 3600.0 * (_COLD_HOURS if self.change.cold else _SHIFT_HOURS)
        return 3600.0 * next((hours for size, hours in sorted(_HOURS.items()) if self.agents <= size), 2.0)

    @property
    def tuned_on(self) -> Cell:
        """Return the cell that policies are tuned in: a shift comes as a surprise."""
        return self if self.change is STEADY else Cell("realistic", self.agents, self.change.before)

    @property
    def title(self) -> str:
        """Return the name for people."""
        return f"{self.grid} N={self.agents} p={self.p:g}" if self.change is STEADY else f"{self.shift} N={self.agents}"


def cells_of(grid: str, agents: Sequence[int], answers: Sequence[float]) -> list[Cell]:
    """Return the cells of a grid; a shift brings its own answer rates. Raises ValueError for what cannot be."""
    if grid not in GRIDS:
        raise ValueError(f"grid: there is no {grid!r}; choose one of {', '.join(GRIDS)}")
    for count in agents:
        if count < 1:
            raise ValueError(f"agents: a team has at least one agent, not {count}")
    for p in answers:
        if not 0 < p <= 1:
            raise ValueError(f"answer: a share of people who answer is above 0 and at most 1, not {p:g}")
    if grid == "shift":
        return [Cell(grid, count, shift.before, shift.name) for count in agents for shift in SHIFTS.values()]
    return [Cell(grid, count, p) for count in agents for p in answers]
