"""The carrier simulator in this process, on a port of its own, for what calls it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from simulator.wire.server import CarrierServer, Plan
from telephony_adapters.wire.listen import Listen

ANSWERS = "+84900000001"
BUSY = "+84955486000"
RINGS = "+84959043000"


@asynccontextmanager
async def carrier(transport: str = "udp") -> AsyncIterator[Listen]:
    """Run it and give the place where it listens."""
    plan = Plan(profile="clean", listens=[Listen(transport, "127.0.0.1", 0)])
    server = CarrierServer(plan, show=lambda _snapshot: None, say=lambda _text: None)
    task = asyncio.create_task(server.run())
    await server.ready.wait()
    try:
        yield server.listening[0]
    finally:
        server.stop()
        await task
