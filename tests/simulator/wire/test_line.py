from __future__ import annotations

import pytest

from simulator.wire.course import Course, Reinvite, Step
from simulator.wire.ledger import Row
from simulator.wire.line import Line, caller_of, headers_of, reason_text, user_of
from statuses.outcomes import Announcement
from telephony_adapters.sip.leg import Leg
from telephony_adapters.sip.message import Request
from telephony_adapters.sip.parse import parse_message
from tests.simulator.wire.callers import CALLER


def invite(*headers: str, from_: str = "<sip:0240000001@192.0.2.1>;tag=1") -> Request:
    lines = [
        "INVITE sip:0900000001@192.0.2.2 SIP/2.0", "Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1", f"From: {from_}",
        "To: <sip:0900000001@192.0.2.2>", "Call-ID: c", "CSeq: 1 INVITE", "Content-Length: 0", *headers,
    ]  # fmt: skip
    message = parse_message(("\r\n".join(lines) + "\r\n\r\n").encode())
    assert isinstance(message, Request)
    return message


@pytest.mark.parametrize(
    ("step", "headers"),
    [
        (Step(0.0, 180), ()),
        (Step(0.0, 486, 17), (("Reason", "Q.850;cause=17"),)),
        (Step(0.0, 603, 21, "Network Blocked"), (("Reason", 'Q.850;cause=21;text="Network Blocked"'),)),
        (Step(0.0, 183, announcement=Announcement.LOCKED), (("X-Announcement", "locked"),)),
        (Step(0.0, 503, retry_after_s=2.5), (("Retry-After", "3"),)),
        (Step(0.0, 302, headers=(("Contact", "<sip:x@y>"),)), (("Contact", "<sip:x@y>"),)),
    ],
)
def test_a_step_has_the_headers_that_say_it(step: Step, headers: tuple[tuple[str, str], ...]) -> None:
    assert headers_of(step, "X-Announcement") == headers


def test_a_recording_is_named_only_where_the_profile_wants_it() -> None:
    assert headers_of(Step(0.0, 183, announcement=Announcement.LOCKED), "") == ()


@pytest.mark.parametrize(
    ("uri", "user"),
    [
        ("sip:0900000001@192.0.2.2", "0900000001"),
        ("sip:+84900000001@192.0.2.2;user=phone", "+84900000001"),
        ("sip:+84900000001;phone-context=x@192.0.2.2", "+84900000001"),
        ("sip:%2B84900000001@192.0.2.2", "+84900000001"),
        ("sip:user:secret@192.0.2.2", "user"),
        ("tel:+84900000001;phone-context=x", "+84900000001"),
        ("sip:192.0.2.2:5070", ""),
        ("nonsense", ""),
    ],
)
def test_the_number_is_the_user_part(uri: str, user: str) -> None:
    assert user_of(uri) == user


def test_a_caller_shows_the_asserted_identity_before_from() -> None:
    assert caller_of(invite()) == "0240000001"
    assert caller_of(invite(from_='"A <b" <sip:0240000002@x>;tag=1')) == "0240000002"
    assert caller_of(invite(from_="sip:0240000003@x;tag=1")) == "0240000003"
    assert caller_of(invite("P-Asserted-Identity: <sip:0240000004@x>")) == "0240000004"


def test_a_reason_is_its_text() -> None:
    assert reason_text(None) is None
    assert reason_text(invite()) is None
    assert reason_text(invite('Reason: SIP;cause=487, Q.850;cause=16;text="cull"')) == "cull"


@pytest.mark.parametrize(
    ("course", "crosses"),
    [(Course("x"), False), (Course("x", late_answer=True), True), (Course("x", reinvite=Reinvite.GLARE), True)],
)
def test_a_line_knows_whether_it_crosses_the_caller(course: Course, crosses: bool) -> None:
    leg = Leg("c", CALLER, is_caller=False, local_tag="t")
    line = Line(leg, Row("c", "", "", "x", 0.0), course, 5.0)
    assert (line.crosses, line.key, line.begun_at, line.hears) == (crosses, ("c", "t"), 5.0, None)
