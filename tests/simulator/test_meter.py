from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest

from dialer.core.types import AttemptRecord
from simulator.meter import Meter
from statuses.classify import AttemptFacts, classify
from statuses.outcomes import AmdResult, CallStatus, EndedBy


def record(
    answered_at: float | None = None, bridged_at: float | None = None, ended_at: float = 100.0, *, machine: bool = False
) -> AttemptRecord:
    facts = AttemptFacts(
        rang=True, answered=answered_at is not None, agent_bridged=bridged_at is not None,
        amd=AmdResult.MACHINE if machine else None, ended_by=EndedBy.REMOTE, sip_status=None if answered_at else 480,
    )  # fmt: skip
    return AttemptRecord(
        "c", 1, 1, 1, "+84001", "h", "t", 1, 0.0, ended_at, facts, classify(facts),
        answered_at=answered_at, bridged_at=bridged_at,
    )  # fmt: skip


@pytest.fixture
def meter() -> Meter:
    return Meter(connect_within_s=2.0)


def test_a_person_joined_in_time_is_connected_and_not_abandoned(meter: Meter) -> None:
    meter.settled(record(10.0, 12.0, 72.0))
    assert (meter.answered, meter.bridged, meter.abandoned, meter.waits, meter.talk_s) == (1, 1, 0, [2.0], 60.0)


@pytest.mark.parametrize("bridged_at", [None, 12.5])
def test_a_person_who_waits_too_long_is_abandoned_even_if_an_agent_comes(
    meter: Meter, bridged_at: float | None
) -> None:
    meter.settled(record(10.0, bridged_at, 13.0))
    assert (meter.answered, meter.abandoned) == (1, 1)


def test_a_message_counts_as_answered_and_nobody_waited_or_was_abandoned(meter: Meter) -> None:
    heard = record(10.0, ended_at=18.0)
    facts = replace(heard.facts, agentless=True, ivr_entered=True)
    meter.settled(msgspec.structs.replace(heard, facts=facts, verdict=classify(facts)))
    assert (meter.answered, meter.bridged, meter.abandoned, meter.waits) == (1, 0, 0, [])
    assert meter.statuses == {CallStatus.IVR: 1}


def test_machines_and_unanswered_calls_are_attempts_only(meter: Meter) -> None:
    meter.settled(record(10.0, machine=True))
    meter.settled(record())
    assert (meter.answered, meter.abandoned, meter.waits) == (0, 0, [])
    assert meter.statuses == {CallStatus.VOICEMAIL: 1, CallStatus.NO_ANSWERED: 1}
