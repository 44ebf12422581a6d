"""Which hotline (caller id) an attempt shows."""

from __future__ import annotations

from collections.abc import Sequence

from dialer.core.types import Lead
from statuses.outcomes import CallStatus

STRATEGIES = ("rotate", "sticky", "least_used")


class HotlinePicker:
    """Pick a hotline by strategy among those that are not benched.

    `rotate`: in turn. `sticky`: the lead's last one, else in turn. `least_used`: the one picked least often. After
    Congestion another hotline than the last is preferred, whatever the strategy (statuses.md 2.11).
    """

    def __init__(self, hotlines: Sequence[str], strategy: str) -> None:
        if strategy not in STRATEGIES:
            raise ValueError(f"hotline_strategy: there is no {strategy!r}; choose one of {', '.join(STRATEGIES)}")
        self._strategy = strategy
        self._uses = dict.fromkeys(hotlines, 0)
        self._turn = list(self._uses)
        """Next in turn first."""
        self._benched: dict[str, float] = {}

    def bench(self, hotline: str, until: float) -> None:
        """Take a hotline out until a moment; a later bench prolongs, an earlier one changes nothing."""
        self._benched[hotline] = max(until, self._benched.get(hotline, until))

    def healthy(self, now: float) -> tuple[str, ...]:
        """Return the hotlines that may be used, next in turn first."""
        return tuple(hotline for hotline in self._turn if self._benched.get(hotline, now) <= now)

    def pick(self, lead: Lead, now: float) -> str | None:
        """Return the hotline for this attempt, and count the use; None when all are benched or there is none."""
        usable = self.healthy(now)
        congested = lead.last_status == CallStatus.CONGESTION
        if congested:
            usable = tuple(hotline for hotline in usable if hotline != lead.last_hotline) or usable
        if not usable:
            return None
        picked = self._choose(usable, lead)
        self._uses[picked] += 1
        self._turn.remove(picked)
        self._turn.append(picked)
        return picked

    def _choose(self, usable: tuple[str, ...], lead: Lead) -> str:
        if self._strategy == "sticky" and lead.last_hotline in usable:
            return lead.last_hotline
        if self._strategy == "least_used":
            return min(usable, key=self._uses.__getitem__)
        return usable[0]
