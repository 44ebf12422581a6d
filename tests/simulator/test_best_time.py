"""What best time to call is worth, with the very engine: two lists whose people are reached at opposite hours."""

from __future__ import annotations

from typing import Any

from simulator.report import report
from simulator.scenario import changed, load
from simulator.world import World


def played(*, best_time: bool) -> Any:
    world = World(changed(load("best-time"), best_time=best_time, hours=27.0, agents=5), seed=7)
    world.run()
    (campaign,) = report(world).campaigns
    return campaign


def test_the_same_talks_take_a_quarter_fewer_calls_at_least() -> None:
    plain, best = played(best_time=False), played(best_time=True)
    assert best.attempts / best.connected < 0.75 * plain.attempts / plain.connected
    assert best.connected > 0.97 * plain.connected
    assert best.abandonment <= best.abandon_limit
