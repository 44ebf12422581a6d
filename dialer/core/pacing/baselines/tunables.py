"""The baselines by name, with the settings that a careful owner would try."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import product
from types import MappingProxyType
from typing import TypeAlias

import msgspec

from dialer.core.pacing.base import Pacer
from dialer.core.pacing.baselines.eis import Eis, EisSettings
from dialer.core.pacing.baselines.impactdialing import ImpactDialing, ImpactSettings
from dialer.core.pacing.baselines.issabel import Issabel, IssabelSettings
from dialer.core.pacing.baselines.osdial import Osdial, OsdialSettings
from dialer.core.pacing.baselines.vicidial import Method, Vicidial, VicidialSettings
from dialer.core.pacing.baselines.webitel import Webitel, WebitelSettings

Settings: TypeAlias = (
    VicidialSettings | OsdialSettings | IssabelSettings | WebitelSettings | ImpactSettings | EisSettings
)
_LEVELS = (2.0, 3.0, 4.0, 6.0, 8.0)
_TUNED_CPS = 40.0
"""A careful owner lets a server place calls as fast as a team of 100 needs; the default, 5 a second, starves it."""
_METHODS: tuple[Method, ...] = ("average", "hard", "tapered")


class Tunable(msgspec.Struct, frozen=True):
    """A baseline: its default setting first, then the others."""

    grid: tuple[Settings, ...]

    def make(self, settings: Settings | None = None) -> Pacer:
        """Return a policy of one's own, with the default setting unless another is given."""
        return made(self.grid[0] if settings is None else settings)


def made(settings: Settings) -> Pacer:
    """Return the policy that the settings belong to."""
    match settings:
        case VicidialSettings():
            return Vicidial(settings)
        case OsdialSettings():
            return Osdial(settings)
        case IssabelSettings():
            return Issabel(settings)
        case WebitelSettings():
            return Webitel(settings)
        case ImpactSettings():
            return ImpactDialing(settings)
        case EisSettings():
            return Eis(settings)


def _vicidial(method: Method, *, tally: bool) -> Tunable:
    default = VicidialSettings(method=method, available_only_tally=tally)
    others = [
        VicidialSettings(
            method=method, available_only_tally=tally, maximum_level=level, dl_diff_target=spare, cps=_TUNED_CPS
        )
        for level, spare in product(_LEVELS, (0.0, -0.2))
    ]
    return Tunable((default, *[one for one in others if one != default]))


TUNABLES: Mapping[str, Tunable] = MappingProxyType(
    {
        **{
            f"vicidial-{method}" + ("-y" if tally else ""): _vicidial(method, tally=tally)
            for method in _METHODS
            for tally in (False, True)
        },
        "osdial": Tunable(
            (
                OsdialSettings(),
                *[
                    OsdialSettings(step=step, available_only_tally=True, maximum_level=level)
                    for step, level in product((0.001, 0.02), (3.0, 5.0, 8.0))
                ],
            )
        ),
        "issabel": Tunable(tuple(IssabelSettings(service_percent=share) for share in (97.0, 90.0, 80.0, 65.0, 50.0))),
        "webitel": Tunable(
            tuple(
                WebitelSettings(load_factor=load, target_abandoned=target)
                for load, target in product((10.0, 0.0, 30.0, 60.0), (2.0, 2.8))
            )
        ),
        "impactdialing": Tunable(tuple(ImpactSettings(acceptable_abandon_percent=one) for one in (3.0, 2.0, 5.0, 8.0))),
        "eis": Tunable(
            tuple(
                EisSettings(step=step, limit_percent=limit)
                for step, limit in product((0.1, 0.05, 0.2), (2.5, 2.0, 3.0))
            )
        ),
    }
)
BASELINES: Mapping[str, Callable[[], Pacer]] = MappingProxyType({name: one.make for name, one in TUNABLES.items()})
