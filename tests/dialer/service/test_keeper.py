"""Campaigns followed: taken, changed, paused, resumed by schedule, ended, lost to another owner."""

from __future__ import annotations

import msgspec
import pytest

from dialer.core.campaign import CampaignState
from dialer.core.events import TrunkClosed, TrunkOpened
from dialer.core.figures import LiveFigures
from dialer.core.types import CallWindow, CampaignKind, HoldReason, Slot
from dialer.ports import CampaignRow
from dialer.service.keeper import LEASE_S
from simulator.profile import Fate
from statuses.classify import load_overrides
from tests.dialer.service.stage import Stage
from tests.simulator.worlds import only


def change(stage: Stage, **values: object) -> None:
    """Change a campaign as a person does: the revision moves."""
    info = stage.store.book.campaigns[1]
    for name, value in values.items():
        setattr(info, name, value)
    info.revision += 1
    info.state_since = stage.clock.now()


async def test_a_draft_is_left_alone_and_an_approved_campaign_waits() -> None:
    stage = Stage()
    stage.campaign(state=CampaignState.DRAFT)
    async with stage.running():
        await stage.clock.advance(5)
        assert stage.driver.seats == {}
        change(stage, state=CampaignState.APPROVED)
        await stage.clock.advance(5)
        assert list(stage.driver.seats) == [1]
        assert stage.invites == []
        change(stage, state=CampaignState.RUNNING)
        await stage.clock.advance(5)
        assert stage.invites


async def test_pause_and_start_by_a_person() -> None:
    stage = Stage(agents=1)
    stage.campaign(leads=50)
    async with stage.running():
        await stage.clock.advance(30)
        change(stage, state=CampaignState.PAUSED, resumes_by_schedule=False)
        await stage.clock.advance(2)
        placed = len(stage.invites)
        await stage.clock.advance(60)
        assert len(stage.invites) == placed
        change(stage, state=CampaignState.RUNNING, resumes_by_schedule=True)
        await stage.clock.advance(60)
        assert len(stage.invites) > placed


async def test_a_pause_resumes_when_the_window_opens_again_and_a_stop_does_not() -> None:
    # START is 15:00 in Ho Chi Minh City: the window closes at 15:02 and opens at 15:04.
    window = CallWindow(weekdays=((Slot(480, 902), Slot(904, 1020)),) * 7)
    for resumes, state in ((True, CampaignState.RUNNING), (False, CampaignState.PAUSED)):
        stage = Stage()
        stage.campaign(window=window)
        async with stage.running():
            await stage.clock.advance(5)
            change(stage, state=CampaignState.PAUSED, resumes_by_schedule=resumes)
            await stage.clock.advance(200)
            assert stage.store.book.campaigns[1].state is CampaignState.PAUSED
            await stage.clock.advance(60)
            assert stage.store.book.campaigns[1].state is state


async def test_a_lead_that_a_person_pauses_leaves_the_hopper() -> None:
    stage = Stage(agents=1)
    stage.campaign(leads=4)
    async with stage.running():
        await stage.clock.advance(3)
        waiting = set(stage.driver.seats[1].engine.leased_leads)
        held = max(waiting)
        stage.store.book.leads[held].state = "paused"
        change(stage)
        await stage.clock.advance(240)
    assert stage.store.book.leads[held].dialed == 0
    assert stage.states()["success"] == 3


async def test_it_ends_by_itself_when_everything_is_done_and_when_its_time_is_over() -> None:
    done = Stage()
    done.campaign(leads=2, end_when_done=True)
    async with done.running():
        await done.clock.advance(200)
        assert done.store.book.campaigns[1].state is CampaignState.ENDED
        assert done.driver.seats == {}
    timed = Stage()
    timed.campaign(leads=500, ends_at=timed.clock.now() + 100)
    async with timed.running():
        await timed.clock.advance(103)
        assert timed.store.book.campaigns[1].state is CampaignState.ENDED


async def test_another_owner_takes_over_after_the_lease_and_the_first_one_stops() -> None:
    one = Stage(agents=1)
    one.campaign(leads=50)
    async with one.running():
        await one.clock.advance(5)
        info = one.store.book.campaigns[1]
        info.owner, info.epoch, info.lease_expires_at = "two", info.epoch + 1, one.clock.now() + 60
        placed = len(one.invites)
        await one.clock.advance(LEASE_S + 30)
        assert one.driver.seats == {}
        assert len(one.invites) <= placed + 1


async def test_figures_are_published_for_other_processes() -> None:
    stage = Stage()
    stage.campaign(leads=50)
    async with stage.running():
        await stage.clock.advance(30)
    figures = msgspec.json.decode(stage.store.runtimes[1][0], type=LiveFigures)
    assert figures.running
    assert figures.placed == len(stage.invites)


async def test_closing_lets_calls_finish_and_resigning_gives_the_campaign_back() -> None:
    stage = Stage()
    stage.campaign(leads=50)
    async with stage.running():
        await stage.clock.advance(20)
        await stage.keeper.close()
        placed = len(stage.invites)
        await stage.clock.advance(200)
        assert len(stage.invites) == placed
        assert stage.driver.calls_in_flight == 0
        await stage.keeper.resign()
        assert stage.store.book.campaigns[1].owner is None


async def test_a_store_that_does_not_answer_brakes_and_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    stage = Stage()
    stage.campaign(leads=50)
    async with stage.running():
        await stage.clock.advance(5)

        async def away() -> list[CampaignRow]:
            raise OSError("connection refused")

        with monkeypatch.context() as patched:
            patched.setattr(stage.store, "campaigns", away)
            await stage.clock.advance(3)
            assert stage.driver.seats[1].engine.figures(stage.clock.now()).reason == "store_slow"
        await stage.clock.advance(60)
        assert stage.driver.seats[1].engine.figures(stage.clock.now()).reason != "store_slow"


async def test_what_a_carriers_codes_really_mean_decides_how_leads_settle() -> None:
    table = load_overrides('[[override]]\ntrunk = "sim"\nsip = 486\nstatus = "phone-block"\n')
    for overrides, status in (((), "busy"), (table, "phone-block")):
        stage = Stage(carrier=only(Fate.ENGAGED), overrides=overrides)
        stage.campaign(leads=2)
        async with stage.running():
            await stage.clock.advance(30)
        assert {lead.last_status for lead in stage.store.book.leads.values()} == {status}


async def test_a_trunk_that_is_down_gets_no_calls_until_it_is_back() -> None:
    stage = Stage()
    stage.campaign(leads=6)
    async with stage.running():
        stage.driver.on_trunk(TrunkClosed("sim", "OPTIONS is not answered"))
        await stage.clock.advance(60)
        assert stage.invites == []
        stage.driver.on_trunk(TrunkOpened("sim"))
        await stage.clock.advance(240)
    assert len(stage.invites) == 6


async def test_a_campaign_that_the_adapter_cannot_serve_calls_nobody_and_says_why(
    caplog: pytest.LogCaptureFixture,
) -> None:
    stage = Stage()
    stage.trunk.capabilities = msgspec.structs.replace(stage.trunk.capabilities, inbound=False, record=False)
    settings = stage.campaign(leads=2, kind=CampaignKind.INBOUND)
    async with stage.running():
        await stage.clock.advance(5)
        figures = stage.driver.seats[1].engine.figures(stage.clock.now())
        assert figures.reason is HoldReason.ADAPTER
        assert "no call to a hotline arrives (`inbound`)" in figures.detail
        stage.driver.on_trunk(TrunkOpened("sim"))
        await stage.clock.advance(5)
        assert stage.driver.seats[1].engine.figures(stage.clock.now()).reason is HoldReason.ADAPTER
        change(stage, settings=msgspec.structs.replace(settings, kind=CampaignKind.PREDICTIVE, record=True))
        await stage.clock.advance(240)
    assert len(stage.invites) == 2, "what it only wishes for holds nobody"
    said = [record.message for record in caplog.records if getattr(record, "action", "") == "campaign.lacks"]
    assert [("hotline" in words, "not recorded" in words) for words in said] == [(True, False), (False, True)]


async def test_agents_phones_are_kept_up_while_they_are_there(monkeypatch: pytest.MonkeyPatch) -> None:
    stage = Stage(agents=2)
    stage.campaign(leads=0)
    told: list[tuple[str, bool]] = []

    async def station(agent_id: str, *, up: bool) -> None:
        told.append((agent_id, up))

    monkeypatch.setattr(stage.trunk, "station", station)
    async with stage.running():
        await stage.clock.advance(10)
        assert dict(told) == dict.fromkeys(stage.desks.names, True)
        await stage.driver.quiet()
