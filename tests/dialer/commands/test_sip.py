from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from dialer import config, metrics
from dialer.clock import SystemClock
from dialer.commands.sip import join_desks, limits_of, open_plant, open_sip, samples_of
from dialer.config import Settings
from dialer.core.events import CallAnswered, CallConnected
from dialer.errors import BadInput
from dialer.ports import Telephony
from simulator.live import SimulatorTelephony
from simulator.live_agents import SimulatedDesks
from simulator.profile import Fate
from telephony_adapters.trunks.process import SipProcess
from telephony_adapters.trunks.telephony import SipTelephony
from tests.simulator.worlds import only
from tests.telephony_adapters.trunks.live import LivePeers, peers, written

WAIT_S = 20.0


def settings(home: Path, others: LivePeers, **more: object) -> Settings:
    return config.load(home=home, trunks=written(home, others), trunk="sip", **more)


@pytest.mark.parametrize("sip_process", [False, True])
@pytest.mark.parametrize("share", [0.0, 1.0])
async def test_the_adapter_runs_here_or_beside_as_the_settings_say(
    tmp_path: Path, sip_process: bool, share: float
) -> None:
    async with peers() as others:
        made = settings(tmp_path, others, sip_process=sip_process, sip_trace_share=share)
        telephony = open_sip(made, SystemClock(), ())
        assert type(telephony) is (SipProcess if sip_process else SipTelephony)
        assert [(limit.name, limit.channels) for limit in limits_of(telephony)] == [("main", 100)]
        async with telephony:
            await _talk(telephony)
            sampled = {(sample.metric, sample.labels) for sample in samples_of(telephony)()}
        assert (metrics.TRUNK_UP, ("main",)) in sampled
        assert ((metrics.TRACED, ()) in sampled) is (share > 0)


async def _talk(telephony: Telephony) -> None:
    desks = SimulatedDesks(clock=SystemClock(), seed=1)
    join_desks(telephony, desks)
    await telephony.originate("c1", phone="+84900000001", hotline="+842400000001", trunk="main", ring_timeout_s=30.0)
    async with asyncio.timeout(WAIT_S):
        async for event in telephony.events():
            if isinstance(event, CallAnswered):
                await telephony.connect("c1", agent_id="a1")
            elif isinstance(event, CallConnected):
                return


async def test_simulated_desks_hear_when_a_talk_begins(tmp_path: Path) -> None:
    async with peers() as others:
        telephony = open_sip(settings(tmp_path, others), SystemClock(), ())
        desks = SimulatedDesks(clock=SystemClock(), seed=1)
        join_desks(telephony, desks)
        assert isinstance(telephony, SipTelephony)
        assert telephony.on_connected == desks.joined
        async with telephony:
            pass


async def test_a_trunks_file_is_needed_and_real_time(tmp_path: Path) -> None:
    bare = config.load(home=tmp_path, trunk="sip")
    for process in (False, True):
        with pytest.raises(BadInput, match="dialer trunk example"):
            open_sip(bare.model_copy(update={"sip_process": process}), SystemClock(), ())
    fast = SystemClock()
    fast.speed = 10.0
    with pytest.raises(BadInput, match="real time"):
        open_sip(bare, fast, ())


async def test_one_trunk_may_be_wanted_by_itself(tmp_path: Path) -> None:
    async with peers() as others:
        made = settings(tmp_path, others)
        plant = open_plant(made, only="main")
        assert ([line.name for line in plant.lines], plant.handsets) == (["main"], None)
        with pytest.raises(BadInput, match="did you mean"):
            open_plant(made, only="mian")


async def test_another_adapter_has_nothing_to_say_here() -> None:
    simulated = SimulatorTelephony(only(Fate.ENGAGED), clock=SystemClock(), seed=1)
    assert limits_of(simulated) == ()
    assert list(samples_of(simulated)()) == []
    join_desks(simulated, SimulatedDesks(clock=SystemClock(), seed=1))
