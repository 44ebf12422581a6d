"""The answer probability: placeholder of the same interface until the hierarchical model lands."""

from __future__ import annotations

import math

import msgspec


class AnswerState(msgspec.Struct, frozen=True):
    """Decayed calls and answers."""

    slow: tuple[float, float] = (0.0, 0.0)
    fast: tuple[float, float] = (0.0, 0.0)


class Features(msgspec.Struct, frozen=True, gc=False):
    """What an attempt is."""

    hour: int
    list_id: int
    trunk: str
    attempt_no: int


class AnswerModel:
    """The overall rate."""

    def __init__(self) -> None:
        self._state = AnswerState()

    def add(self, features: Features | None, answered: bool) -> bool:  # noqa: ARG002, FBT001
        """Take one attempt."""
        slow, fast = self._state.slow, self._state.fast
        slow = (slow[0] * (1 - 1 / 1500) + 1, slow[1] * (1 - 1 / 1500) + answered)
        fast = (fast[0] * 0.98 + 1, fast[1] * 0.98 + answered)
        p = slow[1] / slow[0]
        gap = abs(fast[1] / fast[0] - p)
        sd = math.sqrt(max(p * (1 - p), 1 / slow[0]) / fast[0])
        changed = fast[0] > 2 * 20.0 and slow[0] > 2 * fast[0] and gap > 4 * sd
        self._state = AnswerState(fast if changed else slow, fast)
        return changed

    def overall(self) -> tuple[float, float]:
        """Return mean and standard deviation."""
        total = self._state.slow[0] + 10
        p = (self._state.slow[1] + 5) / total
        return p, math.sqrt(p * (1 - p) / (total + 1))

    def chance(self, features: Features | None) -> float:  # noqa: ARG002
        """Return the chance of one lead."""
        return self.overall()[0]

    def state(self) -> AnswerState:
        """Return what was learned."""
        return self._state

    def restore(self, state: AnswerState) -> None:
        """Put it back."""
        self._state = state
