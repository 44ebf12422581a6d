"""Two links as one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any, Self

import pytest

from dialer.agents.both import BothLinks
from dialer.core.effects import AgentOrder, CommandAgent
from dialer.core.events import AgentEvent, AgentLost, AgentReady, AgentSignedIn
from dialer.errors import AdapterDown
from dialer.ports import AgentLink


class Scripted:
    """A link that says what it is told to, and notes what it hears; None ends it, an exception kills it."""

    def __init__(self) -> None:
        self.says: asyncio.Queue[AgentEvent | Exception | None] = asyncio.Queue()
        self.heard: list[Any] = []

    async def __aenter__(self) -> Self:
        self.heard.append("open")
        return self

    async def __aexit__(self, *_why: object) -> None:
        self.heard.append("closed")

    async def events(self) -> AsyncIterator[tuple[int, AgentEvent]]:
        while (event := await self.says.get()) is not None:
            if isinstance(event, Exception):
                raise event
            yield 1, event

    async def command(self, campaign_id: int, order: CommandAgent) -> None:
        self.heard.append((campaign_id, order.agent_id))

    async def announce(self, campaign_id: int) -> None:
        self.heard.append(("announce", campaign_id))

    async def leave(self, campaign_id: int) -> None:
        self.heard.append(("leave", campaign_id))


async def test_an_agent_is_of_the_link_that_signed_them_in_until_it_loses_them() -> None:
    one, two = Scripted(), Scripted()
    order = CommandAgent("an", AgentOrder.RESERVE)
    both: AgentLink = BothLinks(one, two)
    async with both:
        events = aiter(both.events())
        await both.command(1, order)
        one.says.put_nowait(AgentSignedIn("an"))
        assert await anext(events) == (1, AgentSignedIn("an"))
        two.says.put_nowait(AgentSignedIn("an"))
        two.says.put_nowait(AgentReady("ba"))
        assert await anext(events) == (1, AgentReady("ba")), "the second an is nobody"
        await both.command(1, order)
        one.says.put_nowait(AgentLost("an"))
        assert await anext(events) == (1, AgentLost("an"))
        two.says.put_nowait(AgentSignedIn("an"))
        await anext(events)
        await both.command(1, order)
        await both.announce(7)
        await both.leave(7)
        one.says.put_nowait(None)
        two.says.put_nowait(None)
        assert [event async for event in events] == []
    assert one.heard == ["open", (1, "an"), ("announce", 7), ("leave", 7), "closed"]
    assert two.heard == one.heard


async def test_a_link_that_dies_is_an_incident() -> None:
    one = Scripted()
    both = BothLinks(one, Scripted())
    one.says.put_nowait(AdapterDown("gone"))
    with pytest.raises(AdapterDown):
        await anext(aiter(both.events()))
