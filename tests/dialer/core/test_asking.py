"""Agents who are asked before they get a call: accepted, rejected, missed, withdrawn."""

from __future__ import annotations

import msgspec
import pytest

from dialer.core import events
from dialer.core.agents import AgentState
from dialer.core.asking import MISSED
from dialer.core.effects import AgentOrder, CommandAgent, Connect, Hold
from dialer.core.offering import REASK_S
from dialer.core.types import CampaignKind, Offering, Strategy
from statuses.outcomes import CallStatus, EndedBy
from tests.dialer.core.bench_engine import SETTINGS, Bench

ASKED = msgspec.structs.replace(SETTINGS, kind=CampaignKind.INBOUND, offering=Offering.ASK, offer_s=15.0)


def asked(agents: int = 2, **changes: object) -> Bench:
    """Return an engine with a caller in the queue."""
    bench = Bench(msgspec.structs.replace(ASKED, **changes))
    bench.start(agents=agents)
    bench.arrive("c1", "0900000001")
    return bench


def orders(bench: Bench, order: AgentOrder) -> list[str]:
    return [command.agent_id for command in bench.of(CommandAgent) if command.order is order]


def states(bench: Bench) -> dict[str, str]:
    roster = bench.engine.state.roster
    return {name: state.value for state in AgentState for name in roster.in_state(state)}


def outcomes(bench: Bench) -> list[tuple[str, str]]:
    return [(offer.agent_id, offer.outcome) for offer in bench.settled("c1").record.offers]


def test_an_offer_says_who_calls_and_how_long_it_stands() -> None:
    bench = asked()
    (offer,) = [c for c in bench.of(CommandAgent) if c.order is AgentOrder.OFFER]
    assert (offer.agent_id, offer.call_id, offer.phone, offer.name, offer.offer_s) == (
        "a1", "c1", "+84900000001", "Lan", 15.0,
    )  # fmt: skip
    assert states(bench) == {"a1": "ringing", "a2": "ready"}
    assert bench.of(Connect) == []
    assert bench.of(Hold) == [Hold("c1", on=True)]


def test_who_accepts_is_joined_and_the_music_ends() -> None:
    bench = asked()
    bench.tell(events.AgentAccepted("a1", "c1"))
    assert states(bench)["a1"] == "reserved"
    assert bench.of(Connect) == [Connect("c1", "a1")]
    assert bench.of(Hold) == [Hold("c1", on=True), Hold("c1", on=False)]
    bench.tell(events.CallConnected("c1", "a1"))
    bench.wait(30)
    assert states(bench)["a1"] == "talking"
    bench.tell(events.CallEnded("c1", ended_by=EndedBy.REMOTE))
    assert outcomes(bench) == [("a1", "accepted")]


def test_who_rejects_stays_ready_and_the_next_is_asked() -> None:
    bench = asked()
    bench.tell(events.AgentRejected("a1", "c1"))
    assert states(bench) == {"a1": "ready", "a2": "ringing"}
    bench.tell(events.AgentRejected("a2", "c1"))
    assert states(bench) == {"a1": "ready", "a2": "ready"}
    bench.wait(REASK_S)
    assert orders(bench, AgentOrder.OFFER) == ["a1", "a2", "a1"]


def test_who_does_not_answer_is_taken_off_calls_until_they_say_ready() -> None:
    bench = asked()
    bench.wait(15)
    assert states(bench) == {"a1": "not_ready", "a2": "ringing"}
    (told,) = [c for c in bench.of(CommandAgent) if c.order is AgentOrder.WITHDRAW]
    assert (told.agent_id, told.code) == ("a1", MISSED)
    bench.tell(events.AgentReady("a1"))
    bench.tell(events.AgentAccepted("a2", "c1"), events.CallConnected("c1", "a2"), events.CallEnded("c1"))
    assert outcomes(bench) == [("a1", "missed"), ("a2", "accepted")]


def test_a_caller_who_hangs_up_while_an_agent_is_asked_frees_the_agent() -> None:
    bench = asked(agents=1)
    bench.wait(4)
    bench.tell(events.CallEnded("c1", ended_by=EndedBy.REMOTE))
    assert (states(bench), orders(bench, AgentOrder.WITHDRAW)) == ({"a1": "ready"}, ["a1"])
    record = bench.settled("c1").record
    assert record.verdict.status is CallStatus.BUSY_LINE
    assert (record.queued_at, record.queue_left_at) == (record.answered_at, record.ended_at)
    bench.tell(events.AgentAccepted("a1", "c1"))
    assert orders(bench, AgentOrder.WITHDRAW) == ["a1", "a1"]
    assert bench.of(Connect) == []


def test_an_agent_who_vanishes_or_pauses_while_asked_is_replaced() -> None:
    for word in (events.AgentLost("a1"), events.AgentPaused("a1", "lunch")):
        bench = asked()
        bench.tell(word)
        assert states(bench).get("a1", "away") in {"away", "not_ready"}
        assert states(bench)["a2"] == "ringing"


def test_the_only_agent_who_pauses_instead_of_accepting_is_not_asked_again() -> None:
    bench = asked(agents=1)
    bench.tell(events.AgentPaused("a1"))
    bench.wait(2 * REASK_S)
    assert orders(bench, AgentOrder.OFFER) == ["a1"]


def test_a_word_on_another_call_than_the_one_offered_is_a_stray() -> None:
    bench = asked()
    bench.tell(events.AgentAccepted("a1", "other"), events.AgentRejected("a2", "c1"), events.AgentAccepted("nobody"))
    assert bench.engine.state.totals.strays == 3
    assert states(bench) == {"a1": "ringing", "a2": "ready"}


def test_calls_that_we_placed_are_asked_for_too_and_count_as_abandoned_after_the_legal_delay() -> None:
    bench = Bench(msgspec.structs.replace(SETTINGS, offering=Offering.ASK))
    bench.start(agents=1)
    call = bench.calls[0]
    bench.answer(call)
    bench.wait(5)
    assert bench.engine.figures(bench.now).asked == 1
    bench.accept("a1", call)
    bench.wait(20)
    bench.tell(events.CallEnded(call, ended_by=EndedBy.REMOTE))
    assert bench.settled(call).record.verdict.status is CallStatus.ANSWERED
    assert bench.engine.state.totals.abandoned == 1


def test_nobody_left_to_ask_lets_a_late_callee_go() -> None:
    bench = Bench(msgspec.structs.replace(SETTINGS, offering=Offering.ASK))
    bench.start(agents=1)
    call = bench.calls[0]
    bench.answer(call)
    bench.wait(5)
    bench.tell(events.AgentLost("a1"))
    bench.tell(events.CallEnded(call, ended_by=EndedBy.DIALER))
    assert bench.settled(call).record.verdict.sub_reason == "overflow"


@pytest.mark.parametrize("strategy", [Strategy.RING_ALL, Strategy.LONGEST_IDLE])
def test_who_is_freed_by_a_withdrawal_takes_the_next_caller(strategy: Strategy) -> None:
    bench = asked(agents=1, strategy=strategy)
    bench.arrive("c2")
    bench.tell(events.CallEnded("c1"))
    assert bench.engine.state.calls["c2"].asked.keys() == {"a1"}
