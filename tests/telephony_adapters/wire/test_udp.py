"""UDP on real sockets of 127.0.0.1 and ::1."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections import Counter
from collections.abc import AsyncIterator, Callable

import pytest

from telephony_adapters.sip.flow import Flow
from telephony_adapters.wire import udp
from telephony_adapters.wire.udp import Batch, Flows, UdpEndpoint, bind_udp
from tests.telephony_adapters.wire.recorder import PATIENCE_S, message


class Owner:
    """Implements UdpOwner."""

    def __init__(self) -> None:
        self.batches: list[list[bytes]] = []
        self.flows: list[Flow] = []
        self.lost_flows: list[tuple[Flow, str]] = []
        self._changed = asyncio.Event()

    @property
    def heard(self) -> list[bytes]:
        return [data for batch in self.batches for data in batch]

    def datagrams(self, endpoint: UdpEndpoint, batch: Batch) -> None:
        self.batches.append([data for data, _address in batch])
        self.flows += [endpoint.flows[address] for _data, address in batch]
        self._changed.set()

    def lost(self, flow: Flow, why: str) -> None:
        self.lost_flows.append((flow, why))
        self._changed.set()

    async def until(self, is_so: Callable[[], object]) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not is_so():
                self._changed.clear()
                await self._changed.wait()


@pytest.fixture
def owner() -> Owner:
    return Owner()


@pytest.fixture
async def endpoint(owner: Owner) -> AsyncIterator[UdpEndpoint]:
    made = UdpEndpoint(bind_udp("127.0.0.1", 0), owner, Counter())
    yield made
    made.close()


@pytest.fixture
async def other() -> AsyncIterator[tuple[Owner, UdpEndpoint]]:
    owner = Owner()
    made = UdpEndpoint(bind_udp("127.0.0.1", 0), owner, Counter())
    yield owner, made
    made.close()


def flow_to(endpoint: UdpEndpoint) -> Flow:
    return Flow("udp", *endpoint.local)


async def test_datagrams_arrive_in_batches_and_a_sender_has_one_flow(
    owner: Owner, endpoint: UdpEndpoint, other: tuple[Owner, UdpEndpoint]
) -> None:
    sent = [message(f"m{n}") for n in range(150)]
    for data in sent:
        other[1].send(flow_to(endpoint), data)
    await owner.until(lambda: len(owner.heard) == 150)
    assert owner.heard == sent
    assert [len(batch) for batch in owner.batches] == [64, 64, 22]
    assert {id(flow) for flow in owner.flows} == {id(owner.flows[0])}
    assert owner.flows[0] == flow_to(other[1])


async def test_the_largest_datagram_passes_and_a_larger_one_is_reported(
    owner: Owner, endpoint: UdpEndpoint, other: tuple[Owner, UdpEndpoint]
) -> None:
    other[1].send(flow_to(endpoint), bytes(65_507))
    await owner.until(lambda: owner.heard)
    assert owner.heard == [bytes(65_507)]
    other[1].send(flow_to(endpoint), bytes(65_508))
    ((flow, why),) = other[0].lost_flows
    assert flow == flow_to(endpoint)
    assert why == "the message does not fit into a datagram: use the transport tcp or tls"


async def test_an_empty_datagram_is_one(owner: Owner, endpoint: UdpEndpoint, other: tuple[Owner, UdpEndpoint]) -> None:
    other[1].send(flow_to(endpoint), b"")
    await owner.until(lambda: owner.batches)
    assert owner.heard == [b""]


async def test_ipv6_has_flows_of_its_own(owner: Owner) -> None:
    one, two = (UdpEndpoint(bind_udp("::1", 0), owner, Counter()) for _ in range(2))
    try:
        one.send(Flow("udp", "::1", two.local[1]), b"six")
        await owner.until(lambda: owner.heard)
        assert owner.flows == [Flow("udp", "::1", one.local[1])]
        assert (one.is_v6, str(owner.flows[0])) == (True, f"udp:[::1]:{one.local[1]}")
        with pytest.raises(OSError, match="in use"):
            bind_udp("::1", one.local[1])
    finally:
        one.close()
        two.close()


def test_a_link_local_sender_keeps_its_scope() -> None:
    flows = Flows()
    assert flows["fe80::1", 5060, 0, 2].host == "fe80::1%2"
    assert flows["fe80::1%eth0", 5060, 0, 2].host == "fe80::1%eth0"
    assert flows["2001:db8::1", 5060, 0, 0].host == "2001:db8::1"


def test_forged_senders_do_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(udp, "PEERS_MAX", 100)
    flows = Flows()
    for port in range(1, 1000):
        assert flows["192.0.2.1", port].port == port
    assert len(flows) <= 100


@pytest.mark.parametrize("flow", [
    Flow("udp", "sip.trunk.test", 5060), Flow("udp", "127.0.0.1", 0), Flow("udp", "127.0.0.1", 70_000),
])  # fmt: skip
async def test_what_is_no_address_is_reported_and_never_looked_up(
    owner: Owner, endpoint: UdpEndpoint, flow: Flow
) -> None:
    endpoint.send(flow, b"x")
    assert owner.lost_flows == [(flow, "the address or the port is none")]
    assert endpoint.counters == {"udp.send_failed": 1}


async def test_what_is_out_of_reach_of_the_bound_address_is_reported(owner: Owner, endpoint: UdpEndpoint) -> None:
    flow = Flow("udp", "192.0.2.1", 5060)
    endpoint.send(flow, b"x")
    ((lost, why),) = owner.lost_flows
    assert lost == flow
    assert "listen on" in why or "no route" in why


async def test_a_port_where_nothing_listens_is_known_at_once_and_the_endpoint_goes_on_hearing(
    owner: Owner, endpoint: UdpEndpoint, other: tuple[Owner, UdpEndpoint]
) -> None:
    gone = bind_udp("127.0.0.1", 0)
    nobody = Flow("udp", *gone.getsockname())
    gone.close()
    for _ in range(3):
        told = len(owner.lost_flows)
        endpoint.send(nobody, message("anyone"))
        await owner.until(lambda told=told: len(owner.lost_flows) > told)  # type: ignore[misc]
    assert set(owner.lost_flows) == {(nobody, "nothing listens on the port")}
    other[1].send(flow_to(endpoint), b"still there?")
    await owner.until(lambda: owner.heard)


async def test_an_error_of_an_earlier_datagram_does_not_swallow_the_next(
    owner: Owner, endpoint: UdpEndpoint, other: tuple[Owner, UdpEndpoint]
) -> None:
    gone = bind_udp("127.0.0.1", 0)
    nobody = Flow("udp", *gone.getsockname())
    gone.close()
    for n in range(50):
        endpoint.send(nobody, message(f"to-nobody-{n}"))
        endpoint.send(flow_to(other[1]), message(f"to-somebody-{n}"))
    await other[0].until(lambda: len(other[0].heard) == 50)
    assert {flow for flow, _why in owner.lost_flows} == {nobody}


async def test_an_icmp_error_that_quotes_too_little_is_not_believed(owner: Owner, endpoint: UdpEndpoint) -> None:
    gone = bind_udp("127.0.0.1", 0)
    nobody = Flow("udp", *gone.getsockname())
    gone.close()
    endpoint.send(nobody, message("short", size=150)[:150])
    endpoint.send(nobody, message("long"))
    await owner.until(lambda: owner.lost_flows)
    assert len(owner.lost_flows) == 1
    assert (endpoint.counters["udp.icmp"], endpoint.counters["udp.icmp_not_believed"]) == (1, 1)


async def test_an_icmp_error_about_what_was_never_sent_is_not_believed(owner: Owner, endpoint: UdpEndpoint) -> None:
    """The kernel matches an error to a socket by its ports only, which everybody can guess."""
    gone = bind_udp("127.0.0.1", 0)
    nobody = Flow("udp", *gone.getsockname())
    gone.close()
    endpoint.send(nobody, message("true"))
    endpoint._recent.clear()
    endpoint._recent.append((nobody, message("another")))
    await asyncio.sleep(0)
    endpoint.send(Flow("udp", "127.0.0.1", 0), b"x")  # if the loop was not woken yet, the error surfaces here
    assert nobody not in {flow for flow, _why in owner.lost_flows}
    assert endpoint.counters["udp.icmp_not_believed"] == 1


class FullSocket:
    """A socket whose buffer is full until told otherwise: loopback itself is never full."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.is_full = True
        self.tried = 0

    def __call__(self, data: bytes, address: tuple[str, int]) -> int:
        self.tried += 1
        if self.is_full:
            raise BlockingIOError
        return self.sock.sendto(data, address)


async def test_what_finds_no_room_waits_in_order_and_the_rest_is_counted(
    owner: Owner, endpoint: UdpEndpoint, other: tuple[Owner, UdpEndpoint], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(udp, "QUEUE_MAX", 5)
    full = FullSocket(other[1]._socket)
    monkeypatch.setattr(other[1], "_sendto", full)
    sent = [message(f"m{n}") for n in range(8)]
    for data in sent:
        other[1].send(flow_to(endpoint), data)
    assert full.tried == 1
    assert other[1].counters == {"udp.send_waited": 5, "udp.send_overflow": 3}
    full.is_full = False
    await owner.until(lambda: len(owner.heard) == 5)
    assert owner.heard == sent[:5]
    tried = full.tried
    other[1].send(flow_to(endpoint), b"at once")
    assert full.tried == tried + 1
    await owner.until(lambda: len(owner.heard) == 6)


async def test_the_buffer_that_the_kernel_granted_is_said(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        bind_udp("127.0.0.1", 0).close()
    (record,) = (one for one in caplog.records if one.name == "telephony_adapters.wire.udp")
    granted = record.__dict__["granted_bytes"]
    assert record.__dict__["action"] == "udp.buffer"
    assert granted > 0
    assert ("net.core.rmem_max" in record.getMessage()) == (granted < udp.BUFFER_BYTES)


async def test_what_the_kernel_drops_is_counted(endpoint: UdpEndpoint, other: tuple[Owner, UdpEndpoint]) -> None:
    endpoint._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    assert endpoint.kernel_drops() == 0
    for n in range(100):
        other[1].send(flow_to(endpoint), message(f"m{n}"))
    assert endpoint.kernel_drops() > 0
