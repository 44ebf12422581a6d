"""A desk: one agent's connection to the dialer over MQTT, as a softphone or a browser would keep it."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import socket
from collections.abc import AsyncIterator, Callable
from typing import Any, Final, TypeVar

from aiomqtt import Client, MqttError, Will

from dialer.agents.messages import (
    Answer,
    Command,
    DeskState,
    Offer,
    Pause,
    Presence,
    Ready,
    SignIn,
    SignOut,
    State,
    Supervise,
    decode,
    encode,
)
from dialer.agents.mqtt_at import KEEP_ALIVE_S, MqttAt, give_up_if_cancelled
from dialer.agents.topics import Leaf, parse, topic
from dialer.errors import DialerError, Unreachable

AGAIN_S: Final = (0.2, 0.5, 1.0, 2.0)
ANSWER_S: Final = 5.0
"""A command that is not answered within this time is sent again, with the same id."""
TRIES: Final = 3
Asked = TypeVar("Asked", bound=Command)


def _nothing(_what: object) -> None:
    """Do nothing."""


class Desk:
    """One agent's desk. `run` keeps it connected, and on every connection signs in again as it was before.

    `state` is what the dialer last said; `on_state` and `on_offer` are told of each. A desk whose agent has signed in
    elsewhere since stops by itself: `replaced`.
    """

    def __init__(
        self, at: MqttAt, agent_id: str, *, client_id: str | None = None, keep_alive_s: int = KEEP_ALIVE_S
    ) -> None:
        self.at, self.agent_id = at, agent_id
        self.state = State()
        self.on_state: Callable[[State], None] = _nothing
        self.on_offer: Callable[[Offer], None] = _nothing
        self.campaign: str | None = None
        """Where to sign in on each connection."""
        self.wish: Ready | Pause | None = None
        self.session = ""
        self.connections = 0
        self.connected = asyncio.Event()
        self.replaced = False
        self.lost = False
        """It was switched off by `lose`."""
        self._client_id, self._keep_alive_s = client_id, keep_alive_s
        self._client: Client | None = None
        self._answers: dict[str, asyncio.Future[Answer]] = {}
        self._news = asyncio.Condition()

    async def run(self) -> None:
        """Stay connected until cancelled, replaced or lost."""
        failures = 0
        while not self.is_over:
            with contextlib.suppress(DialerError, MqttError):
                await self._connection()
                failures = 0
            give_up_if_cancelled()
            if not self.is_over:
                await asyncio.sleep(AGAIN_S[min(failures, len(AGAIN_S) - 1)])
                failures += 1

    @property
    def is_over(self) -> bool:
        """Tell whether it was replaced or lost, for good."""
        return self.replaced or self.lost

    async def until(self, holds: Callable[[State], bool], *, within_s: float = 30.0) -> State:
        """Return the first state for which this holds, the present one included; TimeoutError when there is none."""
        async with asyncio.timeout(within_s), self._news:
            await self._news.wait_for(lambda: holds(self.state))
            return self.state

    async def sign_in(self, campaign: str) -> Answer:
        """Join a campaign, and again on every later connection."""
        self.campaign = campaign
        return await self.ask(SignIn, campaign=campaign)

    async def sign_out(self) -> Answer:
        """Leave the campaign."""
        self.campaign = self.wish = None
        return await self.ask(SignOut)

    async def ready(self) -> Answer:
        """Take calls."""
        answer = await self.ask(Ready)
        self.wish = Ready(id="-", session="-")
        return answer

    async def pause(self, code: str = "") -> Answer:
        """Take no more calls after the present one."""
        answer = await self.ask(Pause, code=code)
        self.wish = Pause(id="-", session="-", code=code)
        return answer

    async def ask(self, kind: type[Asked], **fields: Any) -> Answer:
        """Send a command and return its answer; raise Unreachable when there is none."""
        command_id = secrets.token_hex(8)
        for _ in range(TRIES):
            client = self._client
            if client is None:
                break
            command = kind.model_validate({"id": command_id, "session": self.session, **fields})
            answer = await self._asked(client, command)
            if answer is not None:
                return answer
        raise Unreachable(f"the dialer does not answer {self.agent_id}: is an engine running that has the campaign?")

    async def say(self, command: Command) -> None:
        """Publish a command as it is, whatever comes of it."""
        if self._client is None:
            raise Unreachable(f"the desk of {self.agent_id} is not connected")
        leaf = Leaf.SUPERVISE if isinstance(command, Supervise) else Leaf.COMMAND
        await self._client.publish(topic(self.agent_id, leaf), encode(command), qos=1)

    @contextlib.asynccontextmanager
    async def visiting(self, *, stays: bool) -> AsyncIterator[None]:
        """Be connected for a while without `run`; if the session stays, the agent remains as they are afterwards."""
        async with self.at.connected() as client:
            await client.subscribe([(topic(self.agent_id, leaf), 1) for leaf in (Leaf.STATE, Leaf.OFFER)])
            self._client = client
            listening = asyncio.create_task(self._listen(client))
            try:
                yield
                if not stays:
                    await self.appear(online=False)
            finally:
                self._client = None
                listening.cancel()
                await asyncio.wait({listening})

    async def appear(self, *, online: bool = True) -> None:
        """Say that the agent is there, in a new session, or no longer."""
        if self._client is None:
            raise Unreachable(f"the desk of {self.agent_id} is not connected")
        self.session = secrets.token_hex(8) if online else self.session
        said = encode(Presence(session=self.session, online=online))
        await self._client.publish(topic(self.agent_id, Leaf.PRESENCE), said, qos=1, retain=True)

    def drop(self) -> None:
        """Cut the connection as a lost network does, without a word to the broker: it comes back by itself."""
        sock = None if self._client is None else self._client._client.socket()  # noqa: SLF001 -- nobody else has it
        if isinstance(sock, socket.socket):
            sock.shutdown(socket.SHUT_RDWR)

    def lose(self) -> None:
        """Switch the desk off in the middle of everything, for good."""
        self.lost = True
        self.drop()

    async def _asked(self, client: Client, command: Command) -> Answer | None:
        answer = self._answers.setdefault(command.id, asyncio.get_running_loop().create_future())
        leaf = Leaf.SUPERVISE if isinstance(command, Supervise) else Leaf.COMMAND
        try:
            await client.publish(topic(self.agent_id, leaf), encode(command), qos=1)
            give_up_if_cancelled()
            async with asyncio.timeout(ANSWER_S):
                return await answer
        except (TimeoutError, MqttError):
            return None
        finally:
            self._answers.pop(command.id, None)

    async def _connection(self) -> None:
        self.session = secrets.token_hex(8)
        mine = topic(self.agent_id, Leaf.PRESENCE)
        will = Will(mine, encode(Presence(session=self.session, online=False)), qos=1, retain=True)
        async with self.at.connected(name=self._client_id, will=will, keep_alive_s=self._keep_alive_s) as client:
            await client.subscribe([(topic(self.agent_id, leaf), 1) for leaf in (Leaf.STATE, Leaf.OFFER)])
            await client.publish(mine, encode(Presence(session=self.session, online=True)), qos=1, retain=True)
            give_up_if_cancelled()
            self._client = client
            self.connections += 1
            self.connected.set()
            again = asyncio.create_task(self._again())
            try:
                await self._listen(client)
            finally:
                self._client = None
                self.connected.clear()
                again.cancel()
                await asyncio.wait({again})
                await self._part(client, mine)

    async def _part(self, client: Client, mine: str) -> None:
        """Say farewell, unless the connection is lost, or another one has taken this one's place."""
        if self.is_over or client._disconnected.done():  # noqa: SLF001 -- it tells nobody else
            return
        with contextlib.suppress(MqttError):
            await client.publish(mine, encode(Presence(session=self.session, online=False)), qos=1, retain=True)

    async def _again(self) -> None:
        """Say again, on a new connection, what was said on those before."""
        campaign, wish, session = self.campaign, self.wish, self.session
        while campaign is not None and self._client is not None and self.session == session:
            with contextlib.suppress(Unreachable):
                await self.ask(SignIn, campaign=campaign)
                if isinstance(wish, Pause):
                    await self.ask(Pause, code=wish.code)
                elif wish is not None and self.state.state is DeskState.NOT_READY:
                    await self.ask(Ready)
                return

    async def _listen(self, client: Client) -> None:
        async for message in client.messages:
            at = parse(str(message.topic))
            if at is not None and at.leaf is Leaf.OFFER:
                self.on_offer(decode(Offer, message.payload))
            elif at is not None and message.payload:
                await self._told(decode(State, message.payload))
                if self.replaced:
                    return

    async def _told(self, state: State) -> None:
        was_mine = self.session != "" and self.state.session == self.session
        async with self._news:
            self.state = state
            self._news.notify_all()
        self.replaced = was_mine and state.session not in {"", self.session}
        if state.answer is not None and (waiting := self._answers.get(state.answer.id)) and not waiting.done():
            waiting.set_result(state.answer)
        self.on_state(state)
