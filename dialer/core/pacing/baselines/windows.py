"""What other dialers recount from their logs: calls, answers and drops over the last minutes and since midnight."""

from __future__ import annotations

from collections import deque

from dialer.core.pacing.base import Allowance, Snapshot, Tally
from dialer.core.types import HoldReason

DAY_S = 86_400.0
NOBODY = Allowance(0, HoldReason.NO_AGENT, "no agent is at work")
NOT_NOW = Allowance(0, HoldReason.PACING, "between two looks at the campaign")


def calls(wanted: float, snapshot: Snapshot, detail: str) -> Allowance:
    """Return so many calls, rounded, at least none and at most the campaign's room."""
    return Allowance(max(0, min(round(wanted), snapshot.room)), HoldReason.PACING, detail)


class Log:
    """Tallies of the past, to subtract from the present one; times in epoch seconds, of one campaign."""

    def __init__(self, keep_s: float) -> None:
        """Remember tallies for so long."""
        self._keep_s = keep_s
        self._past: deque[tuple[float, Tally]] = deque()
        self._day = -1
        self._midnight = Tally()

    def note(self, tally: Tally, now: float) -> None:
        """Remember the tally of this moment."""
        if int(now // DAY_S) != self._day:
            self._day, self._midnight = int(now // DAY_S), self._past[-1][1] if self._past else Tally()
        self._past.append((now, tally))
        while len(self._past) > 1 and self._past[1][0] <= now - self._keep_s:
            self._past.popleft()

    def last(self, seconds: float) -> Tally:
        """Return what happened in the last `seconds` before the latest note."""
        now, latest = self._past[-1]
        first = next((tally for at, tally in reversed(self._past) if at <= now - seconds), self._past[0][1])
        return difference(latest, first)

    def today(self) -> Tally:
        """Return what happened since midnight UTC."""
        return difference(self._past[-1][1], self._midnight)


def difference(later: Tally, earlier: Tally) -> Tally:
    """Return the counts between two tallies."""
    return Tally(
        placed=later.placed - earlier.placed,
        finished=later.finished - earlier.finished,
        answered=later.answered - earlier.answered,
        abandoned=later.abandoned - earlier.abandoned,
    )


def percent(part: int, whole: int) -> float:
    """Return 100 x part / whole, of nothing 0."""
    return 100.0 * part / whole if whole else 0.0
