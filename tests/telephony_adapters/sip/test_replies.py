"""Where responses go and what they repeat: RFC 3261 sections 8.2.6 and 18.2, RFC 3581."""

from __future__ import annotations

import pytest

from telephony_adapters.sip.flow import Flow
from telephony_adapters.sip.message import Request
from telephony_adapters.sip.parse import parse_message
from telephony_adapters.sip.replies import reply_flow, reply_head, response_bytes

HERE = Flow("udp", "198.51.100.7", 40_000)


def request(*vias: str) -> Request:
    lines = "".join(f"Via: SIP/2.0/UDP {via}\r\n" for via in vias)
    message = parse_message(
        f"OPTIONS sip:a@b SIP/2.0\r\n{lines}From: <sip:c@d>;tag=t\r\nTo: <sip:a@b>\r\nCall-ID: i\r\nCSeq: 1 OPTIONS\r\n"
        "Max-Forwards: 3\r\n\r\n".encode()
    )
    assert isinstance(message, Request)
    return message


@pytest.mark.parametrize(
    ("via", "flow", "expected"),
    [
        ("192.0.2.10:5060;branch=z", HERE, Flow("udp", "198.51.100.7", 5060)),
        ("192.0.2.10:5070;branch=z", HERE, Flow("udp", "198.51.100.7", 5070)),
        ("192.0.2.10;branch=z", HERE, Flow("udp", "198.51.100.7", 5060)),
        ("192.0.2.10:5070;rport;branch=z", HERE, HERE),
        ("192.0.2.10:40000;branch=z", HERE, HERE),
        ("192.0.2.10;maddr=203.0.113.9;branch=z", HERE, Flow("udp", "198.51.100.7", 5060)),
        ("192.0.2.10:5070;branch=z", HERE._replace(transport="tcp"), HERE._replace(transport="tcp")),
    ],
)
def test_a_response_goes_to_the_sender_at_vias_port_or_by_rport_or_the_connection(
    via: str, flow: Flow, expected: Flow
) -> None:
    assert reply_flow(request(via), flow) == expected


@pytest.mark.parametrize(
    ("via", "expected"),
    [
        ("198.51.100.7:5060;branch=z", "198.51.100.7:5060;branch=z"),
        ("192.0.2.10:5060;branch=z", "192.0.2.10:5060;branch=z;received=198.51.100.7"),
        ("host.example;rport;branch=z", "host.example;rport=40000;branch=z;received=198.51.100.7"),
        ("198.51.100.7:40000;rport;branch=z", "198.51.100.7:40000;rport=40000;branch=z;received=198.51.100.7"),
        ("a;branch=z, SIP/2.0/TCP b;branch=y", "a;branch=z;received=198.51.100.7, SIP/2.0/TCP b;branch=y"),
    ],
)
def test_the_topmost_via_tells_where_the_request_came_from(via: str, expected: str) -> None:
    head = reply_head(request(via, "second;branch=x"), HERE)
    assert head.split("\r\n")[:2] == [f"Via: SIP/2.0/UDP {expected}", "Via: SIP/2.0/UDP second;branch=x"]


def test_a_response_repeats_via_from_call_id_and_cseq_and_nothing_else() -> None:
    data = response_bytes(reply_head(request("a;branch=z"), HERE), "<sip:a@b>;tag=u", 404, headers=[("X", "y")])
    assert data == (
        b"SIP/2.0 404 Not Found\r\nVia: SIP/2.0/UDP a;branch=z;received=198.51.100.7\r\nFrom: <sip:c@d>;tag=t\r\n"
        b"Call-ID: i\r\nCSeq: 1 OPTIONS\r\nTo: <sip:a@b>;tag=u\r\nX: y\r\nContent-Length: 0\r\n\r\n"
    )
