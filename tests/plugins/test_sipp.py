from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.plugins import sipp_scenarios as scenarios
from tests.plugins.processes import is_open
from tests.plugins.sipp import Counts, Sipp


@pytest.mark.parametrize("transport", ["udp", "tcp"])
async def test_calls_go_from_sipp_to_sipp_while_the_loop_goes_on(sipp: Sipp, transport: str) -> None:
    uas = sipp.uas(scenarios.answer(), transport=transport)
    uac = sipp.uac(uas.address, scenarios.call(), calls=20, rate=100, transport=transport)
    made, taken = await asyncio.gather(uac.finished(), asyncio.sleep(0, "the loop goes on"))
    assert made == Counts(20, 20, 0, 0)
    assert taken == "the loop goes on"
    assert await uas.finished() == Counts(20, 20, 0, 0)
    assert uas.uri("0900000001") == f"sip:0900000001@{uas.address}" + ("" if transport == "udp" else ";transport=tcp")
    assert uas.stats()["TotalCallCreated"] == "20"


def test_sipps_own_scenarios_go_by_name_and_need_no_trace(sipp: Sipp) -> None:
    uas = sipp.uas("uas", trace=False)
    assert sipp.uac(uas.address, "uac", calls=5, rate=50).wait() == Counts(5, 5, 0, 0)
    assert uas.messages() == []
    assert uas.stop().calls == 5


def test_what_goes_otherwise_than_written_fails_and_is_told(sipp: Sipp) -> None:
    uas = sipp.uas(scenarios.reject("486 Busy Here"))
    uac = sipp.uac(uas.address, scenarios.call())
    assert uac.wait() == Counts(1, 0, 1, 0)
    assert "Aborting call on unexpected message" in uac.errors()
    assert "SIP/2.0 486 Busy Here" in uac.first_lines()


def test_who_never_ends_fails_the_test(sipp: Sipp) -> None:
    uac = sipp.uac(sipp.uas(scenarios.say_nothing()).address, scenarios.call())
    with pytest.raises(pytest.fail.Exception, match=r"sipp still runs after 0.3 s, \['INVITE sip:"):
        uac.wait(0.3)


def test_a_scenario_with_a_mistake_fails_the_test_at_once(sipp: Sipp) -> None:
    with pytest.raises(pytest.fail.Exception, match="did not start"):
        sipp.uas(scenarios.callee("<nonsense/>"))


@pytest.mark.component("sipp")
def test_none_outlives_its_test(tmp_path: Path) -> None:
    every = Sipp(tmp_path)
    ports = [every.uas("uas").port for _ in range(2)]
    assert len(set(ports)) == 2
    every.stop()
    assert not any(is_open(port, "udp") for port in ports)
