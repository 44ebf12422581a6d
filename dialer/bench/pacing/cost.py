"""What a decision costs, beside one fast Fourier convolution of the same two distributions in the same run."""

from __future__ import annotations

import statistics
from collections.abc import Callable

import numpy as np

from dialer.bench.figures import Result, at_most, plain, timed
from dialer.core.pacing.base import Snapshot
from dialer.core.pacing.curves import Array
from dialer.core.pacing.estimates import Estimates, coins_of
from dialer.core.pacing.estimators import Estimators
from dialer.core.pacing.odds import poisson_binomial
from dialer.core.pacing.registry import pacer_named

AGENTS, CALLS = 500, 2000
FFT_LENGTH = 2560
"""2^9 x 5, the nearest length above 501 + 2001 - 1 that the transform is quick at: twice as quick as at 2501 itself."""
GOAL = 10.0
_REPEATS = 400
_WARM = 20


def busy_moment(known: Estimates, *, own_chances: bool) -> Snapshot:
    """Return a moment of 500 agents (20 idle) and 2,000 ringing calls, their ages spread; theta so that some dial."""
    rng = np.random.default_rng(3)
    chances = rng.uniform(0.02, 0.4, CALLS + 64).tolist() if own_chances else []
    return Snapshot(
        idle=20,
        talking=tuple(rng.exponential(90.0, AGENTS - 100).tolist()),
        wrapping=tuple(rng.uniform(0.0, 25.0, 80).tolist()),
        ringing=tuple(rng.uniform(0.0, 24.0, CALLS).tolist()),
        waiting=2,
        estimates=known,
        theta=0.02,
        max_ratio=100.0,
        room=100_000,
        chances=tuple(chances[:CALLS]),
        upcoming=tuple(chances[CALLS:]),
    )


def bench_cost(told: Callable[[str], None]) -> Result:
    """Measure decisions and convolutions in turn; the ratio of the medians is the figure."""
    estimators = Estimators()
    known = estimators.estimates()
    moment, own = (busy_moment(known, own_chances=kind) for kind in (False, True))
    pacer = pacer_named("predictive")
    coins = coins_of(known, moment.ringing, moment.talking, moment.wrapping)[:, :1]
    demand = poisson_binomial(coins[:CALLS], np.zeros(1), 0)[0]
    supply = poisson_binomial(coins[CALLS:], np.zeros(1), 0)[0]
    told("decisions beside convolutions")
    spent: dict[str, list[float]] = {"alike": [], "own": [], "fft": []}
    for turn in range(_WARM + _REPEATS):
        seconds = {
            "alike": timed(lambda: pacer.allowance(moment, now=0.0)),
            "own": timed(lambda: pacer.allowance(own, now=0.0)),
            "fft": timed(lambda: convolution(demand, supply)),
        }
        if turn >= _WARM:
            for name, value in seconds.items():
                spent[name].append(value)
    fft = statistics.median(spent["fft"])
    return Result(
        "pacing decision",
        {"agents": AGENTS, "calls": CALLS, "repeats": _REPEATS},
        [
            at_most("a decision / an FFT convolution", statistics.median(spent["alike"]) / fft, GOAL),
            at_most("the same, each call with a chance of its own", statistics.median(spent["own"]) / fft, GOAL),
            plain("a decision, median", 1e6 * statistics.median(spent["own"]), "us"),
            plain("a decision, 99 %", 1e6 * float(np.quantile(spent["own"], 0.99)), "us"),
            plain("an FFT convolution, median", 1e6 * fft, "us"),
        ],
    )


def convolution(one: Array, other: Array) -> Array:
    """Return the law of the sum of two independent counts (then zeros)."""
    length = FFT_LENGTH
    return np.asarray(np.fft.irfft(np.fft.rfft(one, length) * np.fft.rfft(other, length), length), dtype=np.float64)
