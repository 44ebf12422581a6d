"""Who plays: a policy with one setting of its knobs; which settings are tried when a policy is tuned."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from dialer.bench.pacing.cells import LIMIT
from dialer.core.pacing.base import Pacer
from dialer.core.pacing.baselines.tunables import TUNABLES, Settings
from dialer.core.pacing.registry import PACERS, pacer_named

OURS = "predictive"
_RATIOS = (1.0, 1.2, 1.4, 1.6, 1.8, 2.0, 2.3, 2.6, 3.0, 3.5, 4.0, 5.0, 6.0, 8.0)
_LIMITS = (0.005, 0.01, 0.02, 0.03, 0.04, 0.05, 0.07)
_NEEDS_NO_AGENTS = "agentless"


class Contestant(msgspec.Struct, frozen=True):
    """A policy and its setting."""

    pacer: str
    setting: str = ""
    """For people; empty: nothing is tuned."""
    ratio: float = 1.0
    limit: float = LIMIT
    """The share of abandoned calls that the policy is told to keep."""
    knobs: Settings | None = None
    """Of a baseline; None: its default."""

    @property
    def guarded(self) -> bool:
        """Tell whether the legal budget stands over it, as in a campaign; others play as their products do."""
        return self.pacer == OURS

    def make(self) -> Pacer:
        """Return a policy of one's own."""
        return TUNABLES[self.pacer].make(self.knobs) if self.pacer in TUNABLES else pacer_named(self.pacer)


def names() -> list[str]:
    """Return the policies that can be compared."""
    return [name for name in (*PACERS, *TUNABLES) if name != _NEEDS_NO_AGENTS]


def settings_of(pacer: str) -> list[Contestant]:
    """Return the settings among which a policy is tuned; the first is its default."""
    if pacer == "ratio":
        return [Contestant(pacer, f"{ratio:g} calls per free agent", ratio=ratio) for ratio in _RATIOS]
    if pacer in TUNABLES:
        return [Contestant(pacer, _words(knobs), knobs=knobs) for knobs in TUNABLES[pacer].grid]
    return [Contestant(pacer)]


def _words(knobs: Settings) -> str:
    """Name what differs from the family's defaults."""
    default = type(knobs)()
    changed = {name: value for name, value in msgspec.structs.asdict(knobs).items() if value != getattr(default, name)}
    for known in ("method", "available_only_tally"):
        changed.pop(known, None)
    return ", ".join(f"{name} {value:g}" for name, value in changed.items()) or "default"


def curve_of(pacer: str) -> Sequence[Contestant]:
    """Return the settings whose points make the curve of occupancy over abandonment."""
    if pacer == OURS:
        return [Contestant(pacer, f"limit {100 * limit:g} %", limit=limit) for limit in _LIMITS]
    return settings_of(pacer)
