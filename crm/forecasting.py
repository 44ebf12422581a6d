"""What a campaign would come to with more or fewer agents: its own estimates, its pacer, its legal count, its list."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec
import numpy as np
from sqlalchemy import Connection, func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from crm.campaigns import CampaignStatus, read_status
from dialer.core.kinds import pacer_for
from dialer.core.pacing.centre import Rules
from dialer.core.pacing.estimators import Estimators
from dialer.core.pacing.forecast import Forecast, dials_left, forecast
from dialer.core.pacing.guard import LegalBudget
from dialer.core.types import CampaignKind, CampaignSettings, SavedEstimates
from dialer.errors import BadInput
from statuses.lead import LeadState
from store import learning
from store.lead_store import SqlLeadStore
from store.load import LEADS
from store.open import readers

AGENTS_MAX: Final = 500
TEAMS_MAX: Final = 12
HOURS_MAX: Final = 24.0
_AROUND: Final = (0.5, 0.75, 1.0, 1.25, 1.5)
_NOBODY_KNOWN: Final = 10
_OPEN: Final = (LeadState.NOT_CALLED.value, LeadState.CALLED_NO_SUCCESS.value, LeadState.CALLBACK.value)


class WhatIf(msgspec.Struct, frozen=True):
    """Everything that `play` needs: plain data, so that it may run in another process."""

    settings: CampaignSettings
    learned: SavedEstimates
    age_s: float
    answers: int
    abandons: int
    """The legal count that the campaign stands at."""
    leads: tuple[tuple[int, int], ...]
    """(attempts so far, leads that may still be called)."""
    teams: tuple[int, ...]
    hours: float


class WhatCame(msgspec.Struct, frozen=True):
    """The forecasts, and on what they stand."""

    campaign: str
    answer_rate: float
    talk_s: float
    wrap_s: float
    machine_share: float
    """Of the answered calls."""
    learned: bool
    """False: nothing has been learned yet, the figures are the careful start's."""
    leads: int
    teams: tuple[Forecast, ...]


async def read_what_if(
    engine: AsyncEngine, name: str, *, agents: Sequence[int] = (), hours: float = 4.0, now: float
) -> WhatIf:
    """Read what a forecast needs; without `agents` teams around the present one.

    Raises NotFound for a campaign that is not there, BadInput for teams or hours that cannot be played.
    """
    (status,) = await read_status(engine, name, now=now)
    settings = status.settings
    teams = tuple(sorted(set(agents))) or _around(status)
    if len(teams) > TEAMS_MAX or not all(1 <= team <= AGENTS_MAX for team in teams):
        raise BadInput(f"agents: give at most {TEAMS_MAX} team sizes of 1 to {AGENTS_MAX}.")
    if not 0 < hours <= HOURS_MAX:
        raise BadInput(f"hours: {hours:g} is outside 0 to {HOURS_MAX:g}.")
    if settings.kind is CampaignKind.AUTODIALER:
        raise BadInput(f"campaign {settings.name!r} needs no agents: there is nothing to forecast for a team.")
    if settings.kind is CampaignKind.INBOUND:
        raise BadInput(f"campaign {settings.name!r} dials nobody: there is nothing to forecast.")

    def work(db: Connection) -> tuple[SavedEstimates, list[tuple[int, int]]]:
        query = select(LEADS.c.attempts, func.count()).group_by(LEADS.c.attempts)
        mine = query.where(LEADS.c.campaign_id == settings.campaign_id, LEADS.c.state.in_(_OPEN))
        return learning.read(db, settings.campaign_id), [(row[0], row[1]) for row in db.execute(mine)]

    async with readers(engine).connect() as connection:
        learned, leads = await connection.run_sync(work)
    since = now - settings.legal.window_s
    answers, abandons = await SqlLeadStore(engine).legal_counts(settings.campaign_id, since=since)
    age_s = max(0.0, now - learned.saved_at)
    return WhatIf(settings, learned, age_s, answers, abandons, tuple(leads), teams, hours)


def play(question: WhatIf) -> WhatCame:
    """Play each team with the same luck; some seconds of computing for large teams."""
    settings = question.settings
    learned = _learned(question)
    known = learned.estimates()
    remain = dials_left(question.leads, p_answer=known.p_answer, max_attempts=settings.retry.max_attempts)
    teams = [_one(question, agents, remain) for agents in question.teams]
    return WhatCame(
        campaign=settings.name,
        answer_rate=known.p_answer,
        talk_s=known.talk.mean_s,
        wrap_s=known.wrap.mean_s,
        machine_share=learned.machine_share,
        learned=bool(question.learned.blob),
        leads=sum(leads for _, leads in question.leads),
        teams=tuple(teams),
    )


def _one(question: WhatIf, agents: int, remain: float) -> Forecast:
    settings = question.settings
    rules = Rules(
        agents=agents,
        grace_s=settings.legal.connect_within_s,
        max_ratio=settings.max_ratio,
        ratio=settings.ratio,
        max_calls=settings.max_calls,
    )
    return forecast(
        _learned(question),
        pacer_for(settings),
        rules,
        LegalBudget(settings.legal, question.answers, question.abandons),
        dials_left=remain,
        luck=np.random.default_rng(agents),
        hours=question.hours,
    )


def _learned(question: WhatIf) -> Estimators:
    legal = question.settings.legal
    learned = Estimators(target=legal.abandon_limit * legal.target_share)
    if question.learned.blob:
        try:
            learned.load(question.learned.blob, age_s=question.age_s)
        except ValueError as error:
            raise BadInput(
                f"{error}; forget them and let the campaign learn anew: "
                f"dialer campaign forget {question.settings.name!r}"
            ) from error
    return learned


def _around(status: CampaignStatus) -> tuple[int, ...]:
    now = status.figures
    agents = _NOBODY_KNOWN
    if now is not None and not status.stale:
        agents = now.idle + now.reserved + now.talking + now.wrapping or _NOBODY_KNOWN
    return tuple(sorted({max(1, min(AGENTS_MAX, round(share * agents))) for share in _AROUND}))
