"""What the structs of a trunks file say of themselves."""

from __future__ import annotations

from decimal import Decimal

import pytest

from dialer.errors import BadInput
from telephony_adapters.trunks.addresses import Server
from telephony_adapters.trunks.model import Agents, Spend, Trunk
from telephony_adapters.trunks.reading import table
from telephony_adapters.trunks.spend import MICRO, Rate

LEAST = {"server": "sip.a.vn:5060", "channels": 2, "cps": 1}


def trunk(**more: object) -> Trunk:
    return table(Trunk, LEAST | more, "trunk", name="a")


def test_what_a_trunk_is_when_only_the_least_is_said() -> None:
    least = trunk()
    assert least.server == Server("sip.a.vn", 5060)
    assert (least.transport, least.uri_host, least.prefixes, least.at_once) == ("udp", "sip.a.vn", ("",), 1)
    assert (least.register, least.tls_verify, least.caller_id, least.offer) == (False, True, "asserted", "sendrecv")
    assert (trunk(cps=Decimal("7.5")).at_once, trunk(cps=7, burst=3).at_once) == (7, 3)
    assert trunk(domain="ims.a.vn").uri_host == "ims.a.vn"
    assert trunk(server="[::1]:5060").uri_host == "[::1]"
    assert [trunk(server=server).uri_port for server in ("sip.a.vn", "sip.a.vn:5080")] == [None, 5080]
    assert trunk(server="10.0.0.1:5080", domain="ims.a.vn").uri_port is None


def test_the_rate_of_the_longest_prefix_is_billed() -> None:
    rates = {"": {"per_minute": 850}, "842": {"per_minute": Decimal("350.5"), "increments": "6/6"}}
    one = trunk(rates=rates)
    assert one.rate_of("84900000001") == Rate(850 * MICRO, 60, 1)
    assert one.rate_of("84240000001") == Rate(350_500_000, 6, 6)
    assert trunk().rate_of("84900000001") == Rate()


@pytest.mark.parametrize(
    "rate",
    [
        750,
        {"increments": "60/1"},
        {"per_minute": -1},
        {"per_minute": True},
        {"per_minute": Decimal("0.0000001")},
        {"per_minute": Decimal("NaN")},
        {"per_minute": 750, "increments": "60"},
        {"per_minute": 750, "increments": "0/1"},
        {"per_minute": 750, "step": 1},
    ],
)
def test_a_wrong_rate_is_named(rate: object) -> None:
    with pytest.raises(BadInput, match="trunk: rates: expected a table such as "):
        trunk(rates={"": rate})


def test_money_is_exact() -> None:
    assert table(Spend, {"max_cost_day": Decimal("0.1")}, "spend").max_cost_day == 100_000
    with pytest.raises(BadInput, match="at most six digits after the point"):
        table(Spend, {"max_cost_day": Decimal("0.00000001")}, "spend")


@pytest.mark.parametrize("zone", ["Asia/Hanoi", "", "../etc/passwd", 7, "Asia"])
def test_a_time_zone_that_is_none_is_named(zone: object) -> None:
    with pytest.raises(BadInput, match="spend: timezone: expected a time zone such as"):
        table(Spend, {"timezone": zone}, "spend")


def agents(**more: object) -> Agents:
    return table(Agents, {"server": "10.0.0.5:5060"} | more, "agents")


def test_an_agents_phone_is_found_and_a_name_adds_nothing_to_its_uri() -> None:
    one = agents(uri="sip:{agent}@10.0.0.5;transport=tcp")
    assert one.uri_of("a-1.b_2") == "sip:a-1.b_2@10.0.0.5;transport=tcp"
    assert one.uri_of("x@evil.example:5060;a=<b>?\r\n ") == (
        "sip:x%40evil.example%3A5060%3Ba%3D%3Cb%3E%3F%0D%0A%20@10.0.0.5;transport=tcp"
    )
    assert one.uri_of("") is None
    listed = agents(uris={"a1": "sip:101@10.0.0.5"})
    assert (listed.uri_of("a1"), listed.uri_of("a2")) == ("sip:101@10.0.0.5", None)
