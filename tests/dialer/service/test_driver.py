"""The loop with a real engine, a memory store, the simulated trunk and desks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from dialer.core.campaign import CampaignState
from dialer.core.events import AgentReady, CallAnswered, CallEvent, CallRinging, CampaignPaused
from dialer.core.types import CampaignKind, Fence
from dialer.errors import AdapterDown, AdapterError, NotSupported
from dialer.service.keeper import LEASE_S
from dialer.service.placing import Placing
from dialer.service.seat import Seat
from simulator.profile import Fate
from statuses.outcomes import CancelReason
from tests.dialer.service.stage import Stage
from tests.simulator.worlds import constant, only


async def test_a_campaign_is_dialed_to_its_end() -> None:
    stage = Stage()
    stage.campaign(leads=6)
    async with stage.running():
        await stage.clock.advance(240)
    assert stage.states() == {"success": 6}
    assert len(stage.invites) == len(set(stage.invites)) == 6
    assert stage.driver.calls_in_flight == 0
    assert stage.driver.no_calls.is_set()
    kinds = [event.type for event in stage.store.events]
    assert kinds.count("cdr.finalized") == 6
    assert kinds.count("call.initiated") == 6


MESSAGE: dict[str, Any] = {"kind": CampaignKind.AUTODIALER, "pacer": "agentless", "prompt": "reminder"}


@pytest.mark.req("S0-6.5", "S1-6.5")
@pytest.mark.parametrize(
    ("listens_s", "status", "state"), [(60.0, "answered", "success"), (3.0, "ivr", "called_no_success")]
)
async def test_a_message_is_dialed_without_any_agent(listens_s: float, status: str, state: str) -> None:
    stage = Stage(agents=0, carrier=only(Fate.ANSWER, prompt_s=8.0, prompt_patience=constant(listens_s)))
    stage.campaign(leads=4, **MESSAGE)
    async with stage.running():
        await stage.clock.advance(60)
    assert stage.states() == {state: 4}
    assert {row.status for row in stage.store.book.attempts.values()} == {status}
    assert await stage.store.legal_counts(1, since=0.0) == (0, 0)


@pytest.mark.parametrize("error", [NotSupported("no voice"), AdapterDown("no trunk")])
async def test_a_message_that_the_trunk_cannot_play_never_counts_as_heard(
    monkeypatch: pytest.MonkeyPatch, error: AdapterError
) -> None:
    stage = Stage(agents=0)
    stage.campaign(leads=1, **MESSAGE)

    async def dumb(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(stage.trunk, "play", dumb)
    async with stage.running():
        await stage.clock.advance(30)
    (attempt,) = stage.store.book.attempts.values()
    assert (attempt.settled, attempt.status) == (True, "failed")
    assert stage.states() == {"call_error": 1}


async def test_agents_who_signed_in_before_the_campaign_was_taken_are_not_forgotten() -> None:
    stage = Stage(agents=0)
    async with stage.running():
        stage.driver.deliver(1, AgentReady("early"))
        await stage.clock.advance(5)
        stage.campaign(leads=1)
        await stage.clock.advance(10)
        assert len(stage.invites) == 1


async def test_a_trunk_that_refuses_is_a_call_that_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    stage = Stage()
    stage.campaign(leads=1)

    async def down(*_: object, **__: object) -> None:
        raise AdapterDown("no trunk")

    monkeypatch.setattr(stage.trunk, "originate", down)
    async with stage.running():
        await stage.clock.advance(5)
    (attempt,) = stage.store.book.attempts.values()
    assert (attempt.settled, attempt.status) == (True, "congestion")
    assert not attempt.counts


async def test_an_answer_of_a_call_that_no_engine_knows_any_more_is_hung_up(monkeypatch: pytest.MonkeyPatch) -> None:
    stage = Stage()
    hung_up: list[tuple[str, CancelReason]] = []

    async def events() -> AsyncIterator[CallEvent]:
        yield CallRinging("gone")
        yield CallAnswered("gone")
        await asyncio.Event().wait()

    async def hangup(call_id: str, *, reason: CancelReason) -> None:
        hung_up.append((call_id, reason))

    monkeypatch.setattr(stage.trunk, "events", events)
    monkeypatch.setattr(stage.trunk, "hangup", hangup)
    async with stage.running():
        await stage.clock.advance(1)
    assert hung_up == [("gone", CancelReason.ADMIN)]


async def test_a_process_held_up_past_its_lease_places_no_call(monkeypatch: pytest.MonkeyPatch) -> None:
    stage = Stage()
    stage.campaign(leads=3, state=CampaignState.APPROVED)

    async def held_up(seat: Seat, _now: float) -> Fence:
        return seat.fence

    async with stage.running():
        await stage.clock.advance(3)
        monkeypatch.setattr(stage.keeper, "_renew", held_up)
        await stage.clock.advance(LEASE_S)
        stage.store.book.campaigns[1].state = CampaignState.RUNNING
        await stage.clock.advance(5)
        assert stage.store.book.attempts
        assert stage.invites == []


@pytest.mark.parametrize("fate", [Fate.REJECT, Fate.SWITCHED_OFF, Fate.RING_OUT, Fate.SILENCE])
async def test_whatever_the_callee_does_each_attempt_is_settled_once(fate: Fate) -> None:
    stage = Stage(carrier=only(fate))
    stage.campaign(leads=4)
    async with stage.running():
        await stage.clock.advance(150)
    finals = [event for event in stage.store.events if event.type == "cdr.finalized"]
    assert len(finals) == len(stage.invites) >= 4
    assert all(attempt.settled for attempt in stage.store.book.attempts.values())


async def test_a_stop_during_after_call_work_leaves_no_lead_in_progress() -> None:
    stage = Stage(agents=1)
    stage.campaign(leads=1, wrap_up_s=600.0)
    async with stage.running():
        for _ in range(200):
            await stage.clock.advance(1)
            if any(attempt.settled for attempt in stage.store.book.attempts.values()):
                break
        assert stage.states() == {"in_progress": 1}
        stage.driver.finish_wrap_ups()
        await stage.driver.quiet()
        await stage.driver.writer.flushed()
    assert stage.states() == {"success": 1}


class Slow:
    """Makes prompts ready when the test says so."""

    def __init__(self) -> None:
        self.go, self.asked = asyncio.Event(), asyncio.Event()

    async def ready(self, prompt: str) -> str:
        self.asked.set()
        await self.go.wait()
        return prompt


@pytest.mark.parametrize("by_hand", [False, True])
async def test_what_was_paused_while_a_prompt_was_made_does_not_leave_and_no_agents_leg_stays(
    monkeypatch: pytest.MonkeyPatch, by_hand: bool
) -> None:
    stage, slow = Stage(agents=1), Slow()
    stage.driver._placing = Placing(slow)
    hung_up: list[str] = []
    hangup = stage.trunk.hangup

    async def heard(call_id: str, *, reason: CancelReason) -> None:
        hung_up.append(call_id)
        await hangup(call_id, reason=reason)

    monkeypatch.setattr(stage.trunk, "hangup", heard)
    kind = CampaignKind.PREVIEW if by_hand else CampaignKind.PREDICTIVE
    stage.campaign(leads=1, kind=kind, overflow_prompt="sorry")
    async with stage.running():
        for _ in range(120):
            await stage.clock.advance(0.5)
            if slow.asked.is_set():
                break
        stage.driver.deliver(1, CampaignPaused())
        await stage.clock.advance(0.5)
        slow.go.set()
        await stage.clock.advance(1)
        (attempt,) = stage.store.book.attempts.values()
        assert (attempt.status, stage.invites) == ("cancel", [])
    assert hung_up == [attempt.call_id] * by_hand
