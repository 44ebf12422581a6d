from __future__ import annotations

import pytest

from dialer.core.events import (
    AgentOnLine,
    CallAnswered,
    CallArrived,
    CallConnected,
    CallEnded,
    CallProgressed,
    CallRinging,
    ConnectFailed,
    Event,
    MachineDetected,
    PromptEnded,
)
from simulator.carrier import Carrier
from simulator.exchange import Exchange
from simulator.profile import Callers, CarrierProfile, Fate, TrunkProfile
from statuses.outcomes import AmdResult, EndedBy
from tests.simulator.timeline import Timeline
from tests.simulator.worlds import constant, only


class Bench:
    """An exchange with one call on it, at time 0."""

    def __init__(self, profile: CarrierProfile, trunk: TrunkProfile | None = None) -> None:
        self.time = Timeline()
        self.heard: list[tuple[float, Event]] = []
        self.carrier = Carrier(profile, seed=7, started_at=0.0, trunks=(trunk or TrunkProfile(),))
        self.exchange = Exchange(self.carrier, self.time.schedule, self._hear)
        self.call("c1")

    def _hear(self, owner: object, event: Event, now: float) -> None:
        assert owner == "me"
        self.heard.append((round(now, 3), event))

    def call(self, call_id: str, phone: str = "+84001") -> None:
        self.exchange.originate(call_id, phone=phone, hotline="h", trunk="trunk-1", now=self.time.now, owner="me")

    def after(self, seconds: float) -> list[tuple[float, Event]]:
        self.time.run_until(self.time.now + seconds)
        heard, self.heard = self.heard, []
        return heard

    def answered(self) -> None:
        assert self.after(12.0)[-1] == (12.0, CallAnswered("c1"))


def ended(status: int | None, q850: int | None, by: EndedBy) -> CallEnded:
    return CallEnded("c1", status, q850, ended_by=by)


def test_a_call_left_alone_is_answered_and_given_up_when_nobody_speaks() -> None:
    bench = Bench(only(Fate.ANSWER))
    assert bench.after(100.0) == [
        (0.05, CallProgressed("c1")),
        (2.0, CallRinging("c1")),
        (12.0, CallAnswered("c1")),
        (16.0, ended(200, 16, EndedBy.REMOTE)),
    ]
    assert len(bench.exchange) == 0
    assert bench.carrier.gates["trunk-1"].in_use == 0


@pytest.mark.parametrize(("share", "by"), [(0.0, EndedBy.REMOTE), (1.0, EndedBy.AGENT)])
def test_a_talk_lasts_as_long_as_it_lasts_and_one_side_hangs_up(share: float, by: EndedBy) -> None:
    bench = Bench(only(Fate.ANSWER, agent_hangs_up=share))
    bench.answered()
    bench.exchange.connect("c1", "agent-01", bench.time.now)
    assert bench.after(200.0) == [
        (12.15, CallConnected("c1", "agent-01")),
        (72.15, ended(200, 16, by)),
    ]


def test_an_agent_may_hang_up_at_any_moment_of_the_talk_but_not_before_the_answer() -> None:
    bench = Bench(only(Fate.ANSWER))
    bench.exchange.hang_up_by_agent("c1", 0.0)
    bench.answered()
    bench.exchange.connect("c1", "agent-01", bench.time.now)
    bench.after(5.0)
    bench.exchange.hang_up_by_agent("c1", bench.time.now)
    assert bench.after(200.0) == [(17.0, ended(200, 16, EndedBy.AGENT))]
    assert len(bench.exchange) == 0


def test_cancel_of_a_ringing_call_gets_487_and_of_an_answered_one_a_bye() -> None:
    bench = Bench(only(Fate.RING_OUT))
    bench.after(5.0)
    bench.exchange.hangup("c1", bench.time.now)
    bench.exchange.hangup("c1", bench.time.now)
    assert bench.after(100.0) == [(5.1, ended(487, None, EndedBy.DIALER))]
    bench = Bench(only(Fate.ANSWER))
    bench.answered()
    bench.exchange.hangup("c1", bench.time.now)
    assert bench.after(100.0) == [(12.1, ended(200, 16, EndedBy.DIALER))]


def test_cancel_of_a_call_from_which_nothing_was_heard_ends_without_a_status() -> None:
    bench = Bench(only(Fate.NO_REPLY))
    bench.after(5.0)
    bench.exchange.hangup("c1", bench.time.now)
    assert bench.after(100.0) == [(5.1, ended(None, None, EndedBy.DIALER))]


def test_hanging_up_a_call_that_nobody_knows_changes_nothing() -> None:
    bench = Bench(only(Fate.ANSWER))
    bench.exchange.hangup("c9", 0.0)
    bench.answered()


def test_a_200_may_cross_our_cancel_and_is_then_a_person_on_the_line() -> None:
    bench = Bench(only(Fate.RING_OUT, late_answer=1.0))
    bench.after(5.0)
    bench.exchange.hangup("c1", bench.time.now)
    assert bench.after(1.0) == [(5.1, CallAnswered("c1"))]
    bench.exchange.connect("c1", "agent-01", bench.time.now)
    assert bench.after(200.0) == [(6.15, CallConnected("c1", "agent-01")), (66.15, ended(200, 16, EndedBy.REMOTE))]


def test_a_dead_agent_leg_fails_once_and_the_customer_stays_for_the_next_agent() -> None:
    bench = Bench(only(Fate.ANSWER, connect_fails=1.0))
    bench.answered()
    bench.exchange.connect("c1", "agent-01", bench.time.now)
    assert bench.after(1.0) == [(12.15, ConnectFailed("c1", "agent-01"))]
    bench.exchange.connect("c1", "agent-02", bench.time.now)
    assert bench.after(1.0) == [(13.15, CallConnected("c1", "agent-02"))]


def test_a_join_that_takes_too_long_fails_rather_than_come_late() -> None:
    bench = Bench(only(Fate.ANSWER, connect_s=9.0, patience=constant(60.0)))
    bench.answered()
    bench.exchange.connect("c1", "agent-01", bench.time.now)
    assert bench.after(30.0) == [(17.0, ConnectFailed("c1", "agent-01"))]


def test_a_connection_that_was_overtaken_by_another_agent_never_happens() -> None:
    bench = Bench(only(Fate.ANSWER))
    bench.answered()
    bench.exchange.connect("c1", "agent-01", bench.time.now)
    bench.exchange.connect("c1", "agent-02", bench.time.now)
    assert bench.after(1.0) == [(12.15, CallConnected("c1", "agent-02"))]


def test_a_person_who_hears_the_agent_no_more_hangs_up_after_a_while() -> None:
    bench = Bench(only(Fate.ANSWER))
    bench.answered()
    bench.exchange.connect("c1", "agent-01", bench.time.now)
    bench.after(10.0)
    bench.exchange.agent_gone("c1", bench.time.now)
    assert bench.after(100.0) == [(26.0, ended(200, 16, EndedBy.REMOTE))]


def test_a_prompt_is_played_to_its_end_or_to_the_end_of_the_patience() -> None:
    patient = Bench(only(Fate.ANSWER, prompt_s=3.0))
    patient.answered()
    patient.exchange.media.play(patient.exchange.get("c1"), patient.time.now)
    assert patient.after(3.5) == [(15.0, PromptEnded("c1"))]
    hurried = Bench(only(Fate.ANSWER, prompt_s=8.0))
    hurried.answered()
    hurried.exchange.media.play(hurried.exchange.get("c1"), hurried.time.now)
    assert hurried.after(100.0) == [(16.0, ended(200, 16, EndedBy.REMOTE))]


@pytest.mark.parametrize(("listens_s", "ends"), [(5.0, 17.0), (30.0, None)])
def test_a_person_may_listen_to_a_prompt_longer_than_to_silence(listens_s: float, ends: float | None) -> None:
    bench = Bench(only(Fate.ANSWER, prompt_s=8.0, prompt_patience=constant(listens_s)))
    bench.answered()
    bench.exchange.media.play(bench.exchange.get("c1"), bench.time.now)
    first = bench.after(10.0)[0]
    assert first == ((20.0, PromptEnded("c1")) if ends is None else (ends, ended(200, 16, EndedBy.REMOTE)))


def test_machine_detection_comes_after_its_delay_unless_the_call_is_over() -> None:
    bench = Bench(only(Fate.ANSWER, amd=True, amd_false=0.0))
    bench.answered()
    assert bench.after(2.0) == [(13.5, MachineDetected("c1", AmdResult.HUMAN))]
    gone = Bench(only(Fate.ANSWER, amd=True, amd_false=0.0))
    gone.answered()
    gone.exchange.hangup("c1", gone.time.now)
    assert gone.after(100.0) == [(12.1, ended(200, 16, EndedBy.DIALER))]


def test_a_call_over_the_trunks_channels_gets_503_with_its_retry_after() -> None:
    bench = Bench(only(Fate.ANSWER), TrunkProfile(channels=1, retry_after_s=4.0))
    bench.call("c2", "+84002")
    heard = bench.after(1.0)
    assert (0.05, CallEnded("c2", 503, 34, ended_by=EndedBy.REMOTE, retry_after_s=4.0)) in heard
    assert len(bench.exchange) == 1


def test_a_live_id_is_never_invited_again() -> None:
    bench = Bench(only(Fate.ANSWER))
    with pytest.raises(ValueError, match="one INVITE"):
        bench.call("c1")


def test_ringing_calls_are_counted_from_invite_to_answer_or_end() -> None:
    bench = Bench(only(Fate.ANSWER))
    bench.call("c2", "+84002")
    assert bench.exchange.unanswered == 2
    bench.exchange.hangup("c2", 0.0)
    bench.answered()
    assert (bench.exchange.unanswered, bench.exchange.peak_unanswered) == (0, 2)
    assert [line.call_id for line in bench.exchange.lines()] == ["c1"]


def test_an_agent_who_is_called_first_waits_for_the_call_and_is_there_at_once() -> None:
    bench = Bench(only(Fate.ANSWER))
    bench.exchange.summon("c2", "agent-01", 0.0, "me")
    assert (0.15, AgentOnLine("c2", "agent-01")) in bench.after(1.0)
    assert [leg.is_up for leg in bench.exchange.summoned()] == [True]
    assert bench.exchange.holder("c2") == "agent-01"
    bench.call("c2", "+84002")
    assert list(bench.exchange.summoned()) == []
    assert bench.exchange.holder("c2") == "agent-01"
    assert bench.after(12.0)[-1] == (13.0, CallAnswered("c2"))
    bench.exchange.connect("c2", "agent-01", bench.time.now)
    assert (13.0, CallConnected("c2", "agent-01")) in bench.after(0.5)


@pytest.mark.parametrize("profile", [only(Fate.ANSWER, connect_fails=1.0), only(Fate.ANSWER, connect_s=9.0)])
def test_an_agent_who_is_called_first_and_does_not_come_is_told(profile: CarrierProfile) -> None:
    bench = Bench(profile)
    bench.exchange.summon("c2", "agent-01", 0.0, "me")
    assert ConnectFailed("c2", "agent-01") in [event for _, event in bench.after(6.0)]
    assert bench.exchange.holder("c2") is None


def test_an_agent_who_was_called_first_hangs_up_before_or_after_the_call_is_placed() -> None:
    bench = Bench(only(Fate.RING_OUT))
    for call_id in ("c2", "c3", "c4"):
        bench.exchange.summon(call_id, "agent-01", 0.0, "me")
    bench.call("c3", "+84003")
    bench.after(5.0)
    bench.exchange.hang_up_by_agent("c2", bench.time.now)
    bench.exchange.hang_up_by_agent("c3", bench.time.now)
    bench.exchange.hangup("c4", bench.time.now)
    assert bench.after(0.0) == [
        (5.0, CallEnded("c2", ended_by=EndedBy.AGENT)),
        (5.0, CallEnded("c3", 487, ended_by=EndedBy.AGENT)),
        (5.0, CallEnded("c4", ended_by=EndedBy.DIALER)),
    ]


def test_a_call_is_given_to_another_agent_and_taken_from_the_first() -> None:
    bench = Bench(only(Fate.ANSWER))
    bench.answered()
    for agent in ("agent-01", "agent-01", "agent-02"):
        bench.exchange.connect("c1", agent, bench.time.now)
        bench.after(1.0)
    assert bench.exchange.holder("c1") == "agent-02"
    assert bench.after(100.0) == [(74.15, ended(200, 16, EndedBy.REMOTE))]
    bench = Bench(only(Fate.ANSWER))
    bench.exchange.absent.add("agent-02")
    bench.answered()
    bench.exchange.connect("c1", "agent-01", bench.time.now)
    bench.after(1.0)
    bench.exchange.connect("c1", "agent-02", bench.time.now)
    assert bench.after(100.0) == [
        (13.15, ConnectFailed("c1", "agent-02")),
        (22.0, ended(200, 16, EndedBy.REMOTE)),
    ]


class Hotline(Bench):
    """An exchange with one caller on it who waits 20 s, at time 0."""

    def __init__(self) -> None:
        super().__init__(only(Fate.RING_OUT, callers=Callers(patience=constant(20.0))))
        self.exchange.hangup("c1", 0.0)
        self.after(1.0)
        _, script = self.carrier.caller(1)
        self.exchange.arrive(CallArrived("in", "+84009", "h"), script, self.time.now, number=1, owner="me")
        assert self.after(0.0) == [(1.0, CallArrived("in", "+84009", "h"))]


def test_a_caller_rings_is_answered_waits_and_talks() -> None:
    bench = Hotline()
    assert [line.answered for line in bench.exchange.lines()] == [False]
    assert (bench.exchange.unanswered, bench.exchange.peak_unanswered) == (0, 1)
    for _ in range(2):
        bench.exchange.answer("in", bench.time.now)
    assert bench.after(1.0) == [(1.0, CallAnswered("in"))]
    bench.exchange.connect("in", "agent-01", bench.time.now)
    assert bench.after(100.0) == [
        (2.15, CallConnected("in", "agent-01")),
        (62.15, CallEnded("in", 200, 16, ended_by=EndedBy.REMOTE)),
    ]


def test_a_caller_gives_up_when_the_patience_is_over_answered_or_not() -> None:
    bench = Hotline()
    assert bench.after(100.0) == [(21.0, CallEnded("in", 487, ended_by=EndedBy.REMOTE))]
    bench = Hotline()
    bench.after(5.0)
    bench.exchange.answer("in", bench.time.now)
    bench.after(5.0)
    assert bench.after(100.0) == [(21.0, CallEnded("in", 200, 16, ended_by=EndedBy.REMOTE))]


def test_a_caller_is_declined() -> None:
    bench = Hotline()
    bench.exchange.hangup("in", bench.time.now)
    assert bench.after(100.0) == [(1.1, CallEnded("in", 603, 21, ended_by=EndedBy.DIALER))]
    bench.exchange.answer("in", bench.time.now)
    bench.exchange.hang_up_by_customer("in", bench.time.now)
    assert bench.after(1.0) == []
