"""Two links to agents as one: an agent is of the link that signs them in, until it loses them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Self

from dialer.core.effects import CommandAgent
from dialer.core.events import AgentEvent, AgentLost, AgentSignedIn
from dialer.core.types import AgentId
from dialer.ports import AgentLink

log = logging.getLogger(__name__)


class BothLinks:
    """Implements dialer.ports.AgentLink over two others."""

    def __init__(self, *links: AgentLink) -> None:
        self._links = links
        self._of: dict[AgentId, AgentLink] = {}
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        """Open both."""
        for link in self._links:
            await self._stack.enter_async_context(link)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close both."""
        await self._stack.aclose()

    async def events(self) -> AsyncIterator[tuple[int, AgentEvent]]:
        """Yield what agents of both do until both close; raise AdapterDown when one died by itself."""
        heard: asyncio.Queue[tuple[int, AgentEvent] | None] = asyncio.Queue()
        hearing = [asyncio.create_task(self._hear(link, heard)) for link in self._links]
        for task in hearing:
            task.add_done_callback(lambda _task: heard.put_nowait(None))
        try:
            while not all(task.done() for task in hearing) or not heard.empty():
                event = await heard.get()
                if event is not None:
                    yield event
                for task in hearing:
                    if task.done():
                        task.result()
        finally:
            for task in hearing:
                task.cancel()

    async def command(self, campaign_id: int, order: CommandAgent) -> None:
        """Tell one desk, over the link that has the agent."""
        link = self._of.get(order.agent_id)
        if link is not None:
            await link.command(campaign_id, order)

    async def announce(self, campaign_id: int) -> None:
        """Have the agents of both say again whether they are ready."""
        for link in self._links:
            await link.announce(campaign_id)

    async def leave(self, campaign_id: int) -> None:
        """Say nothing more to the agents of a campaign."""
        for link in self._links:
            await link.leave(campaign_id)

    async def _hear(self, link: AgentLink, heard: asyncio.Queue[tuple[int, AgentEvent] | None]) -> None:
        async for campaign_id, event in link.events():
            if isinstance(event, AgentSignedIn):
                self._of.setdefault(event.agent_id, link)
            if self._of.get(event.agent_id, link) is not link:
                extra = {"action": "agent.taken", "agent": event.agent_id}
                log.warning("an agent has signed in who is at work under the same id already", extra=extra)
                continue
            if isinstance(event, AgentLost):
                self._of.pop(event.agent_id, None)
            heard.put_nowait((campaign_id, event))
