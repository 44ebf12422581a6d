"""Requests of ours as bytes: the INVITE, the ACK of its failure, its CANCEL."""

from __future__ import annotations

from typing import Any

from telephony_adapters.sip.message import Request
from telephony_adapters.sip.outgoing import Outgoing
from telephony_adapters.sip.parse import parse_message
from tests.telephony_adapters.sip.pair import SDP


def outgoing(**changes: Any) -> Outgoing:
    values: dict[str, Any] = {
        "via": "SIP/2.0/UDP 192.0.2.1:5060;rport;branch=z9hG4bKx", "branch": "z9hG4bKx", "from_": "<sip:a@b>;tag=t",
        "routes": ["<sip:p1;lr>", "<sip:p2;lr>"], "to": "<sip:c@d>", "call_id": "call", "cseq": 7,
        "headers": [("Proxy-Authorization", "Digest x"), ("Subject", "\xe9\udcff")], "body": SDP,
    }  # fmt: skip
    return Outgoing("INVITE", "sip:c@d", **values | changes)


def read(data: bytes) -> Request:
    message = parse_message(data)
    assert isinstance(message, Request)
    return message


def test_a_request_bears_what_it_was_made_of_and_its_length() -> None:
    request = read(outgoing().data())
    assert (request.method, request.uri, request.cseq, request.call_id) == ("INVITE", "sip:c@d", 7, "call")
    assert request.all("Route") == ["<sip:p1;lr>", "<sip:p2;lr>"]
    assert (request.get("Max-Forwards"), request.get("Subject")) == ("70", "\xe9\udcff")
    assert (request.body, request.get("Content-Length")) == (SDP, str(len(SDP)))


def test_the_ack_of_a_failure_keeps_branch_routes_and_credentials_and_takes_the_to() -> None:
    ack = read(outgoing().ack("<sip:c@d>;tag=r"))
    assert (ack.method, ack.cseq_method, ack.cseq, ack.to_tag) == ("ACK", "ACK", 7, "r")
    assert ack.via.branch == "z9hG4bKx"
    assert ack.all("Route") == ["<sip:p1;lr>", "<sip:p2;lr>"]
    assert ack.get("Proxy-Authorization") == "Digest x"
    assert (ack.get("Subject"), ack.body) == (None, b"")


def test_a_cancel_has_only_what_tells_its_invite_apart() -> None:
    cancel = read(outgoing().cancel([("Reason", "why")]).data())
    assert (cancel.method, cancel.uri, cancel.cseq, cancel.to_tag) == ("CANCEL", "sip:c@d", 7, "")
    assert cancel.via.branch == "z9hG4bKx"
    assert cancel.all("Route") == ["<sip:p1;lr>", "<sip:p2;lr>"]
    assert (cancel.get("Reason"), cancel.get("Proxy-Authorization"), cancel.body) == ("why", None, b"")
