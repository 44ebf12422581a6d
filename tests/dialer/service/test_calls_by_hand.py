"""Calls by hand through the whole service: keeper, driver, store, simulated trunk and desks."""

from __future__ import annotations

from dialer.core.types import CampaignKind, Declined, HoldReason
from dialer.requests import FRESH_S, Wanted
from statuses.lead import LeadState
from store.rows import Ban
from tests.dialer.service.stage import Stage

STRANGER = "+84900000044"


async def test_a_number_that_somebody_asks_for_is_called_once_its_agent_is_on_the_line() -> None:
    stage = Stage(agents=1)
    stage.campaign(kind=CampaignKind.MANUAL, leads=3)
    async with stage.running():
        await stage.clock.advance(5)
        asked = stage.store.ask(1, Wanted("dial", "agent-01", phone=STRANGER), now=stage.clock.now())
        await stage.clock.advance(90)
    answer = stage.store.answers[asked]
    assert (answer.code, stage.invites) == (None, [answer.call_id])
    (attempt,) = stage.store.book.attempts.values()
    assert (attempt.phone, attempt.agent_id, attempt.status) == (STRANGER, "agent-01", "answered")
    assert stage.states() == {LeadState.NOT_CALLED: 3, LeadState.SUCCESS: 1}, "nobody else was called"


async def test_what_may_not_be_called_is_told_and_so_is_what_came_too_late() -> None:
    stage = Stage(agents=1)
    stage.campaign(kind=CampaignKind.MANUAL, leads=1)
    stage.store.add_ban(Ban(STRANGER, "dnc"))
    async with stage.running():
        await stage.clock.advance(5)
        now = stage.clock.now()
        listed = stage.store.ask(1, Wanted("dial", "agent-01", phone=STRANGER), now=now)
        late = stage.store.ask(1, Wanted("dial", "agent-01", phone="+84900000045"), now=now - FRESH_S - 1)
        silent = stage.store.ask(1, Wanted("hang_up", "agent-01"), now=now)
        await stage.clock.advance(5)
    codes = [stage.store.answers[number].code for number in (listed, late, silent)]
    assert codes == [HoldReason.DNC, Declined.TOO_LATE, Declined.NO_CALL]
    assert stage.invites == []


async def test_agents_who_are_shown_leads_work_them_off() -> None:
    stage = Stage(agents=2)
    stage.campaign(kind=CampaignKind.PREVIEW, leads=6)
    async with stage.running():
        await stage.clock.advance(400)
    assert stage.states() == {LeadState.SUCCESS: 6}
    assert len(stage.invites) == 6
    assert stage.driver.calls_in_flight == 0
