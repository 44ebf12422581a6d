from __future__ import annotations

from dataclasses import replace

import pytest

from dialer.core.campaign import TRANSITIONS, CampaignAction, CampaignState
from dialer.core.figures import LiveFigures
from dialer.core.types import CampaignSettings
from web.i18n import Words
from web.live import CampaignView
from web.pages.campaign_card import allowed_actions, cap_level, notice_of


def view(state: CampaignState, *, resumes: bool = False) -> CampaignView:
    return CampaignView(1, "A", state, resumes, CampaignSettings(1, "A"), None, None, served=True)


def figures(abandonment: float | None) -> LiveFigures:
    return LiveFigures(
        campaign_id=1,
        at=0.0,
        running=True,
        idle=0,
        reserved=0,
        talking=0,
        wrapping=0,
        paused=0,
        ringing=0,
        waiting=0,
        bridged=0,
        hopper=0,
        placed=0,
        answered=0,
        abandoned=0,
        answer_rate=None,
        abandonment=abandonment,
        abandon_limit=0.03,
        occupancy=None,
        dials=0,
        reason=None,
        detail="",
        next_open_at=None,
    )


@pytest.mark.parametrize("state", CampaignState)
@pytest.mark.parametrize("resumes", [True, False])
def test_only_steps_of_the_state_machine_are_offered(state: CampaignState, resumes: bool) -> None:
    offered = allowed_actions(view(state, resumes=resumes))
    assert all((state, action) in TRANSITIONS for action in offered)
    assert CampaignAction.RESUME not in offered  # that is the schedule's


def test_a_stopped_campaign_is_not_stopped_again_but_one_that_resumes_by_itself_can_be() -> None:
    assert CampaignAction.STOP not in allowed_actions(view(CampaignState.PAUSED))
    assert CampaignAction.STOP in allowed_actions(view(CampaignState.PAUSED, resumes=True))
    assert allowed_actions(view(CampaignState.ENDED)) == ()


@pytest.mark.parametrize(
    ("abandonment", "level"),
    [(None, ""), (0.0, ""), (0.0209, ""), (0.021, "near"), (0.03, "near"), (0.0301, "over"), (1.0, "over")],
)
def test_the_bar_turns_amber_near_the_cap_and_red_above_it(abandonment: float | None, level: str) -> None:
    assert cap_level(figures(abandonment)) == level


def test_a_disabled_webhook_is_told_with_its_reason_beside_whatever_else_is_wrong() -> None:
    words = Words("en")
    well = view(CampaignState.RUNNING)
    assert notice_of(well, words) == ""
    disabled = replace(well, webhook_disabled="the receiver answered 410 Gone")
    assert notice_of(disabled, words).startswith("The webhook is disabled: the receiver answered 410 Gone. ")
    both = notice_of(replace(disabled, served=False), words)
    assert both.startswith("No dialing service runs this campaign.")
    assert both.endswith("dialer campaign webhook NAME enable")
