"""Adapters by name."""

from __future__ import annotations

import pytest

from dialer.errors import BadInput
from dialer.ports import Clock
from simulator.clock import VirtualClock
from simulator.live import SimulatorTelephony
from simulator.profile import Fate
from telephony_adapters.registry import AdapterRegistry
from tests.simulator.worlds import only


def simulated(clock: Clock) -> SimulatorTelephony:
    return SimulatorTelephony(only(Fate.ANSWER), clock=clock, seed=7)


def test_an_adapter_is_opened_by_its_name_each_time_anew() -> None:
    registry = AdapterRegistry({"simulator": simulated, "another": simulated})
    assert registry.names() == ["another", "simulator"]
    assert registry.factory("simulator") is simulated
    clock = VirtualClock(0.0)
    first, second = registry.open("simulator", clock), registry.open("simulator", clock)
    assert first is not second
    assert first.name == "simulator"


def test_an_unknown_name_gets_those_that_are_known() -> None:
    registry = AdapterRegistry({"simulator": simulated, "another": simulated})
    with pytest.raises(BadInput, match=r"no telephony adapter 'sip'; set DIALER_TRUNK to one of: another, simulator$"):
        registry.open("sip", VirtualClock(0.0))
    with pytest.raises(BadInput, match=r"one of: none$"):
        AdapterRegistry({}).factory("sip")


def test_settings_are_checked_before_anything_is_made() -> None:
    def wrong() -> None:
        raise BadInput("no trunks file")

    registry = AdapterRegistry({"simulator": simulated, "another": simulated}, checks={"another": wrong})
    registry.check("simulator")
    with pytest.raises(BadInput, match="no trunks file"):
        registry.check("another")
    with pytest.raises(BadInput, match="no telephony adapter"):
        registry.check("pigeon")
