"""Reason, Retry-After and Warning."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statuses.classify import AttemptFacts, classify
from statuses.outcomes import CallStatus
from telephony_adapters.sip.reason import (
    LOCATIONS,
    Q850,
    Reason,
    RetryAfter,
    SipWarning,
    parse_reasons,
    parse_retry_after,
    parse_warnings,
    q850,
)

TEXT = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), max_size=20)
NUMBERS = st.integers(0, 4_000_000_000)


@pytest.mark.parametrize(
    ("value", "reasons"),
    [
        ('SIP ;cause=200 ;text="Call completed elsewhere"', [Reason("SIP", 200, "Call completed elsewhere")]),
        ('Q.850 ;cause=16 ;text="Terminated"', [Reason("Q.850", 16, "Terminated")]),
        ('SIP ;cause=600 ;text="Busy Everywhere"', [Reason("SIP", 600, "Busy Everywhere")]),
        ('SIP ;cause=580 ;text="Precondition Failure"', [Reason("SIP", 580, "Precondition Failure")]),
    ],
)
def test_the_examples_of_rfc_3326(value: str, reasons: list[Reason]) -> None:
    assert parse_reasons([value]) == reasons


def test_the_locations_of_rfc_8606() -> None:
    assert parse_reasons(['q.850;cause=16;TEXT="Terminated";Location=rln']) == [
        Reason("Q.850", 16, "Terminated", "RLN")
    ]
    assert [LOCATIONS.index(name) for name in ("U", "LN", "RLN", "INTL", "BI", "LOC-15")] == [0, 2, 4, 7, 10, 15]


def test_several_reasons_stand_in_lists_and_headers() -> None:
    values = ['SIP;cause=480, Q.850;cause=18;text="No user, really"', "Q.850;cause=31"]
    assert parse_reasons(values) == [Reason("SIP", 480), Reason("Q.850", 18, "No user, really"), Reason("Q.850", 31)]
    assert q850(values) == Reason("Q.850", 18, "No user, really")
    assert q850(["SIP;cause=480", "Q.850;text=x"]) is None


@pytest.mark.parametrize("value", ["", ",;,", ";cause=16", "a b;cause=1", "=", '"Q.850";cause=16'])
def test_what_cannot_be_read_is_left_out(value: str) -> None:
    assert parse_reasons([value, "Q.850;cause=1"]) == [Reason("Q.850", 1)]


@pytest.mark.parametrize("cause", ["", "x", "-1", "1.5", "9999", "²"])
def test_a_cause_that_is_no_number_is_none(cause: str) -> None:
    assert parse_reasons([f"Q.850;cause={cause};text=why"]) == [Reason("Q.850", None, "why")]


@given(
    st.lists(
        st.builds(
            Reason,
            st.sampled_from(["SIP", "Q.850", "X-1"]),
            st.none() | st.integers(0, 999),
            TEXT,
            st.sampled_from(["", *LOCATIONS]),
        )
    )
)
def test_reasons_come_back(reasons: list[Reason]) -> None:
    assert parse_reasons([", ".join(map(str, reasons))]) == reasons == parse_reasons(map(str, reasons))


@pytest.mark.parametrize(
    "reason", [Reason("Q.850\r\nX: y", 1), Reason("", 1), Reason("SIP", 1, "a\nb"), Reason("Q.850", 1, "", "U;x")]
)
def test_nothing_can_be_written_that_ends_the_header(reason: Reason) -> None:
    with pytest.raises(ValueError, match=r"tokens|control character"):
        str(reason)


@pytest.mark.parametrize(("location", "status"), [("U", CallStatus.BUSY), ("LN", CallStatus.CONGESTION)])
def test_the_location_user_tells_a_person_from_a_network(location: str, status: CallStatus) -> None:
    found = q850([f"Q.850;cause=21;location={location}"])
    assert found is not None
    facts = AttemptFacts(sip_status=500, q850=found.cause, q850_location=found.location, progressed=True)
    assert classify(facts).status is status


@pytest.mark.parametrize(
    ("value", "read"),
    [
        ("18000;duration=3600", RetryAfter(18_000, 3600)),
        ("120 (I'm in a meeting)", RetryAfter(120, None, "I'm in a meeting")),
        ("5", RetryAfter(5)),
        (" 5 (a (nested \\) one) b) ; x=y;duration=7", RetryAfter(5, 7, "a (nested ) one) b")),
        ("5 (never closed", RetryAfter(5, None, "never closed")),
        ("5;duration=soon", RetryAfter(5)),
        ("5 (;duration=9)", RetryAfter(5, None, ";duration=9")),
        ("5 (\\", RetryAfter(5)),
    ],
)
def test_retry_after(value: str, read: RetryAfter) -> None:
    assert parse_retry_after(value) == read


@pytest.mark.parametrize(
    "value", ["", "soon", "-1", "1.5", "99999999999", "(5)", ";duration=5", "Fri, 26 Sep 1997 14:32:35 GMT"]
)
def test_a_retry_after_without_seconds_is_none(value: str) -> None:
    assert parse_retry_after(value) is None


@given(NUMBERS, st.none() | NUMBERS, TEXT)
def test_retry_after_comes_back(delay_s: int, duration_s: int | None, comment: str) -> None:
    retry = RetryAfter(delay_s, duration_s, comment.strip())
    assert parse_retry_after(str(retry)) == retry


def test_a_comment_cannot_end_the_header() -> None:
    with pytest.raises(ValueError, match="control character"):
        str(RetryAfter(1, None, "a\r\nb"))


def test_warnings_as_in_rfc_3261() -> None:
    value = '307 isi.edu "Session parameter \'foo\' not understood", 301 isi.edu "Incompatible, \\"E.164\\""'
    read = [
        SipWarning(307, "isi.edu", "Session parameter 'foo' not understood"),
        SipWarning(301, "isi.edu", 'Incompatible, "E.164"'),
    ]
    assert parse_warnings([value]) == read
    assert ", ".join(map(str, read)) == value
    assert parse_warnings(["305 h", "x", "30 a b", ""]) == []


@given(st.integers(100, 999), st.sampled_from(["h.example", "[2001:db8::1]:5060", "192.0.2.1"]), TEXT)
def test_warnings_come_back(code: int, agent: str, text: str) -> None:
    assert parse_warnings([str(SipWarning(code, agent, text))]) == [SipWarning(code, agent, text)]


@pytest.mark.parametrize(
    "warning", [SipWarning(300, "", "x"), SipWarning(300, "a b"), SipWarning(300, "a\r\n"), SipWarning(300, "a", "\n")]
)
def test_a_warning_cannot_end_the_header(warning: SipWarning) -> None:
    with pytest.raises(ValueError, match=r"agent|control character"):
        str(warning)


def test_a_q850_reason_is_written_as_carriers_do() -> None:
    assert str(Reason(Q850, 17, "User busy", "U")) == 'Q.850;cause=17;text="User busy";location=U'
