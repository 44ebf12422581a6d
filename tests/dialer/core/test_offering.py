"""Who of the ready agents gets a call, by strategy."""

from __future__ import annotations

import msgspec
import pytest

from dialer.core import events
from dialer.core.agents import AgentState
from dialer.core.effects import AgentOrder, CommandAgent, Connect
from dialer.core.types import CampaignKind, Offering, Strategy
from tests.dialer.core.bench_engine import SETTINGS, Bench

INBOUND = msgspec.structs.replace(SETTINGS, kind=CampaignKind.INBOUND)


def served(strategy: Strategy, calls: int = 5) -> list[str]:
    """Return who got each of so many calls; talks last 7 s, wrap-up 10 s, calls come every 20 s."""
    bench = Bench(msgspec.structs.replace(INBOUND, strategy=strategy))
    bench.start(agents=3)
    for n in range(calls):
        bench.arrive(f"c{n}")
        agent = bench.of(Connect)[-1].agent_id
        bench.tell(events.CallConnected(f"c{n}", agent))
        bench.wait(7)
        bench.tell(events.CallEnded(f"c{n}"))
        bench.wait(13)
    return [connect.agent_id for connect in bench.of(Connect)]


@pytest.mark.parametrize(
    ("strategy", "order"),
    [
        (Strategy.LONGEST_IDLE, ["a1", "a2", "a3", "a1", "a2"]),
        (Strategy.FEWEST_CALLS, ["a1", "a2", "a3", "a1", "a2"]),
        (Strategy.ROUND_ROBIN, ["a1", "a2", "a3", "a1", "a2"]),
        (Strategy.TOP_DOWN, ["a1", "a1", "a1", "a1", "a1"]),
    ],
)
def test_the_strategy_chooses(strategy: Strategy, order: list[str]) -> None:
    assert served(strategy) == order


def test_fewest_calls_favours_who_came_late_and_round_robin_goes_on_behind_who_was_last() -> None:
    for strategy, second in ((Strategy.FEWEST_CALLS, "a0"), (Strategy.ROUND_ROBIN, "a2")):
        bench = Bench(msgspec.structs.replace(INBOUND, strategy=strategy))
        bench.start(agents=2)
        bench.arrive("c1")
        bench.tell(events.CallConnected("c1", "a1"), events.CallEnded("c1"))
        bench.wait(11)
        bench.arrive("c2")
        bench.tell(events.CallConnected("c2", "a2"), events.CallEnded("c2"))
        bench.wait(11)
        bench.arrive("c3")
        bench.tell(events.CallConnected("c3", "a1"), events.CallEnded("c3"))
        bench.wait(11)
        bench.tell(events.AgentReady("a0"))
        bench.arrive("c4")
        assert bench.of(Connect)[-1].agent_id == second


def test_everybody_is_rung_and_the_first_who_accepts_has_the_call() -> None:
    bench = Bench(msgspec.structs.replace(INBOUND, strategy=Strategy.RING_ALL))
    bench.start(agents=3)
    bench.arrive("c1")
    offered = [c.agent_id for c in bench.of(CommandAgent) if c.order is AgentOrder.OFFER]
    assert offered == ["a1", "a2", "a3"]
    bench.accept("a2", "c1")
    withdrawn = [c.agent_id for c in bench.of(CommandAgent) if c.order is AgentOrder.WITHDRAW]
    assert withdrawn == ["a1", "a3"]
    bench.tell(events.AgentAccepted("a1", "c1"))
    assert [(c.call_id, c.agent_id) for c in bench.of(Connect)] == [("c1", "a2")]
    states = bench.engine.state.roster.in_state
    assert (list(states(AgentState.READY)), list(states(AgentState.TALKING))) == (["a1", "a3"], ["a2"])


def test_who_becomes_ready_while_all_are_rung_is_rung_too() -> None:
    bench = Bench(msgspec.structs.replace(INBOUND, strategy=Strategy.RING_ALL))
    bench.start(agents=1)
    bench.arrive("c1")
    bench.tell(events.AgentReady("a9"))
    assert sorted(bench.engine.state.calls["c1"].asked) == ["a1", "a9"]


def test_who_was_asked_in_vain_keeps_the_place_of_the_longest_idle() -> None:
    bench = Bench(msgspec.structs.replace(INBOUND, offering=Offering.ASK))
    bench.start(agents=1)
    bench.tell(events.AgentReady("a2"))
    bench.arrive("c1")
    bench.wait(3)
    bench.tell(events.CallEnded("c1"))
    bench.arrive("c2")
    offered = [c.agent_id for c in bench.of(CommandAgent) if c.order is AgentOrder.OFFER]
    assert offered == ["a1", "a1"]
