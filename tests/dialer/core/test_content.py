"""A campaign whose calls all fail for their content is held before it has gone through its leads."""

from __future__ import annotations

from dialer.core.content import RETRY_S, TRIES, ContentWatch
from statuses.outcomes import LocalError


def test_only_a_few_are_tried_until_one_leaves() -> None:
    watch = ContentWatch()
    assert watch.room() == TRIES
    for call in ("a", "b", "c"):
        watch.begun(call)
    assert watch.room() == 0
    watch.dropped("a")
    assert watch.room() == 1
    watch.left("b")
    assert watch.room() is None


def test_so_many_failures_in_a_row_hold_it_and_later_one_call_is_tried() -> None:
    watch = ContentWatch()
    for n in range(TRIES):
        assert watch.retry_at(0.0) is None
        watch.begun(str(n))
        watch.failed(str(n), LocalError.AUDIO, 0.0)
    assert (watch.retry_at(1.0), watch.error) == (RETRY_S, LocalError.AUDIO)
    assert watch.retry_at(RETRY_S) is None
    assert watch.room() == 1
    watch.begun("again")
    watch.failed("again", LocalError.AUDIO, RETRY_S)
    assert watch.retry_at(RETRY_S + 1) == 3 * RETRY_S
    watch.begun("paid")
    watch.left("paid")
    assert watch.room() is None


def test_calls_that_leave_between_failures_keep_it_going() -> None:
    watch = ContentWatch()
    for n in range(20):
        watch.begun(str(n))
        if n % 3:
            watch.failed(str(n), LocalError.TEMPLATE, float(n))
        else:
            watch.left(str(n))
        assert watch.retry_at(float(n)) is None
