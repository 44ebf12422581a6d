"""Whatever happens in whatever order: the laws hold, and memory and SQLite answer alike."""

from __future__ import annotations

import asyncio
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cdr.events import decode
from dialer.core.effects import BeginAttempts, LeaseLeads
from dialer.core.types import AttemptIntent, Fence, NumberCaps
from dialer.ports import Owned
from statuses.classify import AttemptFacts
from statuses.lead import LeadState, Trigger
from statuses.outcomes import CancelReason, LocalError
from store.open import open_database
from tests.store import worlds
from tests.store.worlds import (
    HOUR,
    NEVER_RANG,
    NOW,
    RANG_OUT,
    TRUNK_DOWN,
    LeadResult,
    MemoryWorld,
    ReleaseLeads,
    SettleAttempt,
    SettleLead,
    SqlWorld,
    World,
    intent,
    new_lead,
    record,
    talk,
)

ENDS = [
    RANG_OUT,
    NEVER_RANG,
    TRUNK_DOWN,
    AttemptFacts(sip_status=404),
    AttemptFacts(rang=True, cancel_reason=CancelReason.CULL),
    AttemptFacts(local_error=LocalError.LOST),
    None,  # a talk
]
WRAPS = [Trigger.ANSWERED, Trigger.CALLBACK_ASKED, Trigger.DO_NOT_RECALL]
CAP = 2

STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("lease"), st.integers(1, 2), st.integers(1, 3)),
        st.tuples(st.just("begin"), st.integers(1, 2), st.just(0)),
        st.tuples(st.just("begin"), st.integers(1, 2), st.just(0)),
        st.tuples(st.just("release"), st.integers(1, 2), st.just(0)),
        st.tuples(st.just("settle"), st.integers(0, 9), st.integers(0, len(ENDS) - 1)),
        st.tuples(st.just("settle"), st.integers(0, 9), st.integers(0, len(ENDS) - 1)),
        st.tuples(st.just("wrap"), st.integers(0, 9), st.integers(0, len(WRAPS) - 1)),
        st.tuples(st.just("wait"), st.sampled_from([60, 1800, 7200, 40_000]), st.just(0)),
        st.tuples(st.just("takeover"), st.integers(1, 2), st.just(0)),
        st.tuples(st.just("pause"), st.integers(1, 6), st.just(0)),
    ),
    max_size=30,
)


class Story:
    """Two campaigns that share numbers, driven by steps; call ids are the same in every world."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.now = NOW
        self.fences: dict[int, Fence] = {}
        self.hoppers: dict[int, list[Any]] = {1: [], 2: []}
        self.open: list[tuple[int, AttemptIntent]] = []
        self.talks: list[tuple[int, AttemptIntent]] = []
        self.begun: list[tuple[str, float, str]] = []
        self.answers: list[Any] = []

    async def start(self) -> None:
        for campaign in (1, 2):
            made = worlds.settings(campaign, caps=NumberCaps(per_24h=CAP))
            await self.world.add_campaign(made, lists=[campaign * 10])
            first = campaign * 3 - 2
            leads = [
                new_lead(n, campaign_id=campaign, list_id=campaign * 10, number=(n - 1) % 3 + 1)
                for n in range(first, first + 3)
            ]
            await self.world.add_leads(leads)
            await self.takeover(campaign)

    async def takeover(self, campaign: int, _: int = 0) -> None:
        self.now += 31
        self.fences[campaign] = await worlds.take(self.world, campaign, owner=f"o{self.now}", now=self.now)
        self.hoppers[campaign] = []

    async def commit(self, campaign: int, effect: Any) -> Any:
        answers = await self.world.store.commit([Owned(self.fences[campaign], effect)], now=self.now)
        self.answers.append(answers)
        return answers[0][1] if answers else None

    async def lease(self, campaign: int, count: int) -> None:
        self.hoppers[campaign] += (await self.commit(campaign, LeaseLeads(count))).leads

    async def release(self, campaign: int, _: int) -> None:
        leads, self.hoppers[campaign] = self.hoppers[campaign], []
        await self.commit(campaign, ReleaseLeads(tuple(lead.lead_id for lead in leads)))

    async def begin(self, campaign: int, _: int) -> None:
        leads, self.hoppers[campaign] = self.hoppers[campaign], []
        wanted = {f"call-{lead.lead_id}-{lead.dialed + 1}": lead for lead in leads}
        intents = {call: _named(intent(lead, at=self.now), call) for call, lead in wanted.items()}
        answer = await self.commit(campaign, BeginAttempts(tuple(intents.values())))
        self.open += [(campaign, intents[call]) for call in answer.begun]
        self.begun += [(intents[call].phone, self.now, call) for call in answer.begun]

    async def settle(self, which: int, end: int) -> None:
        if not self.open:
            return
        campaign, of = self.open.pop(which % len(self.open))
        self.now += 60
        facts = ENDS[end]
        if facts is None:
            self.talks.append((campaign, of))
        made = talk(of, at=self.now) if facts is None else record(of, at=self.now, facts=facts, next_at=self.now + HOUR)
        await self.commit(campaign, SettleAttempt(made))

    async def wrap(self, which: int, how: int) -> None:
        if not self.talks:
            return
        campaign, of = self.talks.pop(which % len(self.talks))
        done = LeadResult(of.call_id, of.lead_id, WRAPS[how], "an", 5.0, callback_at=self.now + HOUR)
        await self.commit(campaign, SettleLead(done))

    async def wait(self, seconds: int, _: int) -> None:
        self.now += seconds

    async def pause(self, lead_id: int, _: int) -> None:
        lead = await self.world.lead(lead_id)
        if lead is not None and lead.state == LeadState.NOT_CALLED:
            await self.world.change_lead(lead_id, state=LeadState.PAUSED.value, remembered=lead.state)

    async def play(self, steps: list[tuple[str, int, int]]) -> None:
        await self.start()
        for name, first, second in steps:
            await getattr(self, name)(first, second)
            await self.check()

    async def check(self) -> None:
        leads = [lead for n in range(1, 7) if (lead := await self.world.lead(n)) is not None]
        assert all(lead.attempts <= lead.dialed for lead in leads)
        busy = Counter(lead.phone for lead in leads if lead.state == LeadState.IN_PROGRESS)
        assert all(count == 1 for count in busy.values())
        open_calls = [found.intent.call_id for n in (1, 2) for found in await self.world.store.open_attempts(n)]
        assert sorted(open_calls) == sorted(of.call_id for _, of in self.open)

    async def finish(self) -> None:
        every = [decode(value) for _, value in await self.world.records()]
        assert [offset for offset, _ in await self.world.records()] == list(range(1, len(every) + 1))
        assert len({one.event.event_id for one in every}) == len(every)
        finals = Counter(one.event.call_id for one in every if one.event.type == "cdr.finalized")
        settled = {call for _, _, call in self.begun} - {of.call_id for _, of in self.open}
        assert finals == dict.fromkeys(settled, 1)
        for phone, at, call in self.begun:
            await self.check_cap(phone, at, call)

    async def check_cap(self, phone: str, at: float, call: str) -> None:
        before = [other for number, then, other in self.begun if number == phone and at - 24 * HOUR < then <= at]
        rows = [await self.world.attempt(other) for other in before if other != call]
        assert sum(row.rang or row.lost for row in rows) < CAP


def _named(made: AttemptIntent, call_id: str) -> AttemptIntent:
    values = {name: getattr(made, name) for name in made.__struct_fields__}
    return AttemptIntent(**{**values, "call_id": call_id})


async def _in_memory(steps: list[tuple[str, int, int]]) -> Story:
    story = Story(MemoryWorld())
    await story.play(steps)
    await story.finish()
    return story


@given(STEPS)
@settings(max_examples=60, deadline=None)
def test_the_laws_hold_in_memory(steps: list[tuple[str, int, int]]) -> None:
    asyncio.run(_in_memory(steps))


@pytest.mark.component("sqlite")
@given(STEPS)
@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_sqlite_answers_like_memory(migrated_file: Path, tmp_path: Path, steps: list[tuple[str, int, int]]) -> None:
    asyncio.run(_alike(str(shutil.copy(migrated_file, tmp_path / "dialer.db")), steps))


async def _alike(path: str, steps: list[tuple[str, int, int]]) -> None:
    engine = open_database(f"sqlite:///{path}")
    try:
        stored = Story(SqlWorld(engine))
        await stored.play(steps)
        await stored.finish()
        kept = await _in_memory(steps)
        assert stored.answers == kept.answers
        assert await stored.world.records() == await kept.world.records()
    finally:
        await engine.dispose()
