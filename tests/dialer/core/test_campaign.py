from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.core.campaign import TRANSITIONS, CampaignAction, CampaignState, CampaignStep, IllegalCampaignAction, step

S, A = CampaignState, CampaignAction


def after(*actions: CampaignAction) -> CampaignStep:
    now = CampaignStep(S.DRAFT, resumes_by_schedule=False)
    for action in actions:
        now = step(now.state, action, resumes_by_schedule=now.resumes_by_schedule)
    return now


def test_a_campaign_is_approved_before_it_runs() -> None:
    assert after(A.APPROVE, A.START).state is S.RUNNING
    with pytest.raises(
        IllegalCampaignAction, match=r"cannot start a campaign that is draft; allowed now: approve, end"
    ):
        after(A.START)


def test_pause_waits_for_the_schedule() -> None:
    paused = after(A.APPROVE, A.START, A.PAUSE)
    assert paused == CampaignStep(S.PAUSED, resumes_by_schedule=True)
    assert step(paused.state, A.RESUME, resumes_by_schedule=paused.resumes_by_schedule).state is S.RUNNING


@pytest.mark.parametrize("way", [(A.STOP,), (A.PAUSE, A.STOP)])
def test_stop_waits_for_a_person(way: tuple[CampaignAction, ...]) -> None:
    stopped = after(A.APPROVE, A.START, *way)
    assert stopped == CampaignStep(S.PAUSED, resumes_by_schedule=False)
    with pytest.raises(
        IllegalCampaignAction, match=r"cannot resume a campaign that is paused; allowed now: end, start"
    ):
        step(stopped.state, A.RESUME, resumes_by_schedule=stopped.resumes_by_schedule)
    assert step(stopped.state, A.START, resumes_by_schedule=False).state is S.RUNNING


def test_a_restarted_campaign_may_again_resume_by_schedule() -> None:
    assert after(A.APPROVE, A.START, A.STOP, A.START, A.PAUSE, A.RESUME).state is S.RUNNING


@pytest.mark.parametrize("action", A)
def test_an_ended_campaign_allows_nothing(action: CampaignAction) -> None:
    with pytest.raises(IllegalCampaignAction, match="that is ended; allowed now: nothing"):
        step(S.ENDED, action)


@pytest.mark.parametrize("state", [s for s in S if s is not S.ENDED])
def test_every_other_campaign_can_be_ended(state: CampaignState) -> None:
    assert step(state, A.END).state is S.ENDED


@given(st.sampled_from(S), st.sampled_from(A), st.booleans())
def test_every_action_is_a_row_of_the_table_or_refused(
    state: CampaignState, action: CampaignAction, resumes: bool
) -> None:
    barred = action is A.RESUME and not resumes
    if (state, action) in TRANSITIONS and not barred:
        assert step(state, action, resumes_by_schedule=resumes) == TRANSITIONS[state, action]
    else:
        with pytest.raises(IllegalCampaignAction, match=f"cannot {action} a campaign that is {state}"):
            step(state, action, resumes_by_schedule=resumes)


@given(st.lists(st.sampled_from(A), max_size=12))
def test_only_a_paused_or_running_campaign_has_a_schedule_to_resume_by(actions: list[CampaignAction]) -> None:
    now = CampaignStep(S.DRAFT, resumes_by_schedule=False)
    for action in actions:
        if (now.state, action) in TRANSITIONS and (action is not A.RESUME or now.resumes_by_schedule):
            now = step(now.state, action, resumes_by_schedule=now.resumes_by_schedule)
        assert not now.resumes_by_schedule or now.state in {S.RUNNING, S.PAUSED}
