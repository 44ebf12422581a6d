from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest

from dialer.core.events import PromptEnded
from dialer.core.types import CallId
from dialer.errors import AdapterDown
from dialer.switch import Plain, Telephony
from simulator.live import CAPABILITIES
from simulator.stage import SimulatorStage
from telephony_adapters.cards.contract import ORDERS
from telephony_adapters.conformance import Mark, run
from tests.telephony_adapters.cards.faulty import BY_NUMBER, Faulty, nothing, sees


async def _refuses(*_: object, **__: object) -> None:
    raise AdapterDown("no such call")


def test_every_order_of_the_port_that_a_capability_stands_for_is_tried() -> None:
    refused = {name for name in vars(Plain) if not name.startswith("_") and name != "name"}
    assert ORDERS.keys() == refused - {"summon", "recordings", "recording", "drop_recording"}
    assert all(hasattr(Telephony, name) for name in ORDERS)


async def test_what_is_not_declared_and_taken_all_the_same_is_seen() -> None:
    await sees(80, Faulty(can=msgspec.structs.replace(CAPABILITIES, play=False)), "play is not declared")
    await sees(80, Faulty(can=msgspec.structs.replace(CAPABILITIES, agent_first=False)), "summon is not declared")
    await sees(80, Faulty(can=msgspec.structs.replace(CAPABILITIES, amd=False)), "machine detection is not declared")


async def test_an_order_that_wakes_a_dead_call_or_complains_of_it_is_seen() -> None:
    stage = Faulty()
    original = stage.telephony.play

    async def play(call_id: CallId, *, prompt: str) -> None:
        await original(call_id, prompt=prompt)
        stage._trunk._emit(None, PromptEnded(call_id), 0.0)

    stage.telephony.play = play  # type: ignore[method-assign]
    await sees(81, stage, "orders for a call that is over led to")
    await sees(82, Faulty(over={"hold": _refuses}), "was refused instead of ignored")


async def test_a_closed_adapter_that_takes_calls_or_goes_on_telling_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    stage = SimulatorStage()
    leave = stage.telephony.__aexit__

    async def closing(*what: Any) -> None:
        await leave(*what)
        stage.telephony.originate = nothing  # type: ignore[method-assign]

    monkeypatch.setattr(type(stage.telephony), "__aexit__", lambda _self, *what: closing(*what))
    await sees(83, stage, "and took a call")


async def test_an_adapter_that_goes_on_after_it_was_closed_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    class Endless(SimulatorStage):
        def __init__(self) -> None:
            super().__init__()
            told = self.telephony.events

            async def events() -> AsyncIterator[Any]:
                async for event in told():
                    yield event
                await asyncio.Event().wait()

            self.telephony.events = events  # type: ignore[method-assign]

    monkeypatch.setattr("telephony_adapters.cards.bench.LIMIT_S", 0.2)
    outcome = await run(BY_NUMBER[83], Endless())
    assert (outcome.mark, outcome.why) == (Mark.FAILED, "the adapter is closed, and events() goes on")
