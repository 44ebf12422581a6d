from __future__ import annotations

from dialer.core.events import CallConnected, CallEnded, ConnectFailed
from dialer.ports import CallStatusAtSwitch
from statuses.outcomes import EndedBy
from tests.telephony_adapters.cards.faulty import Faulty, changed, never, sees


async def _somebody_else() -> tuple[CallStatusAtSwitch, ...]:
    return (CallStatusAtSwitch("stranger", answered=True),)


async def test_a_join_that_is_not_told_or_of_somebody_else_is_seen() -> None:
    await sees(20, Faulty(never(CallConnected)), "no CallConnected within 5 s")
    await sees(20, Faulty(changed(CallConnected, agent_id="x")), "joined to x")


async def test_an_agent_whose_absence_is_not_told_is_seen() -> None:
    await sees(21, Faulty(never(ConnectFailed)), "no ConnectFailed within 6 s")


async def test_an_end_that_is_put_down_to_the_wrong_side_is_seen() -> None:
    await sees(23, Faulty(changed(CallEnded, ended_by=EndedBy.REMOTE)), "the agent hung up, not remote")
    await sees(22, Faulty(changed(CallEnded, ended_by=EndedBy.AGENT)), "the customer hung up, not agent")


async def test_a_list_with_strangers_is_seen() -> None:
    await sees(29, Faulty(over={"snapshot": _somebody_else}), "listed ['stranger']")
