from __future__ import annotations

import json

from simulator.wire.figures import Meter, to_json, to_line
from tests.simulator.wire.callers import START, World


def world() -> World:
    made = World()
    made.hangs_up_after = 1.0
    for number in ("0955486000", "0959000000", "0959050000"):
        made.call(number)
    made.call("0959040000", at=10.0)
    made.network.run(START + 40.0)
    return made


def test_a_snapshot_counts_what_happened() -> None:
    made, cpu = world(), iter([1.0, 1.5, 1.75])
    meter = Meter(made.carrier, cpu=lambda: next(cpu), now=START)
    first = meter.snapshot(START + 40.0, loop={"udp.received": 12, "sent": 8, "flow.lost": 1}, lost=2, kernel_drops=3)
    assert (first.calls, first.active, first.talking, first.answered, first.ghosts) == (4, 1, 0, 1, 0)
    assert first.by_code == {"none": 1, "200": 1, "486": 1}
    assert (first.up_s, first.calls_per_s, first.cpu_share) == (40.0, 0.1, 0.013)
    assert first.cpu_ms_per_call == round(500 / 3, 4)
    assert (first.received, first.sent, first.lost, first.kernel_drops) == (12, 8, 2, 3)
    assert first.notes == {"flow.lost": 1}
    second = meter.snapshot(START + 41.0, loop={})
    assert (second.calls_per_s, second.cpu_share) == (0.0, 0.25)


def test_a_snapshot_is_one_line_for_programs_and_one_for_people() -> None:
    made = world()
    taken = Meter(made.carrier, cpu=lambda: 0.0, now=START).snapshot(START + 40.0, loop={}, lost=2)
    assert json.loads(to_json(taken))["by_code"] == taken.by_code
    line = to_line(taken)
    assert "4 calls (0.1/s) · 1 active, 0 talking · 0 ghosts · none: 1, 200: 1, 486: 1 · CPU 0% · lost 2" in line
    assert "\n" not in line


def test_before_the_first_call_there_is_nothing_to_divide_by() -> None:
    taken = Meter(World().carrier, cpu=lambda: 0.0, now=START).snapshot(START, loop={})
    assert (taken.calls, taken.cpu_ms_per_call, taken.by_code) == (0, None, {})
    assert to_line(taken).startswith("0 calls (0/s) · 0 active, 0 talking · 0 ghosts · CPU 0%")
