"""Server selection: what is asked, in what order servers are tried, and fail-over."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telephony_adapters.sip.flow import Flow
from telephony_adapters.sip.srv import Candidates, Naptr, Plan, Query, Record, Server, Srv, Target, ordered

ZONE: dict[tuple[str, str], Sequence[Record]] = {
    ("NAPTR", "naptr.example"): [
        Naptr(20, 0, "s", "SIP+D2U", "_sip._udp.naptr.example"),
        Naptr(10, 5, "S", "sip+d2t", "_sip._tcp.naptr.example"),
        Naptr(10, 1, "s", "SIPS+D2T", "_sips._tcp.elsewhere.example"),
        Naptr(5, 0, "s", "SIP+D2S", "_sip._sctp.naptr.example"),
        Naptr(5, 0, "u", "SIP+D2U", "_sip._udp.wrong.example"),
    ],
    ("SRV", "_sips._tcp.elsewhere.example"): [Srv(1, 0, 5061, "tls.example")],
    ("SRV", "_sip._tcp.naptr.example"): [Srv(1, 0, 5060, "tcp.example")],
    ("SRV", "_sip._udp.naptr.example"): [Srv(2, 0, 5070, "b.example"), Srv(1, 0, 5060, "a.example")],
    ("SRV", "_sip._udp.srv.example"): [Srv(1, 60, 5060, "a.example"), Srv(1, 40, 5080, "b.example")],
    ("SRV", "_sip._tcp.srv.example"): [Srv(0, 0, 5060, "tcp.example")],
    ("SRV", "_sip._udp.none.example"): [Srv(0, 0, 0, ".")],
    ("SRV", "_sip._udp.half.example"): [Srv(0, 0, 5060, "gone.example"), Srv(1, 0, 5060, "192.0.2.9")],
    ("A", "a.example"): ["192.0.2.1"],
    ("AAAA", "a.example"): ["2001:db8::1"],
    ("A", "b.example"): ["192.0.2.2"],
    ("A", "tcp.example"): ["192.0.2.3"],
    ("A", "tls.example"): ["192.0.2.4"],
    ("A", "plain.example"): ["192.0.2.5", "192.0.2.6"],
}


def resolved(plan: Plan) -> tuple[list[str], list[str]]:
    """Return what was asked, in rounds of any number, and the flows in order."""
    answers: dict[Query, Sequence[Record]] = {}
    while queries := plan.queries(answers):
        assert not answers.keys() & set(queries)
        answers |= {query: ZONE.get(query, ()) for query in queries}
    flows = [str(flow) for server in plan.servers(answers) for flow in server.flows]
    return [f"{query.kind} {query.name}" for query in answers], flows


@pytest.mark.parametrize(
    ("target", "flows"),
    [
        (Target("192.0.2.7"), ["udp:192.0.2.7:5060"]),
        (Target("192.0.2.7", 5090, "tcp"), ["tcp:192.0.2.7:5090"]),
        (Target("2001:db8::7"), ["udp:[2001:db8::7]:5060"]),
        (Target("192.0.2.7", is_secure=True), ["tls:192.0.2.7:5061"]),
        (Target("192.0.2.7", None, "tcp", is_secure=True), ["tls:192.0.2.7:5061"]),
    ],
)
def test_an_address_needs_no_dns(target: Target, flows: list[str]) -> None:
    assert resolved(Plan(target)) == ([], flows)


def test_a_name_with_a_port_needs_addresses_only() -> None:
    """RFC 3263 section 4.2."""
    asked, flows = resolved(Plan(Target("plain.example", 5090)))
    assert asked == ["A plain.example", "AAAA plain.example"]
    assert flows == ["udp:192.0.2.5:5090", "udp:192.0.2.6:5090"]


def test_naptr_chooses_the_transport_by_order_and_preference() -> None:
    asked, flows = resolved(Plan(Target("naptr.example"), families=("A",)))
    assert asked[:4] == [
        "NAPTR naptr.example", "SRV _sip._udp.naptr.example", "SRV _sip._tcp.naptr.example",
        "SRV _sips._tcp.elsewhere.example",
    ]  # fmt: skip
    assert flows == ["tls:192.0.2.4:5061", "tcp:192.0.2.3:5060", "udp:192.0.2.1:5060", "udp:192.0.2.2:5070"]


def test_a_secure_target_takes_tls_only() -> None:
    _, flows = resolved(Plan(Target("naptr.example", is_secure=True), families=("A",)))
    assert flows == ["tls:192.0.2.4:5061"]
    assert resolved(Plan(Target("srv.example", is_secure=True)))[0] == [
        "NAPTR srv.example", "SRV _sips._tcp.srv.example", "A srv.example", "AAAA srv.example",
    ]  # fmt: skip


def test_a_certificate_bears_the_name_that_was_asked_for() -> None:
    """Not that of the SRV record, which the DNS could have made up (RFC 5922 section 7.1)."""
    plan = Plan(Target("naptr.example", None, None, is_secure=True), families=("A",))
    answers: dict[Query, Sequence[Record]] = {}
    while queries := plan.queries(answers):
        answers |= {query: ZONE.get(query, ()) for query in queries}
    assert plan.servers(answers)[0].flows == (Flow("tls", "192.0.2.4", 5061, "naptr.example"),)


def test_without_naptr_each_transport_of_ours_is_looked_for() -> None:
    asked, flows = resolved(Plan(Target("srv.example"), transports=("tcp", "udp"), naptr=False))
    assert asked[:2] == ["SRV _sip._tcp.srv.example", "SRV _sip._udp.srv.example"]
    assert flows[0] == "tcp:192.0.2.3:5060"
    assert set(flows[1:]) == {"udp:192.0.2.1:5060", "udp:[2001:db8::1]:5060", "udp:192.0.2.2:5080"}


def test_a_fixed_transport_asks_for_its_own_records() -> None:
    asked, flows = resolved(Plan(Target("srv.example", None, "tcp"), families=("A",)))
    assert (asked, flows) == (["SRV _sip._tcp.srv.example", "A tcp.example"], ["tcp:192.0.2.3:5060"])


@pytest.mark.parametrize(
    ("target", "transports", "flow"),
    [
        (Target("plain.example", None, "udp"), ("udp", "tcp", "tls"), "udp:192.0.2.5:5060"),
        (Target("plain.example", None, "tls"), ("udp", "tcp", "tls"), "tls:192.0.2.5:5061"),
        (Target("plain.example"), ("udp", "tcp", "tls"), "udp:192.0.2.5:5060"),
        (Target("plain.example"), ("tcp",), "tcp:192.0.2.5:5060"),
    ],
)
def test_without_any_record_the_name_itself_is_the_server(
    target: Target, transports: tuple[str, ...], flow: str
) -> None:
    assert resolved(Plan(target, transports=transports))[1][0] == flow


def test_a_service_that_is_said_not_to_be_there_has_no_server() -> None:
    assert resolved(Plan(Target("none.example", None, "udp")))[1] == []


def test_a_server_without_an_address_is_left_out() -> None:
    assert resolved(Plan(Target("half.example", None, "udp")))[1] == ["udp:192.0.2.9:5060"]


def server(rank: int, weight: int, number: int, *more: int) -> Server:
    return Server((rank,), weight, tuple(Flow("udp", f"192.0.2.{each}", 5060) for each in (number, *more)))


def numbers(values: Sequence[float]) -> Iterator[float]:
    yield from values


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 65_535)), max_size=8), st.randoms(use_true_random=False))
def test_the_order_is_a_permutation_by_rank(pairs: list[tuple[int, int]], chance: random.Random) -> None:
    servers = [server(rank, weight, number) for number, (rank, weight) in enumerate(pairs)]
    found = ordered(servers, chance.random)
    assert sorted(found) == sorted(servers)
    assert [each.rank for each in found] == sorted(each.rank for each in servers)


def test_weights_share_the_load() -> None:
    """RFC 2782's own draw: numbers 0..100 over weights 0, 40 and 60; 0 takes the first, 1..40 the second."""
    servers = [server(0, 60, 1), server(0, 40, 2), server(0, 0, 3)]
    firsts = Counter(ordered(servers, lambda n=n: n / 101)[0].weight for n in range(101))  # type: ignore[misc]
    assert firsts == {0: 1, 40: 40, 60: 60}


def test_the_same_chance_gives_the_same_order() -> None:
    servers = [server(0, 10, n) for n in range(5)]
    drawn = numbers([0.99, 0.0, 0.5, 0.5])
    assert [each.flows[0].host[-1] for each in ordered(servers, lambda: next(drawn))] == ["4", "0", "2", "1", "3"]


def middle() -> float:
    return 0.5


def test_a_dead_server_is_left_alone_and_comes_back() -> None:
    first, spare, second = Candidates([server(0, 0, 1, 2), server(1, 0, 3)]).flows
    trunk = Candidates([server(0, 0, 1, 2), server(1, 0, 3)])
    assert trunk.choose(0.0, middle) == first
    trunk.failed(first, until=30.0)
    assert trunk.choose(0.0, middle) == spare
    trunk.failed(spare, until=40.0)
    assert trunk.choose(29.9, middle) == second
    assert trunk.next_at(29.9) == 30.0
    assert trunk.choose(30.0, middle) == first
    trunk.worked(spare)
    trunk.failed(first, until=60.0)
    assert trunk.choose(31.0, middle) == spare


def test_requests_share_the_load_of_the_servers_that_live() -> None:
    trunk = Candidates([server(1, 50, 9), server(0, 60, 1), server(0, 40, 2, 4), server(0, 0, 3)])
    first = Flow("udp", "192.0.2.1", 5060)

    def load(now: float) -> dict[str, int]:
        return Counter(str(trunk.choose(now, lambda n=n: n / 101))[-6:-5] for n in range(101))  # type: ignore[misc]

    assert load(0.0) == {"1": 60, "2": 40, "3": 1}
    trunk.failed(first, until=60.0)
    assert load(0.0).keys() == {"2", "3"}
    assert trunk.choose(60.0, lambda: 0.2) == first


def test_a_request_tries_each_flow_once() -> None:
    trunk = Candidates([server(0, 0, 1, 2), server(1, 0, 3)])
    tried: list[Flow] = []
    while flow := trunk.choose(0.0, middle, tried):
        tried.append(flow)
    assert tuple(tried) == trunk.flows
    assert trunk.next_at(0.0) is None


def test_when_all_have_failed_there_is_none_until_the_first_comes_back() -> None:
    trunk = Candidates([server(0, 0, 1), server(0, 0, 2)])
    for until, flow in zip((20.0, 10.0), trunk.flows, strict=True):
        trunk.failed(flow, until)
        trunk.failed(flow, until - 5)
    assert trunk.choose(9.0, middle) is None
    assert trunk.next_at(9.0) == 10.0
    assert trunk.choose(10.0, middle) == trunk.flows[1]


def test_a_new_answer_of_the_dns_keeps_what_is_known() -> None:
    trunk = Candidates([server(0, 0, 1), server(1, 0, 2)])
    first, second = trunk.flows
    trunk.failed(first, until=60.0)
    trunk.failed(second, until=70.0)
    trunk.failed(Flow("udp", "192.0.2.99", 5060), until=90.0)
    trunk.replace([server(0, 0, 1), server(1, 0, 4)])
    assert trunk.choose(0.0, middle) == Flow("udp", "192.0.2.4", 5060)
    assert trunk.next_at(65.0) is None
    assert Candidates([]).choose(0.0, middle) is None
