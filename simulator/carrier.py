"""The carrier: the fate of an INVITE depends on the seed, the number and the attempt, not on the order of events."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from itertools import accumulate

from simulator.chance import Uniforms, quantile, uniforms
from simulator.profile import Burst, CarrierProfile, Fate, Habit, TrunkProfile
from simulator.script import Script, ScriptWriter, not_provisioned, refused

_OF_THE_NUMBER = (Fate.LOCKED, Fate.LOCKED_MESSAGE, Fate.WRONG_NUMBER, Fate.WRONG_NUMBER_MESSAGE)
"""These fates belong to a number for good; the others are drawn for each attempt."""
_TOLERANCE = 1e-6


class Wheel:
    """Choose one fate by weight from a uniform number."""

    def __init__(self, shares: Mapping[Fate, float]) -> None:
        held = {fate: share for fate, share in shares.items() if share > 0}
        self._fates = tuple(held)
        self._edges = tuple(accumulate(held.values()))
        self.total = self._edges[-1] if held else 0.0

    def at(self, u: float) -> Fate:
        """Return the fate at `u` in 0..total."""
        return self._fates[min(bisect_right(self._edges, u), len(self._fates) - 1)]


class TrunkGate:
    """The far side of one trunk: channels in use and a token bucket of one second's calls."""

    def __init__(self, profile: TrunkProfile) -> None:
        self.profile = profile
        self.in_use = 0
        self.peak = 0
        self._tokens = max(1.0, profile.cps)
        self._at = 0.0

    def admits(self, now: float) -> bool:
        """Take a channel and a token, or refuse."""
        profile = self.profile
        if profile.channels and self.in_use >= profile.channels:
            return False
        if profile.cps:
            self._tokens = min(max(1.0, profile.cps), self._tokens + (now - self._at) * profile.cps)
            self._at = now
            if self._tokens < 1.0:
                return False
            self._tokens -= 1.0
        self.in_use += 1
        self.peak = max(self.peak, self.in_use)
        return True

    def free(self) -> None:
        """Give a channel back."""
        self.in_use -= 1


class Carrier:
    """Write the script of each call. `started_at` (epoch seconds) is the origin of bursts and outages.

    Raises ValueError when the shares do not sum to 1.
    """

    def __init__(
        self, profile: CarrierProfile, *, seed: int, started_at: float, trunks: Sequence[TrunkProfile] = ()
    ) -> None:
        shares = {fate: float(getattr(profile.shares, fate.value)) for fate in Fate}
        total = sum(shares.values())
        if abs(total - 1.0) > _TOLERANCE:
            raise ValueError(f"the shares of the carrier sum to {total:.6g}; make them sum to 1")
        self.profile = profile
        self.gates = {trunk.name: TrunkGate(trunk) for trunk in trunks}
        self._seed = seed
        self._started_at = started_at
        self._of_number = Wheel({fate: shares[fate] for fate in _OF_THE_NUMBER})
        self._of_attempt = Wheel({fate: share for fate, share in shares.items() if fate not in _OF_THE_NUMBER})
        self._writer = ScriptWriter(profile)
        pressed = sum(profile.keys.values())
        if pressed > 1.0 + _TOLERANCE:
            raise ValueError(f"the shares of the carrier's keys sum to {pressed:.6g}; make them sum to 1 at most")
        self._keys, self._key_edges = tuple(profile.keys), tuple(accumulate(profile.keys.values()))
        self._key_after = quantile(profile.key_after)

    def chance(self, whose: str, what: str) -> float:
        """Return a number in (0, 1) that belongs to one thing of one call, or of one number."""
        return uniforms(f"{self._seed}/{whose}/{what}")[0]

    def keys(self, phone: str, attempt_no: int, prompt_no: int) -> tuple[float, str] | None:
        """Return what is pressed at a prompt and after how long; None: nothing."""
        u = uniforms(f"{self._seed}/{phone}/{attempt_no}/keys/{prompt_no}")
        place = bisect_right(self._key_edges, u[0])
        return (self._key_after(u[1]), self._keys[place]) if place < len(self._keys) else None

    def script(
        self, call_id: str, *, phone: str, hotline: str, attempt_no: int, now: float, amd: bool = False
    ) -> Script:
        """Return what becomes of an INVITE that the trunk has admitted; the same arguments give the same script.

        With `amd`, or a profile that has it always, machine detection follows the answer.
        """
        profile = self.profile
        if profile.known_hotlines and hotline not in profile.known_hotlines:
            return not_provisioned(call_id)
        u = uniforms(f"{self._seed}/{phone}/{attempt_no}")
        since = now - self._started_at
        if profile.outages and any(o.from_s <= since < o.from_s + o.for_s for o in profile.outages):
            return self._writer.write(Fate.NO_REPLY, call_id, u)
        for burst in profile.bursts:
            if u[13] < burst.share and _lasts(burst, since):
                return refused(call_id, profile.trying_s, retry_after_s=burst.retry_after_s)
        if hotline in profile.blocked_hotlines:
            return self._writer.write(Fate.HOTLINE_BLOCKED, call_id, u)
        fate = self._fate(phone, u)
        if fate is Fate.ANSWER and self._away(phone, attempt_no, since):
            fate = Fate.RING_OUT
        return self._writer.write(fate, call_id, u, amd=amd or profile.amd)

    def caller(self, number: int) -> tuple[Uniforms, Script]:
        """Return what is special about the n-th person who calls us, and what they do; [0] to [2] are free."""
        u = uniforms(f"{self._seed}/caller/{number}")
        return u, self._writer.caller(u)

    def _away(self, phone: str, attempt_no: int, since: float) -> bool:
        habits = [one for one in self.profile.habits if phone[-1] in one.ends_in and _lasts(one, since)]
        return bool(habits) and uniforms(f"{self._seed}/{phone}/{attempt_no}/habit")[0] < habits[0].share

    def offer(self, trunk: str, now: float) -> bool:
        """Ask the trunk's far side for a channel; an unknown trunk has no caps."""
        gate = self.gates.get(trunk)
        return gate is None or gate.admits(now)

    def over_cap(self, call_id: str, trunk: str) -> Script:
        """Return the script of an INVITE that found no channel."""
        return refused(call_id, self.profile.trying_s, retry_after_s=self.gates[trunk].profile.retry_after_s)

    def free(self, trunk: str) -> None:
        """Give a channel back."""
        if (gate := self.gates.get(trunk)) is not None:
            gate.free()

    def _fate(self, phone: str, u: Uniforms) -> Fate:
        lasting = self._of_number.total
        if lasting > 0:
            trait = uniforms(f"{self._seed}/{phone}")[0]
            if trait < lasting:
                return self._of_number.at(trait)
        return self._of_attempt.at(u[0] * self._of_attempt.total)


def _lasts(burst: Burst | Habit, since: float) -> bool:
    into = since - burst.from_s
    if into < 0:
        return False
    return (into % burst.every_s if burst.every_s else into) < burst.for_s
