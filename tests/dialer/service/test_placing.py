"""A call leaves when everything it may have to play is ready, and not when it was given up meanwhile."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec

from cdr.events import decode
from dialer.core.campaign import CampaignState
from dialer.core.script import ScriptText
from dialer.core.types import CampaignKind
from dialer.service.placing import Placing
from dialer.speech import PromptFault
from simulator.chance import Duration
from simulator.profile import Fate
from statuses.outcomes import LocalError
from tests.dialer.core.scripts import MENU
from tests.dialer.service.stage import Stage
from tests.simulator.worlds import only


class Slow:
    """Prompts that come when they are let, or not at all."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.fault: PromptFault | None = None

    async def ready(self, prompt: str) -> str:
        self.asked.append(prompt)
        await self.gate.wait()
        if self.fault is not None:
            raise self.fault
        return f"ready {prompt}"


async def test_a_call_is_taken_out_once() -> None:
    placing = Placing(Slow())
    assert await placing.ready("a", ("x", "y")) is None
    assert (placing.take_out("a"), placing.take_out("a")) == (True, False)
    assert await placing.path("x") == "ready x"


MESSAGE: dict[str, Any] = {"kind": CampaignKind.AUTODIALER, "pacer": "agentless", "prompt": "reminder"}


async def test_what_is_missing_ends_a_few_attempts_without_an_invite_and_the_campaign_says_why() -> None:
    prompts = Slow()
    prompts.fault = PromptFault(LocalError.TTS_KEY, "no key is left")
    stage = Stage(agents=0, prompts=prompts)
    stage.campaign(leads=40, **MESSAGE)
    async with stage.running():
        await stage.clock.advance(60)
        attempts = list(stage.store.book.attempts.values())
        assert [(row.status, row.sub_reason) for row in attempts] == [("failed", "tts_key")] * 3
        assert stage.invites == []
        assert stage.states() == {"not_called": 37, "call_error": 3}
        runtime = msgspec.json.decode(stage.store.runtimes[1][0])
        assert (runtime["reason"], runtime["detail"]) == ("content", "tts_key")
        prompts.fault = None
        await stage.clock.advance(320)
        assert len(set(stage.invites)) > 30


async def test_a_call_that_is_stopped_while_its_prompts_are_rendered_never_leaves() -> None:
    prompts = Slow()
    prompts.gate.clear()
    stage = Stage(agents=0, prompts=prompts)
    stage.campaign(leads=2, **MESSAGE)
    async with stage.running():
        await stage.clock.advance(3)
        assert prompts.asked == ["reminder"] * 2
        info = stage.store.book.campaigns[1]
        info.state, info.revision = CampaignState.PAUSED, info.revision + 1
        await stage.clock.advance(3)
        prompts.gate.set()
        await stage.clock.advance(3)
    assert stage.invites == []
    assert stage.states() == {"not_called": 2}


async def test_a_script_that_is_put_back_reaches_a_running_campaign() -> None:
    text = '[nodes.m]\ndo = "hangup"\nsay = "Chào {name}"\n'
    prompts = Slow()
    stage = Stage(agents=0, prompts=prompts)
    stage.campaign(leads=5, **MESSAGE, script="hello")
    async with stage.running():
        await stage.clock.advance(10)
        assert stage.invites == []
        stage.store.scripts["hello"] = ScriptText("hello", 1, text)
        await stage.clock.advance(10)
    assert stage.invites
    assert prompts.asked[0] == "say:vi:Chào "


async def test_people_of_the_simulated_carrier_go_through_a_script_to_an_agent() -> None:
    people = msgspec.structs.replace(only(Fate.ANSWER), keys={"1": 1.0}, prompt_patience=Duration(300.0, 0.0))
    stage = Stage(agents=2, carrier=people, prompts=Slow())
    stage.store.scripts["menu"] = ScriptText("menu", 1, MENU)
    stage.campaign(leads=3, **MESSAGE, script="menu")
    async with stage.running():
        await stage.clock.advance(150)
    attempts = list(stage.store.book.attempts.values())
    assert {row.status for row in attempts} == {"answered"}
    assert all(row.bridged_at is not None for row in attempts)
    pressed = [decode(event.value).data for event in stage.store.events if event.type == "ivr.dtmf"]
    assert {getattr(key, "digit", "") for key in pressed} == {"1"}
    assert stage.states() == {"success": 3}
