"""ImpactDialing plays ahead, second by second."""

from __future__ import annotations

from dialer.core.pacing.baselines.impactdialing import ImpactDialing, ImpactSettings, Sample, play
from dialer.core.pacing.estimators import Attempt, Recent
from tests.dialer.core.pacing.baselines.moments import moment


def test_one_agent_whose_calls_all_answer() -> None:
    """Dialed at 0, answered at 10, talks to 60; dialed at 60, and so on: 50 of each 60 s busy, in 240 s 4 x 50."""
    assert play([Sample(answered=True, after_s=10, handle_s=50)], 1, 1.0) == (200 / 240, 0.0)


def test_two_calls_for_one_agent_abandon_the_second() -> None:
    _, abandoned = play([Sample(answered=True, after_s=10, handle_s=50)], 1, 2.0)
    assert abandoned == 50.0


def test_nobody_answers_and_nobody_is_busy() -> None:
    assert play([Sample(answered=False, after_s=10, handle_s=1)], 5, 3.0) == (0.0, 0.0)


def past(attempts: int) -> Recent:
    return Recent(
        [Attempt(100.0, n % 5 == 0, 10.0 if n % 5 == 0 else 25.0) for n in range(attempts)], [100.0] * 20, [15.0]
    )


def test_the_ratio_is_chosen_from_sixths_of_the_inverse_answer_rate() -> None:
    pacer = ImpactDialing(ImpactSettings())
    pacer.allowance(moment(idle=10, recent=past(200)), now=120.0)
    assert any(abs(pacer.ratio - max(1.0, step / 6 * 5)) < 1e-9 for step in range(1, 7))
    assert pacer.ratio > 1


def test_a_small_team_or_a_short_past_means_one_call_each() -> None:
    for agents, attempts in ((4, 200), (10, 40)):
        pacer = ImpactDialing(ImpactSettings())
        assert pacer.allowance(moment(agents, recent=past(attempts)), now=120.0).dials == agents
        assert pacer.ratio == 1.0
