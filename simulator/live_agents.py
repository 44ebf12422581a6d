"""Simulated agents for the live service: they sign in, talk, wrap up and take breaks on the service's own clock."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from functools import partial
from types import TracebackType
from typing import Self

from dialer.core.effects import CommandAgent
from dialer.core.events import AgentEvent, Event
from dialer.core.types import AgentId, CallId
from dialer.errors import AdapterDown
from dialer.ports import Clock
from simulator.agenda import Agenda
from simulator.agents import agent_id, agent_name
from simulator.desks import Desks
from simulator.live import SimulatorTelephony
from simulator.profile import AgentProfile


class SimulatedDesks:
    """Implements dialer.ports.AgentLink. `man` puts agents on a campaign, before or after entering.

    With a simulated `trunk`, a lost link is heard by the customer too.
    """

    def __init__(self, *, clock: Clock, seed: int, trunk: SimulatorTelephony | None = None) -> None:
        self.names: dict[AgentId, str] = {}
        """What people see, by agent id."""
        self._clock, self._seed, self._trunk = clock, seed, trunk
        self._agenda = Agenda(clock)
        self._desks: dict[int, Desks] = {}
        self._events: asyncio.Queue[tuple[int, AgentEvent] | None] = asyncio.Queue()
        self._task: asyncio.Task[None] | None = None
        if trunk is not None:
            trunk.on_connected = self.joined

    def man(self, campaign_id: int, profile: AgentProfile) -> None:
        """Send `profile.count` new agents to a campaign; ValueError when it has simulated agents already."""
        if campaign_id in self._desks:
            raise ValueError(f"campaign {campaign_id} has its simulated agents already")
        first, now = len(self.names) + 1, self._clock.now()
        gone: Callable[[CallId, float], None] = _unheard if self._trunk is None else self._trunk.agent_gone
        is_live: Callable[[CallId], bool] = _is_over if self._trunk is None else self._trunk.is_live
        desks = self._desks[campaign_id] = Desks(
            profile, seed=self._seed, now=now, schedule=self._agenda.schedule, emit=partial(self._emit, campaign_id),
            link_lost=gone, is_live=is_live, first_number=first,
        )  # fmt: skip
        self.names.update((agent_id(n), agent_name(n)) for n in range(first, first + profile.count))
        desks.open(now)

    async def __aenter__(self) -> Self:
        """Start the agents' day."""
        self._task = asyncio.create_task(self._agenda.run(), name="simulated desks")
        self._task.add_done_callback(lambda _task: self._events.put_nowait(None))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the link."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.wait({task})

    async def events(self) -> AsyncIterator[tuple[int, AgentEvent]]:
        """Yield what the agents do until the link closes; raise AdapterDown when it died by itself."""
        while (event := await self._events.get()) is not None:
            yield event
        task = self._task
        if task is not None and task.done() and not task.cancelled():
            raise AdapterDown("the simulated desks stopped; see the cause") from task.exception()

    async def command(self, campaign_id: int, order: CommandAgent) -> None:
        """Tell one desk; a campaign without simulated agents has nobody to tell."""
        desks = self._desks.get(campaign_id)
        if desks is not None:
            desks.order(order, self._clock.now())

    async def announce(self, campaign_id: int) -> None:
        """Have the agents of a campaign say again whether they are ready."""
        desks = self._desks.get(campaign_id)
        if desks is not None:
            desks.announce(self._clock.now())

    async def leave(self, campaign_id: int) -> None:
        """Do nothing: simulated agents are told no more by themselves."""

    def joined(self, agent: AgentId, call_id: CallId, now: float) -> None:
        """Learn from the trunk that a talk began."""
        for desks in self._desks.values():
            desks.joined(agent, call_id, now)

    def _emit(self, campaign_id: int, event: Event, _now: float) -> None:
        if isinstance(event, AgentEvent):
            self._events.put_nowait((campaign_id, event))


def _unheard(_call_id: CallId, _now: float) -> None:
    """Leave it to the trunk: a real one hears of the lost link by itself."""


def _is_over(_call_id: CallId) -> bool:
    return False
