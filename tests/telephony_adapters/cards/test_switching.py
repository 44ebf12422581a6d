from __future__ import annotations

from dialer.core.events import AgentOnLine, CallAnswered, CallArrived, CallEnded, CallTransferred
from statuses.outcomes import EndedBy
from tests.telephony_adapters.cards.faulty import Faulty, changed, never, nothing, sees


async def test_a_call_to_another_hotline_and_one_that_nobody_can_answer_are_seen() -> None:
    await sees(60, Faulty(changed(CallArrived, hotline="+84")), "the call came to +84")
    await sees(60, Faulty(over={"answer": nothing}), "no CallAnswered")
    await sees(62, Faulty(lambda event: [event, CallAnswered(event.call_id)]), "was over was answered")


async def test_a_call_that_is_not_sent_on_and_one_that_is_said_to_be_are_seen() -> None:
    await sees(64, Faulty(over={"transfer": nothing}), "no CallTransferred")
    await sees(65, Faulty(changed(CallTransferred, done=True)), "does not answer; done=True")


async def test_an_agent_who_is_not_called_first_or_forgotten_is_seen() -> None:
    await sees(68, Faulty(over={"summon": nothing}), "no AgentOnLine")
    await sees(70, Faulty(lambda event: [AgentOnLine(event.call_id, "agent-99")]), "no ConnectFailed")
    await sees(71, Faulty(changed(CallEnded, ended_by=EndedBy.DIALER)), "the agent hung up, not dialer")
    await sees(73, Faulty(never(CallEnded)), "no CallEnded")
