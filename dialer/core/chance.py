"""How likely each lead answers now, beside the campaign as a whole."""

from __future__ import annotations

from dialer.core.pacing.answering import Features
from dialer.core.state import EngineState
from dialer.core.types import Lead

UPCOMING = 64
"""So many of the next leads are weighed one by one in a decision."""
_LEAST, _MOST = 0.98, 1.02
"""Between these a lead is like the campaign."""
_ANY_TRUNK = ""
"""Which trunk will carry a lead is known only when it is dialed."""


def features_of(lead: Lead, trunk: str, hour: int) -> Features:
    """Return what the answer probability depends on."""
    return Features(hour=hour, list_id=lead.list_id, trunk=trunk, attempt_no=lead.dialed + 1)


def lift(state: EngineState, features: Features) -> float:
    """Return the chance of an answer as a multiple of the campaign's."""
    overall, _ = state.estimators.answers.overall()
    return state.estimators.answers.chance(features) / overall


def best_lists(state: EngineState, now: float) -> tuple[int, ...]:
    """Return the lists that answer better than the campaign as a whole in this hour, the best first."""
    hour, answers = state.window.local_hour(now), state.estimators.answers
    usual, _ = answers.overall()
    chances = {
        list_id: answers.chance(Features(hour=hour, list_id=list_id, trunk=_ANY_TRUNK, attempt_no=1))
        for list_id in answers.lists()
    }
    better = [list_id for list_id, chance in chances.items() if chance > _MOST * usual]
    return tuple(sorted(better, key=lambda list_id: -chances[list_id]))


def weigh(state: EngineState, now: float) -> None:
    """Weigh the leads in the hopper for this hour."""
    hour = state.window.local_hour(now)
    state.hopper.weigh(hour, lambda lead: lift(state, features_of(lead, _ANY_TRUNK, hour)))


def chances(lifts: list[float], p_answer: float) -> tuple[float, ...]:
    """Return probabilities for lifts; nothing when all calls are alike."""
    if all(_LEAST < one < _MOST for one in lifts):
        return ()
    return tuple([min(1.0, p_answer * one) for one in lifts])
