"""Who can be compared."""

from __future__ import annotations

from dialer.bench.pacing.contestants import OURS, Contestant, curve_of, names, settings_of
from dialer.core.pacing.baselines.tunables import TUNABLES
from dialer.core.pacing.registry import PACERS


def test_all_policies_that_dial_for_agents() -> None:
    assert set(names()) == (set(PACERS) | set(TUNABLES)) - {"agentless"}


def test_each_setting_makes_its_policy() -> None:
    for name in names():
        assert all(one.make().name == name for one in settings_of(name))


def test_only_ours_has_the_legal_budget_over_it() -> None:
    assert Contestant(OURS).guarded
    assert not Contestant("ratio").guarded


def test_ours_is_drawn_at_several_limits() -> None:
    limits = [one.limit for one in curve_of(OURS)]
    assert limits == sorted(set(limits))
    assert len(limits) >= 5
