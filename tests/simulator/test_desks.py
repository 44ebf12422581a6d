from __future__ import annotations

import pytest

from dialer.core.effects import AgentOrder, CommandAgent
from dialer.core.events import (
    AgentAccepted,
    AgentLost,
    AgentPaused,
    AgentReady,
    AgentRejected,
    AgentSignedIn,
    AgentWrappedUp,
    Event,
)
from simulator.desks import Desks, DeskState
from simulator.profile import AgentProfile
from tests.simulator.timeline import Timeline
from tests.simulator.worlds import constant

ONE = "agent-01"


class Room:
    """One desk, in at time 0, with round numbers."""

    def __init__(self, **changes: object) -> None:
        settings: dict[str, object] = {
            "count": 1, "arrive_within_s": 0.0, "wrap_up": constant(10.0), "break_length": constant(300.0),
            "away": constant(60.0), "callback": 0.0, "do_not_recall": 0.0,
        }  # fmt: skip
        self.time = Timeline()
        self.heard: list[tuple[float, Event]] = []
        self.lost: list[tuple[str, float]] = []
        self.live: set[str] = set()
        self.desks = Desks(
            AgentProfile(**(settings | changes)), seed=7, now=0.0, schedule=self.time.schedule,  # type: ignore[arg-type]
            emit=lambda event, now: self.heard.append((round(now, 3), event)),
            link_lost=lambda call_id, now: self.lost.append((call_id, now)), is_live=self.live.__contains__,
        )  # fmt: skip
        self.desks.open(0.0)

    def after(self, seconds: float) -> list[tuple[float, Event]]:
        self.time.run_until(self.time.now + seconds)
        heard, self.heard = self.heard, []
        return heard

    def order(self, order: AgentOrder, call_id: str | None = "c1") -> None:
        self.desks.order(CommandAgent(ONE, order, call_id), self.time.now)

    def talk(self) -> None:
        self.order(AgentOrder.RESERVE)
        self.desks.joined(ONE, "c1", self.time.now)


ARRIVED = [(0.0, AgentSignedIn(ONE)), (0.0, AgentReady(ONE))]


def test_an_agent_signs_in_and_is_ready() -> None:
    assert Room().after(1000.0) == ARRIVED


def test_after_a_talk_the_agent_wraps_up_and_is_ready_again() -> None:
    room = Room()
    room.after(5.0)
    room.talk()
    room.after(60.0)
    assert room.desks.call_of(ONE) == "c1"
    room.order(AgentOrder.WRAP_UP)
    assert room.after(60.0) == [(75.0, AgentWrappedUp(ONE))]
    assert room.desks.call_of(ONE) is None


def test_a_wrap_up_that_the_dialer_ends_is_over() -> None:
    room = Room()
    room.talk()
    room.order(AgentOrder.WRAP_UP)
    room.after(4.0)
    room.order(AgentOrder.READY, None)
    assert room.after(100.0) == []


def test_an_agent_who_was_let_go_says_ready_again() -> None:
    room = Room()
    room.after(5.0)
    room.order(AgentOrder.RESERVE)
    room.order(AgentOrder.RELEASE)
    assert room.after(10.0) == [(6.0, AgentReady(ONE))]


def test_an_idle_agent_takes_a_break_when_it_is_due() -> None:
    room = Room(break_every=constant(100.0))
    assert room.after(450.0) == [
        *ARRIVED,
        (100.0, AgentPaused(ONE, "break")),
        (400.0, AgentReady(ONE)),
    ]


def test_a_break_that_falls_due_in_a_talk_waits_for_the_wrap_up() -> None:
    room = Room(break_every=constant(100.0))
    room.after(50.0)
    room.talk()
    assert room.after(100.0) == []
    room.order(AgentOrder.WRAP_UP)
    assert room.after(20.0) == [(160.0, AgentWrappedUp(ONE, ready=False))]
    assert room.after(300.0) == [(460.0, AgentReady(ONE))]


def test_a_break_waits_for_a_call_that_was_on_its_way() -> None:
    room = Room(break_every=constant(100.0))
    assert room.after(100.0)[-1] == (100.0, AgentPaused(ONE, "break"))
    room.order(AgentOrder.RESERVE)
    assert room.after(400.0) == []
    room.order(AgentOrder.RELEASE)
    assert room.after(0.0) == [(500.0, AgentPaused(ONE, "break"))]
    assert room.after(301.0) == [(800.0, AgentReady(ONE))]


def test_a_lost_link_silences_the_talk_and_the_agent_comes_back_when_the_call_is_over() -> None:
    room = Room(link_lost=1.0)
    room.after(5.0)
    room.talk()
    room.live.add("c1")
    (went,) = room.after(60.0)
    assert went[1] == AgentLost(ONE)
    assert [call_id for call_id, _ in room.lost] == ["c1"]
    assert room.after(60.0) == []
    room.live.clear()
    assert [event for _, event in room.after(10.0)] == [AgentSignedIn(ONE), AgentReady(ONE)]


def test_orders_for_an_agent_who_is_away_or_unknown_change_nothing() -> None:
    room = Room(link_lost=1.0, away=constant(1000.0))
    room.after(5.0)
    room.talk()
    room.after(60.0)
    room.order(AgentOrder.WRAP_UP)
    room.desks.order(CommandAgent("agent-99", AgentOrder.RESERVE, "c2"), room.time.now)
    assert room.after(10.0) == []


@pytest.mark.parametrize("busy", [False, True])
def test_agents_go_home_at_once_or_after_the_call(busy: bool) -> None:
    room = Room(leave_at_s=100.0, leave_share=1.0)
    room.after(50.0)
    if busy:
        room.talk()
        assert room.after(100.0) == []
        room.order(AgentOrder.WRAP_UP)
        assert room.after(10.0) == [(160.0, AgentWrappedUp(ONE, ready=False)), (160.0, AgentLost(ONE))]
    else:
        assert room.after(100.0) == [(100.0, AgentLost(ONE))]
    assert room.after(10_000.0) == []


def test_an_agent_who_is_sent_offline_stays_away() -> None:
    room = Room()
    room.after(5.0)
    room.order(AgentOrder.OFFLINE, None)
    assert room.after(10_000.0) == []


def test_every_second_of_every_agent_is_booked_once() -> None:
    room = Room(break_every=constant(100.0), count=3)
    room.after(50.0)
    room.talk()
    room.after(30.0)
    room.order(AgentOrder.WRAP_UP)
    room.after(200.0)
    room.desks.settle(room.time.now)
    seconds = room.desks.seconds
    assert sum(seconds.values()) == pytest.approx(3 * 280.0)
    assert seconds[DeskState.TALKING] == pytest.approx(30.0)
    assert seconds[DeskState.WRAP_UP] == pytest.approx(10.0)
    assert seconds[DeskState.PAUSED] > 0.0


def asked(room: Room, call_id: str | None = "c1", lead_id: int | None = 7) -> None:
    room.desks.order(CommandAgent(ONE, AgentOrder.OFFER, call_id, lead_id, offer_s=20.0), room.time.now)


def withdraw(room: Room, call_id: str | None = "c1", lead_id: int | None = None, code: str = "") -> None:
    room.desks.order(CommandAgent(ONE, AgentOrder.WITHDRAW, call_id, lead_id, code=code), room.time.now)


def test_an_agent_who_is_asked_accepts_after_a_moment_and_is_joined() -> None:
    room = Room(accept_after=constant(2.0))
    room.after(5.0)
    asked(room)
    assert room.after(3.0) == [(7.0, AgentAccepted(ONE, "c1", 7))]
    room.desks.joined(ONE, "c1", room.time.now)
    room.order(AgentOrder.WRAP_UP)
    assert room.after(60.0) == [(18.0, AgentWrappedUp(ONE))]
    assert room.desks.seconds[DeskState.RINGING] == 3.0


def test_an_agent_who_rejects_is_ready_for_the_next_offer_at_once() -> None:
    room = Room(accept_after=constant(2.0), rejects=1.0)
    room.after(5.0)
    for call_id in ("c1", "c2"):
        asked(room, call_id)
        room.after(0.0)
        assert [event for _, event in room.after(3.0)] == [AgentRejected(ONE, call_id, 7)]
        assert room.desks.call_of(ONE) is None


def test_an_agent_who_does_not_answer_comes_back_when_taken_off_calls() -> None:
    room = Room(misses=1.0)
    room.after(5.0)
    asked(room)
    assert room.after(20.0) == []
    withdraw(room, "c9")  # another one's
    withdraw(room, code="missed")
    assert room.after(5.0) == [(26.0, AgentReady(ONE))]


def test_an_offer_that_another_one_took_leaves_the_agent_ready() -> None:
    room = Room(accept_after=constant(2.0))
    room.after(5.0)
    asked(room)
    room.after(1.0)
    withdraw(room)
    assert room.after(10.0) == []
    room.talk()
    assert room.desks.call_of(ONE) == "c1"
    asked(room, "c2")  # a desk in a talk is asked for nothing
    assert room.after(30.0) == []


def test_a_lead_is_offered_without_a_call() -> None:
    room = Room(accept_after=constant(2.0))
    room.after(5.0)
    asked(room, None, 7)
    withdraw(room, None, 8)
    assert room.after(3.0) == [(7.0, AgentAccepted(ONE, None, 7))]


def test_a_break_that_falls_due_while_asked_begins_after_the_no() -> None:
    room = Room(accept_after=constant(2.0), rejects=1.0, break_every=constant(6.0))
    room.after(5.0)
    asked(room)
    assert room.after(3.0) == [(7.0, AgentRejected(ONE, "c1", 7)), (7.0, AgentPaused(ONE, "break"))]
