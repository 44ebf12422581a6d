"""A bad network: seeded loss, duplication, reordering and delay, one decision per datagram."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, Final

import msgspec

from simulator.chance import stream
from simulator.profile import Share

Milliseconds = Annotated[float, msgspec.Meta(ge=0, le=60_000)]

_CLEAN: Final[Sequence[float]] = (0.0,)
_LOST: Final[Sequence[float]] = ()


class Weather(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What one direction does to datagrams; shares in 0..1, milliseconds."""

    loss: Share = 0.0
    duplicate: Share = 0.0
    reorder: Share = 0.0
    """Datagrams that are held for `reorder_ms`, so that later ones overtake them."""
    reorder_ms: Milliseconds = 100.0
    delay_ms: Milliseconds = 0.0
    jitter_ms: Milliseconds = 0.0
    """Added to the delay, uniform in 0..jitter_ms; it reorders too."""

    @property
    def is_fair(self) -> bool:
        """Tell whether every datagram passes at once."""
        return not (self.loss or self.duplicate or self.reorder or self.delay_ms or self.jitter_ms)


class Impairment:
    """Decide for each datagram of one direction; the n-th decision depends on seed, direction and weather only."""

    def __init__(self, weather: Weather, *, seed: int, direction: str) -> None:
        self._draw: Callable[[], float] = stream(seed, f"impair/{direction}").random
        self.lost = 0
        self.duplicated = 0
        self.set(weather)

    def set(self, weather: Weather) -> None:
        """Change the weather from the next datagram on."""
        self.weather = weather
        self._fair = weather.is_fair

    def delays(self) -> Sequence[float]:
        """Return the seconds after which each copy of the next datagram arrives; none: it is lost."""
        if self._fair:
            return _CLEAN
        weather, draw = self.weather, self._draw
        if draw() < weather.loss:
            self.lost += 1
            return _LOST
        first = self._delay()
        if draw() >= weather.duplicate:
            return (first,)
        self.duplicated += 1
        return first, self._delay()

    def _delay(self) -> float:
        weather, draw = self.weather, self._draw
        ms = weather.delay_ms + weather.jitter_ms * draw()
        return (ms + weather.reorder_ms if draw() < weather.reorder else ms) / 1000.0
