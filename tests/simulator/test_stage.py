from __future__ import annotations

import asyncio

from simulator.exchange import Exchange
from simulator.live import SimulatorTelephony
from simulator.stage import SimulatorStage
from telephony_adapters.conformance import FarEnd, Stage


def test_there_is_a_number_for_every_far_end_and_none_for_two_that_differ() -> None:
    stage: Stage = SimulatorStage()
    phones = {far_end: stage.phone(far_end) for far_end in FarEnd}
    who = {FarEnd.ANSWERS, FarEnd.PERSON, FarEnd.TRANSFER_FAILS}
    assert len({phones[far_end] for far_end in who}) == 1
    assert len(set(phones.values())) == len(FarEnd) - len(who) + 1
    assert stage.transfer_phone(answers=True) != stage.transfer_phone(answers=False)


async def test_waiting_passes_the_time_of_its_own_clock_or_ends_with_the_news() -> None:
    stage, news = SimulatorStage(), asyncio.Event()
    began = stage.now()
    await stage.wait(news, 3600.0)
    assert stage.now() == began + 3600.0
    news.set()
    await stage.wait(news, 3600.0)
    assert stage.now() == began + 3600.0


async def test_agents_and_callers_who_are_not_there_hang_up_nothing() -> None:
    stage = SimulatorStage()
    await stage.agent_hangs_up("c", "agent-01")
    await stage.caller_hangs_up("c")
    assert isinstance(stage.telephony, SimulatorTelephony)
    assert isinstance(stage.telephony._exchange, Exchange)
    assert len(stage.telephony._exchange) == 0
