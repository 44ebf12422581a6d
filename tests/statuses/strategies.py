"""Arbitrary facts and overrides, rich in codes that have rows."""

from __future__ import annotations

from hypothesis import strategies as st

from statuses import causes
from statuses.classify import AttemptFacts, Override
from statuses.outcomes import AmdResult, Announcement, CallStatus, CancelReason, EndedBy, LocalError

_codes = st.none() | st.sampled_from([*causes.SIP, 100, 183, 200, 202, 302, 499]) | st.integers()
_causes = st.none() | st.sampled_from([*causes.Q850, 127]) | st.integers()
_fs = st.none() | st.sampled_from([*causes.FREESWITCH, *causes.CAUSE_NUMBERS, "807", "16"]) | st.text()
_dial = st.none() | st.sampled_from([*causes.DIALSTATUS, "ANSWER"]) | st.text()
_left = st.none() | st.sampled_from(list(causes.QUEUE_LEFT)) | st.text()

any_facts = st.builds(
    AttemptFacts,
    local_error=st.none() | st.sampled_from(LocalError),
    sip_status=_codes,
    q850=_causes,
    q850_location=st.none() | st.sampled_from(["U", "LN"]) | st.text(),
    reason_text=st.none() | st.text(),
    progressed=st.booleans(),
    rang=st.booleans(),
    answered=st.booleans(),
    ended_by=st.none() | st.sampled_from(EndedBy),
    cancel_reason=st.none() | st.sampled_from(CancelReason),
    announcement=st.none() | st.sampled_from(Announcement),
    amd=st.none() | st.sampled_from(AmdResult),
    ivr_entered=st.booleans(),
    dtmf_count=st.integers(),
    agentless=st.booleans(),
    queue_left=_left,
    agent_bridged=st.booleans(),
    agent_lost=st.booleans(),
    dialstatus=_dial,
    fs_cause=_fs,
    setup_ms=st.none() | st.integers(),
    ring_ms=st.none() | st.integers(),
    trunk=st.none() | st.sampled_from(["t"]) | st.text(),
)
any_overrides = st.lists(
    st.builds(
        Override,
        trunk=st.just("t"),
        status=st.sampled_from(CallStatus),
        sip=_codes,
        q850=_causes,
        rang=st.none() | st.booleans(),
        min_setup_ms=st.none() | st.integers(),
        max_setup_ms=st.none() | st.integers(),
    ),
    max_size=3,
)
