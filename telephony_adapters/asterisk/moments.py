"""When things happened at Asterisk, by our clock: its events say when by its own, and reach us later; pure."""

from __future__ import annotations

from typing import Final

from telephony_adapters.asterisk.names import moment

SAME_S: Final = 1.0
"""Clocks that seem to differ by less are taken for one: what lies between is that an event came late."""
LATE_S: Final = 10.0
"""No event comes so late: one of the clocks was set."""


class Moments:
    """Learns how far the two clocks are apart: no more than the quickest event took."""

    def __init__(self) -> None:
        self._apart_s: float | None = None

    def of(self, stamp: str, now: float) -> float | None:
        """Return when an event happened that is heard of now; None: its stamp cannot be read."""
        theirs = moment(stamp)
        if not theirs:
            return None
        apart = now - theirs
        if self._apart_s is None or apart < self._apart_s or apart > self._apart_s + LATE_S:
            self._apart_s = apart
        return min(now, theirs + (0.0 if abs(self._apart_s) < SAME_S else self._apart_s))
