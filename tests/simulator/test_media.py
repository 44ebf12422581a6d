"""Prompts, keys, music, recordings and supervisors at the simulated switch, on a bare timeline."""

from __future__ import annotations

import pytest

from dialer.core.events import (
    CallConnected,
    CallEnded,
    CallTransferred,
    DigitPressed,
    Event,
    PromptEnded,
    RecordingEnded,
)
from dialer.core.types import Supervision
from simulator.line import Line
from simulator.media import KEY_GAP_S
from simulator.profile import Fate
from statuses.outcomes import EndedBy
from tests.simulator.test_exchange import Bench
from tests.simulator.worlds import constant, only

LISTENS = {"prompt_s": 5.0, "prompt_patience": constant(20.0), "patience": constant(8.0)}
GONE = CallEnded("c1", 200, 16, ended_by=EndedBy.REMOTE)


def answered(**changes: object) -> Bench:
    bench = Bench(only(Fate.ANSWER, **changes))
    bench.answered()
    return bench


def line(bench: Bench) -> Line:
    found = bench.exchange.get("c1")
    assert found is not None
    return found


def play(bench: Bench) -> None:
    bench.exchange.media.play(line(bench), bench.time.now)


def short(heard: list[tuple[float, Event]]) -> list[Event]:
    return [event for _, event in heard]


def test_a_prompt_that_is_stopped_ends_now_and_not_again() -> None:
    bench = answered(**LISTENS)
    play(bench)
    bench.after(1.0)
    for _ in range(2):
        bench.exchange.media.hush(line(bench), bench.time.now)
    assert bench.after(10.0) == [(13.0, PromptEnded("c1"))]


def test_a_prompt_that_follows_another_ends_that_one() -> None:
    bench = answered(**LISTENS)
    play(bench)
    bench.after(1.0)
    play(bench)
    assert bench.after(10.0) == [(13.0, PromptEnded("c1")), (18.0, PromptEnded("c1"))]


def test_what_cannot_be_played_says_so_and_is_not_heard() -> None:
    bench = answered(**LISTENS)
    bench.exchange.media.play(line(bench), bench.time.now, can_be=False)
    assert bench.after(1.0) == [(12.0, PromptEnded("c1", played=False))]


def test_people_press_keys_a_while_after_the_prompt_began_and_wait_anew() -> None:
    bench = answered(**LISTENS, keys={"12#": 1.0}, key_after=constant(2.0))
    play(bench)
    assert bench.after(4.0) == [
        (14.0, DigitPressed("c1", "1")),
        (round(14.0 + KEY_GAP_S, 3), DigitPressed("c1", "2")),
        (round(14.0 + 2 * KEY_GAP_S, 3), DigitPressed("c1", "#")),
    ]
    assert bench.after(100.0) == [(17.0, PromptEnded("c1")), (34.8, GONE)]


def test_a_key_for_a_prompt_that_was_followed_by_another_is_not_pressed() -> None:
    bench = answered(**LISTENS, keys={"1": 1.0}, key_after=constant(2.0))
    play(bench)
    bench.after(1.0)
    play(bench)
    assert short(bench.after(3.0)) == [PromptEnded("c1"), DigitPressed("c1", "1")]


def test_who_presses_nothing_hangs_up_when_the_patience_is_over() -> None:
    bench = answered(**LISTENS)
    play(bench)
    assert bench.after(100.0) == [(17.0, PromptEnded("c1")), (32.0, GONE)]


@pytest.mark.parametrize(("waits", "ends"), [(None, 20.0), (constant(30.0), 43.0)])
def test_music_keeps_a_person_who_waits(waits: object, ends: float) -> None:
    bench = answered(**LISTENS, hold_patience=waits)
    bench.after(1.0)
    bench.exchange.media.hold(line(bench), bench.time.now, on=True)
    assert bench.after(100.0) == [(ends, GONE)]


def test_a_talk_that_is_held_lasts_as_long_as_it_lasts() -> None:
    bench = answered(**LISTENS, hold_patience=constant(5.0))
    bench.exchange.connect("c1", "agent-01", bench.time.now)
    bench.after(1.0)
    for on in (True, True, False):
        bench.exchange.media.hold(line(bench), bench.time.now, on=on)
    assert bench.after(100.0) == [(72.15, GONE)]


def test_a_recording_ends_by_order_by_its_limit_or_with_the_call() -> None:
    bench = answered(**LISTENS)
    media = bench.exchange.media
    media.record(line(bench), bench.time.now, limit_s=None)
    media.record(line(bench), bench.time.now, limit_s=1.0)  # it is on already
    bench.after(2.0)
    media.stop_tape(line(bench), bench.time.now)
    media.stop_tape(line(bench), bench.time.now)
    assert bench.after(0.0) == [(14.0, RecordingEnded("c1", 2.0))]
    media.record(line(bench), bench.time.now, limit_s=1.0)
    assert bench.after(2.0) == [(15.0, RecordingEnded("c1", 1.0))]
    media.record(line(bench), bench.time.now, limit_s=None)
    assert short(bench.after(60.0)) == [RecordingEnded("c1", 4.0), GONE]
    assert media.tapes.calls() == ("c1",)


def test_supervisors_come_into_talks_only() -> None:
    bench = answered(**LISTENS)
    media = bench.exchange.media
    media.supervise(line(bench), "agent-09", Supervision.LISTEN)
    assert line(bench).supervisors is None
    bench.exchange.connect("c1", "agent-01", bench.time.now)
    bench.after(1.0)
    media.supervise(line(bench), "agent-09", Supervision.LISTEN)
    media.supervise(line(bench), "agent-09", Supervision.BARGE)
    assert line(bench).supervisors == {"agent-09": Supervision.BARGE}
    media.supervise(line(bench), "agent-09", None)
    assert line(bench).supervisors is None


def test_orders_for_a_call_that_is_not_there_or_not_answered_are_ignored() -> None:
    bench = Bench(only(Fate.ANSWER))
    media = bench.exchange.media
    for one in (None, line(bench)):
        media.play(one, 0.0)
        media.hush(one, 0.0)
        media.hold(one, 0.0, on=True)
        media.record(one, 0.0, limit_s=None)
        media.stop_tape(one, 0.0)
        media.supervise(one, "agent-09", Supervision.LISTEN)
    bench.exchange.transfer("c1", "+84002", 0.0)
    bench.answered()
    assert media.tapes.calls() == ()


@pytest.mark.parametrize(("fails", "done"), [(0.0, True), (1.0, False)])
def test_a_transfer_takes_the_customer_away_or_leaves_them_with_the_agent(fails: float, done: bool) -> None:
    bench = answered(**LISTENS, transfer_fails=fails)
    bench.exchange.connect("c1", "agent-01", bench.time.now)
    assert short(bench.after(1.0)) == [CallConnected("c1", "agent-01")]
    bench.exchange.transfer("c1", "+84002", bench.time.now)
    assert bench.after(1.0) == [(13.15, CallTransferred("c1", done=done))]
    assert bench.exchange.holder("c1") == (None if done else "agent-01")
    assert bench.after(100.0) == [(73.15 if done else 72.15, GONE)]
