"""Chance that depends only on the seed and on what it is for: common random numbers (pacing.md 3.5)."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from enum import StrEnum
from hashlib import blake2b
from statistics import NormalDist
from struct import Struct
from typing import Annotated, TypeAlias

import msgspec

Uniforms: TypeAlias = list[float]
Quantile: TypeAlias = Callable[[float], float]
"""From a uniform number in (0, 1) to seconds."""

UNIFORMS = 14
_UNPACK = Struct(f"<{UNIFORMS}I").unpack
_SIZE = 4 * UNIFORMS
_SCALE = 2.0**-32
_NORMAL = NormalDist()
_CAREFUL_MAX_S = 7 * 86_400.0


def uniforms(purpose: str) -> Uniforms:
    """Return `UNIFORMS` independent numbers in (0, 1), the same for the same purpose, whatever was drawn before.

    `purpose` names the seed too, for example "7/+84900000001/2".
    """
    return [(x + 0.5) * _SCALE for x in _UNPACK(blake2b(purpose.encode(), digest_size=_SIZE).digest())]


def stream(seed: int, purpose: str) -> random.Random:
    """Return a generator of its own for one purpose, such as one agent."""
    return random.Random(int.from_bytes(blake2b(f"{seed}/{purpose}".encode(), digest_size=16).digest()))


class Shape(StrEnum):
    """The families of durations."""

    CONSTANT = "constant"
    UNIFORM = "uniform"
    EXPONENTIAL = "exponential"
    NORMAL = "normal"
    LOGNORMAL = "lognormal"


class Duration(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A distribution of seconds: mean, coefficient of variation (sd / mean), family, and bounds that cut it."""

    mean_s: Annotated[float, msgspec.Meta(gt=0)]
    cv: Annotated[float, msgspec.Meta(ge=0, le=10)] = 0.5
    shape: Shape = Shape.LOGNORMAL
    min_s: Annotated[float, msgspec.Meta(ge=0)] = 0.0
    max_s: Annotated[float, msgspec.Meta(gt=0)] = _CAREFUL_MAX_S


def _uncut(duration: Duration) -> Quantile:
    mean, cv = duration.mean_s, duration.cv
    if cv == 0 or duration.shape is Shape.CONSTANT:
        return lambda _u: mean
    if duration.shape is Shape.UNIFORM:
        return lambda u: mean * (1.0 + math.sqrt(3.0) * cv * (2.0 * u - 1.0))
    if duration.shape is Shape.EXPONENTIAL:
        return lambda u: -mean * math.log1p(-u)
    inverse = _NORMAL.inv_cdf
    if duration.shape is Shape.NORMAL:
        return lambda u: mean * (1.0 + cv * inverse(u))
    sigma = math.sqrt(math.log1p(cv * cv))
    mu = math.log(mean) - sigma * sigma / 2.0
    return lambda u: math.exp(mu + sigma * inverse(u))


def quantile(duration: Duration) -> Quantile:
    """Compile a distribution to its inverse CDF, cut to its bounds."""
    uncut, low, high = _uncut(duration), duration.min_s, duration.max_s

    def cut(u: float) -> float:
        value = uncut(u)
        return low if value < low else min(value, high)

    return cut
