"""The link to agents' desks over MQTT: passes on what the book of desks decides; comes back when the broker does."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from types import TracebackType
from typing import Any, Final, NamedTuple, Self, TypeAlias

from aiomqtt import Client, MqttError
from aiomqtt import Message as Received

from dialer.agents.desk_book import DeskBook
from dialer.agents.messages import (
    AnyCommand,
    BadMessage,
    Message,
    Presence,
    Refused,
    SignIn,
    State,
    Supervise,
    decode,
    decode_command,
    encode,
)
from dialer.agents.mqtt_at import MqttAt, give_up_if_cancelled
from dialer.agents.topics import Leaf, everyone, parse, topic
from dialer.core.effects import CommandAgent
from dialer.core.events import AgentEvent
from dialer.core.types import AgentId
from dialer.errors import AdapterDown, DialerError
from dialer.ports import Clock

log = logging.getLogger(__name__)

AGAIN_S: Final = (0.2, 0.5, 1.0, 2.0, 5.0)
"""Waits between tries to reach the broker again."""
HEARD: Final = (Leaf.STATE, Leaf.PRESENCE, Leaf.COMMAND, Leaf.SUPERVISE)
FindCampaign: TypeAlias = Callable[[str], Awaitable[int | None]]
"""Returns the id of a campaign that is not ended, by name or id."""


class _Letter(NamedTuple):
    topic: str
    payload: bytes
    retain: bool


class MqttLink:
    """Implements dialer.ports.AgentLink over a broker."""

    def __init__(
        self,
        at: MqttAt,
        *,
        clock: Clock,
        find_campaign: FindCampaign,
        grace_s: float,
    ) -> None:
        me = secrets.token_hex(8)
        self._at, self._clock, self._find = at, clock, find_campaign
        self._name = f"dialer-{me}"
        # The network lives in real time, whatever the engine's clock does.
        self._book = DeskBook(me=me, grace_s=grace_s * clock.speed)
        self._events: asyncio.Queue[tuple[int, AgentEvent] | None] = asyncio.Queue()
        self._outbox: deque[_Letter] = deque()
        self._wake, self._changed = asyncio.Event(), asyncio.Event()
        self._up = False
        self._task: asyncio.Task[None] | None = None
        self.connected = asyncio.Event()
        """Set while the broker is reached."""

    async def __aenter__(self) -> Self:
        """Begin to reach for the broker."""
        self._task = asyncio.create_task(self._run(), name="desks over mqtt")
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
        """Yield what agents do until the link closes; raise AdapterDown when it died by itself."""
        while (event := await self._events.get()) is not None:
            yield event
        task = self._task
        if task is not None and task.done() and not task.cancelled():
            raise AdapterDown("the link to agents' desks stopped; see the cause") from task.exception()

    async def command(self, campaign_id: int, order: CommandAgent) -> None:
        """Tell one desk; what cannot be sent now is told by the state that follows the next connection."""
        self._book.order(campaign_id, order, self._clock.now())
        self._flush()

    async def announce(self, campaign_id: int) -> None:
        """Say who is signed in to a campaign, and whether they take calls."""
        self._book.announce(campaign_id, self._clock.now())
        self._flush()

    async def leave(self, campaign_id: int) -> None:
        """Leave the agents of a campaign to another process."""
        self._book.leave(campaign_id)

    async def _run(self) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self._expire(), name="desks that are away")
            group.create_task(self._stay(), name="mqtt connection")

    async def _stay(self) -> None:
        failures = 0
        while True:
            try:
                async with self._at.connected(name=self._name) as client:
                    await client.subscribe([(everyone(leaf), 1) for leaf in HEARD])
                    give_up_if_cancelled()
                    failures = 0
                    self._came_up()
                    await _first(self._listen(client), self._send(client))
            except (DialerError, MqttError) as error:
                give_up_if_cancelled()
                self._went_down(error)
                await asyncio.sleep(AGAIN_S[min(failures, len(AGAIN_S) - 1)])
                failures += 1

    def _came_up(self) -> None:
        log.info("agents' desks are reached", extra={"action": "mqtt.up"})
        self._up = True
        self.connected.set()
        self._book.link_back(self._clock.now())
        self._changed.set()
        self._flush()

    def _went_down(self, error: Exception) -> None:
        if not self._up:
            return
        extra = {"action": "mqtt.down", "why": type(error).__name__}
        log.warning("agents' desks are out of reach: no calls for them until the broker is back", extra=extra)
        self._up = False
        self.connected.clear()
        self._outbox.clear()
        self._book.link_lost(self._clock.now())
        self._changed.set()
        self._flush()

    async def _listen(self, client: Client) -> None:
        async for message in client.messages:
            at = parse(str(message.topic))
            if at is None or not message.payload:
                continue
            try:
                await self._hear(at.agent_id, at.leaf, message)
            except BadMessage as error:
                extra = {"action": "mqtt.unreadable", "agent": at.agent_id, "topic": at.leaf.value, "why": str(error)}
                log.warning("a desk's message cannot be read", extra=extra)
            except Exception as error:  # the database may be away: it costs one command, not the link
                extra = {"action": "mqtt.command_failed", "agent": at.agent_id}
                log.warning("what an agent asked could not be done", extra=extra, exc_info=error)
            self._flush()

    async def _hear(self, agent_id: AgentId, leaf: Leaf, message: Received) -> None:
        match leaf:
            case Leaf.PRESENCE:
                self._book.presence(agent_id, decode(Presence, message.payload), self._clock.now())
                self._changed.set()
            case Leaf.STATE:
                self._book.heard(agent_id, decode(State, message.payload), self._clock.now())
                self._changed.set()
            case Leaf.COMMAND if not message.retain:
                await self._obey(agent_id, decode_command(message.payload))
            case Leaf.SUPERVISE if not message.retain:
                self._book.supervised(agent_id, decode(Supervise, message.payload), self._clock.now())
            case _:
                raise BadMessage("a retained command would be obeyed again and again")

    async def _obey(self, agent_id: AgentId, command: AnyCommand) -> None:
        try:
            found = await self._find(command.campaign) if isinstance(command, SignIn) else None
        except Exception:
            self._book.said(agent_id, command, self._clock.now(), fault=Refused.UNAVAILABLE)
            raise
        self._book.said(agent_id, command, self._clock.now(), campaign_id=found)

    async def _send(self, client: Client) -> None:
        try:
            async with asyncio.TaskGroup() as group:
                while True:
                    while self._outbox:
                        letter = self._outbox.popleft()
                        group.create_task(client.publish(letter.topic, letter.payload, qos=1, retain=letter.retain))
                    self._wake.clear()
                    await self._wake.wait()
        except* MqttError as errors:
            raise MqttError("a message to a desk was not taken") from errors

    async def _expire(self) -> None:
        while True:
            self._changed.clear()
            due = self._book.next_timer()
            if due is None:
                await self._changed.wait()
                continue
            await _first(self._clock.sleep_until(due), self._changed.wait())
            self._book.expire(self._clock.now())
            self._flush()

    def _post(self, leaf: Leaf, messages: Sequence[tuple[AgentId, Message]]) -> None:
        self._outbox.extend(_Letter(topic(who, leaf), encode(one), leaf is not Leaf.OFFER) for who, one in messages)

    def _flush(self) -> None:
        taken = self._book.take()
        for event in taken.events:
            self._events.put_nowait(event)
        if self._up:
            self._post(Leaf.OFFER, taken.offers)
            self._post(Leaf.STATE, taken.states)
            self._post(Leaf.PRESENCE, taken.presences)
            self._wake.set()


async def _first(*works: Coroutine[Any, Any, Any]) -> None:
    """Run these until one ends; raise what it raised, end the others."""
    tasks = [asyncio.create_task(work) for work in works]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.wait(tasks)
    for task in done:
        task.result()
