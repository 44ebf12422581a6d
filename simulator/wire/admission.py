"""Which course an INVITE takes: the one that its number asks for, or chance by the shares of the profile."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Final, NamedTuple

from simulator.carrier import Carrier, TrunkGate
from simulator.chance import uniforms
from simulator.profile import TrunkProfile
from simulator.wire.course import AT_ONCE, Course, Step, companions, from_script
from simulator.wire.numbers import e164, entries, reaction, subscriber
from simulator.wire.profile import Draws, WireProfile

_MOST_NUMBERS: Final = 1_000_000
"""So many numbers' attempts are remembered; then counting begins again."""


class Drawn(NamedTuple):
    """A course, and which attempt at its number it is for."""

    course: Course
    attempt_no: int = 1


class Admission:
    """Decide; the same seed, number and attempt give the same course, as in the in-process simulator.

    `started_at` is the origin of bursts and outages, in epoch seconds.
    """

    def __init__(self, profile: WireProfile, *, seed: int, started_at: float) -> None:
        self._seed = seed
        self._started_at = started_at
        self._attempts: dict[str, int] = {}
        self.gate = TrunkGate(profile.trunk)
        """What the trunk admits."""
        self.use(profile)

    def use(self, profile: WireProfile) -> None:
        """Take another profile from the next call on; calls and attempts that were counted stay counted."""
        self.profile = profile
        made = profile.carrier
        started_at = self._started_at
        self._carrier = None if made is None else Carrier(made, seed=self._seed, started_at=started_at)
        self.set_trunk(profile.trunk)

    def set_trunk(self, trunk: TrunkProfile) -> None:
        """Change what is admitted; calls that are in stay in."""
        gate = TrunkGate(trunk)
        gate.in_use, gate.peak = self.gate.in_use, self.gate.peak
        self.gate = gate

    def asked(self, called: str) -> Drawn | None:
        """Return the course that a number, or a profile that draws rows, asks for before the trunk is looked at."""
        profile = self.profile
        course = reaction(subscriber(called, profile.country)) if profile.ranges else None
        if course is not None:
            return Drawn(course)
        if profile.draws is not Draws.ROWS:
            return None
        rows = _rows()
        phone, attempt = self._attempt(called)
        return Drawn(rows[int(uniforms(f"{self._seed}/{phone}/{attempt}")[0] * len(rows))], attempt)

    def drawn(self, call_id: str, *, called: str, caller: str, now: float) -> Drawn:
        """Return the course that chance gives to a call that the trunk has admitted."""
        carrier, country = self._carrier, self.profile.country
        if carrier is None:
            return Drawn(AT_ONCE)
        phone, attempt = self._attempt(called)
        hotline = caller if caller in carrier.profile.known_hotlines else e164(caller, country)
        script = carrier.script(call_id, phone=phone, hotline=hotline, attempt_no=attempt, now=now)
        return Drawn(from_script(script), attempt)

    def _attempt(self, called: str) -> tuple[str, int]:
        phone, attempts = e164(called, self.profile.country) or "nobody", self._attempts
        if len(attempts) >= _MOST_NUMBERS:
            attempts.clear()
        number = attempts[phone] = attempts.get(phone, 0) + 1
        return phone, number


@lru_cache(maxsize=1)
def _rows() -> Sequence[Course]:
    return tuple(entry.course for entry in entries())


@lru_cache(maxsize=256)
def refused(status: int, *, retry_after_s: float | None = None, q850: int | None = None) -> Course:
    """Return the course of a call that is refused at once, for a reason that is not its own."""
    return Course("refused", (Step(0.0, status, q850, retry_after_s=retry_after_s, headers=companions(status)),))
