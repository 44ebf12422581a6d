from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncEngine

from crm.campaigns import act, change_settings, create, forget, read_status
from dialer.core.campaign import CampaignAction, CampaignState
from dialer.core.figures import LiveFigures
from dialer.core.types import CampaignSettings, HoldReason, SavedEstimates
from dialer.errors import BadInput, IllegalAction, NotFound
from store.lead_store import SqlLeadStore
from store.models import Campaign
from tests.crm.worlds import NOW, SETTINGS, campaign, campaign_row, people

A, S = CampaignAction, CampaignState
FIGURES = LiveFigures(
    campaign_id=1, at=NOW, running=True, idle=2, reserved=0, talking=5, wrapping=1, paused=0, ringing=4, waiting=1,
    bridged=5, hopper=20, placed=100, answered=40, abandoned=1, answer_rate=0.4, abandonment=0.025, abandon_limit=0.03,
    occupancy=0.8, dials=2, reason=HoldReason.PACING, detail="2 idle", next_open_at=None,
)  # fmt: skip


async def test_a_campaign_is_kept_as_it_was_made(engine: AsyncEngine) -> None:
    made = msgspec.structs.replace(SETTINGS, name=" Tết ", ratio=2.5)
    campaign_id = await create(engine, made, now=NOW)
    (status,) = await read_status(engine, now=NOW)
    assert status.settings == msgspec.structs.replace(made, campaign_id=campaign_id, name="Tết")
    assert (status.name, status.state, status.leads, status.served, status.stale) == ("Tết", S.DRAFT, 0, False, True)
    with pytest.raises(BadInput, match="there is a campaign 'Tết' already"):
        await create(engine, made, now=NOW)
    assert len(await read_status(engine, now=NOW)) == 1


async def test_wrong_settings_make_nothing(sqlite: AsyncEngine) -> None:
    with pytest.raises(BadInput, match="ratio: 0 is outside"):
        await create(sqlite, CampaignSettings(0, "Tết", ratio=0.0), now=NOW)
    assert await read_status(sqlite, now=NOW) == []


async def test_the_life_of_a_campaign(engine: AsyncEngine) -> None:
    await campaign(engine)
    life = [(A.APPROVE, S.APPROVED, False), (A.START, S.RUNNING, True), (A.PAUSE, S.PAUSED, True),
            (A.STOP, S.PAUSED, False), (A.START, S.RUNNING, True), (A.END, S.ENDED, False)]  # fmt: skip
    for place, (action, state, resumes) in enumerate(life, 1):
        await act(engine, "Tết", action, now=NOW + place)
        row = await campaign_row(engine)
        assert (row.state, row.resumes_by_schedule, row.revision) == (state, resumes, place)
    assert row.state_since == NOW + 6


@pytest.mark.parametrize(
    ("before", "action", "words"),
    [
        ([], A.START, "cannot start a campaign that is draft; allowed now: approve, end"),
        ([A.END], A.START, "cannot start a campaign that is ended; allowed now: nothing"),
        ([A.APPROVE], A.PAUSE, "allowed now: end, start"),
    ],
)
async def test_an_illegal_step_says_what_is_allowed(
    sqlite: AsyncEngine, before: list[CampaignAction], action: CampaignAction, words: str
) -> None:
    await campaign(sqlite)
    for one in before:
        await act(sqlite, "Tết", one, now=NOW)
    row = await campaign_row(sqlite)
    with pytest.raises(IllegalAction, match=f"campaign 'Tết': .*{words}"):
        await act(sqlite, "Tết", action, now=NOW)
    assert await campaign_row(sqlite) == row


async def test_an_unknown_campaign_gets_near_names(sqlite: AsyncEngine) -> None:
    await campaign(sqlite, "Chăm sóc")
    for work in (
        act(sqlite, "cham soc", A.START, now=NOW),
        read_status(sqlite, "Chăm só", now=NOW),
        change_settings(sqlite, "Cham-soc", {}, now=NOW),
    ):
        with pytest.raises(NotFound, match="Did you mean 'Chăm sóc'"):
            await work


async def test_settings_change_and_the_engine_is_told(sqlite: AsyncEngine) -> None:
    await campaign(sqlite)
    after = await change_settings(sqlite, "Tết", {"ratio": "2", "kind": "ratio"}, now=NOW)
    assert (after.ratio, after.pacer) == (2.0, "ratio")
    assert (await campaign_row(sqlite)).revision == 1
    with pytest.raises(BadInput, match="ratio: 99"):
        await change_settings(sqlite, "Tết", {"ratio": "99"}, now=NOW)
    await act(sqlite, "Tết", A.APPROVE, now=NOW)
    with pytest.raises(IllegalAction, match="kind can be changed only in a draft"):
        await change_settings(sqlite, "Tết", {"kind": "progressive"}, now=NOW)
    await act(sqlite, "Tết", A.END, now=NOW)
    with pytest.raises(IllegalAction, match="has ended"):
        await change_settings(sqlite, "Tết", {"ratio": "1"}, now=NOW)
    assert (await read_status(sqlite, now=NOW))[0].settings.ratio == 2.0


async def test_a_window_that_has_closed_for_good_is_not_started(sqlite: AsyncEngine) -> None:
    await campaign(sqlite, ends_at=NOW + 3600)
    await act(sqlite, "Tết", A.APPROVE, now=NOW)
    with pytest.raises(BadInput, match="ends_at"):
        await act(sqlite, "Tết", A.START, now=NOW + 7200)


async def test_a_campaign_without_a_number_to_show_is_not_approved(sqlite: AsyncEngine) -> None:
    await campaign(sqlite, hotlines=())
    with pytest.raises(
        BadInput, match=r"hotlines: .*'Tết' has no number to show; .* campaign set 'Tết' hotlines=NUMBER"
    ):
        await act(sqlite, "Tết", A.APPROVE, now=NOW)
    assert (await campaign_row(sqlite)).state == S.DRAFT
    await change_settings(sqlite, "Tết", {"hotlines": "02873001234"}, now=NOW)
    await act(sqlite, "Tết", A.APPROVE, now=NOW)
    await change_settings(sqlite, "Tết", {"hotlines": ""}, now=NOW)
    with pytest.raises(BadInput, match="hotlines: "):
        await act(sqlite, "Tết", A.START, now=NOW)


async def test_live_figures_and_when_they_are_history(sqlite: AsyncEngine, tmp_path: Path) -> None:
    await campaign(sqlite)
    await people(sqlite, tmp_path, 3)
    async with sqlite.begin() as db:
        figures = msgspec.json.encode(FIGURES)
        owned = {"owner": "engine", "lease_expires_at": NOW + 60, "runtime": figures, "runtime_at": NOW}
        await db.execute(update(Campaign).values(owned))
    (fresh,) = await read_status(sqlite, "Tết", now=NOW + 5)
    assert (fresh.figures, fresh.leads, fresh.served, fresh.stale) == (FIGURES, 3, True, False)
    late = (await read_status(sqlite, now=NOW + 61))[0]
    assert (late.served, late.stale) == (False, True)


async def test_forgetting_drops_what_was_learned_and_tells_a_running_engine(engine: AsyncEngine) -> None:
    mine, store = await campaign(engine), SqlLeadStore(engine)
    other = await campaign(engine, "Hè")
    for one in (mine, other):
        fence = await store.acquire(one, owner="a", now=NOW, ttl_s=30.0)
        assert fence is not None
        assert await store.remember(fence, SavedEstimates(b"known", NOW))
    before = await campaign_row(engine)
    await forget(engine, " Tết ", now=NOW + 1)
    assert await store.learned(mine) == SavedEstimates(b"", NOW + 1, forgets=1)
    assert (await store.learned(other)).blob == b"known"
    assert (await campaign_row(engine)).revision == before.revision + 1
    with pytest.raises(NotFound, match="Did you mean 'Tết'"):
        await forget(engine, "Tet", now=NOW)
