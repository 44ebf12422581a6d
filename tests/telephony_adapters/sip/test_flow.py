"""How a flow is written, and which ones repeat by themselves."""

from __future__ import annotations

import pytest

from telephony_adapters.sip.flow import Flow


@pytest.mark.parametrize(
    ("flow", "written", "is_reliable"),
    [
        (Flow("udp", "192.0.2.1", 5060), "udp:192.0.2.1:5060", False),
        (Flow("tcp", "192.0.2.1", 5062), "tcp:192.0.2.1:5062", True),
        (Flow("tls", "2001:db8::1", 5061, "sip.example"), "tls:[2001:db8::1]:5061", True),
    ],
)
def test_a_flow_is_written_as_people_do(flow: Flow, written: str, is_reliable: bool) -> None:
    assert str(flow) == written
    assert flow.is_reliable is is_reliable
