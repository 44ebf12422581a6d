"""What the trunks can carry: channels and calls per second, shared by all engines of a process."""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec

from dialer.core.types import HoldReason

_MICRO = 1_000_000


class TrunkLimit(msgspec.Struct, frozen=True):
    """One trunk: calls at once, calls per second, calls in one burst.

    Lower `priority` is used first; equals share by `weight` (as in RFC 2782).
    """

    name: str
    channels: int
    cps: float
    burst: int = 1
    priority: int = 0
    weight: int = 1


class _Trunk:
    """The state of one trunk; its token bucket is a virtual clock in whole microseconds, so that it is exact.

    (Generic cell rate algorithm: `full_at` is when the bucket would be full again.)
    """

    __slots__ = ("credit", "full_at", "limit", "period", "resumes_at", "span", "taken")

    def __init__(self, limit: TrunkLimit) -> None:
        _validate(limit)
        self.limit = limit
        self.period = math.ceil(_MICRO / limit.cps)
        self.span = self.period * limit.burst
        self.full_at = 0
        self.taken = 0
        self.resumes_at = -math.inf
        self.credit = 0
        """Smooth weighted round robin: the trunk with the most credit is next."""

    def tokens(self, at: int) -> int:
        """Count the calls that the rate allows at a moment (microseconds)."""
        return (self.span - max(0, self.full_at - at)) // self.period

    def free(self, now: float) -> int:
        """Count the free channels, none while the trunk rests."""
        return self.limit.channels - self.taken if now >= self.resumes_at else 0

    def token_at(self) -> int:
        """Return the first moment (microseconds) with a token."""
        return self.full_at - self.span + self.period


class TrunkPool:
    """Hand out places on trunks, deterministically; in any t never above cps * t + burst, never above the channels."""

    def __init__(self, limits: Sequence[TrunkLimit]) -> None:
        self._trunks = {limit.name: _Trunk(limit) for limit in limits}
        if len(self._trunks) != len(limits):
            raise ValueError("trunks: two of them have the same name; each needs its own")
        self._latest = 0

    def room(self, now: float) -> tuple[int, HoldReason | None]:
        """Return how many calls could leave now and what limits them: channels (or health), or the rate."""
        at = self._at(now)
        free = [(trunk.free(now), trunk.tokens(at)) for trunk in self._trunks.values()]
        room = sum(min(channels, tokens) for channels, tokens in free)
        by_rate = any(channels > tokens for channels, tokens in free)
        return room, HoldReason.TRUNK_CPS if by_rate else HoldReason.TRUNK_CAPACITY

    def take(self, now: float) -> str | None:
        """Take a channel and a token; return the trunk's name, None when no call can leave now."""
        at = self._at(now)
        usable = [trunk for trunk in self._trunks.values() if trunk.free(now) > 0 and trunk.tokens(at) > 0]
        if not usable:
            return None
        first = min(trunk.limit.priority for trunk in usable)
        chosen = _next_by_weight([trunk for trunk in usable if trunk.limit.priority == first])
        chosen.full_at = max(chosen.full_at, at) + chosen.period
        chosen.taken += 1
        return chosen.limit.name

    def give(self, name: str) -> None:
        """Return a channel that was taken; the token is spent."""
        trunk = self._named(name)
        if trunk.taken == 0:
            raise ValueError(f"trunk {name!r}: a channel was returned that was never taken")
        trunk.taken -= 1

    def back_off(self, name: str, until: float) -> None:
        """Rest a trunk until a moment (503 Retry-After, RFC 3261 section 20.33); a longer rest stands."""
        trunk = self._named(name)
        trunk.resumes_at = max(trunk.resumes_at, until)

    def next_token_at(self, now: float) -> float | None:
        """Return when time alone lets the next call leave (`now` if it may); None when a channel must free first."""
        at = self._at(now)
        moments = [
            max(now, trunk.resumes_at, _after(now, trunk.token_at() - at))
            for trunk in self._trunks.values()
            if trunk.taken < trunk.limit.channels
        ]
        return min(moments, default=None)

    def _at(self, now: float) -> int:
        """Return the moment in microseconds; a clock that steps back gives no tokens."""
        self._latest = max(self._latest, math.floor(now * _MICRO))
        return self._latest

    def _named(self, name: str) -> _Trunk:
        trunk = self._trunks.get(name)
        if trunk is None:
            raise ValueError(f"there is no trunk {name!r}; there are: {', '.join(sorted(self._trunks)) or 'none'}")
        return trunk


def _after(now: float, micros: int) -> float:
    """Add microseconds, and one more: rounding must not wake anybody too early."""
    return now + (micros + 1) / _MICRO if micros > 0 else now


def _next_by_weight(trunks: list[_Trunk]) -> _Trunk:
    for trunk in trunks:
        trunk.credit += trunk.limit.weight
    chosen = max(trunks, key=lambda trunk: trunk.credit)
    chosen.credit -= sum(trunk.limit.weight for trunk in trunks)
    return chosen


def _validate(limit: TrunkLimit) -> None:
    if limit.channels < 0:
        raise ValueError(f"trunk {limit.name!r}: channels must be >= 0, not {limit.channels}")
    if not (math.isfinite(limit.cps) and limit.cps > 0):
        raise ValueError(f"trunk {limit.name!r}: cps must be a positive number of calls per second, not {limit.cps}")
    if limit.burst < 1:
        raise ValueError(f"trunk {limit.name!r}: burst must be >= 1, not {limit.burst}")
    if limit.weight < 1:
        raise ValueError(f"trunk {limit.name!r}: weight must be >= 1, not {limit.weight}")
