"""Startup is recovery (architecture.md section 7)."""

from __future__ import annotations

import asyncio

import pytest

from dialer.core.types import AttemptIntent
from simulator.chance import Duration
from simulator.clock import VirtualClock
from simulator.live import SimulatorTelephony
from simulator.profile import Fate
from statuses.outcomes import CallStatus, CancelReason, EndedBy
from tests.dialer.core.bench_engine import START
from tests.dialer.service.stage import Stage
from tests.simulator.worlds import only


async def killed_after(seconds: float, leads: int = 3) -> tuple[Stage, Stage]:
    """Return the dead stage and a new one over the same store, which takes over at once."""
    first = Stage()
    first.campaign(leads=leads)
    async with first.running():
        await first.clock.advance(seconds)
    return first, Stage(store=first.store, clock=first.clock, owner="two")


async def test_a_call_of_unknown_outcome_is_lost_settled_and_never_redialed(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = await killed_after(4.0)
    open_calls = [a.call_id for a in first.store.book.attempts.values() if not a.settled]
    assert open_calls
    assert not await second.trunk.snapshot()
    ended: list[str] = []

    async def hangup(call_id: str, *, reason: CancelReason) -> None:
        ended.append(f"{call_id} {reason}")

    monkeypatch.setattr(second.trunk, "hangup", hangup)
    async with second.running():
        await second.clock.advance(240)
    for call_id in open_calls:
        attempt = second.store.book.attempts[call_id]
        assert (attempt.settled, attempt.sub_reason) == (True, "lost")
        lead = second.store.book.leads[attempt.lead_id]
        assert lead.reconcile
        assert lead.dialed == 1
    assert not set(first.invites) & set(second.invites)
    assert {f"{call_id} admin" for call_id in open_calls} <= set(ended), "a switch may not show all that it holds"
    finals = [event for event in second.store.events if event.type == "cdr.finalized"]
    assert len(finals) == len(second.store.book.attempts)
    assert second.keeper.recovered == len(open_calls)


async def test_a_talk_that_was_cut_by_the_crash_was_a_talk() -> None:
    first, second = await killed_after(25.0, leads=2)
    talking = [a.call_id for a in first.store.book.attempts.values() if a.bridged_at is not None and not a.settled]
    assert talking
    async with second.running():
        await second.clock.advance(60)
    for call_id in talking:
        attempt = second.store.book.attempts[call_id]
        assert attempt.status == CallStatus.ANSWERED
        assert second.store.book.leads[attempt.lead_id].state == "success"


async def test_a_wrap_up_that_nobody_lived_to_see_is_finished() -> None:
    first = Stage(agents=1)
    first.campaign(leads=1, wrap_up_s=600.0)
    async with first.running():
        for _ in range(2_000):
            await first.clock.advance(1)
            if any(a.settled for a in first.store.book.attempts.values()):
                break
    assert first.states() == {"in_progress": 1}
    second = Stage(store=first.store, clock=first.clock, owner="two")
    async with second.running():
        await second.clock.advance(60)
    assert second.states() == {"success": 1}


# --- talks that go on at the switch -----------------------------------------------------------------------------------


def long_talks(clock: VirtualClock) -> SimulatorTelephony:
    return SimulatorTelephony(only(Fate.ANSWER, talk=Duration(120.0, 0.1)), clock=clock, seed=7)


async def killed_while_talking(trunk: SimulatorTelephony, clock: VirtualClock) -> tuple[Stage, list[AttemptIntent]]:
    """Return the stage of a process that died while its agents talked, and their calls; the switch lives on."""
    first = Stage(clock=clock, trunk=trunk)
    first.campaign(leads=2)
    async with first.running():
        await clock.advance(25.0)
    found = [one for one in await first.store.open_attempts(1) if one.bridged_at is not None]
    return first, [one.intent for one in found]


async def test_a_talk_that_goes_on_is_taken_up_again_and_ends_as_any_other() -> None:
    clock = VirtualClock(START)
    async with long_talks(clock) as trunk:
        first, talks = await killed_while_talking(trunk, clock)
        assert len(talks) == 2
        second = Stage(store=first.store, clock=clock, trunk=trunk)
        async with second.running():
            await clock.advance(20)
            assert {call.call_id for call in await trunk.snapshot()} == {intent.call_id for intent in talks}
            assert second.driver.calls_in_flight == 2
            assert second.keeper.recovered == 0
            await clock.advance(200)
            assert second.driver.calls_in_flight == 0
    for intent in talks:
        row = first.store.book.attempts[intent.call_id]
        assert (row.status, row.ended_by, row.settled, row.lead_done) == (
            CallStatus.ANSWERED, EndedBy.REMOTE, True, True
        )  # fmt: skip
        assert row.ended_at is not None
        assert row.bridged_at is not None
        assert row.ended_at - row.bridged_at > 60
    finals = [event for event in first.store.events if event.type == "cdr.finalized"]
    assert len(finals) == len(first.store.book.attempts)


async def test_an_agent_is_back_in_the_talk_and_wraps_it_up() -> None:
    clock = VirtualClock(START)
    async with long_talks(clock) as trunk:
        first, talks = await killed_while_talking(trunk, clock)
        second = Stage(store=first.store, clock=clock, trunk=trunk)
        async with second.running():
            await clock.advance(10)
            figures = second.driver.seats[1].engine.figures(clock.now())
            assert (figures.talking, figures.idle) == (2, 0)
            await clock.advance(220)
    results = [event for event in first.store.events if event.type == "disposition.set"]
    assert {event.key for event in results} == {str(intent.lead_id) for intent in talks}


async def test_what_the_switch_says_before_the_campaign_is_seated_is_not_lost() -> None:
    clock = VirtualClock(START)
    async with long_talks(clock) as trunk:
        first, talks = await killed_while_talking(trunk, clock)
        second = Stage(store=first.store, clock=clock, trunk=trunk)
        asked = trunk.snapshot

        async def ends_meanwhile() -> object:
            found = await asked()
            trunk.hang_up_by_agent(talks[0].call_id)
            await asyncio.sleep(0)
            return found

        trunk.snapshot = ends_meanwhile  # type: ignore[method-assign, assignment]
        async with second.running():
            await clock.advance(5)
            assert second.driver.calls_of(1) == [talks[1].call_id]
        assert first.store.book.attempts[talks[0].call_id].status == CallStatus.ANSWERED


async def test_a_talk_by_a_trunk_that_is_gone_is_ended() -> None:
    clock = VirtualClock(START)
    async with long_talks(clock) as trunk:
        first, talks = await killed_while_talking(trunk, clock)
        for row in first.store.book.attempts.values():
            row.trunk = "sold"
        second = Stage(store=first.store, clock=clock, trunk=trunk)
        async with second.running():
            await clock.advance(5)
            assert second.keeper.recovered == 2
        assert {first.store.book.attempts[intent.call_id].status for intent in talks} == {CallStatus.ANSWERED}
        assert not await trunk.snapshot()
