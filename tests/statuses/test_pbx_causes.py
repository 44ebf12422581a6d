"""FreeSWITCH and Asterisk row by row; the expected tables are written out here again (statuses.md 2.7, 2.8)."""

from __future__ import annotations

import pytest

from statuses.classify import AttemptFacts, classify
from statuses.outcomes import Attribution, CallStatus, CancelReason, EndedBy
from statuses.pbx_causes import CAUSE_NUMBERS, DIALSTATUS, FREESWITCH, QUEUE_LEFT
from statuses.q850_causes import Q850

FREESWITCH_TABLE = [
    ("ORIGINATOR_CANCEL", 487, "cancel", CancelReason.CULL),
    ("CRASH", 700, "failed", None),
    ("SYSTEM_SHUTDOWN", 701, "failed", None),
    ("LOSE_RACE", 702, "cancel", CancelReason.LOSE_RACE),
    ("MANAGER_REQUEST", 703, "cancel", CancelReason.ADMIN),
    ("ALLOTTED_TIMEOUT", 802, "cancel", CancelReason.RING_TIMEOUT),
    ("PICKED_OFF", 805, "cancel", CancelReason.LOSE_RACE),
    ("USER_NOT_REGISTERED", 806, "failed", None),
    ("PROGRESS_TIMEOUT", 807, "not-available", None),
    ("INVALID_GATEWAY", 808, "congestion", None),
    ("GATEWAY_DOWN", 809, "congestion", None),
    ("INVALID_URL", 810, "failed", None),
    ("INVALID_PROFILE", 811, "congestion", None),
    ("BUSY_EVERYWHERE", 815, "busy", None),
    ("DECLINE", 816, "busy", None),
    ("DOES_NOT_EXIST_ANYWHERE", 817, "invalid-number", None),
    ("NOT_ACCEPTABLE", 818, "failed", None),
    ("UNWANTED", 819, "congestion", None),
    ("NO_IDENTITY", 820, "congestion", None),
    ("BAD_IDENTITY_INFO", 821, "congestion", None),
    ("UNSUPPORTED_CERTIFICATE", 822, "congestion", None),
    ("INVALID_IDENTITY", 823, "congestion", None),
    ("STALE_DATE", 824, "congestion", None),
    ("REJECT_ALL", 825, "busy", None),
]


@pytest.mark.parametrize(("name", "number", "status", "reason"), FREESWITCH_TABLE)
def test_a_freeswitch_cause_by_name_and_by_number(
    name: str, number: int, status: str, reason: CancelReason | None
) -> None:
    for cause in (name, name.lower(), f" {name} ", str(number)):
        verdict = classify(AttemptFacts(fs_cause=cause))
        assert (verdict.status, verdict.rule, verdict.cancel_reason) == (status, f"fs.{name}", reason)


def test_the_freeswitch_table_is_whole() -> None:
    assert set(FREESWITCH) == {name for name, *_ in FREESWITCH_TABLE}


@pytest.mark.parametrize(("name", "number"), CAUSE_NUMBERS.items())
def test_a_cause_name_means_its_q850_number(name: str, number: int) -> None:
    for rang in (False, True):
        by_number = classify(AttemptFacts(q850=number, rang=rang))
        assert classify(AttemptFacts(fs_cause=name, rang=rang)) == by_number
        assert classify(AttemptFacts(fs_cause=str(number), rang=rang)) == by_number
    assert number in Q850


def test_freeswitchs_own_originate_timeout_is_a_cancel_and_the_networks_is_not() -> None:
    ours = classify(AttemptFacts(fs_cause="NO_ANSWER", rang=True, ended_by=EndedBy.DIALER))
    assert (ours.status, ours.cancel_reason, ours.counts) == ("cancel", CancelReason.RING_TIMEOUT, True)
    theirs = classify(AttemptFacts(fs_cause="NO_ANSWER", rang=True, ended_by=EndedBy.REMOTE))
    assert theirs.status == "no-answered"
    assert classify(AttemptFacts(fs_cause="NO_USER_RESPONSE", ended_by=EndedBy.REMOTE)).status == "not-available"


def test_an_originator_cancel_by_an_agent_says_so() -> None:
    verdict = classify(AttemptFacts(sip_status=487, fs_cause="ORIGINATOR_CANCEL", ended_by=EndedBy.AGENT, rang=True))
    assert (verdict.status, verdict.cancel_reason) == ("cancel", CancelReason.AGENT_HANGUP)


@pytest.mark.parametrize("name", ["LOSE_RACE", "PICKED_OFF", "PROGRESS_TIMEOUT", "ALLOTTED_TIMEOUT", "MANAGER_REQUEST"])
def test_a_487_is_only_the_echo_of_what_freeswitch_cancelled_itself(name: str) -> None:
    assert classify(AttemptFacts(sip_status=487, fs_cause=name)).rule == f"fs.{name}"


def test_an_agent_leg_that_is_not_registered_is_our_failure() -> None:
    verdict = classify(AttemptFacts(fs_cause="USER_NOT_REGISTERED"))
    assert (verdict.sub_reason, verdict.attribution) == ("agent_leg", Attribution.US)


@pytest.mark.parametrize("cause", ["MEDIA_TIMEOUT", "SRTP_READ_ERROR", "804"])
def test_a_media_fault_keeps_the_answered_status_and_is_flagged(cause: str) -> None:
    verdict = classify(AttemptFacts(answered=True, agent_bridged=True, fs_cause=cause))
    assert (verdict.status, verdict.sub_reason) == ("answered", "media_fault")


@pytest.mark.parametrize(
    ("dialstatus", "rang", "ended_by", "status"),
    [
        ("ANSWER", True, EndedBy.REMOTE, "answered"),
        ("BUSY", True, EndedBy.REMOTE, "busy"),
        ("NOANSWER", True, EndedBy.DIALER, "cancel"),
        ("NOANSWER", False, EndedBy.DIALER, "not-available"),
        ("NOANSWER", True, EndedBy.REMOTE, "no-answered"),
        ("CANCEL", True, None, "cancel"),
        ("CANCEL", True, EndedBy.AGENT, "cancel"),
        ("CANCEL", True, EndedBy.DIALER, "cancel"),
        ("CONGESTION", False, EndedBy.REMOTE, "congestion"),
        ("CHANUNAVAIL", False, EndedBy.REMOTE, "congestion"),
        ("DONTCALL", True, EndedBy.REMOTE, "busy"),
        ("TORTURE", True, EndedBy.REMOTE, "busy"),
        ("INVALIDARGS", False, None, "failed"),
    ],
)
def test_asterisks_dialstatus(dialstatus: str, *, rang: bool, ended_by: EndedBy | None, status: str) -> None:
    facts = AttemptFacts(dialstatus=dialstatus, rang=rang, ended_by=ended_by, agent_bridged=dialstatus == "ANSWER")
    assert classify(facts).status == status


def test_the_dialstatus_table_is_whole() -> None:
    expected = {"BUSY", "NOANSWER", "CANCEL", "CONGESTION", "CHANUNAVAIL", "DONTCALL", "TORTURE", "INVALIDARGS"}
    assert set(DIALSTATUS) == expected


@pytest.mark.parametrize(
    ("q850", "status"), [(1, "invalid-number"), (18, "not-available"), (20, "not-available"), (27, "not-available")]
)
def test_chanunavail_is_never_final_by_itself(q850: int, status: str) -> None:
    assert classify(AttemptFacts(dialstatus="CHANUNAVAIL", q850=q850)).status == status
    assert classify(AttemptFacts(dialstatus="CONGESTION", q850=q850)).status == status


QUEUE_TABLE = {
    "busy-line": [
        *("TIMEOUT", "FULL", "JOINEMPTY", "LEAVEEMPTY", "JOINUNAVAIL", "LEAVEUNAVAIL", "WITHDRAW"),
        *("NONE", "NO_AGENT_TIMEOUT", "BREAK_OUT"),
    ],
    "answered": ["EXIT_WITH_KEY", "TERMINATED"],
}


@pytest.mark.parametrize(("left", "status"), [(left, status) for status, all_ in QUEUE_TABLE.items() for left in all_])
def test_how_an_answered_call_left_the_queue(left: str, status: str) -> None:
    for agentless in (False, True):
        facts = AttemptFacts(answered=True, queue_left=left, agentless=agentless, dtmf_count=1)
        assert classify(facts).status == CallStatus(status)


def test_the_queue_table_is_whole() -> None:
    assert set(QUEUE_LEFT) == {left for all_ in QUEUE_TABLE.values() for left in all_}


@pytest.mark.parametrize("cause", ["", "NONE", "0", "9999", "9" * 5000, "BLIND_TRANSFER", "nonsense", "²"])
def test_a_freeswitch_cause_without_a_row_matches_no_rule(cause: str) -> None:
    assert classify(AttemptFacts(fs_cause=cause)).rule == "unknown"
