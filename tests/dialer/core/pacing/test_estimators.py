from __future__ import annotations

import math

import pytest

from dialer.core.pacing.estimators import FORGOTTEN_AFTER_S, Estimators
from tests.dialer.core.pacing.snapshots import busy_campaign


def test_what_was_seen_is_learned() -> None:
    known = busy_campaign(calls=2000).estimates()
    assert known.p_answer == pytest.approx(0.3, abs=0.05)
    assert known.mean_handle_s == pytest.approx(105, rel=0.15)
    assert list(known.horizons) == sorted(known.horizons)
    assert known.horizons[2] == pytest.approx(10, abs=1)


def test_a_cold_start_is_careful() -> None:
    known = Estimators().estimates()
    assert known.p_careful > 0.6
    assert known.p_free_within(30.0, 10.0, wrapping=False) < 0.05
    assert Estimators().theta <= 0.03


def test_uncertainty_shrinks_with_calls() -> None:
    assert busy_campaign(calls=300).estimates().p_answer_sd < Estimators().estimates().p_answer_sd / 3


def test_estimates_are_rebuilt_only_when_enough_is_new() -> None:
    learned = busy_campaign()
    first = learned.estimates()
    learned.talk_finished(40.0)
    assert learned.estimates() is first
    for _ in range(150):
        learned.talk_finished(40.0)
    assert learned.estimates() is not first


def test_the_same_calls_give_the_same_estimates() -> None:
    one, other = busy_campaign(7).estimates(), busy_campaign(7).estimates()
    assert one.horizons == other.horizons
    assert (one.talking_table == other.talking_table).all()


def test_estimates_cannot_be_changed() -> None:
    known = Estimators().estimates()
    with pytest.raises(ValueError, match="read-only"):
        known.ringing_table[0, 0] = 1.0
    with pytest.raises(ValueError, match="read-only"):
        known.talk.survival[0] = 0.5


def test_dump_and_load_go_round() -> None:
    learned, other = busy_campaign(), Estimators(grace_s=1.0)
    learned.abandon_observed(abandoned=True, at=0)
    other.load(learned.dump())
    assert other.dump() == learned.dump()
    assert other.risk.long_run == learned.risk.long_run
    one, two = learned._build(), other.estimates()
    assert one.p_answer == two.p_answer
    assert (one.talking_table == two.talking_table).all()


@pytest.mark.parametrize("dumped", [b"", b"nonsense", b"\x80"])
def test_a_foreign_dump_is_refused_and_changes_nothing(dumped: bytes) -> None:
    learned = busy_campaign()
    before = learned.dump()
    with pytest.raises(ValueError, match="not the learned estimates"):
        learned.load(dumped)
    assert learned.dump() == before


def test_old_knowledge_counts_for_less_and_very_old_for_nothing() -> None:
    learned = busy_campaign(calls=2000)
    talk = learned.estimates().talk.mean_s
    means = []
    for age_s in (0.0, 7 * 86_400.0, FORGOTTEN_AFTER_S):
        other = Estimators(grace_s=1.0)
        other.load(learned.dump(), age_s=age_s)
        for _ in range(200):
            other.talk_finished(300.0)
        means.append(other.estimates().talk.mean_s)
    assert talk < means[0] < means[1] < means[2]


@pytest.mark.parametrize("bad", [-0.1, math.nan, math.inf])
def test_impossible_data_are_counted_and_not_learned(bad: float) -> None:
    learned = busy_campaign()
    before = learned.dump()
    learned.call_finished(answered=True, after_s=bad)
    learned.talk_finished(bad)
    learned.wrap_finished(bad)
    learned.idle_ended(bad)
    assert learned.dump() == before
    assert learned.ignored == 4


def test_many_impossible_data_bring_doubt_that_good_ones_dispel() -> None:
    learned = busy_campaign()
    for _ in range(3):
        learned.talk_finished(-5.0)
    assert not learned.estimates().doubt
    learned.talk_finished(-5.0)
    assert learned.estimates().doubt == "impossible data came in (seconds of a talk: -5.0)"
    for _ in range(100):
        learned.talk_finished(60.0)
    assert not learned.estimates().doubt


@pytest.mark.parametrize("bad", [-0.1, math.nan, math.inf])
def test_an_impossible_grace_is_named(bad: float) -> None:
    with pytest.raises(ValueError, match="grace_s"):
        Estimators(grace_s=bad)


def test_agents_who_leave_while_idle_or_after_a_call_are_learned() -> None:
    learned = busy_campaign()
    gone, free = learned.estimates().idle_gone[0, 4], learned.estimates().wrapping_table[10, 4]
    for number in range(400):
        learned.idle_ended(30.0, stayed=number % 10 != 0)
        learned.wrap_finished(15.0, stayed=number % 4 != 0)
    known = learned.estimates()
    assert gone < 0.001
    assert known.idle_gone[0, 4] == pytest.approx(1 - math.exp(-(0.1 / 30) * (known.horizons[4] + 1)), rel=0.4)
    assert known.wrapping_table[10, 4] < 0.85 * free


def test_the_share_of_machines_is_learned_and_kept() -> None:
    learned = busy_campaign()
    assert learned.machine_share == 0.0
    for number in range(2000):
        learned.answer_ended(machine=number % 5 == 0)
    assert learned.machine_share == pytest.approx(0.2, abs=0.01)
    other = Estimators(grace_s=1.0)
    other.load(learned.dump())
    assert other.machine_share == learned.machine_share


def test_durations_that_cannot_be_are_no_dump() -> None:
    learned = busy_campaign()
    for old, new in ((b"durations", b"durationz"), (b"theta", b"thetb")):
        with pytest.raises(ValueError, match="not the learned estimates"):
            Estimators().load(learned.dump().replace(old, new))
