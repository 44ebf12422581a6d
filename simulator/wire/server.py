"""The carrier as a server: sockets, signals, a control file, statistics, a ledger, an orderly end."""

from __future__ import annotations

import asyncio
import logging
import ssl
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec

from dialer.errors import DialerError, Unreachable
from simulator.wire.books import LedgerFile
from simulator.wire.control import COMMANDS, ControlFile, Order, parse_order
from simulator.wire.figures import Meter, Snapshot
from simulator.wire.impair import Impairment
from simulator.wire.ledger import Ledger, Row
from simulator.wire.machine import CarrierMachine
from simulator.wire.media import RtpPhones
from simulator.wire.profile import MediaMode, WireProfile, load
from telephony_adapters.wire.listen import Listen
from telephony_adapters.wire.local import sent_by
from telephony_adapters.wire.loop import Impair, SipLoop

log = logging.getLogger(__name__)

_LOOK_S: Final = 0.2
"""How often the control file is looked at."""
_LAST_WORDS_S: Final = 4.0
"""How long the carrier waits for the answers to its last BYEs."""
_SOMEWHERE, _SOMEWHERE_V6 = "192.0.2.1", "2001:db8::1"
"""Addresses of nobody (RFC 5737, RFC 3849), on the way to which this machine's own is found."""
_LOOPBACK, _LOOPBACK_V6 = "127.0.0.1", "::1"
_WEATHER: Final = {
    "loss": "loss", "duplicate": "duplicate", "reorder": "reorder", "delay": "delay_ms", "jitter": "jitter_ms",
}  # fmt: skip


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What one carrier is to do."""

    profile: str
    """A shipped profile's name, or a path."""
    listens: Sequence[Listen]
    seed: int = 7
    media: MediaMode | None = None
    """Instead of the profile's."""
    ledger: Path | None = None
    control: Path | None = None
    host: str | None = None
    """What Contact and SDP bear; None: where it listens, or this machine's address where that is any."""
    stats_every_s: float = 5.0
    duration_s: float | None = None
    max_calls: int | None = None
    """Take so many calls, then end."""
    bye: bool = True
    """Hang up at the end; else calls are left as they are."""


class CarrierServer:
    """Run one plan. `show` gets a snapshot every `stats_every_s`; `say` gets what people should know.

    Raises NotFound and BadInput for a wrong profile.
    """

    def __init__(
        self,
        plan: Plan,
        *,
        show: Callable[[Snapshot], None],
        say: Callable[[str], None],
        server_tls: ssl.SSLContext | None = None,
    ) -> None:
        self.plan = plan
        self.profile = _with_media(load(plan.profile), plan.media)
        self.listening: list[Listen] = []
        """Where it listens, with real ports; empty until then."""
        self.ready = asyncio.Event()
        self.machine: CarrierMachine
        self._show = show
        self._say = say
        self._tls = server_tls
        self._stop = asyncio.Event()
        self._quiet = asyncio.Event()
        """No call is left, after the last BYEs."""
        self._books: LedgerFile | None = None
        self._base = time.time() - time.monotonic()
        self._inbound = Impairment(self.profile.network.inbound, seed=plan.seed, direction="in")
        self._outbound = Impairment(self.profile.network.outbound, seed=plan.seed, direction="out")
        self._loop: SipLoop
        self._meter: Meter
        self._orders: dict[str, Callable[[float], None]] = {
            "outage": lambda value: self.machine.outage(value, self.now()),
            "reject": self._reject,
            "cps": lambda value: self.machine.set_caps(cps=value),
            "channels": lambda value: self.machine.set_caps(channels=int(value)),
            "hang up": lambda _: self.machine.hang_up(self.now()),
            "stop accepting": self._refuse_new,
            "resume": lambda _: self._resume(),
            "reload": lambda _: self.reload(),
            "dump": lambda _: self.dump(),
            "quit": lambda _: self.stop(),
        }

    def now(self) -> float:
        """Return epoch seconds that never run backwards."""
        return self._base + time.monotonic()

    def stop(self) -> None:
        """End in good order."""
        self._stop.set()

    async def run(self) -> Snapshot:
        """Serve until `stop`, the duration or the last call; return the last figures.

        Raises ResourceBusy and BadInput for a place where it cannot listen, or a ledger that cannot be written.
        """
        plan = self.plan
        self._books = LedgerFile(plan.ledger) if plan.ledger is not None else None
        phones: RtpPhones | None = None
        try:
            if self.profile.media.mode is not MediaMode.NONE:
                phones = RtpPhones(self.profile.media, plan.listens[0].host)
            return await self._serve(phones)
        finally:
            if phones is not None:
                phones.shut()
            if self._books is not None:
                self._books.close()

    async def _serve(self, phones: RtpPhones | None) -> Snapshot:
        plan, addresses = self.plan, dict[str, tuple[str, int]]()
        self.machine = CarrierMachine(
            self.profile, seed=plan.seed, started_at=self.now(), sent_by=addresses, media_host=_LOOPBACK,
            ledger=Ledger(self._take), phones=phones,
        )  # fmt: skip
        self._meter = Meter(self.machine, cpu=time.process_time, now=self.now())
        self._loop = SipLoop(self.machine, now=self.now, impair=self._impair())
        try:
            self.listening = await self._loop.open(plan.listens, server_tls=self._tls)
            for listen in reversed(self.listening):
                addresses[listen.transport] = (plan.host or _own_address(listen.host), listen.port)
            self.machine.bear(addresses[self.listening[0].transport][0])
            await self._until_stopped(phones)
        finally:
            await self._loop.close()
        return self.snapshot()

    async def _until_stopped(self, phones: RtpPhones | None) -> None:
        plan = self.plan
        self._say(f"{self.profile.title}. Listening on {', '.join(map(str, self.listening))}; seed {plan.seed}.")
        self.ready.set()
        tasks = [asyncio.create_task(self._tell())]
        if plan.control is not None:
            tasks.append(asyncio.create_task(self._obey(ControlFile(plan.control))))
        if phones is not None:
            tasks.append(asyncio.create_task(phones.run()))
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(plan.duration_s):
                    await self._stop.wait()
            await self._say_goodbye()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _say_goodbye(self) -> None:
        """Hang up, wait for the answers, and close the books."""
        machine = self.machine
        self._stop.set()
        if self.plan.bye and machine.active:
            machine.hang_up(self.now(), stopping=True)
            self._loop.kick()
            if machine.active:
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._quiet.wait(), _LAST_WORDS_S)
        machine.close_books(self.now())

    # --- what it shows --------------------------------------------------------------------------------------------

    def snapshot(self) -> Snapshot:
        """Return the figures of the moment."""
        lost = self._inbound.lost + self._outbound.lost
        return self._meter.snapshot(
            self.now(), loop=self._loop.counters, lost=lost, kernel_drops=self._loop.kernel_drops()
        )

    def dump(self) -> None:
        """Write the ledger out, and show the figures."""
        if self._books is not None:
            self._books.flush()
        self._show(self.snapshot())

    async def _tell(self) -> None:
        while True:
            await asyncio.sleep(self.plan.stats_every_s)
            self.dump()

    def _take(self, row: Row) -> None:
        if self._books is not None:
            self._books.take(row)
        if self._stop.is_set() and not self.machine.active:
            self._quiet.set()
        if self.plan.max_calls is not None and self.machine.ledger.calls >= self.plan.max_calls:
            self._stop.set()

    # --- what people tell it --------------------------------------------------------------------------------------

    async def _obey(self, file: ControlFile) -> None:
        while True:
            for line in file.take():
                try:
                    order = parse_order(line)
                    if order is not None:
                        self.do(order)
                except DialerError as error:
                    self._say(str(error))
            await asyncio.sleep(_LOOK_S)

    def do(self, order: Order) -> None:
        """Obey one command; raise BadInput or NotFound when a profile cannot be loaded again."""
        if order.word in _WEATHER:
            for one in (self._inbound, self._outbound):
                one.set(msgspec.structs.replace(one.weather, **{_WEATHER[order.word]: order.value}))
        else:
            self._orders[order.word](order.value)
        value = f" {order.value:g}" if COMMANDS[order.word] is not None else ""
        self._say(f"done: {order.word}{value}")
        log.info("a command was obeyed", extra={"action": "carrier.command", "command": order.word + value})
        self._loop.kick()

    def _refuse_new(self, _value: float) -> None:
        self.machine.is_open = False

    def _reject(self, value: float) -> None:
        self.machine.rejects = int(value)

    def reload(self) -> None:
        """Read the profile again, for the calls from now on; a wrong one is refused and the old one stays."""
        profile = _with_media(load(self.plan.profile), self.profile.media.mode)
        self.profile = msgspec.structs.replace(profile, media=self.profile.media)
        self._resume()

    def _resume(self) -> None:
        machine, network = self.machine, self.profile.network
        machine.use(self.profile)
        machine.rejects, machine.is_open = None, True
        machine.outage(0.0, self.now())
        self._inbound.set(network.inbound)
        self._outbound.set(network.outbound)

    def _impair(self) -> Impair | None:
        """Return the network's weather; None where it is fair and nobody can change it, which saves time."""
        network = self.profile.network
        if network.inbound.is_fair and network.outbound.is_fair and self.plan.control is None:
            return None
        return lambda sent: (self._outbound if sent else self._inbound).delays()


def _with_media(profile: WireProfile, mode: MediaMode | None) -> WireProfile:
    if mode is None:
        return profile
    return msgspec.structs.replace(profile, media=msgspec.structs.replace(profile.media, mode=mode))


def _own_address(host: str) -> str:
    """Return what others can answer to: the address itself, or one of this machine's where that is any."""
    try:
        return sent_by((host, 0), _SOMEWHERE_V6 if ":" in host else _SOMEWHERE)[0]
    except Unreachable:
        return _LOOPBACK_V6 if ":" in host else _LOOPBACK
