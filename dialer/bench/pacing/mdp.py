"""The exact optimum of the Markov model (pacing.md 3.3): what no policy that only counts calls and agents can beat.

State: b of N agents busy, r calls ringing. Handle and ring times are exponential, nobody who answers waits (no grace),
p is known. Dialing is free and instant, so a stationary policy says for each state how many ringing calls to dial up
to. Policy iteration finds the best one for "busy agents - price x abandoned calls"; bisection on the price, and sharing
time between the two policies on its sides, meets the limit on abandoned / answered. The generator is block-tridiagonal
in b, so each evaluation is one block elimination over first-passage values to one state with all agents busy.
"""

from __future__ import annotations

import math
from typing import TypeAlias

import msgspec
import numpy as np
import numpy.typing as npt

from dialer.core.pacing.curves import Array

_BISECTIONS = 16
_ROUNDS = 60
_ENOUGH = 1e-9
_STRICTEST = 1e-4
_STRAY = 1e-7
"""Calls a second that come by themselves, so that all agents are at times busy even where no policy would have it."""
_PRICES = (1.0, 1e5)
"""Seconds of one busy agent that an abandoned call is worth, from too cheap to too dear."""
_Matrix: TypeAlias = npt.NDArray[np.floating]
Policy: TypeAlias = npt.NDArray[np.intp]
"""(N + 1, most ringing + 1): with b busy and r ringing, dial up to so many ringing (>= r)."""


class Optimum(msgspec.Struct, frozen=True):
    """The best policy within a limit on abandoned / answered."""

    occupancy: float
    abandonment: float


class Model(msgspec.Struct, frozen=True):
    """The Markov call centre; seconds."""

    agents: int
    p: float
    handle_s: float = 120.0
    ring_s: float = 15.0

    @property
    def most_ringing(self) -> int:
        """Return a number of ringing calls that no good policy passes."""
        steady = self.agents * self.ring_s / (self.handle_s * self.p)
        return max(self.agents, math.ceil(2.2 * steady + 3.0 / self.p)) + 2


class _Value(msgspec.Struct, frozen=True):
    busy: float
    abandons_per_s: float
    gain: float
    relative: Array
    """(N + 1, most ringing + 1)"""


def progressive_occupancy(model: Model) -> float:
    """Return H / (H + ring / p): one call at a time for each free agent (pacing.md 3.3, bound 1)."""
    return model.handle_s / (model.handle_s + model.ring_s / model.p)


def optimum(model: Model, limit: float) -> Optimum:
    """Return the highest occupancy with at most this share of answered calls abandoned.

    Raises ValueError for a model or a limit that cannot be.
    """
    if model.agents < 1 or not 0 < model.p <= 1 or not _STRICTEST <= limit < 1:
        raise ValueError(
            f"no optimum for {model} with {limit:g} abandoned: agents >= 1, 0 < p <= 1, 0.0001 <= limit < 1"
        )
    low, high = (math.log(price) for price in _PRICES)
    careful = _first_guess(model)
    inside = outside = Optimum(0.0, 0.0)
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        policy, value = _best(model, math.exp(middle), careful)
        found = _shares(model, value)
        if found.abandonment <= limit:
            high, inside, careful = middle, found, policy
        else:
            low, outside = middle, found
    return _between(inside, outside, limit) if outside.abandonment > limit else inside


def _first_guess(model: Model) -> Policy:
    """Return a policy near the best ones: from one that is far off, first passages take longer than floats can say."""
    free = np.arange(model.agents, -1, -1)[:, None]
    upto = np.clip(np.ceil((1.5 * free - 1) / model.p), free, model.most_ringing).astype(np.intp)
    policy: Policy = np.maximum(np.arange(model.most_ringing + 1, dtype=np.intp), upto)
    return policy


def _shares(model: Model, value: _Value) -> Optimum:
    connected = value.busy / model.handle_s
    return Optimum(value.busy / model.agents, value.abandons_per_s / (connected + value.abandons_per_s))


def _between(inside: Optimum, outside: Optimum, limit: float) -> Optimum:
    """Share time between two policies so that the limit is just met."""

    def excess(one: Optimum) -> float:
        abandoned = one.occupancy * one.abandonment / (1 - one.abandonment)
        return abandoned - limit * (one.occupancy + abandoned)

    over, under = excess(outside), excess(inside)
    share = under / (under - over)
    return Optimum(share * outside.occupancy + (1 - share) * inside.occupancy, limit)


def _best(model: Model, price: float, policy: Policy) -> tuple[Policy, _Value]:
    value = _evaluate(model, price, policy)
    for _ in range(_ROUNDS):
        better = _improved(model, price, value)
        if (better == policy).all():
            break
        candidate = _evaluate(model, price, better)
        if candidate.gain <= value.gain * (1 + _ENOUGH):
            break
        policy, value = better, candidate
    return policy, value


def _evaluate(model: Model, price: float, policy: Policy) -> _Value:
    """Solve first-passage values to (N, R(N)) by block elimination from b = 0 up."""
    n, size = model.agents, model.most_ringing + 1
    home = int(policy[n, 0])
    carry: _Matrix = np.zeros((size, size))
    rest: _Matrix = np.zeros((size, 3))
    kept: list[tuple[_Matrix, _Matrix]] = []
    for b in range(n + 1):
        down, stay, up, rewards = _blocks(model, policy, b)
        if b == n:
            stay[np.arange(size) != home, home] = 0.0
        elif b == n - 1:
            up[:, home] = 0.0
        solved = np.linalg.solve(stay + down @ carry, np.hstack((-up, -(rewards + down @ rest))))
        carry, rest = solved[:, :size], solved[:, size:]
        kept.append((carry, rest))
    values: Array = np.empty((n + 1, size, 3))
    values[n] = kept[n][1]
    for b in range(n - 1, -1, -1):
        carry, rest = kept[b]
        beyond = values[b + 1].copy()
        if b == n - 1:
            beyond[home] = 0.0  # home is where a passage ends
        values[b] = carry @ beyond + rest
    busy, abandons, time = (float(value) for value in values[n, home])
    gain = (busy - price * abandons) / time
    relative = values[..., 0] - price * values[..., 1] - gain * values[..., 2]
    return _Value(busy / time, abandons / time, gain, relative)


def _blocks(model: Model, policy: Policy, b: int) -> tuple[Array, Array, Array, Array]:
    """Return the generator's blocks to b - 1, b, b + 1, and (busy, abandons, time) earned a second in each state."""
    n, size = model.agents, model.most_ringing + 1
    down, stay, up = np.zeros((size, size)), np.zeros((size, size)), np.zeros((size, size))
    rewards = np.zeros((size, 3))
    everything = np.arange(size)
    dials = everything[policy[b] > everything]
    stay[dials, dials] = -1.0  # the missing calls are dialed at once
    stay[dials, policy[b, dials]] = 1.0
    r = everything[policy[b] == everything]
    fewer = np.maximum(r - 1, 0)
    done, answers, fails = b / model.handle_s, r * model.p / model.ring_s, r * (1 - model.p) / model.ring_s
    if b > 0:
        down[r, policy[b - 1, r]] = done
    if b < n:
        up[r, policy[b + 1, fewer]] = answers
        up[r, policy[b + 1, r]] += _STRAY
    else:
        stay[r, policy[b, fewer]] += answers
        rewards[r, 1] = answers
    stay[r, policy[b, fewer]] += fails
    stay[r, r] -= done + answers + fails + (_STRAY if b < n else 0.0)
    rewards[r, 0] = b
    rewards[r, 2] = 1.0
    return down, stay, up, rewards


def _improved(model: Model, price: float, value: _Value) -> Policy:
    """Return for each state the number of ringing calls that is best to dial up to."""
    n, size = model.agents, model.most_ringing + 1
    h, r = value.relative, np.arange(size)
    fewer = np.maximum(r - 1, 0)
    best: Policy = np.empty((n + 1, size), dtype=np.intp)
    for b in range(n + 1):
        done, answers, fails = b / model.handle_s, r * model.p / model.ring_s, r * (1 - model.p) / model.ring_s
        later = (h[b - 1] if b else h[b]) * done + h[b][fewer] * fails
        later += (h[b + 1] if b < n else h[b] - price)[fewer] * answers
        rate = done + answers + fails
        if b < n:
            later, rate = later + _STRAY * h[b + 1], rate + _STRAY
        waiting = (b - value.gain + later) / rate
        ahead = np.maximum.accumulate(waiting[::-1])[::-1]
        # the nearest number of calls as good as any further one, scanned from the right
        best[b] = np.minimum.accumulate(np.where(waiting >= ahead, r, size)[::-1])[::-1]
    return best
