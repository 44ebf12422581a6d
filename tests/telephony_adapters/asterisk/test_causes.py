from __future__ import annotations

import pytest

from dialer.core.events import CallEnded
from statuses.classify import AttemptFacts, classify
from statuses.outcomes import CallStatus, CancelReason, EndedBy, LocalError
from telephony_adapters.asterisk.causes import End, derived, ended, not_placed, vanished


def end(cause: int = 0, tech_cause: int = 0, **more: object) -> CallEnded:
    facts = {"answered": False, "ours": None, "silent": True, "elapsed_s": 2.0, "timeout_s": 50.0} | more
    return ended("c1", End(cause, tech_cause, **facts))  # type: ignore[arg-type]  # by name


def status(event: CallEnded, *, rang: bool = False, reason: CancelReason | None = None) -> CallStatus:
    facts = AttemptFacts(
        sip_status=event.sip_status, q850=event.q850, ended_by=event.ended_by, local_error=event.local_error,
        answered=event.sip_status == 200, rang=rang, progressed=rang, cancel_reason=reason, agent_bridged=True,
    )  # fmt: skip
    return classify(facts).status


# What Asterisk 22 says: cause and tech_cause of ChannelDestroyed; statuses.md 2.5.
@pytest.mark.parametrize(
    ("sip", "cause", "quiet", "rang"),
    [
        (302, 23, CallStatus.NOT_AVAILABLE, CallStatus.NOT_AVAILABLE),
        (400, 127, CallStatus.FAILED, CallStatus.FAILED),
        (401, 21, CallStatus.CONGESTION, CallStatus.CONGESTION),
        (403, 21, CallStatus.CONGESTION, CallStatus.BUSY),
        (404, 1, CallStatus.INVALID_NUMBER, CallStatus.INVALID_NUMBER),
        (408, 18, CallStatus.NOT_AVAILABLE, CallStatus.NO_ANSWERED),
        (410, 22, CallStatus.INVALID_NUMBER, CallStatus.INVALID_NUMBER),
        (480, 19, CallStatus.NOT_AVAILABLE, CallStatus.NO_ANSWERED),
        (483, 19, CallStatus.CONGESTION, CallStatus.CONGESTION),
        (484, 28, CallStatus.INVALID_NUMBER, CallStatus.INVALID_NUMBER),
        (486, 17, CallStatus.BUSY, CallStatus.BUSY),
        (488, 58, CallStatus.FAILED, CallStatus.FAILED),
        (500, 38, CallStatus.CONGESTION, CallStatus.CONGESTION),
        (502, 27, CallStatus.CONGESTION, CallStatus.NOT_AVAILABLE),
        (503, 34, CallStatus.CONGESTION, CallStatus.CONGESTION),
        (504, 102, CallStatus.CONGESTION, CallStatus.NO_ANSWERED),
        (600, 17, CallStatus.BUSY, CallStatus.BUSY),
        (603, 21, CallStatus.BUSY, CallStatus.BUSY),
        (604, 1, CallStatus.INVALID_NUMBER, CallStatus.INVALID_NUMBER),
        (607, 127, CallStatus.CONGESTION, CallStatus.BUSY),
    ],
)
def test_the_sip_status_decides_and_a_cause_made_of_it_does_not(
    sip: int, cause: int, quiet: CallStatus, rang: CallStatus
) -> None:
    assert derived(sip) == cause
    event = end(cause, sip)
    assert event == CallEnded("c1", sip_status=sip, ended_by=EndedBy.REMOTE)
    assert (status(event), status(event, rang=True)) == (quiet, rang)


def test_a_cause_that_the_network_said_counts() -> None:
    assert status(end(20, 480)) is CallStatus.NOT_AVAILABLE
    assert status(end(54, 403)) is CallStatus.PHONE_BLOCK
    assert end(1, 503) == CallEnded("c1", sip_status=503, q850=1, ended_by=EndedBy.REMOTE)
    assert status(end(17)) is CallStatus.BUSY  # an older Asterisk, or another channel: there is no SIP status


def test_nothing_said_is_congestion_and_never_the_last_word_of_a_dialstatus() -> None:
    assert status(end()) is CallStatus.CONGESTION
    assert status(not_placed("c1")) is CallStatus.CONGESTION


def test_who_hangs_up() -> None:
    assert end(16, answered=True) == CallEnded("c1", sip_status=200, q850=16, ended_by=EndedBy.REMOTE)
    assert end(16, answered=True, ours=EndedBy.AGENT).ended_by is EndedBy.AGENT
    cancelled = end(16, ours=EndedBy.DIALER)
    assert cancelled == CallEnded("c1", sip_status=487, ended_by=EndedBy.DIALER)
    assert status(cancelled, rang=True, reason=CancelReason.RING_TIMEOUT) is CallStatus.CANCEL
    crossing = end(17, 486, ours=EndedBy.DIALER)
    assert status(crossing, rang=True, reason=CancelReason.RING_TIMEOUT) is CallStatus.BUSY


def test_a_timeout_of_asterisks_own_is_no_refusal() -> None:
    assert end(19, 480, elapsed_s=50.0) == CallEnded("c1", sip_status=487, ended_by=EndedBy.DIALER)
    assert end(19, 480, elapsed_s=20.0).sip_status == 480
    mute = end(18, 408, elapsed_s=32.0)
    assert mute.ended_by is EndedBy.DIALER
    assert status(mute) is CallStatus.CONGESTION
    assert end(18, 408, elapsed_s=32.0, silent=False).ended_by is EndedBy.REMOTE


def test_a_call_that_vanished_is_lost_unless_it_was_a_talk() -> None:
    assert vanished("c1", answered=False).local_error is LocalError.LOST
    assert status(vanished("c1", answered=False)) is CallStatus.FAILED
    assert status(vanished("c1", answered=True)) is CallStatus.ANSWERED
