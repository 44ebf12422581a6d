"""OSDial's ADAPT_AVERAGE (pacing.md 2.4): VICIdial's level with a limiter that moves in small steps."""

from __future__ import annotations

import msgspec

from dialer.core.pacing.baselines.vicidial import Vicidial, VicidialSettings
from dialer.core.pacing.baselines.windows import percent

_MINUTE_S, _FIVE_MINUTES_S = 60.0, 300.0
_FEW_CALLS, _WILD_PERCENT = 20, 50.0
_FEW_ANSWERS = 50
_WILD_FACTOR = 0.75


class OsdialSettings(msgspec.Struct, frozen=True):
    """`step` is the limiter's: up by 1 + step, down by 1 - step each 15 s (the source has steps near 0.001)."""

    step: float = 0.001
    available_only_tally: bool = False
    maximum_level: float = 3.0
    dropped_percentage: float = 3.0


class Osdial(Vicidial):
    """While the day is over its limit the level creeps: up, if the last minutes were within it; down, if not."""

    def __init__(self, settings: OsdialSettings) -> None:
        """Start at level 1."""
        super().__init__(
            VicidialSettings(
                available_only_tally=settings.available_only_tally,
                maximum_level=settings.maximum_level,
                dropped_percentage=settings.dropped_percentage,
            )
        )
        self.name = "osdial"
        self._step = settings.step

    def _limited(self, level: float, now: float) -> float:  # noqa: ARG002 -- no taper here
        limit = self.settings.dropped_percentage
        minute, five, day = self._log.last(_MINUTE_S), self._log.last(_FIVE_MINUTES_S), self._log.today()
        lower = 1 - self._step
        if minute.placed > _FEW_CALLS and percent(minute.abandoned, minute.placed) > _WILD_PERCENT:
            return self.level * _WILD_FACTOR * lower
        if day.answered <= _FEW_ANSWERS or percent(day.abandoned, day.answered) <= limit:
            return level
        if percent(minute.abandoned, minute.answered) > limit:
            return self.level * lower
        if percent(five.abandoned, five.answered) <= limit:
            return min(self.level * (1 + self._step), self.settings.maximum_level)
        return self.level
