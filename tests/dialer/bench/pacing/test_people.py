"""The benchmark's people are the same for every policy and as the design describes them."""

from __future__ import annotations

import statistics

import pytest

from dialer.bench.pacing.people import SHIFTS, WORLDS, People

MANY = 20_000


def outcomes(people: People, now: float = 0.0) -> list[tuple[bool, float]]:
    return [people.attempt(number, now) for number in range(MANY)]


def test_the_order_of_asking_changes_nobody() -> None:
    one, other = (People(WORLDS["realistic"], 0.2, 7) for _ in range(2))
    forth = [one.attempt(number, 0.0) for number in range(9000)]
    back = [other.attempt(number, 0.0) for number in reversed(range(9000))]
    assert forth == back[::-1]
    assert [one.talk_s(number) for number in range(9000)] == [other.talk_s(number) for number in range(9000)]


def test_another_seed_brings_other_people() -> None:
    assert outcomes(People(WORLDS["markov"], 0.2, 1)) != outcomes(People(WORLDS["markov"], 0.2, 2))


def test_markov_times() -> None:
    people = People(WORLDS["markov"], 0.3, 1)
    found = outcomes(people)
    assert statistics.mean(answered for answered, _ in found) == pytest.approx(0.3, abs=0.01)
    assert statistics.mean(after for _, after in found) == pytest.approx(15, rel=0.03)
    assert statistics.mean(people.talk_s(number) for number in range(MANY)) == pytest.approx(120, rel=0.03)
    assert {people.wrap_s(number) for number in range(100)} == {0.0}


def test_realistic_times() -> None:
    people = People(WORLDS["realistic"], 0.2, 1)
    found = outcomes(people)
    answers = [after for answered, after in found if answered]
    fails = [after for answered, after in found if not answered]
    talks = [people.talk_s(number) for number in range(MANY)]
    assert statistics.mean(answers) == pytest.approx(10, abs=0.3)
    assert sum(after == 25.0 for after in fails) / len(fails) == pytest.approx(0.7, abs=0.02)
    assert max(after for after in fails if after != 25.0) <= 5.0
    assert statistics.mean(talks) == pytest.approx(105, rel=0.03)
    assert statistics.stdev(talks) / statistics.mean(talks) == pytest.approx(0.8, abs=0.05)


@pytest.mark.parametrize(("name", "early", "late"), [("more-answers", 0.2, 0.5), ("fewer-answers", 0.5, 0.2)])
def test_steps(name: str, early: float, late: float) -> None:
    shift = SHIFTS[name]
    assert (shift.p_at(0, shift.at - 1), shift.p_at(0, shift.at)) == (early, late)


def test_bursts_last_ten_minutes_of_each_hour() -> None:
    shift = SHIFTS["bursts"]
    chances = [shift.p_at(0, shift.at + 60 * minute) for minute in range(120)]
    assert chances == ([0.5] * 10 + [0.2] * 50) * 2


def test_clumps_keep_the_mean_and_come_in_runs() -> None:
    shift = SHIFTS["clumps"]
    chances = [shift.p_at(number, shift.at) for number in range(40_000)]
    assert set(chances) == {0.0, 0.4}
    assert statistics.mean(chances) == pytest.approx(0.2, abs=0.02)
    assert len(set(chances[:40])) == 1


def test_a_storm_fails_every_call_at_once() -> None:
    shift = SHIFTS["storm"]
    people = People(WORLDS["realistic"], 0.2, 1, shift)
    assert not any(people.attempt(number, shift.at + 10)[0] for number in range(500))
    assert max(people.attempt(number, shift.at + 10)[1] for number in range(500)) < 1
    assert any(people.attempt(number, shift.at + 301)[0] for number in range(500))


def test_a_delay_is_added_to_every_outcome() -> None:
    shift = SHIFTS["delay"]
    people = People(WORLDS["realistic"], 0.2, 1, shift)
    for number in range(200):
        answered, after = people.attempt(number, shift.at - 1)
        later = people.attempt(number, shift.at)
        assert later[0] == answered
        assert later[1] == pytest.approx(after + 3)


def test_a_third_of_the_team_goes_home() -> None:
    (change,) = SHIFTS["leave"].staff(20)
    assert (change.at, change.agents) == (SHIFTS["leave"].at, -6)
    assert SHIFTS["storm"].staff(20) == ()
