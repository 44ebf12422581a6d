"""The chance that a lead answers: what all calls do now, times what its hour, list, trunk and attempt number do to it.

A hierarchy of beta-binomial laws (Gelman et al., Bayesian Data Analysis, ch. 5): hour, list, hour of a list, trunk and
attempt number. A level with n calls and a answers has the rate (a + k m) / (n + k), m being what the levels above it
expect; its effect is the difference of log-odds. Old calls fade. A level that nothing is known of has no effect.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Final, TypeAlias

import msgspec

SHRINKAGE: Final = 50.0
"""k: a level counts for half of what it shows after so many calls."""
CELLS_MAX: Final = 5000
"""So many levels are remembered; the least known goes first."""
LATE_ATTEMPT: Final = 10
"""From this attempt on, attempts are alike."""

_PRIOR_CALLS = 10.0
_PRIOR_ANSWERS = 5.0
_LONG_KEEP = 1 - 1 / 20_000
_CELL_KEEP = 1 - 1 / 5000
_SLOW_KEEP = 1 - 1 / 1500
_FAST_KEEP = 1 - 1 / 50
_CHANGED_SD = 4.5
"""Of a mean that forgets exponentially: its variance is that of twice as many calls."""
_CHANGED_CALLS = 40.0
_BLOCK_CALLS = 20
_BLOCK_KEEP = 1 - 1 / 75
_BLOCK_PRIOR = 5.0
_LEAST = 1e-9

_LIST = "list"
_NESTED = "hour of list"
"""All its calls have the same levels above, so it is held against what these say now, not when the calls were made."""

Key: TypeAlias = tuple[str, int, str]
"""What is counted: the level's name, then a number and a name where it has them."""


class Sums(msgspec.Struct, frozen=True, gc=False):
    """Decayed calls, answers, and the sum of their lifts: what the levels above expected, as a multiple of the rate."""

    calls: float = 0.0
    answers: float = 0.0
    lift: float = 0.0

    def after(self, keep: float, answered: bool, lift: float) -> Sums:  # noqa: FBT001 -- a datum
        """Return these sums with one call more."""
        return Sums(self.calls * keep + 1, self.answers * keep + answered, self.lift * keep + lift)

    @property
    def mean_lift(self) -> float:
        """Return the mean lift; 1 when nothing is known."""
        return self.lift / self.calls if self.calls else 1.0

    def weighed(self, weight: float) -> Sums:
        """Return these sums with each call worth `weight`; raise ValueError when they cannot be."""
        values = (self.calls, self.answers, self.lift)
        if not all(map(math.isfinite, values)) or not 0 <= self.answers <= self.calls * (1 + 1e-9) or self.lift < 0:
            raise ValueError(f"answers cannot be counted as {self}")
        return Sums(*(weight * value for value in values))


class Blocks(msgspec.Struct, frozen=True, gc=False):
    """How answers vary from one block of calls to the next, beside what coins would: decayed."""

    count: float = 0.0
    squares: float = 0.0
    """Sum of (answers - expected)^2 / variance of coins: about `count` when calls are independent."""
    calls: int = 0
    """In the block that is under way."""
    answers: int = 0


class AnswerState(msgspec.Struct, frozen=True):
    """What was learned, to be stored."""

    slow: Sums = Sums()
    fast: Sums = Sums()
    long: Sums = Sums()
    blocks: Blocks = Blocks()
    cells: tuple[tuple[Key, Sums], ...] = ()


class Features(msgspec.Struct, frozen=True, gc=False):
    """What an attempt is."""

    hour: int
    """0..23, where the campaign is."""
    list_id: int
    trunk: str
    attempt_no: int
    """From 1."""

    def keys(self) -> Iterator[Key]:
        """Yield what it belongs to, from the top down."""
        yield ("hour", self.hour, "")
        yield (_LIST, self.list_id, "")
        yield (_NESTED, self.list_id, str(self.hour))
        yield ("trunk", 0, self.trunk)
        yield ("attempt", min(self.attempt_no, LATE_ATTEMPT), "")


class AnswerModel:
    """Learn the chance of an answer from each attempt; deterministic, bounded in memory."""

    def __init__(self) -> None:
        """Start from a careful prior: half of the calls answer."""
        self._slow = self._fast = self._long = Sums()
        self._blocks = Blocks()
        self._cells: dict[Key, Sums] = {}

    def add(self, features: Features | None, answered: bool) -> bool:  # noqa: FBT001 -- a datum
        """Take one attempt; True when the rate has changed so much that what came before counts no more.

        It has when the mean of the last calls (about 50) lies 4.5 standard deviations from that of the last 1500.
        """
        lift = 1.0 if features is None else self._learn_cells(features, answered)
        self._long = self._long.after(_LONG_KEEP, answered, 1.0)
        self._count_block(answered)
        self._slow = slow = self._slow.after(_SLOW_KEEP, answered, lift)
        self._fast = fast = self._fast.after(_FAST_KEEP, answered, lift)
        if fast.calls <= _CHANGED_CALLS or slow.calls <= 2 * fast.calls:
            return False
        p = slow.answers / slow.calls
        sd = math.sqrt(max(p * (1 - p), 1 / slow.calls) / (2 * fast.calls) * (1 + self._excess()))
        if abs(fast.answers / fast.calls - p) <= _CHANGED_SD * sd:
            return False
        self._slow = fast
        return True

    def overall(self) -> tuple[float, float]:
        """Return mean and standard deviation of the rate of the next calls, when they are like the last ones.

        The deviation holds what few calls leave open, and how far answers that come in bursts stray from their mean.
        """
        total = self._slow.calls + _PRIOR_CALLS
        p = (self._slow.answers + _PRIOR_ANSWERS) / total
        return p, math.sqrt(p * (1 - p) * (1 / (total + 1) + self._excess() / _BLOCK_CALLS))

    def chance(self, features: Features | None) -> float:
        """Return the chance that this attempt is answered."""
        mean = self.overall()[0]
        if features is None or not self._cells:
            return mean
        anchor = self._anchor()
        offset = 0.0
        for key in features.keys():  # noqa: SIM118 -- not a mapping
            offset += _effect(key, self._cells.get(key), anchor, offset)
        return _rate(_log_odds(mean / self._slow.mean_lift) + offset)

    def lists(self) -> tuple[int, ...]:
        """Return the lists that were called, in the order in which they were first met."""
        return tuple(number for level, number, _ in self._cells if level == _LIST)

    def state(self) -> AnswerState:
        """Return what was learned."""
        return AnswerState(self._slow, self._fast, self._long, self._blocks, tuple(self._cells.items()))

    def restore(self, state: AnswerState, *, weight: float = 1.0) -> None:
        """Put back what `state` returned, each call worth `weight`; raise ValueError when it cannot be."""
        slow, fast, long = (sums.weighed(weight) for sums in (state.slow, state.fast, state.long))
        cells = {key: sums.weighed(weight) for key, sums in state.cells[:CELLS_MAX]}
        blocks = state.blocks
        values = (blocks.count, blocks.squares, blocks.calls, blocks.answers)
        if not all(math.isfinite(value) and value >= 0 for value in values):
            raise ValueError(f"blocks of calls cannot be counted as {blocks}")
        self._slow, self._fast, self._long, self._cells = slow, fast, long, cells
        self._blocks = Blocks(blocks.count * weight, blocks.squares * weight, blocks.calls, blocks.answers)

    def _anchor(self) -> float:
        return _log_odds((self._long.answers + _PRIOR_ANSWERS) / (self._long.calls + _PRIOR_CALLS))

    def _learn_cells(self, features: Features, answered: bool) -> float:  # noqa: FBT001 -- a datum
        """Count an attempt in each of its levels; return the lift that all of them give it."""
        anchor = self._anchor()
        usual, offset = _rate(anchor), 0.0
        for key in features.keys():  # noqa: SIM118 -- not a mapping
            cell = self._cells.get(key)
            self._cells[key] = (cell or Sums()).after(_CELL_KEEP, answered, _rate(anchor + offset) / usual)
            offset += _effect(key, cell, anchor, offset)
        if len(self._cells) > CELLS_MAX:
            known = sorted(self._cells, key=lambda key: self._cells[key].calls)
            for key in known[: CELLS_MAX // 10]:
                del self._cells[key]
        return _rate(anchor + offset) / usual

    def _count_block(self, answered: bool) -> None:  # noqa: FBT001 -- a datum
        blocks = self._blocks
        calls, answers = blocks.calls + 1, blocks.answers + answered
        if calls < _BLOCK_CALLS:
            self._blocks = Blocks(blocks.count, blocks.squares, calls, answers)
            return
        p = (self._slow.answers + _PRIOR_ANSWERS) / (self._slow.calls + _PRIOR_CALLS)
        square = (answers - calls * p) ** 2 / (calls * p * (1 - p))
        if self._slow.calls >= 10 * _BLOCK_CALLS:  # before that the mean itself is too little known
            self._blocks = Blocks(blocks.count * _BLOCK_KEEP + 1, blocks.squares * _BLOCK_KEEP + square)
        else:
            self._blocks = Blocks(blocks.count, blocks.squares)

    def _excess(self) -> float:
        """Return the variance of blocks beyond that of coins, as far as chance does not explain it (two sd)."""
        blocks = self._blocks
        known = blocks.count + _BLOCK_PRIOR
        return max(0.0, (blocks.squares + _BLOCK_PRIOR) / known - 1 - 2 * math.sqrt(2 / known))


def _effect(key: Key, cell: Sums | None, anchor: float, offset: float) -> float:
    """Return the log-odds that a level adds to those above it, which now add `offset` to the anchor."""
    if cell is None or not cell.calls:
        return 0.0
    above = anchor + offset if key[0] == _NESTED else _log_odds(_rate(anchor) * cell.mean_lift)
    rate = (cell.answers + SHRINKAGE * _rate(above)) / (cell.calls + SHRINKAGE)
    return _log_odds(rate) - above


def _log_odds(p: float) -> float:
    inside = min(1 - _LEAST, max(_LEAST, p))
    return math.log(inside / (1 - inside))


def _rate(log_odds: float) -> float:
    return 1 / (1 + math.exp(-min(30.0, max(-30.0, log_odds))))
