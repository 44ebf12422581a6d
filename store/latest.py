"""The latest moment that the database knows."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from store.models import Attempt, Campaign, LearnedEstimates
from store.open import readers


async def latest_time(engine: AsyncEngine) -> float:
    """Return the newest time (UTC epoch seconds) of any attempt, engine report or save, 0 for an empty database.

    A process whose clock runs ahead of the wall (the demo) goes on from here, so that time never runs backwards.
    """
    times = (
        func.max(Attempt.begun_at),
        func.max(Attempt.ended_at),
        func.max(Campaign.runtime_at),
        func.max(LearnedEstimates.saved_at),
    )
    async with readers(engine).connect() as connection:
        found = [(await connection.execute(select(what))).scalar() for what in times]
    return max((float(at) for at in found if at is not None), default=0.0)
