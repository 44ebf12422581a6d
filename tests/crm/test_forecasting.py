"""A forecast from the store: the campaign's own learning, count and list."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncEngine

from crm.forecasting import play, read_what_if
from dialer.core.types import CampaignKind
from dialer.errors import BadInput, NotFound
from store.models import LearnedEstimates
from tests.crm.worlds import NOW, campaign, people
from tests.dialer.core.pacing.test_forecast import learned


async def remember(engine: AsyncEngine, campaign_id: int, blob: bytes) -> None:
    async with engine.begin() as connection:
        await connection.execute(
            insert(LearnedEstimates).values(campaign_id=campaign_id, blob=blob, saved_at=NOW - 60, forgets=0)
        )


async def test_a_campaign_tells_from_what_it_has_learned(engine: AsyncEngine, tmp_path: Path) -> None:
    campaign_id = await campaign(engine)
    await people(engine, tmp_path, 8)
    await remember(engine, campaign_id, learned(0.3).dump())
    question = await read_what_if(engine, "Tết", agents=[8, 3, 3], hours=1.0, now=NOW)
    assert (question.teams, question.leads) == ((3, 8), ((0, 8),))
    came = play(question)
    assert [team.agents for team in came.teams] == [3, 8]
    assert (came.learned, came.leads) == (True, 8)
    assert came.answer_rate == pytest.approx(0.3, abs=0.03)
    assert came.teams[1].occupancy > 0.4
    assert came.teams[1].list_hours is not None
    assert came.teams[1].list_hours < 1


async def test_without_anything_learned_it_says_so(sqlite: AsyncEngine) -> None:
    await campaign(sqlite)
    question = await read_what_if(sqlite, "Tết", hours=0.5, now=NOW)
    assert question.teams == (5, 8, 10, 12, 15)
    came = play(question)
    assert not came.learned
    assert came.answer_rate == 0.5


@pytest.mark.parametrize(
    ("agents", "hours", "words"),
    [
        ([0], 1.0, "agents: give"),
        ([501], 1.0, "agents: give"),
        (range(1, 20), 1.0, "at most 12"),
        ([5], 0.0, "hours: 0"),
    ],
)
async def test_teams_and_hours_that_cannot_be(sqlite: AsyncEngine, agents: list[int], hours: float, words: str) -> None:
    await campaign(sqlite)
    with pytest.raises(BadInput, match=words):
        await read_what_if(sqlite, "Tết", agents=list(agents), hours=hours, now=NOW)


async def test_a_campaign_without_agents_or_that_is_not_there(sqlite: AsyncEngine) -> None:
    await campaign(sqlite, kind=CampaignKind.AUTODIALER, pacer="agentless", prompt="hello.wav")
    with pytest.raises(BadInput, match="needs no agents"):
        await read_what_if(sqlite, "Tết", now=NOW)
    with pytest.raises(NotFound):
        await read_what_if(sqlite, "Tét", now=NOW)


async def test_learning_that_cannot_be_read_says_what_to_do(sqlite: AsyncEngine) -> None:
    campaign_id = await campaign(sqlite)
    await remember(sqlite, campaign_id, b"rubbish")
    question = await read_what_if(sqlite, "Tết", agents=[3], hours=0.5, now=NOW)
    with pytest.raises(BadInput, match="dialer campaign forget 'Tết'"):
        play(question)
