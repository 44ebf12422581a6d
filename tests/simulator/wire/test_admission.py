from __future__ import annotations

import pytest

from simulator.carrier import Carrier
from simulator.profile import Fate, Shares, TrunkProfile
from simulator.wire.admission import Admission, refused
from simulator.wire.course import AT_ONCE, from_script
from simulator.wire.numbers import entries
from simulator.wire.profile import Draws, WireProfile, load
from tests.simulator.worlds import only


def admission(profile: WireProfile, seed: int = 7) -> Admission:
    return Admission(profile, seed=seed, started_at=1000.0)


def test_chance_is_that_of_the_in_process_carrier() -> None:
    profile = load("vn-mobile")
    assert profile.carrier is not None
    here, there = admission(profile), Carrier(profile.carrier, seed=7, started_at=1000.0)
    fates = set()
    for number in range(300):
        phone = f"+849000{number:05}"
        for attempt in (1, 2):
            drawn = here.drawn("c", called=phone.replace("+84", "0"), caller="0240000001", now=1000.0)
            script = there.script("c", phone=phone, hotline="0240000001", attempt_no=attempt, now=1000.0)
            assert drawn == (from_script(script), attempt)
            fates.add(drawn.course.name)
    assert len(fates) > 8


def test_who_asks_for_something_gets_it_and_others_are_left_to_chance() -> None:
    here = admission(load("clean"))
    asked = here.asked("0955486000")
    assert asked is not None
    assert asked.course.name == "sip.486"
    assert here.asked("0900000001") is None
    assert here.drawn("c", called="0900000001", caller="", now=1000.0) == (AT_ONCE, 1)


def test_ranges_can_be_switched_off() -> None:
    assert admission(WireProfile("x", ranges=False)).asked("0955486000") is None


def test_rows_are_drawn_by_seed_number_and_attempt() -> None:
    profile = WireProfile("x", draws=Draws.ROWS)

    def names(seed: int) -> list[str]:
        here = admission(profile, seed)
        drawn = [here.asked(f"09000{number:05}") for number in range(2000)]
        assert None not in drawn
        return [one.course.name for one in drawn if one]

    assert names(1) == names(1) != names(2)
    assert len(set(names(1))) > 0.9 * len({entry.course.name for entry in entries()})
    here = admission(profile)
    assert [one.attempt_no for one in (here.asked("0900000001"), here.asked("+84900000001")) if one] == [1, 2]


def test_an_unknown_caller_is_refused_and_a_blocked_one_too_however_it_is_written() -> None:
    carrier = only(Fate.ANSWER, known_hotlines=("+84240000001", "+84240000002"), blocked_hotlines=("+84240000002",))
    here = admission(WireProfile("x", carrier=carrier))

    def met(caller: str) -> str:
        return here.drawn("c", called="0900000001", caller=caller, now=1000.0).course.name

    assert met("0240000001") == met("+84240000001") == "answer"
    assert met("0240000002") == "hotline_blocked"
    assert met("0240000009") == "refused"


def test_caps_can_change_while_calls_are_in() -> None:
    here = admission(WireProfile("x", trunk=TrunkProfile(channels=2)))
    assert [here.gate.admits(1000.0) for _ in range(3)] == [True, True, False]
    here.set_trunk(TrunkProfile(channels=3))
    assert [here.gate.admits(1000.0) for _ in range(2)] == [True, False]
    assert (here.gate.in_use, here.gate.peak) == (3, 3)


def test_attempts_go_on_counting_over_another_profile() -> None:
    first = WireProfile("x", carrier=only(Fate.ANSWER))
    here = admission(first)
    here.drawn("c", called="0900000001", caller="", now=1000.0)
    here.use(WireProfile("y", carrier=only(Fate.REJECT)))
    drawn = here.drawn("c", called="0900000001", caller="", now=1000.0)
    assert (drawn.course.name, drawn.attempt_no) == ("reject", 2)


def test_shares_of_a_profile_must_sum_to_one() -> None:
    with pytest.raises(ValueError, match="sum to 0"):
        admission(WireProfile("x", carrier=type(only(Fate.ANSWER))(shares=Shares())))


def test_a_refusal_of_the_carriers_own_has_its_headers() -> None:
    (step,) = refused(503, retry_after_s=5.0, q850=34).steps
    assert (step.status, step.q850, step.retry_after_s) == (503, 34, 5.0)
    assert refused(405).steps[0].headers[0][0] == "Allow"
