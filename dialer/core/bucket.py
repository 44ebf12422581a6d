"""How many calls a second may leave: a token bucket as a virtual clock in whole microseconds, so that it is exact."""

from __future__ import annotations

import math

MICRO = 1_000_000
"""Microseconds in a second."""


class Bucket:
    """In any t seconds at most rate * t + burst tokens (generic cell rate algorithm); moments are in microseconds."""

    __slots__ = ("_full_at", "_period", "_span")

    def __init__(self, rate: float, burst: int) -> None:
        self._period = math.ceil(MICRO / rate)
        self._span = self._period * burst
        self._full_at = 0
        """When the bucket would be full again."""

    def tokens(self, at: int) -> int:
        """Count the tokens at a moment; below 0 when later moments have been promised."""
        return (self._span - max(0, self._full_at - at)) // self._period

    def token_at(self) -> int:
        """Return the first moment with a token."""
        return self._full_at - self._span + self._period

    def take(self, at: int) -> None:
        """Take the token of a moment, which may lie ahead."""
        self._full_at = max(self._full_at, at) + self._period
