"""What the trunks can carry: channels and calls per second, shared by all engines of a process."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import msgspec

from dialer.core.bucket import MICRO, Bucket
from dialer.core.types import HoldReason

NO_TRUNK: Final = ""
"""What an intent names when no trunk serves its number: it is written down, and never placed."""


class TrunkLimit(msgspec.Struct, frozen=True):
    """One trunk: calls at once, calls per second, calls in one burst, and which numbers it serves.

    Among the trunks with room the longest of `prefixes` (digits of E.164; none = every number) that a number begins
    with goes first, then the lower `priority`; equals share by `weight` (as in RFC 2782).
    """

    name: str
    channels: int
    cps: float
    burst: int = 1
    priority: int = 0
    weight: int = 1
    prefixes: tuple[str, ...] = ()


class _Trunk:
    """The state of one trunk."""

    __slots__ = ("bucket", "channels", "credit", "limit", "older", "resumes_at", "taken", "tried_from", "tries")

    def __init__(self, limit: TrunkLimit) -> None:
        _validate(limit)
        self.limit = limit
        self.bucket = Bucket(limit.cps, limit.burst)
        self.taken = 0
        self.channels = limit.channels
        """How many calls it may carry now: none while it is down."""
        self.tries: int | None = None
        """How many calls may try it at once, beside the `older` ones that were taken before `tried_from`."""
        self.older = 0
        self.tried_from = -math.inf
        self.resumes_at = -math.inf
        self.credit = 0
        """Smooth weighted round robin: the trunk with the most credit is next."""

    def free(self, now: float) -> int:
        """Count the free channels, none while the trunk is closed or rests."""
        return max(0, self.channels - self.taken) if now >= self.resumes_at else 0

    def admit(self) -> None:
        """Set how many calls it may carry now that it is open."""
        most = self.limit.channels
        self.channels = most if self.tries is None else min(self.tries + self.older, most)

    def has_room(self, now: float, at: int) -> bool:
        """Tell whether a call may leave now."""
        return self.free(now) > 0 and self.bucket.tokens(at) > 0


class TrunkPool:
    """Hand out places on trunks, deterministically; in any t never above cps * t + burst, never above the channels."""

    def __init__(self, limits: Sequence[TrunkLimit]) -> None:
        self._trunks = {limit.name: _Trunk(limit) for limit in limits}
        if len(self._trunks) != len(limits):
            raise ValueError("trunks: two of them have the same name; each needs its own")
        self._by_prefix: dict[str, list[_Trunk]] = {}
        for trunk in self._trunks.values():
            for prefix in dict.fromkeys(trunk.limit.prefixes or ("",)):
                self._by_prefix.setdefault(prefix, []).append(trunk)
        self._lengths = sorted({len(prefix) for prefix in self._by_prefix}, reverse=True)
        self._latest = 0

    def room(self, now: float) -> tuple[int, HoldReason | None]:
        """Return how many calls could leave now and what limits them: channels (or health), or the rate.

        An upper bound: the room of a trunk is only for the numbers that it serves.
        """
        at = self._at(now)
        free = [(trunk.free(now), trunk.bucket.tokens(at)) for trunk in self._trunks.values()]
        room = sum(min(channels, tokens) for channels, tokens in free)
        by_rate = any(channels > tokens for channels, tokens in free)
        return room, HoldReason.TRUNK_CPS if by_rate else HoldReason.TRUNK_CAPACITY

    def serves(self, phone: str) -> bool:
        """Tell whether any trunk takes this number, now or later."""
        return next(self._routes(phone), None) is not None

    def holds(self, now: float, phone: str) -> HoldReason | None:
        """Return what keeps a call to this number from leaving now: channels (or health), or the rate; None = nothing.

        The rate, if waiting a moment is all that it needs.
        """
        at, serving = self._at(now), self._serving(phone)
        if any(trunk.has_room(now, at) for trunk in serving):
            return None
        by_rate = any(trunk.free(now) > 0 for trunk in serving)
        return HoldReason.TRUNK_CPS if by_rate else HoldReason.TRUNK_CAPACITY

    def take(self, now: float, phone: str) -> str | None:
        """Take a channel and a token for a number (E.164); return the trunk's name, None when no call can leave now."""
        at = self._at(now)
        for trunks in self._routes(phone):
            usable = [trunk for trunk in trunks if trunk.has_room(now, at)]
            if usable:
                first = min(trunk.limit.priority for trunk in usable)
                chosen = _next_by_weight([trunk for trunk in usable if trunk.limit.priority == first])
                chosen.bucket.take(at)
                chosen.taken += 1
                return chosen.limit.name
        return None

    def occupy(self, name: str) -> None:
        """Note a call that is up already, whatever there is room for; NO_TRUNK has no channels."""
        if name != NO_TRUNK:
            self._named(name).taken += 1

    def knows(self, name: str) -> bool:
        """Tell whether there is a trunk of this name."""
        return name in self._trunks

    def give(self, name: str, taken_at: float | None = None) -> None:
        """Return a channel that was taken (at a moment, if known); the token is spent. NO_TRUNK has none to return."""
        if name == NO_TRUNK:
            return
        trunk = self._named(name)
        if trunk.taken == 0:
            raise ValueError(f"trunk {name!r}: a channel was returned that was never taken")
        trunk.taken -= 1
        if trunk.older and taken_at is not None and taken_at < trunk.tried_from:
            trunk.older -= 1
            if trunk.channels:
                trunk.admit()

    def back_off(self, name: str, until: float) -> None:
        """Rest a trunk until a moment (503 Retry-After, RFC 3261 section 20.33); a longer rest stands."""
        trunk = self._named(name)
        trunk.resumes_at = max(trunk.resumes_at, until)

    def close(self, name: str) -> None:
        """Let no call leave by a trunk (it is down, or drains) until `open`; calls in progress keep their channels."""
        self._named(name).channels = 0

    def open(self, name: str, tries: int | None = None) -> None:
        """Let calls leave by a trunk again, at most `tries` at once beside those that are up; its own rest stands."""
        trunk = self._named(name)
        trunk.tries, trunk.older = tries, trunk.taken if tries is not None else 0
        trunk.tried_from = self._latest / MICRO
        trunk.admit()

    def next_token_at(self, now: float, phone: str | None = None) -> float | None:
        """Return when time alone lets the next call (to `phone`) leave; `now` if it may, None when a channel must free.

        None, too, while the trunks are closed.
        """
        at = self._at(now)
        serving = self._trunks.values() if phone is None else self._serving(phone)
        moments = [
            max(now, trunk.resumes_at, _after(now, trunk.bucket.token_at() - at))
            for trunk in serving
            if trunk.taken < trunk.channels
        ]
        return min(moments, default=None)

    def _routes(self, phone: str) -> Iterator[list[_Trunk]]:
        """Yield the trunks that serve a number, those with the longest prefix first."""
        digits = phone.removeprefix("+")
        for length in self._lengths:
            if length <= len(digits) and (trunks := self._by_prefix.get(digits[:length])):
                yield trunks

    def _serving(self, phone: str) -> Iterable[_Trunk]:
        return [trunk for trunks in self._routes(phone) for trunk in trunks]

    def _at(self, now: float) -> int:
        """Return the moment in microseconds; a clock that steps back gives no tokens."""
        self._latest = max(self._latest, math.floor(now * MICRO))
        return self._latest

    def _named(self, name: str) -> _Trunk:
        trunk = self._trunks.get(name)
        if trunk is None:
            raise ValueError(f"there is no trunk {name!r}; there are: {', '.join(sorted(self._trunks)) or 'none'}")
        return trunk


def _after(now: float, micros: int) -> float:
    """Add microseconds, and one more: rounding must not wake anybody too early."""
    return now + (micros + 1) / MICRO if micros > 0 else now


def _next_by_weight(trunks: list[_Trunk]) -> _Trunk:
    for trunk in trunks:
        trunk.credit += trunk.limit.weight
    chosen = max(trunks, key=lambda trunk: trunk.credit)
    chosen.credit -= sum(trunk.limit.weight for trunk in trunks)
    return chosen


def _validate(limit: TrunkLimit) -> None:
    if not limit.name:
        raise ValueError("a trunk needs a name: calls are recorded under it")
    if limit.channels < 0:
        raise ValueError(f"trunk {limit.name!r}: channels must be >= 0, not {limit.channels}")
    if not (math.isfinite(limit.cps) and limit.cps > 0):
        raise ValueError(f"trunk {limit.name!r}: cps must be a positive number of calls per second, not {limit.cps}")
    if limit.burst < 1:
        raise ValueError(f"trunk {limit.name!r}: burst must be >= 1, not {limit.burst}")
    if limit.weight < 1:
        raise ValueError(f"trunk {limit.name!r}: weight must be >= 1, not {limit.weight}")
    for prefix in limit.prefixes:
        if prefix and not (prefix.isascii() and prefix.isdigit()):
            raise ValueError(f"trunk {limit.name!r}: prefixes are digits of E.164 without a plus, not {prefix!r}")
