from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from dialer.core.events import (
    CallAnswered,
    CallConnected,
    CallEnded,
    CallEvent,
    CallProgressed,
    CallRinging,
    PromptEnded,
)
from dialer.errors import AdapterDown
from dialer.ports import CallStatusAtSwitch, Capabilities, Telephony
from simulator.clock import VirtualClock
from simulator.live import SimulatorTelephony
from simulator.profile import CarrierProfile, Fate
from statuses.outcomes import CancelReason, EndedBy
from tests.simulator.worlds import only


def _fail(_payload: None, _now: float) -> None:
    raise ZeroDivisionError


class Line:
    """A running trunk and what it said."""

    def __init__(self, profile: CarrierProfile) -> None:
        self.clock = VirtualClock(1_000_000.0)
        self.trunk = SimulatorTelephony(profile, clock=self.clock, seed=7)
        self.heard: list[CallEvent] = []

    async def listen(self) -> None:
        async for event in self.trunk.events():
            self.heard.append(event)

    async def call(self, call_id: str = "c1") -> None:
        await self.trunk.originate(call_id, phone="+84001", hotline="h", trunk="trunk-1", ring_timeout_s=30.0)

    async def after(self, seconds: float) -> list[CallEvent]:
        await self.clock.advance(seconds)
        heard, self.heard = self.heard, []
        return heard


@pytest.fixture
async def line(request: pytest.FixtureRequest) -> AsyncIterator[Line]:
    made = Line(getattr(request, "param", None) or only(Fate.ANSWER))
    async with made.trunk:
        listener = asyncio.create_task(made.listen())
        yield made
    await asyncio.wait_for(listener, 5.0)


async def test_it_is_a_telephony_port_that_says_what_it_can(line: Line) -> None:
    port: Telephony = line.trunk
    assert port.name == "simulator"
    undeclared = [name for name in Capabilities.__struct_fields__ if not getattr(port.capabilities, name)]
    assert undeclared == ["media_survives_restart"]


async def test_a_call_is_placed_answered_joined_and_ended_in_its_own_time(line: Line) -> None:
    await line.call()
    assert await line.after(3.0) == [CallProgressed("c1"), CallRinging("c1")]
    assert await line.trunk.snapshot() == (CallStatusAtSwitch("c1", answered=False),)
    assert await line.after(10.0) == [CallAnswered("c1")]
    assert await line.trunk.snapshot() == (CallStatusAtSwitch("c1", answered=True),)
    await line.trunk.connect("c1", agent_id="agent-01")
    assert await line.after(1.0) == [CallConnected("c1", "agent-01")]
    assert await line.after(60.0) == [CallEnded("c1", 200, 16, ended_by=EndedBy.REMOTE)]
    assert await line.trunk.snapshot() == ()
    assert not line.trunk.is_live("c1")


async def test_an_agent_hangs_up_from_the_desk(line: Line) -> None:
    await line.call()
    await line.after(13.0)
    await line.trunk.connect("c1", agent_id="agent-01")
    await line.after(5.0)
    line.trunk.hang_up_by_agent("c1")
    assert await line.after(0.0) == [CallEnded("c1", 200, 16, ended_by=EndedBy.AGENT)]


async def test_a_hang_up_is_confirmed_and_one_of_an_unknown_call_ignored(line: Line) -> None:
    await line.call()
    await line.after(3.0)
    await line.trunk.hangup("c1", reason=CancelReason.RING_TIMEOUT)
    await line.trunk.hangup("c9", reason=CancelReason.ADMIN)
    assert await line.after(1.0) == [CallEnded("c1", 487, ended_by=EndedBy.DIALER)]


@pytest.mark.parametrize("line", [only(Fate.ANSWER, prompt_s=2.0)], indirect=True)
async def test_a_prompt_is_played(line: Line) -> None:
    await line.call()
    await line.after(12.5)
    await line.trunk.play("c1", prompt="sorry")
    assert await line.after(2.5) == [PromptEnded("c1")]


async def test_a_trunk_that_is_not_running_takes_no_call() -> None:
    made = Line(only(Fate.ANSWER))
    with pytest.raises(AdapterDown, match="not running"):
        await made.call()
    async with made.trunk:
        await made.call()
    with pytest.raises(AdapterDown, match="not running"):
        await made.call("c2")


async def test_a_trunk_that_dies_says_so_to_its_listener() -> None:
    made = Line(only(Fate.ANSWER))
    async with made.trunk:
        made.trunk.agenda.schedule(0.0, _fail, None)
        with pytest.raises(AdapterDown, match="stopped") as caught:
            await made.listen()
    assert isinstance(caught.value.__cause__, ZeroDivisionError)
