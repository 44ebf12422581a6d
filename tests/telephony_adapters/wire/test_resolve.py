"""Names, as a real DNS server of the test's own answers for them, and as this system knows them."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Sequence

import dns.resolver
import pytest

from dialer.errors import BadInput, Unreachable
from telephony_adapters.sip.flow import Flow
from telephony_adapters.sip.srv import Target
from telephony_adapters.wire import resolve as module
from telephony_adapters.wire.resolve import STALE_RETRY_S, STALE_S, SYSTEM_TTL_S, TTL_MAX_S, Resolver
from tests.telephony_adapters.wire.name_server import NameServer, name_server

TRUNK = "trunk.test"
V4, V6 = ("A",), ("A", "AAAA")


class World:
    """A resolver, its clock, its name server, and what /etc/hosts would say."""

    def __init__(self, server: NameServer, asker: dns.resolver.Resolver) -> None:
        self.server = server
        self.at = 1_000.0
        self.hosts: dict[str, list[str]] = {}
        self.looked_up = 0
        self.resolver = Resolver(now=lambda: self.at, families=V4, dns_at=asker, addresses=self._look_up)

    async def _look_up(self, host: str, family: socket.AddressFamily) -> Sequence[str]:
        self.looked_up += 1
        found = [each for each in self.hosts.get(host, []) if (":" in each) == (family == socket.AF_INET6)]
        if not found:
            raise socket.gaierror(socket.EAI_NONAME, "not in hosts")
        return found

    async def flows(self, host: str, port: int | None = None, transport: str = "udp") -> list[Flow]:
        servers = await self.resolver.servers(Target(host, port, transport))
        return [flow for server in servers for flow in server.flows]


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with name_server() as (server, asker):
        made = World(server, asker)
        yield made
        await made.resolver.close()


def udp(host: str, port: int = 5060) -> Flow:
    return Flow("udp", host, port)


async def test_an_address_needs_no_dns(world: World) -> None:
    assert await world.flows("192.0.2.1") == [udp("192.0.2.1")]
    assert await world.flows("2001:db8::1", 5070) == [udp("2001:db8::1", 5070)]
    assert await world.flows("192.0.2.1", transport="tls") == [Flow("tls", "192.0.2.1", 5061, "192.0.2.1")]
    assert (world.looked_up, world.server.asked) == (0, {})


async def test_a_port_means_no_srv(world: World) -> None:
    world.server.zone[TRUNK, "A"] = (60, ["192.0.2.1", "192.0.2.2"])
    assert sorted(await world.flows(TRUNK, 5080)) == [udp("192.0.2.1", 5080), udp("192.0.2.2", 5080)]
    assert set(world.server.asked) == {(TRUNK, "A")}


@pytest.mark.parametrize(("transport", "service"), [("udp", "_sip._udp"), ("tcp", "_sip._tcp"), ("tls", "_sips._tcp")])
async def test_srv_names_servers_and_ports_in_order(world: World, transport: str, service: str) -> None:
    world.server.zone[f"{service}.{TRUNK}", "SRV"] = (60, [f"20 0 5062 b.{TRUNK}.", f"10 0 5063 a.{TRUNK}."])
    world.server.zone[f"a.{TRUNK}", "A"] = (60, ["192.0.2.1"])
    world.server.zone[f"b.{TRUNK}", "A"] = (60, ["192.0.2.2"])
    name = TRUNK if transport == "tls" else ""
    assert await world.flows(TRUNK, transport=transport) == [
        Flow(transport, "192.0.2.1", 5063, name),
        Flow(transport, "192.0.2.2", 5062, name),
    ]


async def test_without_srv_the_name_and_the_usual_port_count(world: World) -> None:
    world.server.zone[TRUNK, "A"] = (60, ["192.0.2.1"])
    assert await world.flows(TRUNK) == [udp("192.0.2.1")]
    assert await world.flows(TRUNK, transport="tls") == [Flow("tls", "192.0.2.1", 5061, TRUNK)]


async def test_naptr_chooses_where_the_transport_is_open(world: World) -> None:
    world.server.zone[TRUNK, "NAPTR"] = (60, [f'10 10 "s" "SIP+D2T" "" _sip._tcp.{TRUNK}.'])
    world.server.zone[f"_sip._tcp.{TRUNK}", "SRV"] = (60, ["1 1 5070 192-0-2-1.trunk.test."])
    world.server.zone["192-0-2-1.trunk.test", "A"] = (60, ["192.0.2.1"])
    (server,) = await world.resolver.servers(Target(TRUNK))
    assert server.flows == (Flow("tcp", "192.0.2.1", 5070),)


async def test_both_families_are_asked_where_both_are_of_use() -> None:
    async with name_server() as (server, asker):
        world = World(server, asker)
        world.resolver = Resolver(now=lambda: world.at, families=V6, dns_at=asker, addresses=world._look_up)
        server.zone[TRUNK, "A"] = (60, ["192.0.2.1"])
        server.zone[TRUNK, "AAAA"] = (60, ["2001:db8::1"])
        assert await world.flows(TRUNK, 5060) == [udp("192.0.2.1"), udp("2001:db8::1")]


async def test_what_the_system_knows_comes_first(world: World) -> None:
    world.hosts[TRUNK] = ["192.0.2.9"]
    world.server.zone[TRUNK, "A"] = (60, ["192.0.2.1"])
    assert await world.flows(TRUNK) == [udp("192.0.2.9")]
    assert (TRUNK, "A") not in world.server.asked


async def test_localhost_is_known_without_any_dns() -> None:
    silent = dns.resolver.Resolver(configure=False)
    resolver = Resolver(now=lambda: 0.0, families=V4, dns_at=silent)
    (server,) = await resolver.servers(Target("localhost", None, "udp"))
    assert server.flows == (udp("127.0.0.1"),)


def test_a_system_without_name_servers_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    def without(self: object, *_: object, **__: object) -> None:
        raise dns.resolver.NoResolverConfiguration

    monkeypatch.setattr(dns.resolver.BaseResolver, "read_resolv_conf", without)
    assert module._system_dns().nameservers == []


async def test_answers_are_kept_as_long_as_they_hold(world: World) -> None:
    srv = (f"_sip._udp.{TRUNK}", "SRV")
    world.server.zone[srv] = (300, [f"1 1 5070 a.{TRUNK}."])
    world.hosts[f"a.{TRUNK}"] = ["192.0.2.1"]
    await world.flows(TRUNK)
    world.at += SYSTEM_TTL_S - 1
    await world.flows(TRUNK)
    assert (world.server.asked[srv], world.looked_up) == (1, 1)
    world.at += 2
    await world.flows(TRUNK)
    assert (world.server.asked[srv], world.looked_up) == (1, 2)
    world.at += 300
    await world.flows(TRUNK)
    assert (world.server.asked[srv], world.looked_up) == (2, 3)


@pytest.mark.parametrize(("ttl", "kept_s"), [(0, 10.0), (10_000_000, TTL_MAX_S)])
async def test_lifetimes_have_bounds(world: World, ttl: int, kept_s: float) -> None:
    world.server.zone[TRUNK, "A"] = (ttl, ["192.0.2.1"])
    for step, asked in ((0.0, 1), (kept_s - 1, 1), (2.0, 2)):
        world.at += step
        await world.flows(TRUNK, 5060)
        assert world.server.asked[TRUNK, "A"] == asked


async def test_the_cache_has_a_bound(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CACHE_MAX", 10)
    for n in range(50):
        world.hosts[f"host-{n}.test"] = ["192.0.2.1"]
        await world.flows(f"host-{n}.test", 5060)
    assert len(world.resolver._cache) == 10
    looked_up = world.looked_up
    await world.flows("host-49.test", 5060)
    assert world.looked_up == looked_up


async def test_many_who_ask_at_once_ask_once(world: World) -> None:
    world.server.zone[TRUNK, "A"] = (60, ["192.0.2.1"])
    found = await asyncio.gather(*(world.flows(TRUNK, 5060) for _ in range(20)))
    assert {tuple(flows) for flows in found} == {(udp("192.0.2.1"),)}
    assert world.server.asked == {(TRUNK, "A"): 1}


@pytest.mark.asyncio(loop_factories=["asyncio"])
@pytest.mark.parametrize("mood", ["silent", "ill"])
async def test_while_the_dns_is_silent_what_it_said_last_is_used(
    world: World, mood: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.server.zone[f"_sip._udp.{TRUNK}", "SRV"] = (60, [f"1 1 5070 a.{TRUNK}."])
    world.server.zone[f"a.{TRUNK}", "A"] = (60, ["192.0.2.1"])
    expected = await world.flows(TRUNK)
    world.server.mood = mood
    patience_s = module.LOOK_UP_S
    monkeypatch.setattr(module, "LOOK_UP_S", 0.02)
    world.at += 61
    assert await world.flows(TRUNK) == expected
    asked = world.server.asked.total()
    world.at += STALE_RETRY_S - 1
    assert await world.flows(TRUNK) == expected
    assert world.server.asked.total() == asked, "the silent server is left alone for a while"
    world.at += 2
    assert await world.flows(TRUNK) == expected
    assert world.server.asked.total() > asked
    world.at += STALE_S
    with pytest.raises(Unreachable, match=r"^the name servers do not answer for trunk\.test: check this machine's DNS"):
        await world.flows(TRUNK)
    world.server.mood = ""
    monkeypatch.setattr(module, "LOOK_UP_S", patience_s)
    world.at += STALE_RETRY_S + 1
    assert await world.flows(TRUNK) == expected


@pytest.mark.asyncio(loop_factories=["asyncio"])
async def test_a_silent_dns_is_left_alone_where_nothing_is_known(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LOOK_UP_S", 0.02)
    world.server.mood = "silent"
    for _ in range(3):
        with pytest.raises(Unreachable):
            await world.flows(TRUNK)
    assert world.looked_up == 1
    world.hosts[TRUNK] = ["192.0.2.1"]
    world.at += STALE_RETRY_S + 1
    assert await world.flows(TRUNK) == [udp("192.0.2.1")], "a silent SRV does not hide the system's own address"


@pytest.mark.asyncio(loop_factories=["asyncio"])
async def test_a_system_that_takes_for_ever_is_given_up(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    async def never(_host: str, _family: socket.AddressFamily) -> Sequence[str]:
        await asyncio.Event().wait()
        return []

    monkeypatch.setattr(module, "LOOK_UP_S", 0.3)
    monkeypatch.setattr(world.resolver, "_addresses", never)
    world.server.zone[TRUNK, "A"] = (60, ["192.0.2.1"])
    assert await world.flows(TRUNK, 5060) == [udp("192.0.2.1")]


@pytest.mark.parametrize(("host", "words"), [
    ("nobody.test", r"^there is no address for the host name nobody\.test: check its spelling"),
    ("nobody", r"^there is no address for the host name nobody: check its spelling"),
    ("a..b.test", r"^there is no address for the host name a\.\.b\.test"),
    ("x" * 300 + ".test", r"^there is no address for the host name xxx"),
])  # fmt: skip
async def test_a_name_that_is_none_is_said(world: World, host: str, words: str) -> None:
    with pytest.raises(BadInput, match=words):
        await world.flows(host)


async def test_a_domain_that_offers_no_sip_is_said(world: World) -> None:
    world.server.zone[f"_sip._udp.{TRUNK}", "SRV"] = (60, ["0 0 0 ."])
    world.server.zone[TRUNK, "A"] = (60, ["192.0.2.1"])
    with pytest.raises(BadInput, match=r"^trunk\.test says in the DNS that it offers no SIP over udp"):
        await world.flows(TRUNK)


async def test_closing_waits_for_no_answer(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LOOK_UP_S", 0.1)
    world.server.mood = "silent"
    asking = asyncio.create_task(world.flows(TRUNK))
    await asyncio.sleep(0.01)
    await world.resolver.close()
    with pytest.raises(asyncio.CancelledError):
        await asking
