"""The LeadStore over SQL: one commit is one transaction of a few bulk statements, however many effects it has."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import Connection, Row, and_, case, func, select, text, update
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.ext.asyncio import AsyncEngine

from cdr.encode import OutboxEvent
from dialer.core.campaign import CampaignState
from dialer.core.effects import AnswerRequest, BeginAttempts, LeaseLeads, SeekLead, SettleAttempt, SettleLead
from dialer.core.events import Event, Requested
from dialer.core.types import AgentId, AttemptIntent, CallId, Direction, Fence, OpenAttempt, SavedEstimates
from dialer.ports import BadEffects, CampaignRow, Owned
from store import learning, ownership, requests
from store.batch import BY_STORE, name_of, perform, touched, unanswered
from store.book import Book
from store.leases import with_leads, withdrawn
from store.legal import joined_within, persons_answered
from store.load import ATTEMPTS, CAMPAIGNS, campaigns_query, info_of, load, load_leads
from store.models import UNFINISHED
from store.outbox import append
from store.picking import lease_leads
from store.rows import CampaignInfo, campaign_row
from store.runner import runner_for
from store.scripts import scripts_of
from store.seeking import seek_lead
from store.write import flush

Fault = Callable[[str], None]


def _no_fault(_point: str) -> None:
    """Do nothing at the named point."""


class SqlLeadStore:
    """Leases, write-ahead attempts and settlements in SQLite or PostgreSQL.

    `fault` is called at named points, so that tests can die there: commit.before, begin.before_commit,
    settle.before_commit, and the same with after_commit / commit.after once the transaction is durable.
    """

    def __init__(self, engine: AsyncEngine, *, fault: Fault | None = None) -> None:
        self._runner = runner_for(engine)
        self._fault = fault or _no_fault

    async def commit(self, batch: Sequence[Owned], *, now: float) -> Sequence[tuple[int, Event]]:
        """Perform all effects in one transaction; return the answers in order.

        Raises BadEffects, after all the others were committed, for effects that could not be performed.
        """
        points = _points(batch)
        self._fault("commit.before")
        answers, failures = await self._runner.write(lambda connection: self._transact(connection, batch, points, now))
        for point in points:
            self._fault(f"{point}.after_commit")
        self._fault("commit.after")
        if failures:
            raise BadEffects(failures, answers)
        return answers

    def _transact(
        self, connection: Connection, batch: Sequence[Owned], points: Sequence[str], now: float
    ) -> tuple[list[tuple[int, Event]], list[tuple[str, Exception]]]:
        book = load(connection, touched(batch), now=now)
        answers: dict[int, Event | None] = {}
        for place, owned in enumerate(batch):
            if not isinstance(owned.effect, BY_STORE):
                answers[place] = perform(book, owned, now)
        flush(connection, book, now=now)
        events = book.journal.events
        for place, owned in enumerate(batch):  # last, so that what the batch released can be leased again
            if isinstance(owned.effect, BY_STORE):
                answers[place] = _found(connection, book, owned, now)
        append(connection, events, now=now)
        for point in points:
            self._fault(f"{point}.before_commit")
        given = ((owned, answers[place]) for place, owned in enumerate(batch))
        return [(owned.fence.campaign_id, answer) for owned, answer in given if answer], book.journal.failures

    async def campaigns(self) -> Sequence[CampaignRow]:
        """List the campaigns that are not ended, by id."""
        query = campaigns_query().where(CAMPAIGNS.c.state != CampaignState.ENDED.value).order_by(CAMPAIGNS.c.id)

        def read(connection: Connection) -> list[CampaignRow]:
            infos = [info_of(row) for row in connection.execute(query)]
            scripts = scripts_of(connection, (info.settings for info in infos))
            return [campaign_row(info, scripts) for info in infos]

        return await self._runner.read(read)

    async def acquire(self, campaign_id: int, *, owner: str, now: float, ttl_s: float) -> Fence | None:
        """Take or take over (expired) a campaign with a higher epoch; None while another owner's lease is valid."""
        return await self._runner.write(lambda c: ownership.acquire(c, campaign_id, owner=owner, now=now, ttl_s=ttl_s))

    async def renew(self, fence: Fence, *, now: float, ttl_s: float) -> Fence:
        """Prolong; raise Fenced when the epoch has moved on."""
        return await self._runner.write(lambda connection: ownership.renew(connection, fence, now=now, ttl_s=ttl_s))

    async def resign(self, fence: Fence) -> None:
        """Give the campaign and its unused leases back."""
        await self._runner.write(lambda connection: ownership.resign(connection, fence))

    async def beat(self, owner: str, *, now: float, ttl_s: float) -> None:
        """Note that this engine lives, and will be taken for dead when it does not say so again within `ttl_s`."""
        await self._runner.write(lambda connection: ownership.beat(connection, owner, now=now, ttl_s=ttl_s))

    async def engines(self, *, now: float) -> int:
        """Count the engines that live."""
        return await self._runner.read(lambda connection: ownership.engines(connection, now=now))

    async def leave(self, owner: str) -> None:
        """Forget this engine: the others take its share."""
        await self._runner.write(lambda connection: ownership.leave(connection, owner))

    async def open_attempts(self, campaign_id: int) -> Sequence[OpenAttempt]:
        """List the attempts begun and not settled, oldest first."""
        mine = and_(ATTEMPTS.c.campaign_id == campaign_id, text(UNFINISHED), ~ATTEMPTS.c.settled)
        query = select(ATTEMPTS).where(mine).order_by(ATTEMPTS.c.begun_at, ATTEMPTS.c.call_id)
        return await self._runner.read(
            lambda connection: _with_leads(connection, campaign_id, [_open(row) for row in connection.execute(query)])
        )

    async def unfinished_talks(self, campaign_id: int) -> Sequence[tuple[CallId, int, AgentId | None]]:
        """List (call, lead, agent) of settled answered calls whose lead still waits for its wrap-up."""
        waiting = and_(ATTEMPTS.c.campaign_id == campaign_id, text(UNFINISHED), ATTEMPTS.c.settled)
        columns = (ATTEMPTS.c.call_id, ATTEMPTS.c.lead_id, ATTEMPTS.c.agent_id)
        query = select(*columns).where(waiting).order_by(ATTEMPTS.c.ended_at, ATTEMPTS.c.call_id)
        return await self._runner.read(
            lambda connection: [(row[0], row[1], row[2]) for row in connection.execute(query)]
        )

    async def legal_counts(self, campaign_id: int, *, since: float) -> tuple[int, int]:
        """Count (answered by a person, abandoned) attempts ended since then: 16 CFR 310.4(b)(1)(iv).

        Abandoned: nobody was joined within the campaign's `connect_within_s` of the answer. Who heard a message of a
        campaign without agents (Answered or IVR, nobody joined) counts as neither: no agent was to come.
        """
        info = await self._runner.read(lambda connection: _info(connection, campaign_id))
        if info is None:
            return 0, 0
        person = persons_answered(info.settings, since=since)
        prompt = joined_within(info.settings.legal.connect_within_s)
        query = select(func.count(), func.coalesce(func.sum(case((prompt, 0), else_=1)), 0)).where(person)
        answers, abandons = await self._runner.read(lambda connection: connection.execute(query).one())
        return int(answers), int(abandons)

    async def withdrawn(self, campaign_id: int, lead_ids: Sequence[int]) -> Sequence[int]:
        """Return those of these leased leads that people have since paused, removed, suppressed or switched off.

        What is only a matter of time (a later time to call) is found by the guards of BeginAttempts.
        """
        return await self._runner.read(lambda connection: _withdrawn(connection, campaign_id, lead_ids))

    async def set_state(
        self, seen: CampaignRow, state: CampaignState, *, resumes_by_schedule: bool, now: float
    ) -> bool:
        """Write a campaign state that the schedule decided, unless a person changed the campaign since it was seen."""
        unchanged = and_(CAMPAIGNS.c.id == seen.settings.campaign_id, CAMPAIGNS.c.revision == seen.revision)
        values = {
            "state": state.value,
            "resumes_by_schedule": resumes_by_schedule,
            "state_since": now,
            "revision": CAMPAIGNS.c.revision + 1,
        }
        query = update(CAMPAIGNS).where(unchanged).values(**values)
        return bool(await self._runner.write(lambda connection: connection.execute(query).rowcount))

    async def publish(self, fence: Fence, runtime: bytes, *, now: float) -> None:
        """Store the engine's latest live figures; those of an owner that lost the campaign are dropped."""
        query = update(CAMPAIGNS).where(ownership.held_by(fence)).values(runtime=runtime, runtime_at=now)
        await self._runner.write(lambda connection: connection.execute(query).rowcount)

    async def requests(self, fences: Sequence[Fence], *, now: float, fresh_s: float) -> Sequence[tuple[int, Requested]]:
        """Take what people ask of these campaigns, as (campaign id, fact), each once; too old a request is refused."""
        if not await self._runner.read(lambda connection: requests.any_open(connection, fences)):
            return ()
        return await self._runner.write(lambda connection: requests.take(connection, fences, now=now, fresh_s=fresh_s))

    async def learned(self, campaign_id: int) -> SavedEstimates:
        """Return what was remembered last; empty when nothing was, or people had it forgotten."""
        return await self._runner.read(lambda connection: learning.read(connection, campaign_id))

    async def remember(self, fence: Fence, learned: SavedEstimates) -> bool:
        """Store what an engine has learned; False for an owner that lost the campaign, or when it was forgotten."""
        return await self._runner.write(lambda connection: learning.remember(connection, fence, learned))


def _found(connection: Connection, book: Book, owned: Owned, now: float) -> Event | None:
    """Perform what only the database can; what it cannot do takes nothing else with it, a fault of its own does."""
    events, failures = book.journal.events, book.journal.failures
    told = len(events)
    try:
        with connection.begin_nested():
            return _find(connection, owned, events, now)
    except OperationalError:  # gone, or busy: the whole batch is tried again
        raise
    except Exception as error:
        if isinstance(error, DBAPIError) and error.connection_invalidated:
            raise
        del events[told:]
        failures.append((name_of(owned), error))
        return unanswered(owned.effect)


def _find(connection: Connection, owned: Owned, events: list[OutboxEvent], now: float) -> Event | None:
    match owned.effect:
        case LeaseLeads():
            return lease_leads(connection, owned.fence, owned.effect, events, now=now)
        case SeekLead():
            return seek_lead(connection, owned.fence, owned.effect, events, now=now)
        case AnswerRequest():
            requests.answer(connection, owned.fence, owned.effect, now=now)
    return None


def _points(batch: Sequence[Owned]) -> list[str]:
    kinds = {type(owned.effect) for owned in batch}
    points = ["begin"] if BeginAttempts in kinds else []
    return points + (["settle"] if kinds & {SettleAttempt, SettleLead} else [])


def _open(row: Row[Any]) -> OpenAttempt:
    intent = AttemptIntent(
        call_id=row.call_id,
        lead_id=row.lead_id,
        customer_id=row.customer_id,
        list_id=row.list_id,
        phone=row.phone_e164,
        hotline=row.hotline,
        trunk=row.trunk,
        attempt_no=max(0, row.attempt_no),
        begun_at=row.begun_at,
        direction=Direction(row.direction),
    )
    return OpenAttempt(intent, answered_at=row.answered_at, bridged_at=row.bridged_at, agent_id=row.agent_id)


def _with_leads(connection: Connection, campaign_id: int, found: Sequence[OpenAttempt]) -> Sequence[OpenAttempt]:
    talks = [attempt.intent.lead_id for attempt in found if attempt.bridged_at is not None]
    return with_leads(found, load_leads(connection, campaign_id, talks).leads) if talks else found


def _info(connection: Connection, campaign_id: int) -> CampaignInfo | None:
    row = connection.execute(campaigns_query().where(CAMPAIGNS.c.id == campaign_id)).one_or_none()
    return None if row is None else info_of(row)


def _withdrawn(connection: Connection, campaign_id: int, lead_ids: Sequence[int]) -> list[int]:
    book = load_leads(connection, campaign_id, lead_ids)
    return withdrawn(book, campaign_id, lead_ids, now=math.inf)
