from __future__ import annotations

import pytest

from dialer.commands.demo_setup import HOTLINES, demo_people, demo_settings
from simulator.carrier import Carrier


@pytest.mark.parametrize("asked", [False, True])
def test_a_demo_takes_calls_and_records_where_that_is_asked_for(asked: bool) -> None:
    made = demo_settings(until_done=False, inbound=asked, record=asked)
    assert (made.inbound, made.record, made.hotlines) == (asked, asked, HOTLINES)


def test_the_demos_people_press_keys_and_call_its_hotlines() -> None:
    carrier, desk = demo_people(12, 40.0)
    Carrier(carrier, seed=7, started_at=0.0)  # which refuses shares that are none
    assert (desk.count, carrier.callers.per_hour, carrier.callers.hotlines) == (12, 40.0, HOTLINES)
    assert {"1", "2"} < carrier.keys.keys()
    assert demo_people(1)[0].callers.per_hour == 0.0
