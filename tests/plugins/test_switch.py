from __future__ import annotations

import asyncio

import pytest

from tests.plugins import sipp_scenarios as scenarios
from tests.plugins.sipp import Sipp
from tests.plugins.switch import local_switch


@pytest.mark.component("asterisk")
async def test_it_keeps_records_of_calls_and_of_what_came_to_nothing(sipp: Sipp) -> None:
    talks, busy = sipp.uas(scenarios.hang_up(talk_s=0.2)), sipp.uas(scenarios.reject("486 Busy Here"))
    with local_switch() as switch:
        for callee in (talks, busy):
            switch.command(f"channel originate PJSIP/carrier/{callee.uri('0900000000')} application Wait 5")
        async with asyncio.timeout(30):
            while len(switch.records()) < 2:  # noqa: ASYNC110 -- another process writes
                await asyncio.sleep(0.05)
        records = {record.disposition: record for record in switch.records()}
        assert set(records) == {"ANSWERED", "BUSY"}
        answered = records["ANSWERED"]
        assert answered.answered_at is not None
        assert answered.began_at < answered.answered_at < answered.ended_at
        assert 0.15 < answered.ended_at - answered.answered_at < 5.0
        assert records["BUSY"].answered_at is None
        assert switch.live_channels() == 0
        switch.kill()
        switch.start()
        assert switch.live_channels() == 0
