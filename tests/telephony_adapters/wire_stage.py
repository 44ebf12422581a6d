"""The stage for the adapter cards around SIP: our carrier on the wire for customers, a bank of phones for agents."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from dialer.clock import SystemClock
from dialer.core.types import AgentId, CallId
from dialer.ports import Telephony
from simulator.wire.server import CarrierServer, Plan
from telephony_adapters.conformance import FarEnd
from telephony_adapters.sip.flow import Flow
from telephony_adapters.trunks.config import load
from telephony_adapters.trunks.journal import Journal
from telephony_adapters.trunks.setup import Plant
from telephony_adapters.trunks.telephony import SipTelephony
from telephony_adapters.wire.listen import Listen
from telephony_adapters.wire.loop import SipLoop
from tests.plugins.processes import free_port
from tests.telephony_adapters.trunks.bank import Bank, Habits

HOST = "127.0.0.1"
NUMBERS = {
    FarEnd.ANSWERS: "+84959010001",
    FarEnd.HANGS_UP: "+84959071001",
    FarEnd.TALKS_BRIEFLY: "+84959091001",
    FarEnd.BUSY: "+84955486000",
    FarEnd.UNKNOWN: "+84955404000",
    FarEnd.AWAY: "+84955480000",
    FarEnd.CONGESTED: "+84955503000",
    FarEnd.RINGS: "+84959040001",
    FarEnd.ANSWERS_LATE: "+84959200001",
    FarEnd.ANNOUNCEMENT: "+84959111001",
}
"""docs/carrier.md, Numbers that do one thing."""
TRUNKS = """
[sip]
listen = ["udp:127.0.0.1:{port}"]
[numbers]
allow = ["8495"]
[trunk.main]
server = "{carrier}"
channels = 100
cps = 1000
burst = 100
options_every_s = 0
offer = "inactive"
announcement_header = "X-Announcement"
[agents]
server = "{agents}"
uri = "sip:{{agent}}@{agents}"
nailed_up = {nailed_up}
answer_limit_s = 2.0
join_limit_s = 2.0
"""


class WireStage:
    """Implements telephony_adapters.conformance.Stage."""

    hotline = "+842471000001"
    trunk = "main"
    agents: tuple[AgentId, AgentId] = ("a1", "a2")
    absent: AgentId = "a9"
    prompt = no_prompt = ""

    def __init__(self, telephony: Telephony, desks: Bank, loop: SipLoop) -> None:
        self.telephony = telephony
        self._desks = desks
        self._loop = loop
        self._clock = SystemClock()

    def phone(self, far_end: FarEnd) -> str:
        return NUMBERS[far_end]

    def transfer_phone(self, *, answers: bool) -> str:
        raise NotImplementedError("SIP sends no call on")

    async def agent_hangs_up(self, call_id: CallId, agent_id: AgentId) -> None:
        self._desks.hang_up(agent_id, self._clock.now())
        self._loop.kick()

    async def somebody_calls(self) -> None:
        raise NotImplementedError("SIP trunks take no calls")

    async def caller_hangs_up(self, call_id: CallId) -> None:
        raise NotImplementedError("SIP trunks take no calls")

    async def wait(self, news: asyncio.Event, seconds: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(news.wait(), seconds)

    def now(self) -> float:
        return self._clock.now()


@asynccontextmanager
async def wire_stage(folder: Path, *, nailed_up: bool = False) -> AsyncIterator[WireStage]:
    """Let a carrier and agents' phones listen, and make an adapter that leads to them."""
    clock = SystemClock()
    plan = Plan(profile="clean", listens=[Listen("udp", HOST, 0)])
    server = CarrierServer(plan, show=lambda _snapshot: None, say=lambda _text: None)
    carrier = asyncio.create_task(server.run())
    desks = Bank(Flow("udp", HOST, 0), {"a9": Habits(picks_up_s=None)})
    loop = SipLoop(desks, now=clock.now, after_turn=lambda: None)
    try:
        await server.ready.wait()
        (place,) = await loop.open([Listen("udp", HOST, 0)])
        desks.move(Flow("udp", HOST, place.port))
        path = folder / "trunks.toml"
        path.write_text(
            TRUNKS.format(
                port=free_port(),
                carrier=f"{HOST}:{server.listening[0].port}",
                agents=f"{HOST}:{place.port}",
                nailed_up=str(nailed_up).lower(),
            )
        )
        sip = SipTelephony(Plant(load(path), key=b"key"), clock=clock, journal=Journal(folder / "journal"))
        yield WireStage(sip, desks, loop)
    finally:
        await loop.close()
        server.stop()
        await carrier
