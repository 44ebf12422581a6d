"""Startup is recovery (architecture.md section 7)."""

from __future__ import annotations

from statuses.outcomes import CallStatus
from tests.dialer.service.stage import Stage


async def killed_after(seconds: float, leads: int = 3) -> tuple[Stage, Stage]:
    """Return the dead stage and a new one over the same store, which takes over at once."""
    first = Stage()
    first.campaign(leads=leads)
    async with first.running():
        await first.clock.advance(seconds)
    return first, Stage(store=first.store, clock=first.clock, owner="two")


async def test_a_call_of_unknown_outcome_is_lost_settled_and_never_redialed() -> None:
    first, second = await killed_after(4.0)
    open_calls = [a.call_id for a in first.store.book.attempts.values() if not a.settled]
    assert open_calls
    async with second.running():
        await second.clock.advance(240)
    for call_id in open_calls:
        attempt = second.store.book.attempts[call_id]
        assert (attempt.settled, attempt.sub_reason) == (True, "lost")
        lead = second.store.book.leads[attempt.lead_id]
        assert lead.reconcile
        assert lead.dialed == 1
    assert not set(first.invites) & set(second.invites)
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
