"""The adapter for a load test, and a trunk that is made for an address."""

from __future__ import annotations

import ipaddress
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from dialer.bench.load import Load, Loader
from dialer.errors import BadInput
from dialer.ports import Clock
from telephony_adapters.sip.leg import Leg
from telephony_adapters.sip.srv import Target
from telephony_adapters.trunks.addresses import Server
from telephony_adapters.trunks.check import names_of
from telephony_adapters.trunks.guard import VIETNAM, Numbers
from telephony_adapters.trunks.journal import Journal
from telephony_adapters.trunks.model import Sip, Spend, Trunk, TrunksFile
from telephony_adapters.trunks.setup import Plant
from telephony_adapters.trunks.telephony import SipTelephony
from telephony_adapters.wire.listen import Listen, default_port
from telephony_adapters.wire.local import address_toward
from telephony_adapters.wire.resolve import Resolver

TARGET: Final = "target"
"""The name of a trunk that is made for an address."""
_SIMULATED: Final = "8495"
"""Nobody's since 2012: where the carrier simulator keeps the numbers that choose what it does."""
_SIMULATOR: Final = "dialer-carrier"
"""What the carrier simulator calls itself."""
_ASK_S: Final = 2.0
_CHANNELS: Final = 100_000
_CPS: Final = 10_000.0
_FAILURES: Final = 1000


def trunk_to(address: str, *, authorities: Path | None = None) -> TrunksFile:
    """Return a trunks file for one server (udp:127.0.0.1:5070), which takes as much as this process can give.

    `authorities` are those of a TLS server's certificate. Only numbers of Vietnam may be called, and the simulator's.
    """
    place = Listen.parse(address)
    if place.transport != "tls" and authorities is not None:
        raise BadInput("--ca names the authorities of a TLS server: it goes with --to tls:HOST:PORT")
    host, port = _literal(place.host), place.port or default_port(place.transport)
    trunk = Trunk(
        name=TARGET, server=Server(place.host, port), transport=place.transport, channels=_CHANNELS, cps=_CPS,
        options_every_s=0, failures_to_rest=_FAILURES, tls_ca=authorities,
    )  # fmt: skip
    own = address_toward(host, port) if host else "0.0.0.0"  # noqa: S104 -- a name: its address is not known yet
    kinds = ("udp",) if place.transport == "udp" else ("udp", "tcp")
    return TrunksFile(
        trunks={TARGET: trunk}, numbers=Numbers(allow=(*VIETNAM, _SIMULATED)), spend=Spend(),
        sip=Sip(listen=tuple(str(Listen(kind, own, 0)) for kind in kinds)), agents=None,
    )  # fmt: skip


async def is_near(trunk: Trunk) -> bool:
    """Tell whether every server of a trunk is on this machine or has a private address; raise BadInput, Unreachable."""
    if host := _literal(trunk.server.host):
        return _is_private(host)
    resolver = Resolver(now=time.monotonic)
    try:
        servers = await resolver.servers(Target(trunk.server.host, trunk.server.port, trunk.transport))
    finally:
        await resolver.close()
    return all(_is_private(flow.host) for server in servers for flow in server.flows)


async def is_simulated(file: TrunksFile, name: str, clock: Clock) -> bool:
    """Tell whether every server of a trunk says that it is the carrier simulator; raise BadInput, Unreachable.

    An address says nothing: carriers are reached over private lines, too.
    """
    return set(await names_of(file, name, clock=clock, timeout_s=_ASK_S)) == {_SIMULATOR}


@asynccontextmanager
async def loader(plant: Plant, load: Load, clock: Clock, journal: Journal | None = None) -> AsyncIterator[Loader]:
    """Run the adapter, and give what places the calls of a load through it."""
    async with SipTelephony(plant, clock=clock, journal=journal) as telephony:
        found = Loader(telephony, load)
        machine = plant.machine
        note = machine.on_leg

        def told(what: str, leg: Leg, now: float) -> None:
            if note is not None:
                note(what, leg, now)
            if what == "placed":
                found.invited(leg.call_id.partition("@")[0])

        machine.on_leg = told
        yield found


def _literal(host: str) -> str:
    """Return a host that is an address, else nothing."""
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        return ""


def _is_private(host: str) -> bool:
    address = ipaddress.ip_address(host.partition("%")[0])
    return address.is_private or address.is_loopback or address.is_link_local
