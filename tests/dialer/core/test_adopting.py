from __future__ import annotations

from typing import Any

import msgspec
import pytest

from dialer.core import effects as fx
from dialer.core.events import AgentReady, AgentSignedIn, CallAdopted, CallEnded
from dialer.core.types import AttemptIntent, CampaignKind, Lead, OpenAttempt
from statuses.lead import Trigger
from statuses.outcomes import CallStatus, EndedBy
from tests.dialer.core.bench_engine import SETTINGS, START, Bench

INTENT = AttemptIntent("c-old", 9, 9, 1, "+84700000009", "+84240000001", "sim", 2, START - 60.0)
TALK = OpenAttempt(
    INTENT,
    answered_at=START - 40.0,
    bridged_at=START - 39.5,
    agent_id="ana",
    lead=Lead(9, 9, 1, INTENT.phone, dialed=2),
)


def adopted(attempt: OpenAttempt = TALK) -> Bench:
    bench = Bench()
    bench.tell(CallAdopted(attempt.intent.call_id, attempt))
    return bench


def test_the_end_of_a_talk_that_was_taken_up_is_a_record_with_its_times() -> None:
    bench = adopted()
    bench.tell(CallEnded("c-old", 200, 16, ended_by=EndedBy.REMOTE))
    settled, lead = bench.of(fx.SettleAttempt), bench.of(fx.SettleLead)
    (record,) = [effect.record for effect in settled]
    assert (record.verdict.status, record.agent_id) == (CallStatus.ANSWERED, "ana")
    assert (record.started_at, record.answered_at, record.bridged_at) == (START - 60.0, START - 40.0, START - 39.5)
    assert [effect.result.trigger for effect in lead] == [Trigger.ANSWERED]  # nobody is there to wrap it up


def test_its_agent_comes_back_into_it() -> None:
    bench = adopted()
    bench.tell(AgentSignedIn("ana"))
    bench.tell(AgentReady("ana"))
    assert bench.engine.figures(bench.now).talking == 1
    bench.tell(CallEnded("c-old", 200, 16, ended_by=EndedBy.REMOTE))
    assert bench.engine.agents_wrapping_up == ("ana",)
    assert [order.order for order in bench.of(fx.CommandAgent)][-1] is fx.AgentOrder.WRAP_UP


def test_it_holds_its_channel_until_it_ends() -> None:
    bench = adopted()
    assert bench.pool.room(bench.now)[0] == 49
    bench.tell(CallEnded("c-old", 200, 16, ended_by=EndedBy.REMOTE))
    assert bench.pool.room(bench.now)[0] == 50


def test_a_join_that_came_too_late_is_an_abandoned_call_still() -> None:
    late = msgspec.structs.replace(TALK, answered_at=START - 45.0)
    assert adopted(late).engine.state.totals.abandoned == 1


@pytest.mark.parametrize("missing", ["lead", "bridged_at", "agent_id"])
def test_what_is_no_talk_cannot_be_taken_up(missing: str) -> None:
    with pytest.raises(ValueError, match="no talk with an agent"):
        adopted(msgspec.structs.replace(TALK, **{missing: None}))


@pytest.mark.parametrize(
    "of",
    [
        {"kind": CampaignKind.AUTODIALER, "pacer": "agentless", "prompt": "hello"},
        {"kind": CampaignKind.MANUAL},
        {"kind": CampaignKind.PREVIEW},
    ],
    ids=lambda of: of["kind"],
)
def test_who_was_not_to_meet_an_agent_at_once_is_not_abandoned_and_opens_no_budget(of: dict[str, Any]) -> None:
    bench = Bench(msgspec.structs.replace(SETTINGS, **of))
    bench.tell(CallAdopted("c-old", msgspec.structs.replace(TALK, answered_at=START - 55.0)))
    bench.tell(CallEnded("c-old", 200, 16, ended_by=EndedBy.REMOTE))
    assert bench.engine.state.totals.abandoned == 0
    assert bench.engine.state.budget.counts(bench.now) == (0, 0)
