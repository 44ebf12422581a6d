"""What `up` and `demo` share: open, serve, run, drain, say how it ended."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final, NamedTuple

from rich.console import Console

from dialer.app import Dialer, Outcome, Role, open_dialer, run_dialer
from dialer.config import Settings
from dialer.core.trunks import TrunkLimit
from dialer.errors import BadInput
from dialer.home import CONSOLE, ENGINE, PROJECTOR, RELAY, Home
from dialer.logs import set_up_logging
from dialer.metrics import Sample
from dialer.ports import Capabilities, Clock, Telephony
from dialer.service.lifecycle import Service, stop_on_signals
from dialer.wiring import World
from simulator.live import CAPABILITIES as SIMULATOR_CAN
from simulator.live import SimulatorTelephony
from simulator.live_agents import SimulatedDesks
from simulator.profile import AgentProfile, CarrierProfile
from statuses.classify import Override
from telephony_adapters.registry import AdapterRegistry

err = Console(stderr=True, highlight=False)


NOTES: Final = {
    Role.UP: (CONSOLE, ENGINE, RELAY, PROJECTOR),
    Role.ENGINE: (ENGINE,),
    Role.RELAY: (RELAY,),
    Role.PROJECTOR: (PROJECTOR,),
    Role.WEB: (CONSOLE,),
}
"""The parts of a home folder that a role takes for itself."""
LOGS: Final[dict[Role, str]] = {role: f"{role.value}.log" for role in Role if role is not Role.UP}
"""Roles that share a home folder write logs of their own."""


class Plan(NamedTuple):
    """What one process is to run; `desks`: the simulated agents of each campaign, by its id."""

    settings: Settings
    desks: Mapping[int, AgentProfile] = MappingProxyType({})
    carrier: CarrierProfile | None = None
    """Whose calls the simulated trunk plays; None in a process that does not dial."""
    role: Role = Role.UP
    seed: int = 7
    speed: float = 1.0
    sock: socket.socket | None = None
    """Where the console or the health page listens, taken before anything is made; None = neither."""
    carrier_log: Path | None = None
    overrides: tuple[Override, ...] = ()
    """What the carrier's codes really mean, by trunk."""


async def live(
    plan: Plan,
    *,
    begin: Callable[[Dialer, str | None], Awaitable[None]],
    watch: Callable[[Dialer, asyncio.Event], Coroutine[None, None, None]] | None = None,
    end: Callable[[Dialer, Outcome], Awaitable[None]],
) -> None:
    """Open everything, tell `begin` the console's address, run until a signal or `watch` stops it, tell `end`."""
    settings = plan.settings
    home = Home(settings.home)
    home.prepare()
    home.refuse_if_running(NOTES[plan.role])
    set_up_logging(settings.log_level, home.path / LOGS.get(plan.role, "dialer.log"))
    sock = plan.sock
    url = f"http://{settings.host}:{sock.getsockname()[1]}" if sock is not None else None
    async with open_dialer(
        settings, lambda clock: _world(plan, clock), role=plan.role, speed=plan.speed, overrides=plan.overrides
    ) as dialer:
        with home.claimed(nearby(url or ""), NOTES[plan.role]):
            await _run(dialer, home, sock, url, begin=begin, watch=watch, end=end)


def nearby(url: str) -> str:
    """Return the address for a command on this machine: one that listens everywhere answers to loopback's name."""
    return url.replace("//0.0.0.0:", "//127.0.0.1:").replace("//[::]:", "//[::1]:").replace("//:::", "//[::1]:")


async def _run(
    dialer: Dialer,
    home: Home,
    sock: socket.socket | None,
    url: str | None,
    *,
    begin: Callable[[Dialer, str | None], Awaitable[None]],
    watch: Callable[[Dialer, asyncio.Event], Coroutine[None, None, None]] | None,
    end: Callable[[Dialer, Outcome], Awaitable[None]],
) -> None:
    stop = asyncio.Event()
    stop_on_signals(stop, lambda: os._exit(130))
    more: list[Service] = []
    if sock is not None:
        more.append(_page(dialer, home, sock))
    await begin(dialer, url)
    watcher = asyncio.create_task(watch(dialer, stop)) if watch is not None else None
    try:
        outcome = await run_dialer(dialer, stop, more=more)
    finally:
        if watcher is not None:
            watcher.cancel()
    await end(dialer, outcome)


def _page(dialer: Dialer, home: Home, sock: socket.socket) -> Service:
    if dialer.role in {Role.UP, Role.WEB}:
        from dialer.commands.console import console_service

        return console_service(dialer, home, sock)
    from dialer.commands.health import health_service

    return health_service(dialer, home, sock)


def adapters(plan: Plan) -> AdapterRegistry:
    """Name every telephony adapter that a process can run."""

    def simulator(clock: Clock) -> Telephony:
        if plan.carrier is None:
            raise BadInput("the simulated trunk needs a carrier; name a scenario with --carrier")
        telephony = SimulatorTelephony(plan.carrier, clock=clock, seed=plan.seed)
        if plan.carrier_log is not None:
            telephony.on_invite = _witness(plan.carrier_log)
        return telephony

    def sip(clock: Clock) -> Telephony:
        from dialer.commands.sip import open_sip

        return open_sip(plan.settings, clock, plan.overrides)

    def check_sip() -> None:
        from dialer.commands.sip import read_trunks

        read_trunks(plan.settings)

    def sip_can() -> Capabilities:
        from telephony_adapters.trunks.telephony import CAPABILITIES

        return CAPABILITIES

    def asterisk(clock: Clock) -> Telephony:
        from dialer.commands.asterisk_setup import open_asterisk

        return open_asterisk(plan.settings, clock)

    def check_asterisk() -> None:
        from dialer.commands.asterisk_setup import read_asterisk

        read_asterisk(plan.settings)

    def asterisk_can() -> Capabilities:
        from telephony_adapters.asterisk.adapter import CAPABILITIES

        return CAPABILITIES

    return AdapterRegistry(
        {SimulatorTelephony.name: simulator, "sip": sip, "asterisk": asterisk},
        checks={"sip": check_sip, "asterisk": check_asterisk},
        declares={SimulatorTelephony.name: lambda: SIMULATOR_CAN, "sip": sip_can, "asterisk": asterisk_can},
    )


async def _world(plan: Plan, clock: Clock) -> World:
    telephony = adapters(plan).open(plan.settings.trunk, clock)
    trunk = telephony if isinstance(telephony, SimulatorTelephony) else None
    desks = SimulatedDesks(clock=clock, seed=plan.seed, trunk=trunk)
    limits: tuple[TrunkLimit, ...] = ()
    samples: Callable[[], Iterable[Sample]] = tuple
    if plan.settings.trunk == "asterisk":
        from dialer.commands import asterisk_setup

        asterisk_setup.join_desks(telephony, desks)
        limits, samples = asterisk_setup.limits_of(telephony), asterisk_setup.samples_of(telephony)
    elif trunk is None:
        from dialer.commands.sip import join_desks, limits_of, samples_of

        join_desks(telephony, desks)
        limits, samples = limits_of(telephony), samples_of(telephony)
    for campaign_id, profile in plan.desks.items():
        desks.man(campaign_id, profile)
    return World(telephony, desks, limits, samples)


def _witness(path: Path) -> Callable[[str, str, float], None]:
    """Append one line an INVITE; each reaches the system before the call does, whatever becomes of this process."""
    try:
        number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    except OSError as error:
        raise BadInput(f"cannot write the carrier's log {path}: {error.strerror}; name another file") from error

    def invited(call_id: str, phone: str, now: float) -> None:
        os.write(number, f"{now:.3f},{call_id},{phone}\n".encode())

    return invited


def say_drained(outcome: Outcome) -> None:
    """Say how the stop went."""
    if outcome.cut:
        err.print(f"stopped; {outcome.cut} calls outlived the drain and were ended (their records are written)")
    else:
        err.print("stopped; no call was cut")


def data_files(home: Path) -> list[Path]:
    """Return what a demo leaves in its home folder."""
    names = ("dialer.db", "dialer.db-wal", "dialer.db-shm", "analytics", "secrets.json", "dialer.log")
    return [home / name for name in names if (home / name).exists()]
