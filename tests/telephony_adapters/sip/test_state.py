"""Dialogs' requests and where they go (RFC 3261 section 12.2.1.1), and descriptions in bodies (RFC 5621)."""

from __future__ import annotations

import pytest

from telephony_adapters.sip.flow import Flow
from telephony_adapters.sip.leg import Leg
from telephony_adapters.sip.message import Message
from telephony_adapters.sip.parse import parse_message
from telephony_adapters.sip.state import UaState, addressed, next_flow, peer_address, recorded, sdp_of
from tests.telephony_adapters.sip.pair import HERE, PEER, SDP, STREAM, config

TLS = Flow("tls", "192.0.2.10", 5061, "sip.example")


def leg(*routes: str, flow: Flow = PEER) -> Leg:
    made = Leg("call", flow, is_caller=True, local_tag="tag")
    made.target, made.routes, made.local, made.remote = "sip:peer@192.0.2.30", routes, "<sip:a@b>;tag=tag", "<sip:c@d>"
    return made


def message(*lines: str, body: bytes = b"") -> Message:
    head = "\r\n".join(
        [
            "SIP/2.0 200 OK", "Via: SIP/2.0/UDP a;branch=z", "From: <sip:a@b>;tag=t", "To: <sip:a@b>;tag=u",
            "Call-ID: i", "CSeq: 1 INVITE", *lines, "", "",
        ]
    )  # fmt: skip
    return parse_message(head.encode("utf-8", "surrogateescape") + body)


def test_with_loose_routers_the_target_is_the_request_uri_and_the_routes_stand_in_order() -> None:
    request = UaState(config()).request(leg("<sip:p1;lr>", "<sip:p2>"), "BYE", cseq=2)
    assert (request.uri, list(request.routes)) == ("sip:peer@192.0.2.30", ["<sip:p1;lr>", "<sip:p2>"])


def test_a_strict_router_is_the_request_uri_and_the_target_the_last_route() -> None:
    request = UaState(config()).request(leg("<sip:p1>", "<sip:p2;lr>"), "BYE", cseq=2)
    assert (request.uri, list(request.routes)) == ("sip:p1", ["<sip:p2;lr>", "<sip:peer@192.0.2.30>"])


def test_every_request_of_a_dialog_has_a_branch_of_its_own() -> None:
    state = UaState(config())
    made = [state.request(leg(), method, cseq=cseq) for method in ("ACK", "INVITE", "BYE") for cseq in (1, 2)]
    assert len({request.branch for request in made}) == 6
    assert all(request.via.endswith(f";rport;branch={request.branch}") for request in made)


@pytest.mark.parametrize(
    ("flow", "target", "routes", "expected"),
    [
        (PEER, "sip:a@192.0.2.30", (), "udp:192.0.2.30:5060"),
        (PEER, "sip:a@192.0.2.30:5070;transport=UDP", (), "udp:192.0.2.30:5070"),
        (PEER, "sip:a@192.0.2.30;transport=tcp", (), "tcp:192.0.2.30:5060"),
        (PEER, "sip:a@[2001:db8::1]:5070", (), "udp:[2001:db8::1]:5070"),
        (PEER, "sip:a@192.0.2.30", ("<sip:192.0.2.40:5080;lr>", "<sip:192.0.2.50>"), "udp:192.0.2.40:5080"),
        (PEER, "sip:a@name.example", (), "udp:192.0.2.10:5060"),
        (PEER, "sip:a@192.0.2.30;transport=sctp", (), "udp:192.0.2.10:5060"),
        (PEER, "sips:a@192.0.2.30", (), "udp:192.0.2.10:5060"),
        (PEER, "tel:0900000001", (), "udp:192.0.2.10:5060"),
        (STREAM, "sip:a@192.0.2.30", (), "tcp:192.0.2.10:5060"),
        (TLS, "sip:a@192.0.2.30", (), "tls:192.0.2.10:5061"),
    ],
)
def test_the_next_request_goes_to_the_first_route_or_the_contact_and_stays_on_a_connection(
    flow: Flow, target: str, routes: tuple[str, ...], expected: str
) -> None:
    assert str(next_flow(flow, target, routes)) == expected


@pytest.mark.parametrize(
    ("flow", "target", "expected"),
    [
        (STREAM, "sip:a@192.0.2.30", "tcp:192.0.2.30:5060"),
        (STREAM, "sip:a@192.0.2.30:5070;transport=tcp", "tcp:192.0.2.30:5070"),
        (TLS, "sip:a@192.0.2.30", "tls:192.0.2.30:5061"),
        (TLS, "sip:a@name.example", "tls:192.0.2.10:5061"),
    ],
)
def test_a_connection_that_is_gone_is_made_anew_to_the_contact(flow: Flow, target: str, expected: str) -> None:
    assert str(addressed(flow, target, ())) == expected
    assert addressed(flow, target, ()).server_name == flow.server_name


def test_contact_and_via_bear_the_transport_and_brackets_for_ipv6() -> None:
    state = UaState(config(("2001:db8::1", 5060)))
    assert state.contact(PEER) == "<sip:dialer@[2001:db8::1]:5060>"
    assert state.contact(STREAM, "me") == "<sip:me@[2001:db8::1]:5060;transport=tcp>"
    assert state.via(TLS, "z") == "SIP/2.0/TLS [2001:db8::1]:5060;rport;branch=z"


def test_where_a_transport_has_no_place_of_its_own_the_first_one_stands() -> None:
    assert UaState(config(sent_by={"udp": HERE})).via(STREAM, "z").startswith("SIP/2.0/TCP 192.0.2.1:5060;")


PART = b"--b\r\nContent-Type: application/sdp\r\n\r\n" + SDP


@pytest.mark.parametrize(
    ("kind", "body", "expected"),
    [
        ("application/sdp", SDP, SDP),
        ("Application/SDP; charset=x", SDP, SDP),
        ("text/plain", SDP, None),
        ("application/sdp", b"", None),
        ("multipart/mixed;boundary=b", b"--b\r\nContent-Type: a/b\r\n\r\nx\r\n" + PART + b"\r\n--b--\r\n", SDP),
        ('multipart/mixed; Boundary="b"', PART + b"\r\n--b--", SDP),
        ("multipart/mixed;boundary=b", b"--b\r\n\r\nx\r\n--b--", None),
        ("multipart/mixed", PART, None),
        ("multipart/mixed;boundary=", PART, None),
    ],
)
def test_a_description_is_found_alone_or_among_parts(kind: str, body: bytes, expected: bytes | None) -> None:
    assert sdp_of(message(f"Content-Type: {kind}", body=body)) == expected


def test_a_body_without_a_type_is_no_description() -> None:
    assert sdp_of(message(body=SDP)) is None


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["Contact: <sip:a@b>;q=1, <sip:c@d>"], "sip:a@b"),
        (["Contact: sip:a@b;expires=3"], "sip:a@b"),
        (["Contact: *"], ""),
        ([], ""),
    ],
)
def test_the_peers_address_is_the_first_contact(lines: list[str], expected: str) -> None:
    assert peer_address(message(*lines), "Contact") == expected


def test_routes_that_nobody_can_read_are_left_out() -> None:
    assert recorded(message("Record-Route: <sip:a;lr>, <sip:b;lr>", 'Record-Route: "x', "Record-Route: <c>")) == [
        "<sip:a;lr>", "<sip:b;lr>",
    ]  # fmt: skip


def test_a_key_that_is_longer_than_64_bytes_is_refused() -> None:
    with pytest.raises(ValueError, match="64"):
        UaState(config(key=b"x" * 65)).ids.tag("call", "caller")
