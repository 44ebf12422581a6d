from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdr.encode import attempt_settled
from cdr.events import DATA_TYPES, MAX_RECORD_BYTES, AgentLeg, Cdr, EventType, Nothing, RejectRecord, decode
from tests.cdr.samples import CAMPAIGN, HOTLINE, life, phone, talk

# The event set of cdr-campaigns-vietnam.md 4.4, typed in again, and what schema 1.1 added.
SPEC = """attempt.suppressed call.initiated call.ringing call.early_media call.announcement call.answered amd.result
ivr.entered ivr.dtmf ivr.left queue.joined queue.left agent.offered agent.bridged agent.bridge_failed agent.released
call.ended recording.ready recording.deleted disposition.set cdr.finalized lead.state_changed"""
SAMPLE_DATA: dict[str, dict[str, Any]] = {
    "attempt.suppressed": {"reason": "dnc"},
    "call.announcement": {"announcement": "locked"},
    "amd.result": {"result": "human"},
    "agent.offered": {"agent_id": "a"},
    "agent.bridged": {"agent_id": "a"},
    "agent.bridge_failed": {"agent_id": "a", "reason": "no answer"},
    "agent.released": {"agent_id": "a"},
    "lead.state_changed": {"list_id": 1, "customer_id": 2, "rule": "T5", "trigger": "picked", "version": 1},
}


def finalized() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(attempt_settled(talk(), CAMPAIGN)[-1].value)
    return found


def wire(**changes: Any) -> bytes:
    return json.dumps(finalized() | changes).encode()


def reason_of(record: bytes) -> str | None:
    """Return why a record is rejected, None when it is not."""
    try:
        decode(record)
    except RejectRecord as rejected:
        return str(rejected)
    return None


def test_the_types_are_those_of_the_specification() -> None:
    assert {kind.value for kind in EventType} == set(SPEC.split())
    assert set(DATA_TYPES) == set(EventType)


@pytest.mark.parametrize("kind", EventType)
def test_every_type_can_be_read(kind: EventType) -> None:
    cdr = finalized()["data"]
    data = cdr if DATA_TYPES[kind] is Cdr else SAMPLE_DATA.get(kind.value, {})
    assert isinstance(decode(wire(type=kind.value, data=data)).data, DATA_TYPES[kind])


def test_what_was_encoded_is_read_again() -> None:
    for event in life(1):
        seen = decode(event.value)
        assert (seen.event.event_id, seen.event.type) == (event.event_id, event.type)
        assert seen.event.phone_e164 == phone(1)
    bridged = next(decode(e.value) for e in life(1) if e.type == "agent.bridged")
    assert bridged.data == AgentLeg("agent-07", wait_ms=1000)
    assert bridged.event.hotline == HOTLINE


def test_fields_that_a_newer_minor_version_adds_are_ignored() -> None:
    seen = decode(wire(schema_version="1.7", mood="good", data=finalized()["data"] | {"smile": [1, 2]}))
    assert isinstance(seen.data, Cdr)
    assert seen.data.billsec_ms == 30_000


def test_a_type_that_a_newer_minor_version_adds_is_kept_without_its_data_being_understood() -> None:
    seen = decode(wire(schema_version="1.2", type="call.held", data={"music": True}))
    assert seen.data is None
    assert bytes(seen.event.data) == b'{"music": true}'


@pytest.mark.parametrize(
    ("record", "why"),
    [
        (b"", "not JSON"),
        (b"\xff\xfe", "not JSON"),
        (b"[]", "Expected"),
        (b"{}", "missing required field"),
        (wire(schema_version="2.0"), "another major"),
        (wire(occurred_at=0), "not a time"),
        (wire(occurred_at=10**17), "not a time"),
        (wire(occurred_at="yesterday"), "occurred_at"),
        (wire(data={}), "missing required field"),
        (wire(data=None), "Expected"),
        (b" " * (MAX_RECORD_BYTES + 1), "larger"),
    ],
)
def test_a_broken_record_is_rejected_with_a_reason(record: bytes, why: str) -> None:
    with pytest.raises(RejectRecord, match=why):
        decode(record)


@given(
    st.binary(max_size=200) | st.recursive(st.none() | st.integers(), st.lists, max_leaves=40).map(repr).map(str.encode)
)
def test_any_bytes_are_read_or_rejected(record: bytes) -> None:
    assert reason_of(record) != ""


@given(
    st.sampled_from(sorted(finalized())),
    st.none() | st.just(phone(1)) | st.integers() | st.text() | st.lists(st.integers()),
)
def test_a_reason_never_repeats_a_number_from_the_payload(field: str, value: object) -> None:
    assert phone(1)[3:] not in (reason_of(wire(**{field: value})) or "")


def test_the_verdict_depends_on_the_bytes_alone() -> None:
    broken = wire(seq="one")
    reasons = set()
    for _ in range(3):
        with pytest.raises(RejectRecord) as rejected:
            decode(broken)
        reasons.add(str(rejected.value))
    assert len(reasons) == 1
    assert isinstance(decode(wire(type="call.ringing", data={})).data, Nothing)
