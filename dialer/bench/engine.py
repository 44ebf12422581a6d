"""Engine and simulator: events a second beside a bare heap, and the wall time of a whole working day."""

from __future__ import annotations

import heapq
import time

from dialer.bench.figures import Pair, Result, Step, at_least, at_most, best, plain, ratio, timed
from simulator.scenario import Scenario, changed, load
from simulator.world import World

SCENARIO = "vn-mobile"
RATIO_GOAL = 0.15
DAY_GOAL_S = 60.0
_SLICE_HOURS = 1.0
"""A ratio is taken of so much of the day, several times; the whole day is played once."""
_ENTRIES_PER_AGENT = 4
"""How deep the heap of the simulated world is, about."""
_DELAYS = 4096


def bench_engine(*, agents: int, hours: float, seed: int, repeats: int, step: Step) -> Result:
    """Play a working day with the predictive pacer; processor seconds, so that others on the machine do not count."""
    scenario = changed(load(SCENARIO), agents=agents, hours=min(hours, _SLICE_HOURS), pacer="predictive")
    pairs: list[Pair] = []
    steps = 0
    for number in range(1, repeats + 1):
        step(f"engine beside a bare heap, {number} of {repeats}")
        world = World(scenario, seed=seed)
        played = timed(world.run, time.process_time)
        steps = world.steps
        pairs.append((played, bare_heap(steps, depth=_ENTRIES_PER_AGENT * agents)))
    step(f"{agents} agents, {hours:g} hours")
    day, wall_s, cpu_s = _day(changed(scenario, hours=hours), seed)
    return Result(
        "engine",
        {"agents": agents, "hours": hours, "seed": seed, "repeats": repeats},
        [
            at_least("events a second / bare heap", ratio(pairs), RATIO_GOAL),
            at_most(f"wall time of {agents} agents x {hours:g} h", wall_s, DAY_GOAL_S, "s"),
            plain("processor time of the same", cpu_s, "s"),
            plain("events a second", steps / best([played for played, _ in pairs])),
            plain("events a second of the bare heap", steps / best([bare for _, bare in pairs])),
            plain("events of the day", day.steps),
            plain("attempts of the day", day.lanes[0].meter.statuses.total()),
        ],
    )


def _day(scenario: Scenario, seed: int) -> tuple[World, float, float]:
    world = World(scenario, seed=seed)
    cpu = time.process_time()
    wall_s = timed(world.run)
    return world, wall_s, time.process_time() - cpu


def bare_heap(pops: int, *, depth: int) -> float:
    """Return the processor seconds of so many pops, each followed by a push of a later entry of the same shape."""
    heap = [(float(at), at, bare_heap, None) for at in range(depth)]
    delays = [1.0 + (31 * n % 97) for n in range(_DELAYS)]
    pop, push = heapq.heappop, heapq.heappush
    began = time.process_time()
    for number in range(pops):
        at, _, what, payload = pop(heap)
        push(heap, (at + delays[number % _DELAYS], depth + number, what, payload))
    return time.process_time() - began
