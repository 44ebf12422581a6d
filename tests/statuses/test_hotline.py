"""A hotline that fails for many numbers is the hotline's fault (statuses.md 2.11 A4, A6)."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from statuses.classify import AttemptFacts, Verdict, classify
from statuses.hotline import HotlineMonitor
from statuses.lead import ErrorKind, Trigger, trigger_for
from statuses.outcomes import CallStatus

WRONG = classify(AttemptFacts(sip_status=404, q850=3))
FORBIDDEN = classify(AttemptFacts(sip_status=403))
GOOD = classify(AttemptFacts(answered=True, agent_bridged=True))
HOTLINE = "hotline-1"


def _fail(monitor: HotlineMonitor, count: int, verdict: Verdict = WRONG, start: float = 1000.0) -> list[bool]:
    return [monitor.note(HOTLINE, f"number-{i}", verdict, start + i) is not None for i in range(count)]


@pytest.mark.parametrize("verdict", [WRONG, FORBIDDEN, classify(AttemptFacts(sip_status=404))])
def test_many_different_numbers_within_minutes_raise_the_alarm_once(verdict: Verdict) -> None:
    assert _fail(HotlineMonitor(), 12, verdict) == [False] * 9 + [True, False, False]


def test_one_number_that_fails_often_raises_none() -> None:
    monitor = HotlineMonitor()
    assert all(monitor.note(HOTLINE, "same", WRONG, 1000.0 + i) is None for i in range(50))


def test_a_list_with_some_wrong_numbers_raises_none() -> None:
    monitor = HotlineMonitor()
    for i in range(200):
        verdict = WRONG if i % 4 == 0 else GOOD
        assert monitor.note(HOTLINE, f"number-{i}", verdict, 1000.0 + i) is None


def test_failures_spread_over_hours_raise_none() -> None:
    monitor = HotlineMonitor(window_s=300.0)
    assert all(monitor.note(HOTLINE, f"number-{i}", WRONG, 1000.0 + 60 * i) is None for i in range(100))


def test_while_alarmed_a_wrong_number_is_congestion_and_the_lead_may_be_called_again() -> None:
    monitor = HotlineMonitor()
    _fail(monitor, 10)
    verdict = monitor.reclassify(WRONG, hotline=HOTLINE, now=1010.0)
    assert (verdict.status, verdict.counts) == (CallStatus.CONGESTION, False)
    assert verdict.rule == "hotline_alarm/sip.404+q850.3"
    assert trigger_for(verdict) == (Trigger.ERROR, ErrorKind.HOTLINE)
    assert monitor.reclassify(GOOD, hotline=HOTLINE, now=1010.0) is GOOD
    assert monitor.reclassify(WRONG, hotline="hotline-2", now=1010.0) is WRONG


def test_the_alarm_ends_when_the_failures_are_old_or_calls_get_through_again() -> None:
    monitor = HotlineMonitor(window_s=300.0)
    _fail(monitor, 10)
    assert monitor.alarm(HOTLINE, 1010.0) is not None
    assert monitor.alarm(HOTLINE, 1400.0) is None
    _fail(monitor, 10, start=2000.0)
    for i in range(11):
        monitor.note(HOTLINE, f"good-{i}", GOOD, 2020.0 + i)
    assert monitor.alarm(HOTLINE, 2031.0) is None


def test_calls_that_tell_nothing_about_the_hotline_are_not_noted() -> None:
    monitor = HotlineMonitor(min_numbers=1)
    failed = classify(AttemptFacts(sip_status=503))
    assert monitor.note(HOTLINE, "number", failed, 1.0) is None
    assert monitor.alarm(HOTLINE, 1.0) is None


@pytest.mark.parametrize("limits", [{"min_numbers": 0}, {"min_share": 0.0}, {"min_share": 1.5}, {"window_s": 0.0}])
def test_limits_that_make_no_sense_are_refused(limits: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="hotline monitor"):
        HotlineMonitor(**limits)  # type: ignore[arg-type]


@settings(deadline=None)
@given(st.lists(st.tuples(st.floats(0.0, 100.0), st.integers(0, 5), st.booleans()), max_size=60))
def test_the_alarm_is_what_a_recount_of_the_window_says(calls: list[tuple[float, int, bool]]) -> None:
    monitor = HotlineMonitor(min_numbers=3, min_share=0.5, window_s=50.0)
    now, seen = 0.0, list[tuple[float, str | None]]()
    for gap, number, failed in calls:
        now += gap
        monitor.note(HOTLINE, str(number), WRONG if failed else GOOD, now)
        seen.append((now, str(number) if failed else None))
        recent = [phone for at, phone in seen if at >= now - 50.0]
        failures = [phone for phone in recent if phone is not None]
        expected = len(set(failures)) >= 3 and len(failures) >= 0.5 * len(recent)
        assert (monitor.alarm(HOTLINE, now) is not None) is expected
