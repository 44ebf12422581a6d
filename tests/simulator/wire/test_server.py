"""The carrier over real sockets; what its calls come to is tested on the virtual network."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from dialer.errors import BadInput, NotFound, ResourceBusy
from simulator.wire.control import Order
from simulator.wire.figures import Snapshot
from simulator.wire.profile import MediaMode
from simulator.wire.server import CarrierServer, Plan, _own_address
from telephony_adapters.sip import events as sip
from telephony_adapters.sip.agent import UaConfig, UserAgent
from telephony_adapters.sip.events import SipEvent
from telephony_adapters.sip.flow import Flow
from telephony_adapters.wire.listen import Listen
from telephony_adapters.wire.loop import SipLoop
from telephony_adapters.wire.tls import client_context, server_context
from tests.plugins.certificates import Certificates
from tests.simulator.wire.callers import sdp
from tests.simulator.wire.test_media import free_port

UDP = Listen("udp", "127.0.0.1", 0)
TCP = Listen("tcp", "127.0.0.1", 0)


class Phone:
    """A caller with sockets; `events` are awaited one by one."""

    def __init__(self, trusts: Path | None = None) -> None:
        self.events: asyncio.Queue[SipEvent] = asyncio.Queue()
        self.addresses: dict[str, tuple[str, int]] = {}
        self.ua = UserAgent(UaConfig(key=b"phone", sent_by=self.addresses))
        tls = client_context(authorities=trusts) if trusts is not None else None
        self.loop = SipLoop(
            self.ua, now=asyncio.get_running_loop().time, after_turn=self._hear,
            client_tls=None if tls is None else lambda _flow: tls,
        )  # fmt: skip
        self._calls = 0

    async def open(self) -> None:
        for listen in await self.loop.open([UDP, TCP]):
            self.addresses[listen.transport] = listen.host, listen.port

    def _hear(self) -> None:
        for event in self.ua.take_events():
            self.events.put_nowait(event)

    def now(self) -> float:
        return asyncio.get_running_loop().time()

    def call(self, number: str, to: Listen, offer: bytes | None = None) -> None:
        self._calls += 1
        self.ua.invite(
            self.now(), flow=Flow(*to), uri=f"sip:{number}@127.0.0.1", call_id=f"{number}-{self._calls}",
            from_="<sip:0240000001@127.0.0.1>", to=f"<sip:{number}@127.0.0.1>", sdp=offer or sdp(),
        )  # fmt: skip
        self.loop.kick()

    async def next(self, kind: type[Any]) -> Any:
        while True:
            event = await asyncio.wait_for(self.events.get(), 5.0)
            if isinstance(event, kind):
                return event


class Running:
    """A server and what it says."""

    def __init__(self, plan: Plan, tls: ssl.SSLContext | None = None) -> None:
        self.shown: list[Snapshot] = []
        self.said: list[str] = []
        self._wake = asyncio.Event()
        self.server = CarrierServer(plan, show=self._show, say=self._say, server_tls=tls)

    def _show(self, snapshot: Snapshot) -> None:
        self.shown.append(snapshot)
        self._wake.set()

    def _say(self, text: str) -> None:
        self.said.append(text)
        self._wake.set()

    async def until(self, is_so: Callable[[], bool]) -> None:
        """Wait until something that it says or shows makes it so."""
        async with asyncio.timeout(5.0):
            while not is_so():
                await self._wake.wait()
                self._wake.clear()

    @property
    def udp(self) -> Listen:
        return self.server.listening[0]


@asynccontextmanager
async def running(
    tls: ssl.SSLContext | None = None, trusts: Path | None = None, **how: Any
) -> AsyncIterator[tuple[Running, Phone]]:
    plan = Plan(**({"profile": "clean", "listens": [UDP]} | how))
    made, phone = Running(plan, tls), Phone(trusts)
    task = asyncio.create_task(made.server.run())
    ready = asyncio.create_task(made.server.ready.wait())
    await asyncio.wait([task, ready], return_when=asyncio.FIRST_COMPLETED)
    ready.cancel()
    try:
        if task.done():
            task.result()
        await phone.open()
        yield made, phone
    finally:
        await phone.loop.close()
        made.server.stop()
        await task


async def hung_up(phone: Phone, number: str, to: Listen) -> None:
    phone.call(number, to)
    accepted = await phone.next(sip.Accepted)
    phone.ua.bye(accepted.leg, phone.now())
    phone.loop.kick()
    await phone.next(sip.Ended)


async def test_calls_over_udp_and_tcp_are_written_to_the_ledger(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    async with running(listens=[UDP, TCP], ledger=path, seed=3) as (made, phone):
        for listen in made.server.listening:
            await hung_up(phone, "0900000001", listen)
        phone.call("0955486000", made.udp)
        refused = await phone.next(sip.Refused)
        assert refused.status == 486
        made.server.dump()
        rows = [json.loads(line) for line in path.read_text().splitlines()]
        assert [row["status"] for row in rows] == [200, 200, 486]
    assert made.said[0].startswith("Everybody answers at once. Listening on udp:127.0.0.1:")
    assert made.said[0].endswith("; seed 3.")
    assert made.shown[-1].by_code == {"200": 2, "486": 1}


@pytest.mark.component("openssl")
async def test_calls_over_tls(certificates: Certificates) -> None:
    tls = server_context(*certificates.pair("server"))
    async with running(tls, certificates.ca, listens=[Listen("tls", "127.0.0.1", 0)]) as (made, phone):
        await hung_up(phone, "0900000001", made.server.listening[0])
    assert made.server.snapshot().by_code == {"200": 1}


async def test_it_ends_by_itself_after_so_many_calls_or_seconds() -> None:
    async with running(max_calls=2) as (made, phone):
        for _ in range(2):
            await hung_up(phone, "0900000001", made.udp)
        await asyncio.wait_for(made.server._stop.wait(), 5.0)
    assert made.server.snapshot().calls == 2
    plan = Plan(profile="clean", listens=[UDP], duration_s=0.05)
    last = await CarrierServer(plan, show=lambda _: None, say=lambda _: None).run()
    assert last.calls == 0


async def test_it_hangs_up_on_everybody_at_the_end(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    async with running(ledger=path) as (made, phone):
        phone.call("0900000001", made.udp)
        accepted = await phone.next(sip.Accepted)
        made.server.stop()
        ended = await phone.next(sip.Ended)
        assert (ended.leg, ended.by) == (accepted.leg, "remote")
    assert json.loads(path.read_text())["ended_by"] == "stopped"


async def test_without_a_bye_calls_are_left_as_they_are(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    async with running(ledger=path, bye=False) as (made, phone):
        phone.call("0900000001", made.udp)
        await phone.next(sip.Accepted)
    assert json.loads(path.read_text())["ended_by"] == "stopped"
    assert phone.events.empty()


async def test_commands_are_obeyed_from_a_file(tmp_path: Path) -> None:
    control = tmp_path / "control"
    control.write_text("# nothing yet\n")
    async with running(control=control) as (made, phone):
        control.write_text("rejct 486\nreject 486\n")
        await made.until(lambda: "done: reject 486" in made.said)
        assert any("no command 'rejct 486'" in text for text in made.said)
        phone.call("0900000001", made.udp)
        assert (await phone.next(sip.Refused)).status == 486
        assert control.read_text() == ""


async def test_every_command_does_what_it_says() -> None:
    async with running() as (made, _phone):
        server, machine = made.server, made.server.machine
        for order in (Order("reject", 503), Order("stop accepting"), Order("cps", 3), Order("channels", 4),
                      Order("outage", 60), Order("loss", 0.5), Order("delay", 20)):  # fmt: skip
            server.do(order)
        assert (machine.rejects, machine.is_open, machine.is_deaf(server.now())) == (503, False, True)
        assert machine._admission.gate.profile.cps == 3
        assert machine._admission.gate.profile.channels == 4
        for one in (server._inbound, server._outbound):
            assert (one.weather.loss, one.weather.delay_ms) == (0.5, 20)
        server.do(Order("resume"))
        assert (machine.rejects, machine.is_open, machine.is_deaf(server.now())) == (None, True, False)
        assert server._inbound.weather.is_fair
        assert machine._admission.gate.profile.cps == 0
        server.do(Order("dump"))
        assert len(made.shown) == 1
        server.do(Order("hang up"))
        server.do(Order("reload"))
        server.do(Order("quit"))
        assert server._stop.is_set()


async def test_a_profile_is_read_again_and_a_wrong_one_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text('title = "one"')
    async with running(profile=str(path)) as (made, _phone):
        path.write_text('title = "two"\nregistrar.min_s = 30')
        made.server.reload()
        assert made.server.machine.registrar.bounds.min_s == 30
        path.write_text("title = 2")
        with pytest.raises(BadInput, match=r"mine\.toml"):
            made.server.reload()
        assert made.server.machine.profile.title == "two"


async def test_lost_datagrams_are_repeated_and_counted(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text('title = "bad"\nnetwork.inbound.loss = 0.3\nnetwork.outbound.duplicate = 0.5')
    async with running(profile=str(path), seed=1) as (made, phone):
        await hung_up(phone, "0900000001", made.udp)
    last = made.server.snapshot()
    assert (last.answered, last.lost) == (1, 1)


async def test_media_flows_where_it_is_wanted() -> None:
    port = free_port()
    async with running(media=MediaMode.TONE) as (made, phone):
        loop = asyncio.get_running_loop()
        heard: asyncio.Queue[bytes] = asyncio.Queue()

        class Ear(asyncio.DatagramProtocol):
            def datagram_received(self, data: bytes, _addr: object) -> None:
                heard.put_nowait(data)

        ear, _ = await loop.create_datagram_endpoint(Ear, local_addr=("127.0.0.1", port))
        try:
            phone.call("0900000001", made.udp, sdp(port=port).replace(b"192.0.2.1", b"127.0.0.1"))
            await phone.next(sip.Accepted)
            assert len(await asyncio.wait_for(heard.get(), 5.0)) == 172
        finally:
            ear.close()


async def test_what_cannot_work_is_refused_before_anything_is_open(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="no profile 'nothing'"):
        Running(Plan(profile="nothing", listens=[UDP]))
    async with running() as (made, _phone):
        with pytest.raises(ResourceBusy, match="belongs to another process"):
            async with running(listens=[made.udp]):
                raise AssertionError("it may not come up")
    with pytest.raises(BadInput, match="the ledger cannot be written there"):
        async with running(ledger=tmp_path):
            raise AssertionError("it may not come up")


async def test_the_figures_come_regularly() -> None:
    async with running(stats_every_s=0.05) as (made, _phone):
        await made.until(lambda: len(made.shown) >= 3)
    assert [one.calls for one in made.shown[:3]] == [0, 0, 0]


def test_contact_and_sdp_bear_an_address_that_can_be_answered_to() -> None:
    assert _own_address("127.0.0.1") == "127.0.0.1"
    assert _own_address("0.0.0.0") not in {"0.0.0.0", ""}  # noqa: S104
    assert _own_address("::") not in {"::", ""}
