"""TCP and TLS between real sockets of 127.0.0.1."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import random
import socket
import ssl
import struct
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from dialer.errors import BadInput
from telephony_adapters.sip.flow import Flow
from telephony_adapters.wire.connection import CLOSED, Limits
from telephony_adapters.wire.listen import Listen
from telephony_adapters.wire.stream import Streams
from telephony_adapters.wire.tls import client_context, server_context
from tests.telephony_adapters.wire.certificates import NAME, authority, issue
from tests.telephony_adapters.wire.recorder import PATIENCE_S, message

ONE, TWO = message("one"), message("two")
QUICK = 0.02


class End:
    """Implements StreamOwner; one side of what is tested."""

    def __init__(self, limits: Limits, tls: Callable[[Flow], ssl.SSLContext]) -> None:
        self.heard: list[tuple[Flow, bytes]] = []
        self.gone: list[tuple[Flow, str]] = []
        self.echoes = False
        self.counters: Counter[str] = Counter()
        self.streams = Streams(self, counters=self.counters, limits=limits, client_tls=tls)
        self._changed = asyncio.Event()

    def messages(self, flow: Flow, local: tuple[str, int], messages: list[bytes]) -> None:
        self.heard += [(flow, data) for data in messages]
        assert local[0] == "127.0.0.1"
        for data in messages if self.echoes else ():
            self.streams.send(flow, data)
        self.streams.flush()
        self._changed.set()

    def lost(self, flow: Flow, why: str) -> None:
        self.gone.append((flow, why))
        self._changed.set()

    def send(self, flow: Flow, *messages: bytes) -> None:
        for data in messages:
            self.streams.send(flow, data)
        self.streams.flush()

    async def until(self, is_so: Callable[[], object]) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not is_so():
                self._changed.clear()
                await self._changed.wait()


def no_tls(flow: Flow) -> ssl.SSLContext:
    raise BadInput(f"{flow} needs TLS")


@asynccontextmanager
async def ends(
    limits: Limits | None = None,
    *,
    server_tls: ssl.SSLContext | None = None,
    client_tls: Callable[[Flow], ssl.SSLContext] = no_tls,
    server_limits: Limits | None = None,
) -> AsyncIterator[tuple[End, End, Flow]]:
    """Give a client, a server, and the flow from one to the other."""
    client = End(limits or Limits(), client_tls)
    server = End(server_limits or limits or Limits(), no_tls)
    try:
        transport = "tls" if server_tls else "tcp"
        place = await server.streams.listen(Listen(transport, "127.0.0.1", 0), server_tls)
        yield client, server, Flow(transport, "127.0.0.1", place.port, NAME if server_tls else "")
    finally:
        await client.streams.close()
        await server.streams.close()
        assert client.streams.flows == server.streams.flows == []


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as sock:
        return int(sock.getsockname()[1])


async def test_messages_go_both_ways_on_one_connection() -> None:
    async with ends() as (client, server, flow):
        server.echoes = True
        client.send(flow, ONE, TWO)
        await client.until(lambda: len(client.heard) == 2)
        client.send(flow, ONE)
        await client.until(lambda: len(client.heard) == 3)
        assert client.heard == [(flow, ONE), (flow, TWO), (flow, ONE)]
        (back,) = server.streams.flows
        assert {(one.transport, one.host) for one, _data in server.heard} == {("tcp", "127.0.0.1")}
        assert {one for one, _data in server.heard} == {back}
        assert client.streams.local(flow) == (back.host, back.port)
        assert client.counters["stream.opened"] == 1


@pytest.mark.component("openssl")
async def test_tls_checks_the_name_of_the_flow(tmp_path: Path) -> None:
    client_side = client_context(authorities=authority(tmp_path))
    server_side = server_context(*issue(tmp_path, NAME))
    async with ends(server_tls=server_side, client_tls=lambda _flow: client_side) as (client, server, flow):
        server.echoes = True
        client.send(flow, ONE)
        await client.until(lambda: client.heard)
        wrong = flow._replace(server_name="")
        client.send(wrong, ONE)
        await client.until(lambda: client.gone)
        ((lost, why),) = client.gone
        assert lost == wrong
        assert why.startswith("the peer's certificate does not bear the address")
        assert client.streams.flows == [flow]


@pytest.mark.component("openssl")
async def test_mutual_tls_refuses_strangers_and_does_not_report_them(tmp_path: Path) -> None:
    authorities = authority(tmp_path)
    server_side = server_context(*issue(tmp_path, NAME), client_authorities=authorities)
    mine = client_context(authorities=authorities, **issue(tmp_path, "dialer.test")._asdict())
    stranger = client_context(authorities=authorities)
    contexts = {NAME: stranger, "mine": mine}
    mine.check_hostname = False
    async with ends(server_tls=server_side, client_tls=lambda flow: contexts[flow.server_name]) as (
        client,
        server,
        flow,
    ):
        client.send(flow, ONE)
        await client.until(lambda: client.gone)
        assert (server.heard, server.gone) == ([], [])
        assert server.counters["stream.handshake_failed"] == 1
        client.send(flow._replace(server_name="mine"), ONE)
        await server.until(lambda: server.heard)


async def test_no_context_for_a_tls_flow_is_said() -> None:
    async with ends() as (client, _server, _flow):
        flow = Flow("tls", "127.0.0.1", closed_port())
        client.send(flow, ONE)
        await client.until(lambda: client.gone)
        assert client.gone == [(flow, f"{flow} needs TLS")]


async def test_a_peer_that_is_not_there_is_lost_once_and_asked_again_next_time() -> None:
    async with ends() as (client, _server, _flow):
        flow = Flow("tcp", "127.0.0.1", closed_port())
        client.send(flow, ONE, TWO)
        await client.until(lambda: len(client.gone) == 1)
        client.send(flow, ONE, TWO)
        await client.until(lambda: len(client.gone) == 2)
        assert set(client.gone) == {(flow, "nothing listens there: check the host and the port")}
        assert client.streams.flows == []


@pytest.mark.parametrize("flow", [Flow("tcp", "127.0.0.1", 70_000), Flow("tcp", "not an address", 5060)])
async def test_what_is_no_address_is_lost(flow: Flow) -> None:
    async with ends() as (client, _server, _flow):
        client.send(flow, ONE)
        await client.until(lambda: client.gone)
        assert client.gone[0][0] == flow


@pytest.mark.component("openssl")
async def test_a_port_that_does_not_answer_to_tls_is_given_up(tmp_path: Path) -> None:
    context = client_context(authorities=authority(tmp_path))
    with socket.create_server(("127.0.0.1", 0)) as silent:
        limits = Limits(handshake_s=QUICK)
        async with ends(limits, client_tls=lambda _flow: context) as (client, _server, _flow):
            flow = Flow("tls", *silent.getsockname())._replace(server_name=NAME)
            client.send(flow, ONE)
            await client.until(lambda: client.gone)
            assert client.gone == [(flow, "the TLS handshake took too long: the port may not speak TLS")]


async def test_messages_wait_for_the_connection_within_bounds() -> None:
    async with ends(Limits(queue=3)) as (client, server, flow):
        client.send(flow, *[message(f"m{n}") for n in range(5)])
        await server.until(lambda: len(server.heard) == 3)
        assert client.counters["stream.queue_overflow"] == 2
        assert client.counters["stream.opened"] == 1


async def test_a_connection_that_breaks_is_lost_on_both_sides_and_opened_again() -> None:
    async with ends() as (client, server, flow):
        client.send(flow, ONE)
        await server.until(lambda: server.heard)
        for connection in list(server.streams._alive):
            connection.cut("pulled the plug")
        await client.until(lambda: client.gone)
        assert client.gone[0][0] == flow
        assert [why for _flow, why in server.gone] == ["pulled the plug"]
        client.send(flow, TWO)
        await server.until(lambda: len(server.heard) == 2)
        assert len({one for one, _data in server.heard}) == 2


async def test_a_peer_that_hangs_up_is_lost() -> None:
    async with ends() as (_client, server, flow):
        _reader, writer = await asyncio.open_connection("127.0.0.1", flow.port)
        writer.write(ONE)
        await server.until(lambda: server.heard)
        writer.close()
        await server.until(lambda: server.gone)
        assert server.gone == [(server.heard[0][0], CLOSED)]


async def test_a_port_scan_is_nobodys_loss() -> None:
    async with ends() as (client, server, flow):
        for _ in range(3):
            _reader, writer = await asyncio.open_connection("127.0.0.1", flow.port)
            writer.close()
        client.send(flow, ONE)
        await server.until(lambda: server.heard and len(server.streams.flows) == 1)
        assert server.gone == []


async def read_to_end(reader: asyncio.StreamReader) -> bytes:
    with contextlib.suppress(ConnectionResetError):
        return await asyncio.wait_for(reader.read(), PATIENCE_S)
    return b""


@pytest.mark.parametrize("limits", [Limits(per_peer=2), Limits(accepted=2)])
async def test_connections_are_counted_and_the_one_too_many_is_cut(limits: Limits) -> None:
    async with ends(server_limits=limits) as (_client, server, flow):
        pairs = [await asyncio.open_connection("127.0.0.1", flow.port) for _ in range(3)]
        assert await read_to_end(pairs[2][0]) == b""
        assert len(server.streams.flows) == 2
        pairs[0][1].write(ONE)
        await server.until(lambda: server.heard)
        pairs[0][1].close()
        await server.until(lambda: server.gone)
        pairs.append(await asyncio.open_connection("127.0.0.1", flow.port))
        pairs[3][1].write(TWO)
        await server.until(lambda: len(server.heard) == 2)
        assert server.counters["stream.over_limit"] == 1
        for _reader, writer in pairs:
            writer.close()


async def test_a_port_that_a_peer_uses_again_is_counted_once() -> None:
    async with ends() as (_client, server, _flow):
        again = Flow("tcp", "127.0.0.1", 40_000)
        for _ in range(3):
            server.streams._add(again, is_ours=False)
        assert server.streams._accepted == {"127.0.0.1": 1}
        assert server.gone == []


async def test_we_open_so_many_connections_only() -> None:
    async with ends(Limits(opened=1)) as (client, server, flow):
        client.send(flow, ONE)
        await server.until(lambda: server.heard)
        other = Flow("tcp", "127.0.0.1", closed_port())
        client.send(other, ONE)
        assert client.gone == [(other, "too many connections are open")]


@pytest.mark.parametrize(("limits", "said", "is_lost"), [
    (Limits(first_message_s=QUICK, sweep_s=QUICK), b"", False),
    (Limits(first_message_s=QUICK, sweep_s=QUICK), ONE[:40], False),
    (Limits(message_s=QUICK, sweep_s=QUICK), ONE + TWO[:40], True),
    (Limits(), ONE + b"no SIP\r\n\r\n", True),
    (Limits(), b"GET / HTTP/1.1\r\n\r\n", False),
])  # fmt: skip
async def test_who_holds_us_up_or_talks_nonsense_is_cut(limits: Limits, said: bytes, is_lost: bool) -> None:
    async with ends(server_limits=limits) as (_client, server, flow):
        reader, writer = await asyncio.open_connection("127.0.0.1", flow.port)
        writer.write(said)
        assert await read_to_end(reader) == b""
        writer.close()
        assert bool(server.gone) is is_lost
        assert server.streams.flows == []


@pytest.mark.component("openssl")
async def test_a_handshake_that_does_not_come_is_cut(tmp_path: Path) -> None:
    tls, limits = server_context(*issue(tmp_path, NAME)), Limits(handshake_s=QUICK)
    async with ends(server_limits=limits, server_tls=tls) as (_client, server, flow):
        reader, writer = await asyncio.open_connection("127.0.0.1", flow.port)
        assert await read_to_end(reader) == b""
        writer.close()
        assert (server.gone, server.streams.flows) == ([], [])
        assert server.counters["stream.handshake_failed"] == 1


async def test_a_peer_that_does_not_read_is_cut_and_lost() -> None:
    async with ends(Limits(buffer_bytes=100_000)) as (client, _server, _flow):
        with socket.create_server(("127.0.0.1", 0)) as deaf:
            deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
            flow = Flow("tcp", *deaf.getsockname())
            large = message("large", size=1_000_000)
            async with asyncio.timeout(PATIENCE_S):
                while not client.gone:
                    client.send(flow, large)
                    await asyncio.sleep(0)
            assert client.gone == [(flow, "the peer does not read what is sent to it")]


async def test_an_idle_connection_is_closed_and_nobody_lost() -> None:
    async with ends(Limits(idle_s=QUICK, sweep_s=QUICK), server_limits=Limits()) as (client, server, flow):
        client.send(flow, ONE)
        await server.until(lambda: server.gone)
        assert (client.gone, client.streams.flows) == ([], [])
        assert client.counters["stream.idle"] == 1
        assert [why for _flow, why in server.gone] == [CLOSED]


async def test_keep_alive_keeps_alive_and_its_silence_is_a_loss() -> None:
    limits = Limits(ping_s=QUICK, pong_s=QUICK * 5, sweep_s=QUICK / 2)
    async with ends(limits, server_limits=Limits()) as (client, server, flow):
        client.send(flow, ONE)
        await server.until(lambda: server.heard)
        with socket.create_server(("127.0.0.1", 0)) as silent:
            mute = Flow("tcp", *silent.getsockname())
            client.send(mute, ONE)
            await client.until(lambda: client.gone)
            assert client.gone == [(mute, "the peer does not answer to keep-alive")]
        assert client.streams.flows == [flow]


async def test_closing_delivers_what_was_sent() -> None:
    server = End(Limits(), no_tls)
    client = End(Limits(), no_tls)
    place = await server.streams.listen(Listen("tcp", "127.0.0.1", 0))
    flow = Flow("tcp", "127.0.0.1", place.port)
    client.send(flow, ONE)
    await server.until(lambda: server.heard)
    client.send(flow, *[message(f"m{n}") for n in range(500)])
    await client.streams.close()
    await server.until(lambda: len(server.heard) == 501)
    client.send(flow, ONE)
    assert client.gone == [(flow, "too many connections are open")]
    await server.streams.close()


async def test_closing_does_not_wait_for_a_peer_that_does_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("telephony_adapters.wire.stream.CLOSE_S", 0.05)
    client = End(Limits(buffer_bytes=100_000_000), no_tls)
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        client.send(Flow("tcp", *deaf.getsockname()), *[message("large", size=1_000_000) for _ in range(20)])
        deaf.settimeout(0)
        loop = asyncio.get_running_loop()
        accepted, _address = await loop.sock_accept(deaf)
        with accepted:
            await loop.sock_recv(accepted, 1)
            async with asyncio.timeout(PATIENCE_S / 2):
                await client.streams.close()


@pytest.mark.component("openssl")
async def test_closing_at_any_moment_leaves_nothing_behind(tmp_path: Path) -> None:
    """Warnings are errors: of a socket that nobody closed, of an exception that nobody took."""
    server_side = server_context(*issue(tmp_path, NAME))
    client_side = client_context(authorities=authority(tmp_path))
    for seed in range(15):
        chance = random.Random(seed)
        with socket.create_server(("127.0.0.1", 0)) as silent:
            async with ends(server_tls=server_side, client_tls=lambda _flow: client_side) as (client, _server, flow):
                mute = Flow("tls", *silent.getsockname())._replace(server_name=NAME)
                for _ in range(3):
                    client.send(chance.choice([flow, mute, flow._replace(transport="tcp")]), ONE)
                    await asyncio.sleep(chance.random() * 0.003)
    gc.collect()


@pytest.mark.component("openssl")
async def test_a_peer_that_hangs_up_before_tls_is_lost(tmp_path: Path) -> None:
    context = client_context(authorities=authority(tmp_path))
    with socket.create_server(("127.0.0.1", 0)) as rude:
        rude.settimeout(0)
        async with ends(client_tls=lambda _flow: context) as (client, _server, _flow):
            flow = Flow("tls", *rude.getsockname())._replace(server_name=NAME)
            client.send(flow, ONE)
            accepted, _address = await asyncio.get_running_loop().sock_accept(rude)
            accepted.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            accepted.close()
            await client.until(lambda: client.gone)
            assert client.gone[0][0] == flow


async def test_closing_gives_up_what_is_in_the_making() -> None:
    client = End(Limits(), no_tls)
    client.send(Flow("tcp", "127.0.0.1", closed_port()), ONE)
    await client.streams.close()
    assert client.gone == []
