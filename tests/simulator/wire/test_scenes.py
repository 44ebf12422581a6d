from __future__ import annotations

from pathlib import Path

import pytest

from simulator.wire.course import Login, Reinvite
from simulator.wire.ledger import foreseen
from simulator.wire.scenes import SCENES


@pytest.mark.parametrize("code", SCENES)
@pytest.mark.parametrize("digit", [0, 3, 9])
def test_every_scene_is_a_course_whose_steps_are_in_order(code: int, digit: int) -> None:
    course = SCENES[code].make(digit)
    times = [step.at_s for step in course.steps]
    assert times == sorted(times)
    assert all(step.at_s >= 0 for step in course.steps)
    finals = [step for step in course.steps if step.status >= 200]
    assert finals == list(course.steps[-1:]) or finals == []


def test_codes_have_two_digits_and_words_of_their_own() -> None:
    assert set(SCENES) <= set(range(100))
    assert len({scene.words for scene in SCENES.values()}) == len(SCENES)


def test_every_login_and_every_way_to_take_a_reinvite_has_a_scene() -> None:
    courses = [scene.make(1) for scene in SCENES.values()]
    assert {course.login for course in courses} == set(Login)
    assert {course.reinvite for course in courses} == set(Reinvite)


@pytest.mark.parametrize(("code", "digit", "seconds"), [(1, 4, 4.0), (2, 0, 0.0), (26, 3, 3.0), (50, 5, 5.0)])
def test_the_digit_is_seconds_of_waiting(code: int, digit: int, seconds: float) -> None:
    steps = SCENES[code].make(digit).steps
    assert steps[-1].at_s - steps[0].at_s == pytest.approx(seconds, abs=0.25)


def test_the_digit_of_a_503_is_its_retry_after_and_that_of_a_talk_its_length() -> None:
    assert SCENES[23].make(7).steps[0].retry_after_s == 7.0
    assert SCENES[7].make(0).bye_after_s == 0.0
    assert SCENES[8].make(2).patience_s == 2.0
    assert SCENES[9].make(6).talk_s == 6.0
    assert SCENES[41].make(3).holds_s == (3.0, 6.0)


def test_the_page_lists_every_scene_with_its_words_and_status() -> None:
    page = (Path(__file__).resolve().parents[3] / "docs" / "carrier.md").read_text(encoding="utf-8")
    rows = [f"| {code:02} | {scene.words} | {foreseen(scene.make(3))} |" for code, scene in SCENES.items()]
    assert [row for row in rows if row not in page] == []
