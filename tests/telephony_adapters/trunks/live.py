"""Customers and agents on real sockets of this machine, for an adapter that runs beside them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from dialer.clock import SystemClock
from telephony_adapters.sip.flow import Flow
from telephony_adapters.wire.listen import Listen
from telephony_adapters.wire.loop import SipLoop
from tests.plugins.processes import free_port
from tests.telephony_adapters.trunks.bank import Bank

HOST = "127.0.0.1"


class LivePeers:
    """Two banks of phones with a loop each."""

    def __init__(self, customers: Bank, agents: Bank) -> None:
        self.customers = customers
        self.agents = agents
        self.port = free_port()
        """Where the adapter listens, also after a restart."""
        self._turned = asyncio.Event()

    def turned(self) -> None:
        self._turned.set()

    async def until(self, true: Callable[[], bool], wait_s: float = 20.0) -> None:
        """Wait until something is so."""
        async with asyncio.timeout(wait_s):
            while not true():
                self._turned.clear()
                await self._turned.wait()


@asynccontextmanager
async def peers(**habits: Any) -> AsyncIterator[LivePeers]:
    """Let customers and agents listen."""
    clock, loops = SystemClock(), list[SipLoop]()
    there = LivePeers(Bank(Flow("udp", HOST, 0)), Bank(Flow("udp", HOST, 0)))
    try:
        for bank in (there.customers, there.agents):
            loop = SipLoop(bank, now=clock.now, after_turn=there.turned)
            loops.append(loop)
            (place,) = await loop.open([Listen("udp", HOST, 0)])
            bank.move(Flow("udp", HOST, place.port))
        yield there
    finally:
        for loop in loops:
            await loop.close()


def written(folder: Path, others: LivePeers, more: str = "") -> Path:
    """Write a trunks file that leads to them."""
    path = folder / "trunks.toml"
    path.write_text(f"""
[sip]
listen = ["udp:127.0.0.1:{others.port}"]
[trunk.main]
server = "{HOST}:{others.customers.flow.port}"
channels = 100
cps = 100
options_every_s = 0
{more}
[agents]
server = "{HOST}:{others.agents.flow.port}"
uri = "sip:{{agent}}@{HOST}:{others.agents.flow.port}"
""")
    return path
