"""From the trunks file to a machine with its sockets: names looked up, certificates read, the day's spending kept."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import logging
import random
import ssl
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import msgspec

from dialer.errors import BadInput, DialerError
from dialer.ports import Clock
from statuses.classify import Override
from telephony_adapters.sip.agent import UaConfig
from telephony_adapters.sip.flow import Flow
from telephony_adapters.sip.srv import Server, Target
from telephony_adapters.tracing.log import MessageLog
from telephony_adapters.tracing.record import CallLeg, split_call_id
from telephony_adapters.trunks.desks import customer_of
from telephony_adapters.trunks.drained import drained
from telephony_adapters.trunks.handsets import Handsets
from telephony_adapters.trunks.line import Line, check_caller
from telephony_adapters.trunks.machine import TrunkMachine
from telephony_adapters.trunks.model import Peer, TrunksFile
from telephony_adapters.trunks.party import Media
from telephony_adapters.trunks.spend import TOTAL, Cap, Ledger, Saved
from telephony_adapters.trunks.trunk import NoPhones
from telephony_adapters.wire.listen import Listen
from telephony_adapters.wire.local import address_toward
from telephony_adapters.wire.resolve import Resolver
from telephony_adapters.wire.tls import client_context, server_context

log = logging.getLogger(__name__)

LOOK_UP_EVERY_S: Final = 30.0
SAVE_EVERY_S: Final = 2.0
_LIMIT_S: Final = 60


class Plant:
    """Everything of one trunks file. `prepare`, then `build`, then `listening`; `keep` runs while calls are made.

    `key` is the installation's secret (tags and branches). `spend_file` keeps what the day has cost over restarts.
    """

    def __init__(
        self,
        file: TrunksFile,
        *,
        key: bytes,
        overrides: Sequence[Override] = (),
        spend_file: Path | None = None,
        drained_file: Path | None = None,
        chance: random.Random | None = None,
    ) -> None:
        self.file = file
        self.listens = [Listen.parse(text) for text in file.sip.listen]
        self.server_tls = _server_tls(file)
        self.media_host = ""
        for trunk in file.trunks.values():
            check_caller(trunk)
        uniform = (chance or random.SystemRandom()).random
        self.ledger = Ledger(_caps(file), zone=file.spend.timezone)
        self.lines = [
            Line(trunk, file.numbers, self.ledger, overrides=overrides, uniform=uniform)
            for trunk in file.trunks.values()
        ]  # fmt: skip
        self.handsets = Handsets(file.agents, uniform=uniform) if file.agents is not None else None
        self._contexts = {peer.tls_host: _client_tls(peer) for _, peer in file.peers() if peer.transport == "tls"}
        self._key = key
        self._sent_by: dict[str, tuple[str, int]] = {}
        self._spend_file = spend_file
        self._drained_file = drained_file
        self._drained: frozenset[str] = frozenset()
        self._saved: Saved | None = None
        self._cannot_save = False
        self.failures = 0
        """How often the spending could not be written down."""
        self.machine: TrunkMachine

    async def prepare(self, clock: Clock) -> None:
        """Look the servers up and recall what the day has cost; a name that cannot be found is tried again later.

        Raises the last look-up's error when no trunk's server is known.
        """
        self._resolver = Resolver(now=clock.now)
        self._recall(clock.now())
        failures = await self._look_up_all()
        known = [flow for line in self.lines for flow in line.servers.flows]
        if not known and failures:
            raise failures[-1]
        self.media_host = self._own_address(known[0] if known else None)

    def build(self, media_port: int) -> TrunkMachine:
        """Return the machine, whose Via and Contact become true when `listening` says where it listens."""
        config = UaConfig(
            key=self._key, sent_by=self._sent_by, user_agent=self.file.sip.user_agent,
            answers=frozenset({"OPTIONS"}),  # strangers ask, too: nothing of them is kept
        )  # fmt: skip
        media = Media(self.media_host, media_port)
        self.machine = TrunkMachine(config, self.lines, self.handsets or NoPhones(), media)
        return self.machine

    def message_log(self, folder: Path, *, share: float, max_bytes: int) -> MessageLog:
        """Return what keeps the messages of a share of the calls."""
        return MessageLog(folder, share=share, max_bytes=max_bytes, split=self._leg_of)

    def _leg_of(self, sip_call_id: str) -> CallLeg:
        """Return whose message it is: an agent's phone stays on the line while customers come and go."""
        customer = customer_of(self.machine.ua, sip_call_id)
        return CallLeg(customer, "a") if customer is not None else split_call_id(sip_call_id)

    def listening(self, places: Sequence[Listen]) -> None:
        """Learn the real ports; `public`'s port is that of the first place, since each transport has its own."""
        public = self.file.sip.public
        for place in places:
            host = public.host if public is not None else self.media_host if _is_any(place.host) else place.host
            port = public.port if public is not None and public.port and not self._sent_by else place.port
            self._sent_by.setdefault(place.transport, (host, port))
        for who, peer in self.file.peers():
            if peer.transport not in self._sent_by:
                log.warning(
                    "%s is spoken to over %s, and [sip] listen has no such place: what it asks within a call, such as "
                    "BYE, reaches us on the connection that we opened, or not at all", who, peer.transport,
                    extra={"action": "sip.no_listener", "transport": peer.transport},
                )  # fmt: skip

    def client_tls(self, flow: Flow) -> ssl.SSLContext:
        """Return the TLS settings of the trunk that a flow belongs to; raise BadInput for nobody's."""
        context = self._contexts.get(flow.server_name)
        if context is None:
            raise BadInput(f"{flow} needs TLS, and no trunk with transport = 'tls' has that server name")
        return context

    async def keep(self, clock: Clock, kick: Callable[[], None]) -> None:
        """Look names up again, and save what the day has cost, until cancelled; neither waits for the other."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._keep_saving(clock, kick))
            group.create_task(self._keep_looking(kick))

    async def _keep_saving(self, clock: Clock, kick: Callable[[], None]) -> None:
        while True:
            if self.heed(clock.now()):
                kick()
            await asyncio.sleep(SAVE_EVERY_S)
            self.save(clock.now())

    def heed(self, now: float) -> bool:
        """Drain the trunks that the operator's list names, and let the others go on; tell whether anything changed."""
        if self._drained_file is None:
            return False
        try:
            names = drained(self._drained_file)
        except DialerError as error:
            log.warning("%s", error, extra={"action": "trunk.list_unreadable"})
            return False
        changed = [line for line in self.lines if (line.name in names) != (line.name in self._drained)]
        self._drained = names
        for line in changed:
            line.drain(now, on=line.name in names)
        return bool(changed)

    async def _keep_looking(self, kick: Callable[[], None]) -> None:
        while True:
            await asyncio.sleep(LOOK_UP_EVERY_S)
            await self._look_up_all()
            kick()

    async def close(self, now: float) -> None:
        """Save, and stop asking the DNS."""
        self.save(now)
        await self._resolver.close()

    def save(self, now: float) -> None:
        """Write down what the day has cost, when it has changed and a file was given; a failure is tried again."""
        if self._spend_file is None:
            return
        text = self.ledger.dump(now)
        saved = _without_time(msgspec.json.decode(text, type=Saved))
        if saved == self._saved:
            return
        try:
            fresh = self._spend_file.with_suffix(".new")
            fresh.write_bytes(text)
            fresh.replace(self._spend_file)
        except OSError as error:
            self._not_saved(error)
            return
        self._saved = saved
        if self._cannot_save:
            self._cannot_save = False
            log.info("what the day has cost is written down again", extra={"action": "spend.mended"})

    def _not_saved(self, error: OSError) -> None:
        """Count it, and say so once until it works again: the calls go on, and the caps hold."""
        self.failures += 1
        if not self._cannot_save:
            self._cannot_save = True
            log.error(
                "%s cannot be written: %s; a restart would forget what the day has cost since", self._spend_file,
                error.strerror, extra={"action": "spend.failed"},
            )  # fmt: skip

    def _recall(self, now: float) -> None:
        if self._spend_file is None or not self._spend_file.exists():
            return
        longest = max((line.call_limit_s for line in self.lines), default=0.0)
        try:
            self.ledger.load(self._spend_file.read_bytes(), now, longest_call_s=longest)
        except (OSError, ValueError) as error:
            raise BadInput(
                f"{self._spend_file}: {error}; put it back from a copy, or delete it: then the day's caps begin anew"
            ) from error

    async def _look_up_all(self) -> list[DialerError]:
        sides: list[Line | Handsets] = [*self.lines, *([self.handsets] if self.handsets is not None else [])]
        failures = await asyncio.gather(*map(self._look_up, sides))
        return [failure for failure in failures if failure is not None]

    async def _look_up(self, side: Line | Handsets) -> DialerError | None:
        try:
            side.serve(await self.servers_of(side.settings))
        except DialerError as error:
            log.warning("%s", error, extra={"action": "trunk.unknown_server", "server": str(side.settings.server)})
            return error
        return None

    async def servers_of(self, peer: Peer) -> list[Server]:
        """Return the servers that a peer's name stands for; raises BadInput or Unreachable, saying why."""
        where = peer.server
        servers = await self._resolver.servers(Target(where.host, where.port, peer.transport))
        if peer.transport != "tls":
            return servers
        name = peer.tls_host
        return [
            server._replace(flows=tuple(flow._replace(server_name=name) for flow in server.flows)) for server in servers
        ]

    def _own_address(self, peer: Flow | None) -> str:
        public = self.file.sip.public
        if public is not None and _is_address(public.host):
            return public.host
        bound = next((listen.host for listen in self.listens if _is_address(listen.host)), "0.0.0.0")  # noqa: S104 -- compared, not bound
        if not _is_any(bound):
            return bound
        return address_toward(peer.host, peer.port) if peer is not None else "127.0.0.1"


def _without_time(saved: Saved) -> Saved:
    """Leave out when it was, unless calls are in flight: those are booked from then on, if nobody sees their end."""
    return saved if saved.running else msgspec.structs.replace(saved, at_ms=0)


def _client_tls(peer: Peer) -> ssl.SSLContext:
    return client_context(authorities=peer.tls_ca, certificate=peer.tls_cert, key=peer.tls_key, verify=peer.tls_verify)


def _server_tls(file: TrunksFile) -> ssl.SSLContext | None:
    sip = file.sip
    if sip.tls_cert is None:
        return None
    return server_context(sip.tls_cert, sip.tls_key, client_authorities=sip.tls_ca)


def _caps(file: TrunksFile) -> dict[str, Cap]:
    caps = {trunk.name: _cap(trunk.max_minutes_day, trunk.max_cost_day) for trunk in file.trunks.values()}
    return caps | {TOTAL: _cap(file.spend.max_minutes_day, file.spend.max_cost_day)}


def _cap(minutes: int, micro: int) -> Cap:
    return Cap(minutes * _LIMIT_S or None, micro or None)


def _is_address(host: str) -> bool:
    with contextlib.suppress(ValueError):
        return bool(ipaddress.ip_address(host))
    return False


def _is_any(host: str) -> bool:
    return _is_address(host) and ipaddress.ip_address(host).is_unspecified
