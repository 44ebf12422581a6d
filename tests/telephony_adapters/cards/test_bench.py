from __future__ import annotations

import asyncio

import pytest

from dialer.core.events import CallAnswered, CallEnded
from dialer.core.types import CallId
from simulator.stage import SimulatorStage
from telephony_adapters.cards.bench import Bench, CardFailed, FarEnd, Stage, require
from tests.telephony_adapters.cards.faulty import Faulty


def test_a_stage_is_known_by_what_it_has() -> None:
    assert isinstance(SimulatorStage(), Stage)
    assert not isinstance(object(), Stage)


async def test_each_event_is_heard_once_and_in_any_order() -> None:
    async with Bench(SimulatorStage()) as bench:
        call_id = await bench.answered()
        with pytest.raises(CardFailed, match="no CallAnswered within 1 s"):
            await bench.hear(call_id, CallAnswered, within_s=1.0)
        assert bench.count(call_id, CallAnswered) == 1
        end = await bench.hang_up(call_id)
        assert bench.told(call_id)[-1] == end
        assert await bench.live() == {}


async def test_what_cannot_come_any_more_is_not_awaited() -> None:
    async with Bench(SimulatorStage()) as bench:
        call_id = await bench.place(FarEnd.BUSY)
        began = bench.stage.now()
        with pytest.raises(CardFailed, match="no CallAnswered"):
            await bench.hear(call_id, CallAnswered, within_s=3600.0)
        assert bench.stage.now() - began < 60.0


async def test_what_is_left_is_hung_up_at_the_end() -> None:
    stage = SimulatorStage()
    async with Bench(stage) as bench:
        call_id: CallId = await bench.talk()
    assert bench.is_over(call_id)
    assert await stage.telephony.snapshot() == ()


async def test_a_call_that_is_heard_of_after_its_end_fails_whatever_the_card_says() -> None:
    late = Faulty(lambda event: [event, CallAnswered(event.call_id)] if isinstance(event, CallEnded) else [event])

    async def play() -> None:
        async with Bench(late) as bench:
            await bench.place(FarEnd.BUSY)
            await bench.pause(60.0)

    with pytest.raises(CardFailed, match="was heard of after its end"):
        await play()


async def test_a_card_that_fails_closes_the_adapter_all_the_same() -> None:
    stage = SimulatorStage()
    with pytest.raises(CardFailed, match="wrong"):
        async with Bench(stage):
            require(False, "wrong")
    assert stage._trunk._task is None
    await asyncio.sleep(0)
