"""Webitel's calls per free agent, by arithmetic."""

from __future__ import annotations

import pytest

from dialer.core.pacing.base import Tally
from dialer.core.pacing.baselines.webitel import Webitel, WebitelSettings
from tests.dialer.core.pacing.baselines.moments import moment


def over(abandoned: int, *, finished: int = 5000, answered: int = 1000) -> float:
    pacer = Webitel(WebitelSettings())
    pacer.allowance(moment(idle=1), now=0.0)
    tally = Tally(placed=finished, finished=finished, answered=answered, abandoned=abandoned)
    pacer.allowance(moment(idle=1, tally=tally), now=60.0)
    return pacer.over()


@pytest.mark.parametrize(
    ("abandoned", "expected"),
    [
        (0, 5 * (1 + 2 * 0.1)),  # 2 points below the target
        (10, 5 * (1 + 1 * 0.1)),
        (25, max(1.0, 5 * 0.5 * 110 / 300)),  # between target 2 and maximum 3
        (30, 1.0),
        (90, 1.0),
    ],
)
def test_over(abandoned: int, expected: float) -> None:
    assert over(abandoned) == pytest.approx(expected)


def test_progressive_until_enough_attempts() -> None:
    assert over(0, finished=99, answered=20) == 1.0


def test_calls_for_free_agents_less_those_in_flight() -> None:
    pacer = Webitel(WebitelSettings())
    assert pacer.allowance(moment(idle=4, ringing=(1.0,), waiting=1), now=0.0).dials == 2
