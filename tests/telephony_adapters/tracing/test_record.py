from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.core.ids import uuid7
from telephony_adapters.tracing.record import (
    CallLeg,
    Record,
    call_id_of,
    find_call_id,
    frame,
    is_sampled,
    key_of,
    records_in,
    split_call_id,
)
from tests.telephony_adapters.tracing.sample import CALL_ID

records = st.builds(
    Record,
    at=st.floats(0, 2e9),
    sent=st.booleans(),
    transport=st.sampled_from(["udp", "tcp", "tls"]),
    host=st.ip_addresses().map(str),
    port=st.integers(0, 65_535),
    local_host=st.ip_addresses().map(str),
    local_port=st.integers(0, 65_535),
    leg=st.sampled_from(["", "a"]),
    data=st.binary(max_size=100),
)
owned = st.lists(st.tuples(st.sampled_from(["one", "two"]), records), max_size=6)


@given(owned)
def test_records_come_back_by_call_in_order(kept: list[tuple[str, Record]]) -> None:
    data = b"".join(frame(record, key_of(owner)) for owner, record in kept)
    for call in ("one", "two", "three"):
        assert list(records_in(data, key_of(call))) == [record for owner, record in kept if owner == call]


@given(owned, st.integers(0, 400), st.binary(max_size=40))
def test_a_torn_or_spoilt_end_costs_only_what_it_spoils(
    kept: list[tuple[str, Record]], cut: int, spoilt: bytes
) -> None:
    frames = [frame(record, key_of("one")) for _, record in kept]
    data = b"".join(frames)
    whole = data[: max(0, len(data) - cut)]
    left = list(records_in(whole + spoilt, key_of("one")))
    safe = 0
    while safe < len(frames) and sum(map(len, frames[: safe + 1])) <= len(whole):
        safe += 1
    assert left[:safe] == [record for _, record in kept[:safe]]
    assert len(left) <= safe + 1


@given(st.binary(max_size=200), st.binary(min_size=8, max_size=8))
def test_a_file_of_anything_can_be_read(data: bytes, key: bytes) -> None:
    list(records_in(data, key))


def test_a_damaged_record_is_passed_over_and_the_next_is_read() -> None:
    one = Record(1.0, True, "udp", "10.0.0.1", 5060, "10.0.0.2", 5060, "", b"x" * 50)
    first = bytearray(frame(one, key_of("c")))
    first[-1] ^= 1
    assert list(records_in(bytes(first) + frame(one, key_of("c")), key_of("c"))) == [one]


@pytest.mark.parametrize(
    ("head", "found"),
    [
        ("Call-ID: a@h", "a@h"),
        ("i:a@h", "a@h"),
        ("CALL-ID  :\t a@h  ", "a@h"),
        ("Call-ID:\r\n a@h", "a@h"),
        ("X-Call-ID: a@h", ""),
        ("Call-ID:", ""),
    ],
)
def test_the_call_id_is_found_in_each_form(head: str, found: str) -> None:
    for end in ("\r\n\r\nv=0\r\nCall-ID: b@h\r\n", "\r\nVia: x\r\n\r\n", ""):
        assert find_call_id(f"BYE sip:a@b SIP/2.0\r\n{head}{end}".encode()) == found


@pytest.mark.parametrize("data", [b"", b"\r\n\r\n", b"\0\1\2", b"Call-ID: first line\r\n\r\n"])
def test_what_is_no_message_has_no_call_id(data: bytes) -> None:
    assert find_call_id(data) == ""


@pytest.mark.parametrize(
    ("sip", "call", "leg"),
    [
        (CALL_ID, CALL_ID, ""),
        (f"{CALL_ID}@10.0.0.2", CALL_ID, ""),
        (f"{CALL_ID}-a@10.0.0.2", CALL_ID, "a"),
        (f"{CALL_ID}-a2", CALL_ID, "a2"),
        ("call-001@h", "call-001", ""),
        ("abc", "abc", ""),
    ],
)
def test_every_leg_belongs_to_its_call(sip: str, call: str, leg: str) -> None:
    assert split_call_id(sip) == CallLeg(call, leg)
    assert call_id_of(sip) == call


def test_a_share_of_the_calls_is_sampled_and_a_larger_share_includes_it() -> None:
    keys = [key_of(uuid7(1_790_000_000 + n, purpose=str(n))) for n in range(4_000)]
    chosen = [{key for key in keys if is_sampled(key, share)} for share in (0.0, 0.1, 0.3, 1.0)]
    assert [len(some) for some in (chosen[0], chosen[3])] == [0, 4_000]
    assert 320 < len(chosen[1]) < 480
    assert chosen[1] < chosen[2] < chosen[3]
