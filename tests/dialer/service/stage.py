"""A whole service without files or sleeping: memory store, simulated trunk and desks, a clock that the test moves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, nullcontext

import msgspec

from dialer.core.campaign import CampaignState
from dialer.core.trunks import TrunkLimit, TrunkPool
from dialer.core.types import CampaignSettings
from dialer.ports import Owned
from dialer.service.driver import Driver
from dialer.service.keeper import Keeper
from dialer.speech import Prompts
from simulator.chance import Duration
from simulator.clock import VirtualClock
from simulator.live import SimulatorTelephony
from simulator.live_agents import SimulatedDesks
from simulator.profile import AgentProfile, CarrierProfile, Fate
from statuses.classify import Override
from store.memory import MemoryLeadStore
from store.rows import LeadRow
from tests.dialer.core.bench_engine import SETTINGS, START
from tests.simulator.worlds import only


class Stage:
    """The parts of one process, wired as the composition root wires them."""

    def __init__(
        self,
        *,
        store: MemoryLeadStore | None = None,
        clock: VirtualClock | None = None,
        carrier: CarrierProfile | None = None,
        agents: int = 2,
        owner: str = "one",
        trunk: SimulatorTelephony | None = None,
        overrides: tuple[Override, ...] = (),
        prompts: Prompts | None = None,
    ) -> None:
        self.clock = clock or VirtualClock(START)
        self.store = store or MemoryLeadStore()
        brief = msgspec.structs.replace(carrier or only(Fate.ANSWER), talk=Duration(15.0, 0.2))
        self.keeps_trunk = trunk is not None
        """The trunk is somebody else's: it outlives this process."""
        self.trunk = trunk or SimulatorTelephony(brief, clock=self.clock, seed=7)
        self.invites: list[str] = []
        self.trunk.on_invite = lambda call_id, _phone, _now: self.invites.append(call_id)
        self.desks = SimulatedDesks(clock=self.clock, seed=7, trunk=self.trunk)
        self.team = AgentProfile(
            count=agents, arrive_within_s=1.0, wrap_up=Duration(4.0, 0.2), callback=0.0, do_not_recall=0.0
        )
        if agents:
            self.desks.man(1, self.team)
        self.driver = Driver(self.store, self.trunk, self.desks, self.clock, prompts=prompts)
        pool = TrunkPool((TrunkLimit(name="sim", channels=50, cps=50.0, burst=50),))
        self.keeper = Keeper(self.store, self.trunk, self.driver, pool, owner=owner, overrides=overrides)

    def campaign(
        self, *, leads: int = 5, state: CampaignState = CampaignState.RUNNING, **changes: object
    ) -> CampaignSettings:
        """Put a campaign with leads into the store."""
        settings = msgspec.structs.replace(SETTINGS, **changes)
        self.store.add_campaign(settings, state=state)
        self.store.add_list(1)
        for n in range(1, leads + 1):
            self.store.add_lead(LeadRow(id=n, customer_id=n, campaign_id=1, list_id=1, phone=f"+8470000{n:04d}"))
        return settings

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Stage]:
        """Run driver and keeper; stopping is as sudden as a killed process."""
        async with nullcontext() if self.keeps_trunk else self.trunk, self.desks:
            tasks = [asyncio.create_task(self.driver.run()), asyncio.create_task(self.keeper.run())]
            try:
                yield self
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)

    def states(self) -> dict[str, int]:
        """Count the leads by state."""
        counts: dict[str, int] = {}
        for lead in self.store.book.leads.values():
            counts[lead.state] = counts.get(lead.state, 0) + 1
        return counts


class FlakyStore(MemoryLeadStore):
    """A store whose next commits fail."""

    def __init__(self, failures: int) -> None:
        super().__init__()
        self.failures = failures
        self.commits = 0

    async def commit(self, batch: Sequence[Owned], *, now: float) -> Sequence[tuple[int, object]]:  # type: ignore[override]
        """Fail, or commit."""
        self.commits += 1
        if self.failures > 0:
            self.failures -= 1
            raise OSError("no space left on device")
        return await super().commit(batch, now=now)
