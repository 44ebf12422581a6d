"""The twelve statuses and every spelling of them (statuses.md 2.1, A13)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statuses.outcomes import NEW_CODE, STATUS_CODES, STATUS_COUNTERS, CallStatus, parse_status

# label of the seed, wire form, counter, filter text, code
SPELLINGS = [
    ("Answered", "answered", "answered", "ANSWERED", "A1"),
    ("No Answered", "no-answered", "no_answered", "NO ANSWER", "NA"),
    ("Busy", "busy", "busy", "BUSY", "B1"),
    ("Busy line", "busy-line", "busy_line", "BUSY LINE", "BL1"),
    ("IVR", "ivr", "ivr", "IVR", "IV1"),
    ("Failed", "failed", "failed", "FAILED", "F1"),
    ("Congestion", "congestion", "congestion", "CONGESTION", "CG1"),
    ("Cancel", "cancel", "cancel", "CANCEL", "C1"),
    ("Invalid number", "invalid-number", "invalid", "INVALID NUMBER", "IN1"),
    ("Phone Block", "phone-block", "phone_block", "PHONE BLOCK", "PB1"),
    ("Not available", "not-available", "not_available", "NOT AVAILABLE", "NA1"),
    ("Voicemail", "voicemail", "voicemail", "VOICEMAIL", "VM1"),
]


@pytest.mark.req("S0-6", "S0-10")
@pytest.mark.parametrize(("label", "wire", "counter", "filter_text", "code"), SPELLINGS)
def test_every_spelling_of_a_status_is_read(label: str, wire: str, counter: str, filter_text: str, code: str) -> None:
    status = CallStatus(wire)
    assert {parse_status(text) for text in (label, wire, counter, filter_text, code)} == {status}
    assert STATUS_CODES[status] == code
    assert STATUS_COUNTERS[status] == counter


def test_there_are_twelve_statuses_and_no_code_is_used_twice() -> None:
    assert {wire for _, wire, *_ in SPELLINGS} == set(CallStatus)
    assert len({*STATUS_CODES.values(), NEW_CODE}) == 13


@pytest.mark.parametrize("text", ["", "NEW", "answer me", "486", "ñ", "busy busy"])
def test_an_unknown_status_is_refused_with_the_list_of_what_is_accepted(text: str) -> None:
    with pytest.raises(ValueError, match=r"unknown call status .*answered \(A1\).*voicemail \(VM1\)"):
        parse_status(text)


@given(st.sampled_from(CallStatus), st.data())
def test_case_and_separators_do_not_matter(status: CallStatus, data: st.DataObject) -> None:
    separator = data.draw(st.sampled_from([" ", "-", "_", "", "  "]))
    mangled = status.value.replace("-", separator)
    assert parse_status(data.draw(st.sampled_from([mangled, mangled.upper(), f" {mangled.title()} "]))) is status
