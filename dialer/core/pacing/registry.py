"""The pacing policies by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from dialer.core.pacing.agentless import Agentless
from dialer.core.pacing.base import Pacer
from dialer.core.pacing.baselines.tunables import BASELINES
from dialer.core.pacing.predictive import Predictive
from dialer.core.pacing.progressive import Progressive
from dialer.core.pacing.ratio import Ratio

_ALL: tuple[Callable[[], Pacer], ...] = (Progressive, Ratio, Predictive, Agentless)
PACERS: Mapping[str, Callable[[], Pacer]] = MappingProxyType({make().name: make for make in _ALL})


def pacer_named(name: str) -> Pacer:
    """Return a policy of one's own; raise ValueError listing the names when there is none of this name.

    The baselines are for comparison (`dialer bench pacing`), not for people's phones: no campaign gets one.
    """
    make = PACERS.get(name)
    if name in BASELINES:
        raise ValueError(f"pacer: {name!r} only serves comparisons; choose one of {', '.join(sorted(PACERS))}")
    if make is None:
        raise ValueError(f"pacer: there is no {name!r}; choose one of {', '.join(sorted(PACERS))}")
    return make()
