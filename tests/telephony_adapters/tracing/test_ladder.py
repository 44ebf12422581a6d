from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.ports import TraceColumn
from telephony_adapters.tracing.ladder import make_trace, summarize
from telephony_adapters.tracing.record import Record
from tests.telephony_adapters.tracing.sample import START, records


def test_the_sample_call_is_a_ladder() -> None:
    trace = make_trace(records())
    assert trace.columns == (
        TraceColumn("agent", "10.0.0.9:5061"), TraceColumn("dialer", "10.0.0.2:5060"),
        TraceColumn("trunk", "10.0.0.1:5060"),
    )  # fmt: skip
    assert (trace.started_at, trace.whole) == (START, True)
    assert [(step.ms, step.source, step.target, step.label, step.kind) for step in trace.steps[:8]] == [
        (0.0, 1, 0, "INVITE", "request"),
        (21.0, 0, 1, "180 Ringing", "provisional"),
        (1400.0, 0, 1, "200 OK (INVITE, SDP)", "success"),
        (1401.0, 1, 0, "ACK (SDP)", "request"),
        (1410.0, 1, 2, "INVITE (SDP)", "request"),
        (1910.0, 1, 2, "INVITE (SDP)", "request"),
        (1930.0, 2, 1, "407 Proxy Authentication Required (INVITE)", "failure"),
        (1931.0, 1, 2, "ACK", "request"),
    ]
    assert [step.ms for step in trace.steps if step.again] == [1910.0]
    labels = [step.label for step in trace.steps]
    assert {"INVITE (auth, SDP)", "183 Session Progress (SDP)", "re-INVITE (SDP)", "BYE (Q.850 16)"} < set(labels)


def test_a_ladder_without_its_beginning_says_so() -> None:
    assert not make_trace(records()[1:]).whole
    assert not make_trace(records()[13:14]).whole  # a re-INVITE is no beginning


def test_the_same_words_the_other_way_or_to_another_peer_are_no_repetition() -> None:
    one = records()[0]
    others = [
        msgspec.structs.replace(one, sent=False),
        msgspec.structs.replace(one, port=5062, transport="udp"),
        msgspec.structs.replace(one, data=one.data + b" "),
    ]
    assert [step.again for step in make_trace([one, *others, one]).steps] == [False, False, False, False, True]


def test_peers_are_told_apart_by_leg_and_address_but_connections_of_one_host_are_one() -> None:
    one = Record(1.0, True, "udp", "10.0.0.1", 5060, "10.0.0.2", 5060, "", b"")
    changed: list[dict[str, Any]] = [
        {"port": 5062},
        {"transport": "tcp", "port": 40_001},
        {"transport": "tls", "port": 40_002},
        {"leg": "a"},
    ]
    others = [msgspec.structs.replace(one, **change) for change in changed]
    assert [(column.role, column.address) for column in make_trace([one, *others]).columns] == [
        ("agent", "10.0.0.1:5060"), ("dialer", "10.0.0.2:5060"), ("trunk", "10.0.0.1:5060"),
        ("trunk", "10.0.0.1:5062"), ("trunk", "10.0.0.1:40001"),
    ]  # fmt: skip
    six = msgspec.structs.replace(one, host="2001:db8::1")
    assert make_trace([six]).columns[1].address == "[2001:db8::1]:5060"


@pytest.mark.parametrize(
    ("text", "label", "kind"),
    [
        ("SIP/2.0 100 Trying\r\nCSeq: 1 INVITE", "100 Trying", "provisional"),
        ("SIP/2.0 182 Queued\r\nCSeq: 1 REFER", "182 Queued (REFER)", "provisional"),
        ("SIP/2.0 486\r\nCSeq: 1 INVITE", "486 (INVITE)", "failure"),
        ("SIP/2.0 302 Moved\r\nCSeq: 1 INVITE", "302 Moved (INVITE)", "failure"),
        (
            "SIP/2.0 600 Busy\r\nCSeq: 1 INVITE\r\nReason: Q.850;cause=17;text=x",
            "600 Busy (INVITE, Q.850 17)",
            "failure",
        ),
        ("CANCEL sip:a@b SIP/2.0\r\nReason: SIP ;cause=200 ;text=x", "CANCEL (SIP 200)", "request"),
        ("INVITE sip:a@b SIP/2.0\r\nt: <sip:a@b> ; TAG=x\r\nc: application/SDP", "re-INVITE (SDP)", "request"),
        ("PRACK sip:a@b SIP/2.0\r\nContent-Type:\r\n application/sdp", "PRACK (SDP)", "request"),
        ("SIP/2.0 480 \x1b[31mred\x07", "480  [31mred", "failure"),
        ("SIP/2.0 480 " + "long " * 30, "480 " + ("long " * 30)[:40].strip(), "failure"),
        ("nonsense", "8 bytes", "request"),
        ("", "0 bytes", "request"),
    ],
)
def test_what_a_message_is_called(text: str, label: str, kind: str) -> None:
    summary = summarize(text.encode())
    assert (summary.label, summary.kind) == (label, kind)


@given(st.binary(max_size=200))
def test_anything_can_be_summed_up_in_one_printable_line(data: bytes) -> None:
    for start in (b"", b"SIP/2.0 200 ", b"INVITE sip:a@b SIP/2.0\r\n"):
        assert summarize(start + data).label.isprintable()
