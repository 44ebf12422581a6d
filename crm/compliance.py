"""How a campaign stands to its law: exact count and bound, worst day, each abandoned call, what is unchecked."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, date, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import Connection, func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from crm.campaigns import read_status
from crm.laws import law_named
from dialer.core.exact import clopper_pearson
from dialer.core.types import CampaignSettings, Purpose
from statuses.outcomes import CallStatus
from store.legal import persons_answered
from store.load import ATTEMPTS, BANS
from store.open import readers

_DAY_S: Final = 86_400.0


class Day(msgspec.Struct, frozen=True):
    """Calls answered by a person on one local day, and how many of them were abandoned."""

    day: date
    answered: int
    abandoned: int

    @property
    def share(self) -> float:
        """Return abandoned / answered."""
        return self.abandoned / self.answered if self.answered else 0.0


class AbandonedCall(msgspec.Struct, frozen=True):
    """One abandoned call; `waited_s` from the answer to an agent who came too late, or to the end of the call."""

    call_id: str
    phone: str
    hotline: str
    answered_at: datetime
    waited_s: float
    agent_came: bool


class Compliance(msgspec.Struct, frozen=True):
    """A campaign beside its law, over the law's window until now; shares in 0..1."""

    campaign: str
    law: str
    source: str
    since: datetime
    until: datetime
    answered: int
    abandoned: int
    share: float | None
    limit: float
    within: bool
    low: float
    """Exact 95 % interval of the chance behind the count (Clopper & Pearson)."""
    high: float
    machines: int
    """Answered and recognised as a machine: not in the count. One that was not recognised is in it, as a person."""
    machines_met: int
    """Of these, recognised only after an agent was joined."""
    corrected: float | None
    """The share with the law's estimate of machines among the abandoned calls; None: the law knows none."""
    days: tuple[Day, ...]
    worst_day: Day | None
    calls: tuple[AbandonedCall, ...]
    open_points: tuple[str, ...]
    """What is not in order, or could not be checked."""


async def compliance(engine: AsyncEngine, name: str, *, now: float) -> Compliance:
    """Return the report; raise NotFound for a campaign that is not there."""
    (status,) = await read_status(engine, name, now=now)
    settings = status.settings
    since = now - settings.legal.window_s

    def work(db: Connection) -> Compliance:
        return _report(db, settings, since=since, now=now)

    async with readers(engine).connect() as connection:
        return await connection.run_sync(work)


def _report(db: Connection, settings: CampaignSettings, *, since: float, now: float) -> Compliance:
    legal, zone = settings.legal, ZoneInfo(settings.window.timezone)
    law = law_named(legal.law)
    columns = [
        ATTEMPTS.c[name] for name in ("call_id", "phone_e164", "hotline", "answered_at", "bridged_at", "ended_at")
    ]
    counts: dict[date, list[int]] = defaultdict(lambda: [0, 0])
    calls: list[AbandonedCall] = []
    query = select(*columns).where(persons_answered(settings, since=since)).order_by(ATTEMPTS.c.ended_at)
    for row in db.execute(query):
        call = _abandoned(row, legal.connect_within_s)
        day = counts[datetime.fromtimestamp(row.ended_at, zone).date()]
        day[0] += 1
        if call is not None:
            day[1] += 1
            calls.append(call)
    days = tuple(Day(day, *both) for day, both in sorted(counts.items()))
    answered, abandoned = sum(day.answered for day in days), len(calls)
    low, high = clopper_pearson(abandoned, answered)
    machines, met = _machines(db, settings.campaign_id, since)
    return Compliance(
        campaign=settings.name,
        law=legal.law,
        source=law.source,
        since=datetime.fromtimestamp(since, UTC),
        until=datetime.fromtimestamp(now, UTC),
        answered=answered,
        abandoned=abandoned,
        share=abandoned / answered if answered else None,
        limit=legal.abandon_limit,
        within=abandoned <= legal.abandon_limit * answered,
        low=low,
        high=high,
        machines=machines,
        machines_met=met,
        corrected=corrected(answered - abandoned, met, abandoned) if legal.machine_correction else None,
        days=days,
        worst_day=max(days, key=lambda day: (day.share, day.answered), default=None),
        calls=tuple(calls),
        open_points=(*_open_points(db, settings, now), *law.not_checked),
    )


def _abandoned(row: Any, limit_s: float) -> AbandonedCall | None:
    came = row.bridged_at is not None
    waited = (row.bridged_at if came else row.ended_at) - row.answered_at
    if came and waited <= limit_s:
        return None
    return AbandonedCall(
        row.call_id, row.phone_e164, row.hotline, datetime.fromtimestamp(row.answered_at, UTC), waited, came
    )


def corrected(persons: int, machines: int, abandoned: int) -> float | None:
    """Return the abandoned share when as many of the abandoned calls were machines as of those that agents met.

    Ofcom's statement of 2008: d' = d (1 - m), share = d' / (persons + d'), m = machines / (persons + machines), all met
    by agents. None when agents met nobody.
    """
    if persons + machines == 0:
        return None
    alive = abandoned * persons / (persons + machines)
    return alive / (persons + alive) if persons else 0.0


def _machines(db: Connection, campaign_id: int, since: float) -> tuple[int, int]:
    """Return the calls that machines answered, and those of them that were joined to an agent."""
    mine = (ATTEMPTS.c.campaign_id == campaign_id) & (ATTEMPTS.c.answered_at.is_not(None))
    machine = ATTEMPTS.c.status == CallStatus.VOICEMAIL.value
    both = select(func.count(), func.count(ATTEMPTS.c.bridged_at))
    row = db.execute(both.where(mine & machine & (ATTEMPTS.c.ended_at >= since))).one()
    return int(row[0]), int(row[1])


def _open_points(db: Connection, settings: CampaignSettings, now: float) -> list[str]:
    legal, found = settings.legal, []
    if legal.consent_needed and settings.purpose is Purpose.ADVERTISING and not settings.consent:
        found.append("nobody declared that the people called consented (consent=yes)")
    if legal.message_needed and not settings.overflow_prompt:
        found.append("whoever finds no agent hears no message (overflow_prompt)")
    newest = db.execute(select(func.max(BANS.c.created_at)).where(BANS.c.kind == "dnc")).scalar_one()
    if legal.dnc_max_age_days:
        if newest is None:
            found.append("no do-not-call register was ever loaded")
        elif now - newest > legal.dnc_max_age_days * _DAY_S:
            days = (now - newest) / _DAY_S
            found.append(f"the newest do-not-call entry is {days:.0f} days old; the law: {legal.dnc_max_age_days:g}")
    return found
