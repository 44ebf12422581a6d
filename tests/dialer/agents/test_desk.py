"""A desk of its own, against the embedded broker; with an engine it is in test_mqtt_link.py."""

from __future__ import annotations

import asyncio

import pytest

from dialer.agents import desk as module
from dialer.agents.desk import Desk
from dialer.agents.messages import Presence, Ready, SignIn, decode
from dialer.agents.topics import DIALER, Leaf, topic
from dialer.errors import Unreachable
from tests.dialer.agents.brokers import Embedded, running

WAIT_S = 30.0


async def test_a_desk_says_that_it_is_there_and_that_it_goes() -> None:
    async with running(Embedded.name) as broker, broker.at(DIALER).connected() as dialer:
        await dialer.subscribe(topic("an", Leaf.PRESENCE), qos=1)
        desk = Desk(broker.at("an"), "an")
        task = asyncio.create_task(desk.run())
        heard = aiter(dialer.messages)
        here = decode(Presence, (await asyncio.wait_for(anext(heard), WAIT_S)).payload)
        assert here == Presence(session=desk.session, online=True)
        await asyncio.wait_for(desk.connected.wait(), WAIT_S)
        task.cancel()
        await asyncio.wait({task})
        gone = decode(Presence, (await asyncio.wait_for(anext(heard), WAIT_S)).payload)
        assert gone == Presence(session=here.session, online=False)


async def test_without_an_engine_a_command_is_not_answered_and_without_a_broker_not_sent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "ANSWER_S", 0.05)
    async with running(Embedded.name) as broker:
        desk = Desk(broker.at("an"), "an")
        with pytest.raises(Unreachable, match="is not connected"):
            await desk.say(Ready(id="1", session="s"))
        async with desk.visiting(stays=True):
            await desk.appear()
            with pytest.raises(Unreachable, match="does not answer an"):
                await desk.ask(SignIn, campaign="spring")
