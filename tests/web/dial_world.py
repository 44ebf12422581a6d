"""A campaign whose agents dial by hand, and an engine with simulated trunk and desks that places the calls."""

from __future__ import annotations

import asyncio
import time

import msgspec
from sqlalchemy.ext.asyncio import AsyncEngine

from crm import campaigns
from dialer.core.campaign import CampaignAction
from dialer.core.trunks import TrunkLimit, TrunkPool
from dialer.core.types import CallWindow, CampaignKind, CampaignSettings, Slot
from dialer.service.driver import Driver
from dialer.service.keeper import Keeper
from simulator.chance import Duration
from simulator.live import SimulatorTelephony
from simulator.live_agents import SimulatedDesks
from simulator.profile import AgentProfile, Fate
from store.lead_store import SqlLeadStore
from tests.simulator.worlds import only

BY_HAND = "Gọi tay tháng 11"
SETTINGS = CampaignSettings(
    0, BY_HAND, kind=CampaignKind.MANUAL, window=CallWindow(weekdays=((Slot(0, 1440),),) * 7), hotlines=("19001000",),
    wrap_up_s=600.0, prompt="Xin chào, em gọi từ tổng đài.",
)  # fmt: skip


class WallClock:
    """The time of the day."""

    speed = 1.0

    def now(self) -> float:
        return time.time()

    async def sleep_until(self, at: float) -> None:
        await asyncio.sleep(max(0.0, at - time.time()))


async def dialing(engine: AsyncEngine) -> None:
    """Run until cancelled; who is called answers after a while and talks for ten minutes."""
    clock = WallClock()
    number = await campaigns.create(engine, SETTINGS, now=clock.now())
    for action in (CampaignAction.APPROVE, CampaignAction.START):
        await campaigns.act(engine, BY_HAND, action, now=clock.now())
    store, carrier = SqlLeadStore(engine), msgspec.structs.replace(only(Fate.ANSWER), talk=Duration(600.0, 0.1))
    trunk = SimulatorTelephony(carrier, clock=clock, seed=7)
    desks = SimulatedDesks(clock=clock, seed=7, trunk=trunk)
    desks.man(number, AgentProfile(count=2, arrive_within_s=0.1, wrap_up=Duration(500.0, 0.1)))
    driver = Driver(store, trunk, desks, clock)
    pool = TrunkPool((TrunkLimit(name="sim", channels=9, cps=9.0, burst=9),))
    keeper = Keeper(store, trunk, driver, pool, owner="tests")
    async with trunk, desks:
        await asyncio.gather(driver.run(), keeper.run())
