from __future__ import annotations

import pytest

from dialer.core.events import CallAnswered, CallEnded, PromptEnded
from simulator.carrier import Carrier
from simulator.profile import Fate
from simulator.script import Script
from simulator.wire.course import AT_ONCE, COMPANIONS, companions, from_script
from simulator.wire.ledger import foreseen
from statuses.outcomes import Announcement, LocalError
from tests.simulator.test_script import EXPECTED
from tests.simulator.worlds import only


def script(fate: Fate, **changes: object) -> Script:
    return Carrier(only(fate, **changes), seed=7, started_at=0.0).script(
        "c", phone="+84950000001", hotline="h", attempt_no=1, now=0.0
    )


@pytest.mark.parametrize("fate", EXPECTED)
def test_an_unanswered_fate_means_on_the_wire_what_it_means_in_process(fate: Fate) -> None:
    course = from_script(script(fate))
    assert course.name == fate.value
    assert foreseen(course) is EXPECTED[fate]


def test_a_person_rings_answers_talks_and_hangs_up() -> None:
    course = from_script(script(Fate.ANSWER))
    assert [(step.at_s, step.status) for step in course.steps] == [(0.05, 100), (2.0, 180), (12.0, 200)]
    assert (course.talk_s, course.patience_s, course.bye_after_s, course.late_answer) == (60.0, 4.0, None, False)


def test_where_the_agent_hangs_up_the_callee_waits_for_the_bye() -> None:
    assert from_script(script(Fate.ANSWER, agent_hangs_up=1.0)).talk_s is None


def test_a_mailbox_answers_says_so_and_stays_for_its_tape() -> None:
    course = from_script(script(Fate.MACHINE))
    assert course.steps[-1].announcement is Announcement.MAILBOX
    assert (course.talk_s, course.patience_s, course.bye_after_s) == (None, None, 45.0)


def test_a_deaf_trunk_says_nothing_and_a_silent_one_only_100_then_408() -> None:
    assert from_script(script(Fate.NO_REPLY)).steps == ()
    assert [(step.at_s, step.status) for step in from_script(script(Fate.SILENCE)).steps] == [(0.05, 100), (32.0, 408)]


def test_a_recording_comes_in_early_media_before_the_generic_end() -> None:
    early, end = from_script(script(Fate.LOCKED_MESSAGE)).steps[-2:]
    assert (early.status, early.media, early.announcement) == (183, True, Announcement.LOCKED)
    assert (end.status, end.q850) == (480, 31)


def test_a_full_trunk_refuses_with_retry_after() -> None:
    full = Script(None, [(0.1, CallEnded("c", 503, 34, retry_after_s=5.0))])
    course = from_script(full)
    assert (course.name, course.steps[0].status, course.steps[0].retry_after_s) == ("refused", 503, 5.0)


def test_a_caller_id_that_is_not_provisioned_is_refused_by_the_network() -> None:
    unknown = Script(None, [(0.0, CallEnded("c", local_error=LocalError.NO_HOTLINE))])
    (step,) = from_script(unknown).steps
    assert (step.status, step.q850) == (403, 57)


def test_a_late_answer_is_kept() -> None:
    assert from_script(Script(Fate.RING_OUT, [(0.0, CallAnswered("c"))], late_answer=True)).late_answer


def test_a_script_of_anything_else_is_a_fault() -> None:
    with pytest.raises(AssertionError, match="PromptEnded"):
        from_script(Script(None, [(0.0, PromptEnded("c"))]))


def test_codes_that_mean_nothing_without_a_header_have_it() -> None:
    assert companions(302)[0][0] == "Contact"
    assert companions(420) == COMPANIONS[420]
    assert companions(486) == ()


def test_at_once_means_at_once() -> None:
    assert [(step.at_s, step.status) for step in AT_ONCE.steps] == [(0.0, 180), (0.0, 200)]
    assert (AT_ONCE.talk_s, AT_ONCE.patience_s, AT_ONCE.bye_after_s) == (None, None, None)
