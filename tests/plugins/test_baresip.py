from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.plugins import sipp_scenarios as scenarios
from tests.plugins.baresip import Phone, Phones
from tests.plugins.processes import is_open
from tests.plugins.sipp import Sipp


async def in_a_call(phones: Phones) -> tuple[Phone, Phone]:
    caller, callee = await phones.start("agent1"), await phones.start("agent2", tone_hz=880)
    await caller.dial(callee.uri)
    await caller.until("CALL_ESTABLISHED")
    return caller, callee


async def test_two_phones_hear_each_other_until_one_hangs_up(phones: Phones) -> None:
    caller, callee = await in_a_call(phones)
    here, there = await asyncio.gather(caller.two_way(25), callee.two_way(25))
    assert min(*here, *there) >= 25
    assert await callee.is_in_call()
    await callee.hang_up()
    await caller.until("CALL_CLOSED")
    assert not await callee.is_in_call()
    assert not await caller.is_in_call()
    assert min(await caller.rtp()) >= min(here), "the counts of the last call stay"


async def test_a_held_call_is_silent_and_goes_on_when_it_is_resumed(phones: Phones) -> None:
    caller, callee = await in_a_call(phones)
    await caller.two_way()
    await caller.hold()
    await caller.until("CALL_REMOTE_SDP")
    held = await callee.rtp()
    with pytest.raises(pytest.fail.Exception, match=r"baresip had Rtp\(.*\), and 0\.3 s later Rtp\("):
        await callee.two_way(timeout_s=0.3)
    assert (await callee.rtp()).received <= held.received + 1
    await caller.resume()
    await asyncio.gather(caller.two_way(), callee.two_way())


async def test_a_phone_may_leave_the_answer_to_the_test(phones: Phones) -> None:
    caller, callee = await phones.start("agent1"), await phones.start("agent2", answers=False, codecs=("PCMA",))
    await caller.dial(callee.uri)
    await callee.until("CALL_INCOMING")
    await caller.until("CALL_RINGING")
    assert not await callee.is_in_call()
    await callee.answer()
    await caller.until("CALL_ESTABLISHED")
    assert "PCMA" in await caller.command("audio_debug")


async def test_an_event_that_does_not_come_fails_the_test_with_those_that_came(phones: Phones) -> None:
    phone = await phones.start("agent1")
    with pytest.raises(pytest.fail.Exception, match=r"waited 0\.1 s in vain for CALL_INCOMING; it had none"):
        await phone.until("CALL_INCOMING", 0.1)
    assert await phone.rtp() == (0, 0)


async def test_sipp_changes_the_call_and_hangs_up(phones: Phones, sipp: Sipp) -> None:
    phone = await phones.start("agent1")
    for callee, event in ((scenarios.change(), "CALL_REMOTE_SDP"), (scenarios.hang_up(), "CALL_CLOSED")):
        uas = sipp.uas(callee)
        await phone.dial(uas.uri("0900000001"))
        await phone.until("CALL_ESTABLISHED")
        await phone.until(event)
        await phone.hang_up()
        assert (await uas.finished())[:3] == (1, 1, 0), uas.errors()


@pytest.mark.component("baresip")
async def test_none_outlives_its_test(tmp_path: Path) -> None:
    every = Phones(tmp_path)
    ports = [(await every.start(name)).port for name in ("agent1", "agent2")]
    assert all(is_open(port, "udp", "tcp") for port in ports)
    await every.stop()
    assert not any(is_open(port, "udp") for port in ports)
