"""Stop a campaign whose every call would fail for what it would play, before it has gone through its leads."""

from __future__ import annotations

from typing import Final

from statuses.outcomes import LocalError

TRIES: Final = 3
"""So many calls in a row may fail for their content before the campaign is held."""
RETRY_S: Final = 300.0
"""A held campaign tries one call again after this: a key may have been paid for, a file put back."""
RETRY_MOST_S: Final = 3600.0
"""Each failure of such a call doubles the time up to this."""


class ContentWatch:
    """Count the calls that fail for what they would play; until one leaves, only a few are tried."""

    __slots__ = ("_failures", "_held_until", "_proven", "_trying", "error")

    def __init__(self) -> None:
        self.error: LocalError | None = None
        """What was wrong last."""
        self._failures = 0
        self._proven = False
        self._trying: set[str] = set()
        """Calls that have been begun and have not left."""
        self._held_until = 0.0

    def begun(self, call_id: str) -> None:
        """Note that a call was begun."""
        self._trying.add(call_id)

    def left(self, call_id: str) -> None:
        """Note that a call has left, or ended for another reason."""
        if call_id in self._trying:
            self._trying.discard(call_id)
            self._failures, self._proven = 0, True

    def dropped(self, call_id: str) -> None:
        """Note that a call came to nothing before its content was looked at."""
        self._trying.discard(call_id)

    def failed(self, call_id: str, error: LocalError, now: float) -> None:
        """Note a fault of the content."""
        self._trying.discard(call_id)
        self.error, self._proven = error, False
        self._failures += 1
        if self._failures >= TRIES:
            self._held_until = now + min(RETRY_S * 2.0 ** (self._failures - TRIES), RETRY_MOST_S)

    def retry_at(self, now: float) -> float | None:
        """Return until when nothing is dialed, None when calls may be tried."""
        return self._held_until if now < self._held_until else None

    def holds(self, now: float, *, for_good: bool) -> bool:
        """Tell whether nothing may be dialed; `for_good`: until what is wrong is changed, no call is tried."""
        return self._failures >= TRIES and (for_good or now < self._held_until)

    def room(self) -> int | None:
        """Return how many calls may be begun, None: as many as there is room for otherwise."""
        if self._proven:
            return None
        return max(0, max(1, TRIES - self._failures) - len(self._trying))
