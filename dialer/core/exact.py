"""The exact interval of a share (Clopper & Pearson 1934): what k of n says of the chance behind it."""

from __future__ import annotations

import numpy as np

_STEPS = 60


def clopper_pearson(k: int, n: int, *, confidence: float = 0.95) -> tuple[float, float]:
    """Return (low, high) for k of n: each bound is passed with chance (1 - confidence) / 2; (0, 1) for none of none.

    Raises ValueError for counts or a confidence that cannot be.
    """
    if not 0 <= k <= n:
        raise ValueError(f"{k} of {n} cannot be")
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must be between 0 and 1, not {confidence}")
    miss = (1 - confidence) / 2
    low = 0.0 if k == 0 else _root(k - 1, n, 1 - miss)
    high = 1.0 if k == n else _root(k, n, miss)
    return low, high


def _root(k: int, n: int, wanted: float) -> float:
    """Return the p at which P(X <= k) of n coins falls to `wanted`."""
    numbers = np.arange(1, k + 1)
    log_choose = np.concatenate(([0.0], np.cumsum(np.log((n - numbers + 1) / numbers))))
    hits = np.arange(k + 1)
    low, high = 0.0, 1.0
    for _ in range(_STEPS):
        p = (low + high) / 2
        at_most = float(np.exp(log_choose + hits * np.log(p) + (n - hits) * np.log1p(-p)).sum())
        low, high = (p, high) if at_most > wanted else (low, p)
    return (low + high) / 2
