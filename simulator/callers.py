"""People who call our hotlines, at random moments: strangers, and those who were called before."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from dialer.core.events import CallArrived
from dialer.core.ids import uuid7
from simulator.carrier import Carrier
from simulator.line import Schedule
from simulator.script import Script

HOUR_S = 3600.0


class Inflow:
    """Let callers come; `arrive(event, script, now, number)` gets each of them, `called()` knows whom we called.

    Nobody comes without hotlines. The n-th caller is the same with the same seed, as far as the calls before are.
    """

    def __init__(
        self,
        carrier: Carrier,
        schedule: Schedule,
        *,
        hotlines: Sequence[str],
        called: Callable[[], Sequence[str]],
        arrive: Callable[[CallArrived, Script, float, int], None],
    ) -> None:
        self._carrier = carrier
        self._profile = carrier.profile.callers
        self._hotlines = hotlines
        self._at = schedule
        self._called = called
        self._arrive = arrive
        self.until = math.inf
        """Nobody comes from then on."""

    def open(self, now: float) -> None:
        """Begin."""
        if self._profile.per_hour > 0 and self._hotlines:
            self._plan(1, now)

    def _plan(self, number: int, now: float) -> None:
        u, _ = self._carrier.caller(number)
        self._at(now - math.log1p(-u[0]) * HOUR_S / self._profile.per_hour, self._come, number)

    def _come(self, number: int, now: float) -> None:
        if now >= self.until:
            return
        u, script = self._carrier.caller(number)
        hotline = self._hotlines[int(u[1] * len(self._hotlines))]
        known = self._called()
        if known and u[2] < self._profile.known:
            phone = known[int(u[2] / self._profile.known * len(known))]
        else:
            phone = stranger(number)
        call_id = uuid7(now, purpose=f"caller/{number}/{u[1]!r}")
        self._arrive(CallArrived(call_id, phone, hotline, self._profile.trunk), script, now, number)
        self._plan(number + 1, now)


def stranger(number: int) -> str:
    """Return the number of somebody whom nobody has called: of S-Fone's range, which reaches no one since 2012."""
    return f"+84954{number % 1_000_000:06d}"
