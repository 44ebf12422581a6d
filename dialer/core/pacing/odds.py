"""How likely demand reaches supply: the upper tail of a sum of unlike coins, exactly and by the normal law."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from dialer.core.pacing.curves import Array

_Waves: TypeAlias = npt.NDArray[np.complex128]


@lru_cache(maxsize=256)
def _waves(length: int) -> _Waves:
    return np.asarray(np.exp(-2j * np.pi * np.arange(length // 2 + 1) / length), dtype=np.complex128)


def poisson_binomial(chances: Array, more: Array, count: int) -> Array:
    """Return the exact law of a sum of coins, one row per horizon: shape (K, coins + count + 1).

    `chances` has shape (coins, K); `more` (K,) is the chance of each of `count` further coins that are alike. By the
    discrete Fourier transform of the characteristic function (Hong 2013).
    """
    coins, horizons = chances.shape
    length = coins + count + 1
    turns = _waves(length) - 1
    transform: _Waves = (
        (1 + more[:, None] * turns) ** count if count else np.ones((horizons, turns.size), np.complex128)
    )
    if coins:
        transform = transform * (1 + chances[:, :, None] * turns).prod(axis=0)
    return np.asarray(np.clip(np.fft.irfft(transform, length), 0.0, 1.0), dtype=np.float64)


def one_more(law: Array, chance: Array) -> Array:
    """Return the law of the sum with one further coin of this chance (K,): one column wider."""
    horizons = law.shape[0]
    none = np.zeros((horizons, 1))
    up = chance[:, None]
    return np.hstack((law * (1 - up), none)) + np.hstack((none, law * up))


def tail(law: Array, at_least: int) -> float:
    """Return P(sum >= at_least), the mean over horizons."""
    if at_least <= 0:
        return 1.0
    return float(law[:, at_least:].sum() / law.shape[0])


def normal_tail(mean: float, variance: float, at_least: int) -> float:
    """Return P(sum >= at_least) by the normal law with continuity correction."""
    gap = at_least - 0.5 - mean
    if variance <= 0:
        return 1.0 if gap <= 0 else 0.0
    return 0.5 * math.erfc(gap / math.sqrt(2 * variance))
