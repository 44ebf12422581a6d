"""What campaigns have learned outlives the process, and whatever happens to it, campaigns dial."""

from __future__ import annotations

import itertools
import logging

import pytest

from dialer.core.campaign import CampaignState
from dialer.core.types import Fence, SavedEstimates
from dialer.service.keeper import LEASE_S
from dialer.service.learning import LAST_TRIES, RETRY_S, SAVE_EVERY_S
from simulator.profile import Fate
from store.memory import MemoryLeadStore
from tests.dialer.service.stage import Stage
from tests.dialer.service.test_keeper import change
from tests.simulator.worlds import only

LEADS = 200


def actions(caplog: pytest.LogCaptureFixture, prefix: str = "learned.") -> list[str]:
    """List what the log says about learning, in order."""
    found = [getattr(record, "action", "") for record in caplog.records]
    return [action for action in found if action.startswith(prefix)]


def rate(stage: Stage) -> float:
    return stage.driver.seats[1].engine.expected_answer_rate


async def dialed_for(seconds: float, *, store: MemoryLeadStore | None = None) -> Stage:
    """Return a stage that was killed; nobody answers, so its campaign has learned to expect few answers."""
    stage = Stage(store=store, carrier=only(Fate.REJECT))
    stage.campaign(leads=LEADS)
    async with stage.running():
        await stage.clock.advance(seconds)
    return stage


def successor(stage: Stage) -> Stage:
    """Return the next process of the same installation: it owns the campaign at once."""
    return Stage(store=stage.store, clock=stage.clock, carrier=only(Fate.REJECT), agents=0)


async def test_a_killed_process_costs_at_most_a_minute_of_learning(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    first = await dialed_for(SAVE_EVERY_S * 3 + 5)
    taught, saved = rate(first), await first.store.learned(1)
    assert first.clock.now() - saved.saved_at < SAVE_EVERY_S
    second = successor(first)
    async with second.running():
        await second.clock.advance(0)
        assert rate(second) == pytest.approx(taught, abs=0.03)
        assert rate(second) < 0.3  # a cold start expects 0.5
    assert actions(caplog) == ["learned.recalled"]


async def test_a_campaign_that_learns_nothing_is_not_written() -> None:
    stage = Stage(agents=0)
    stage.campaign(state=CampaignState.APPROVED)
    async with stage.running():
        await stage.clock.advance(SAVE_EVERY_S * 3)
        await stage.keeper.resign()
    assert await stage.store.learned(1) == SavedEstimates()


async def test_it_is_not_saved_with_every_call(monkeypatch: pytest.MonkeyPatch) -> None:
    store, saves = MemoryLeadStore(), list[float]()
    remember = store.remember

    async def counted(fence: Fence, learned: SavedEstimates) -> bool:
        saves.append(learned.saved_at)
        return await remember(fence, learned)

    monkeypatch.setattr(store, "remember", counted)
    stage = await dialed_for(SAVE_EVERY_S * 5 + 5, store=store)
    assert len(stage.invites) > len(saves) >= 4
    assert min(later - sooner for sooner, later in itertools.pairwise(saves)) >= SAVE_EVERY_S


@pytest.mark.parametrize("resumes", [True, False])
async def test_a_pause_and_a_stop_save_at_once(resumes: bool) -> None:
    stage = Stage(carrier=only(Fate.REJECT))
    stage.campaign(leads=LEADS)
    async with stage.running():
        await stage.clock.advance(30)
        assert await stage.store.learned(1) == SavedEstimates()
        change(stage, state=CampaignState.PAUSED, resumes_by_schedule=resumes)
        await stage.clock.advance(1)
        saved = await stage.store.learned(1)
        assert saved.blob
        await stage.clock.advance(SAVE_EVERY_S)  # calls that were in flight taught it something more
        assert (await stage.store.learned(1)).blob == stage.driver.seats[1].engine.learned()


@pytest.mark.parametrize("ended", [True, False])
async def test_an_ended_campaign_and_an_orderly_stop_leave_everything_behind(ended: bool) -> None:
    stage = Stage(carrier=only(Fate.REJECT))
    stage.campaign(leads=LEADS)
    async with stage.running():
        await stage.clock.advance(30)
        engine = stage.driver.seats[1].engine
        if ended:
            change(stage, state=CampaignState.ENDED)
        else:
            await stage.keeper.close()
        await stage.clock.advance(30)
        await stage.keeper.resign()
        assert stage.driver.seats == {}
    assert (await stage.store.learned(1)).blob == engine.learned()


@pytest.mark.parametrize("blob", [b"rubbish", b"\x81\xa4rate\xc0"])
async def test_what_cannot_be_read_is_told_once_and_the_campaign_starts_cold(
    caplog: pytest.LogCaptureFixture, blob: bytes
) -> None:
    stage = Stage(carrier=only(Fate.REJECT))
    stage.campaign(leads=LEADS)
    fence = await stage.store.acquire(1, owner="one", now=stage.clock.now(), ttl_s=1.0)
    assert fence is not None
    assert await stage.store.remember(fence, SavedEstimates(blob, stage.clock.now()))
    async with stage.running():
        await stage.clock.advance(30)
        assert stage.invites
        assert (await stage.store.learned(1)).blob == blob  # until something better is known
        await stage.clock.advance(SAVE_EVERY_S)
        assert (await stage.store.learned(1)).blob != blob
    assert actions(caplog) == ["learned.unreadable"]
    assert stage.keeper.learning.unreadable == 1


async def test_a_save_that_fails_is_told_and_tried_again_while_calls_go_on(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = Stage(carrier=only(Fate.REJECT))
    stage.campaign(leads=LEADS)

    async def full(_fence: Fence, _learned: SavedEstimates) -> bool:
        raise OSError("no space left on device")

    async with stage.running():
        with monkeypatch.context() as patched:
            patched.setattr(stage.store, "remember", full)
            await stage.clock.advance(SAVE_EVERY_S + 1)
            placed = len(stage.invites)
            await stage.clock.advance(RETRY_S * 3)
        assert actions(caplog) == ["learned.retry"] * stage.keeper.learning.failures
        assert 2 <= stage.keeper.learning.failures <= 5
        assert len(stage.invites) > placed
        await stage.clock.advance(RETRY_S + 1)
    assert (await stage.store.learned(1)).blob


async def test_a_save_that_fails_at_the_stop_does_not_keep_the_campaign(monkeypatch: pytest.MonkeyPatch) -> None:
    stage = Stage(carrier=only(Fate.REJECT))
    stage.campaign(leads=LEADS)

    async def full(_fence: Fence, _learned: SavedEstimates) -> bool:
        raise OSError("no space left on device")

    async with stage.running():
        await stage.clock.advance(30)
        monkeypatch.setattr(stage.store, "remember", full)
        await stage.keeper.resign()
        assert stage.keeper.learning.failures == LAST_TRIES
        assert stage.store.book.campaigns[1].owner is None


async def test_a_fenced_engine_leaves_the_new_owners_estimates_alone() -> None:
    first = Stage(carrier=only(Fate.REJECT))
    first.campaign(leads=LEADS)
    async with first.running():
        await first.clock.advance(30)
        info = first.store.book.campaigns[1]
        info.owner, info.epoch, info.lease_expires_at = "two", info.epoch + 1, first.clock.now() + 600
        theirs = SavedEstimates(b"theirs", first.clock.now())
        assert await first.store.remember(Fence(1, "two", info.epoch, 0.0), theirs)
        await first.clock.advance(LEASE_S + SAVE_EVERY_S)
        await first.keeper.resign()
        assert await first.store.learned(1) == theirs


async def test_a_running_campaign_forgets_within_a_second(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    stage = Stage(carrier=only(Fate.REJECT))
    stage.campaign(leads=LEADS)
    async with stage.running():
        await stage.clock.advance(SAVE_EVERY_S + 1)
        taught = rate(stage)
        stage.store.forget(1, now=stage.clock.now())
        change(stage)
        await stage.clock.advance(1)
        assert taught < 0.3 < rate(stage)
        await stage.clock.advance(SAVE_EVERY_S)
        again = await stage.store.learned(1)
        assert (bool(again.blob), again.forgets) == (True, 1)
    assert actions(caplog) == ["learned.forgotten"]


async def test_a_wish_to_forget_that_was_missed_is_found_by_the_next_save() -> None:
    stage = Stage(carrier=only(Fate.REJECT))
    stage.campaign(leads=LEADS)
    async with stage.running():
        await stage.clock.advance(30)
        taught = rate(stage)
        stage.store.forget(1, now=stage.clock.now())  # and no revision tells of it
        await stage.clock.advance(SAVE_EVERY_S - 29)
        assert stage.driver.seats[1].engine.forgets == 1
        assert rate(stage) > taught
    second = successor(stage)
    async with second.running():
        await second.clock.advance(0)
        assert second.driver.seats[1].engine.forgets == 1
