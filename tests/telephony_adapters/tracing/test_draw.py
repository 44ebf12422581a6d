from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.ports import CallTrace, TraceColumn, TraceStep
from telephony_adapters.tracing.draw import WIDTH_MIN, as_text, draw, label_of, participant, printed, shorten
from telephony_adapters.tracing.ladder import make_trace
from tests.telephony_adapters.tracing.sample import CALL_ID, records

TRACE = make_trace(records())


def test_eighty_columns_hold_three_participants() -> None:
    assert [line.text for line in draw(TRACE, 80)][:12] == [
        "       ms agent                           dialer                           trunk",
        "          10.0.0.9:5061                10.0.0.2:5060               10.0.0.1:5060",
        "      0.0  |<-------------INVITE-------------|                                 |",
        "     21.0  |----------180 Ringing----------->|                                 |",
        "    1.4 s  :                                 :                                 :",
        "   1400.0  |------200 OK (INVITE, SDP)------>|                                 |",
        "   1401.0  |<-----------ACK (SDP)------------|                                 |",
        "   1410.0  |                                 |----------INVITE (SDP)---------->|",
        "   1910.0  |                                 |-------again INVITE (SDP)------->|",
        "   1930.0  |                                 |<-407 Proxy Authentica… (INVITE)-|",
        "   1931.0  |                                 |--------------ACK--------------->|",
        "   1932.0  |                                 |-------INVITE (auth, SDP)------->|",
    ]


def test_where_lanes_have_no_room_the_messages_are_listed() -> None:
    lines = [line.text for line in draw(TRACE, WIDTH_MIN)]
    assert lines[:5] == [
        "agent 10.0.0.9:5061",
        "dialer 10.0.0.2:5060",
        "trunk 10.0.0.1:5060",
        "      0.0 dialer -> agent: INVITE",
        "     21.0 agent -> dialer: 180 Ringing",
    ]
    assert "   1930.0 trunk -> dialer: 407 Proxy" in lines
    assert "          Authentication Required" in lines


def test_an_arrow_crosses_the_lanes_between() -> None:
    trace = CallTrace(
        0.0,
        True,
        tuple(TraceColumn("trunk", name) for name in ("a", "b", "c")),
        (TraceStep(0, 2, 0, "BYE", "request"),),
    )
    assert draw(trace, 50)[2].text == "      0.0  |<----------------BYE-----------------|"


def test_each_line_says_what_it_shows_and_where() -> None:
    lines = draw(TRACE, 80)
    assert [line.kind for line in lines[:5]] == ["head", "head", "request", "provisional", "gap"]
    ringing = lines[3]
    assert ringing.text[ringing.start : ringing.end].strip("->") == "180 Ringing"


def test_a_ladder_without_its_beginning_says_so_first() -> None:
    assert draw(msgspec.structs.replace(TRACE, whole=False), 80)[0].text == "earlier messages are no longer kept"


steps = st.builds(
    TraceStep,
    ms=st.floats(0, 9_999_999).map(lambda ms: round(ms, 1)),
    source=st.integers(0, 1),
    target=st.just(1),
    label=st.text("abc (),", max_size=60),
    kind=st.sampled_from(["request", "provisional", "success", "failure"]),
    again=st.booleans(),
)


@given(st.integers(1, 300), st.integers(2, 6), st.lists(steps.filter(lambda step: step.source == 0), max_size=4))
def test_no_line_is_wider_than_the_terminal(width: int, columns: int, drawn: list[TraceStep]) -> None:
    trace = CallTrace(0.0, True, (TraceColumn("trunk", "2001:db8:" * 4),) * columns, tuple(drawn))
    assert all(len(line.text) <= max(width, WIDTH_MIN) for line in draw(trace, width))


@pytest.mark.parametrize(
    ("text", "room", "left"),
    [
        ("180 Ringing", 11, "180 Ringing"),
        ("180 Ringing", 8, "180 Rin…"),
        ("183 Session Progress (SDP)", 20, "183 Session P… (SDP)"),
        ("BYE (Q.850 16, and more)", 12, "BYE (Q.850 …"),
        ("anything", 0, "…"),
    ],
)
def test_what_is_cut_shows_it_and_keeps_its_notes(text: str, room: int, left: str) -> None:
    assert shorten(text, room) == left


def test_whole_messages_are_printed_without_what_moves_a_cursor() -> None:
    record = msgspec.structs.replace(records()[0], data=b"BYE sip:a@b SIP/2.0\r\nX: \x1b[2J\x9b\r\n\r\n\xff\n")
    lines = list(printed(make_trace([record]), [record]))
    assert lines[0] == "--- 0.0 ms: dialer 10.0.0.2:5060 -> agent 10.0.0.9:5061, tls, 35 bytes"
    assert lines[1:] == ["BYE sip:a@b SIP/2.0", "X: \ufffd[2J\ufffd", "", "\ufffd", ""]


def test_the_text_has_the_ladder_and_every_message() -> None:
    text = as_text(CALL_ID, TRACE, records(), width=100)
    assert text.splitlines()[0] == f"call {CALL_ID}"
    assert text.count("\n--- ") == len(records())
    assert "sip:*******123@10.0.0.1" in text


def test_names() -> None:
    assert participant(TRACE.columns[0]) == "agent 10.0.0.9:5061"
    assert [label_of(step) for step in TRACE.steps[4:6]] == ["INVITE (SDP)", "again INVITE (SDP)"]
