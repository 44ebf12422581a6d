"""The embedded MQTT broker (amqtt) on loopback: agents sign in with their passwords and have their own topics only.

amqtt 0.12 trusts whoever connects before it has asked for the password: it lets a stranger end, or change the rights
of, the session of a client id, leaves the connection of a client id that was taken over open, sends the retained
messages of other clients' subscriptions, lets a last will go to any topic, waits for ever for a client that has fallen
silent, drops a message when somebody comes or goes while it is being passed on, and leaves sockets of lost clients
open. `_Broker` and `Guard` mend that.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, TypeAlias

from amqtt.adapters import ReaderAdapter, WriterAdapter
from amqtt.broker import Broker
from amqtt.contexts import Action, BaseContext, ListenerConfig
from amqtt.errors import AMQTTError, BrokerError, MQTTError, NoDataError
from amqtt.mqtt.protocol.broker_handler import BrokerProtocolHandler
from amqtt.plugins.base import BaseAuthPlugin, BaseTopicPlugin
from amqtt.session import Session
from amqtt.utils import gen_client_id

from dialer.agents.mqtt_at import MqttAt
from dialer.agents.topics import may_read, may_write
from dialer.errors import ResourceBusy

log = logging.getLogger(__name__)
logging.getLogger("amqtt").setLevel(logging.ERROR)
logging.getLogger("transitions").setLevel(logging.ERROR)

LOOPBACK: Final = "127.0.0.1"
SILENCE: Final = 1.5
"""A client is lost after so many keep-alive times without a word (MQTT 3.1.1 section 3.1.2.10)."""


@dataclass(frozen=True, slots=True)
class Rights:
    """What a user who has signed in may do."""

    supervisor: bool = False


Door: TypeAlias = Callable[[str, str], Awaitable[Rights | None]]
"""Tells the rights of (user, password); None: is not let in."""


class Guard(BaseAuthPlugin, BaseTopicPlugin):
    """Let in whom the door lets in, and everyone to their own topics."""

    @dataclass
    class Config:
        """`door` is a `Door`."""

        door: Any = None

    def __init__(self, context: BaseContext) -> None:
        super().__init__(context)
        self._door: Door = self._get_config_option("door")
        self._supervisors: dict[str, bool] = {}

    async def authenticate(self, *, session: Session) -> bool:
        """Check the password, and that the last will goes to a topic of the user's own."""
        user = session.username or ""
        rights = await self._door(user, session.password or "")
        if rights is not None:
            self._supervisors[user] = rights.supervisor
            if not session.will_flag or self._may_write(user, session.will_topic or ""):
                return True
        log.warning("an agent's desk is not let in", extra={"action": "mqtt.refused", "user": user})
        return False

    async def topic_filtering(
        self, *, session: Session | None = None, topic: str | None = None, action: Action | None = None
    ) -> bool:
        """Tell whether the user of a session may use a topic so."""
        if session is None or topic is None:
            return False
        user = session.username or ""
        return self._may_write(user, topic) if action is Action.PUBLISH else may_read(user, topic)

    def _may_write(self, user: str, topic: str) -> bool:
        return may_write(user, topic, supervisor=self._supervisors.get(user, False))


class _Subscriptions(dict[str, list[tuple[Session, int]]]):
    """Who has subscribed to what; `items` is as of now, however long its reader takes, and whoever comes meanwhile."""

    def items(self) -> Any:
        """Return a copy."""
        return [(topic_filter, list(subscribers)) for topic_filter, subscribers in super().items()]


class _Broker(Broker):
    """amqtt with sessions that begin after the password; each is clean: nothing is kept for a client that is away."""

    def __init__(self, config: dict[str, Any]) -> None:
        super().__init__(config)
        self._subscriptions = _Subscriptions()
        self._visits: set[asyncio.Task[Any]] = set()

    async def stream_connected(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, listener_name: str
    ) -> None:
        """Serve one client, and close the connection whatever became of it."""
        visit = asyncio.current_task()
        assert visit is not None  # noqa: S101 -- asyncio's server runs each in a task
        self._visits.add(visit)
        try:
            await super().stream_connected(reader, writer, listener_name)
        finally:
            self._visits.discard(visit)
            writer.close()

    async def shutdown(self) -> None:
        """Stop, and let nobody stay connected."""
        await super().shutdown()
        for visit in self._visits:
            visit.cancel()
        if self._visits:
            await asyncio.wait(self._visits)

    async def _initialize_client_session(
        self, reader: ReaderAdapter, writer: WriterAdapter, remote_address: str, remote_port: int
    ) -> tuple[BrokerProtocolHandler, Session]:
        try:
            handler, session = await BrokerProtocolHandler.init_from_connect(reader, writer, self.plugins_manager)
        except (AMQTTError, MQTTError, NoDataError) as error:
            await writer.close()
            raise AMQTTError(f"{remote_address}:{remote_port} says no CONNECT") from error
        session.clean_session, session.parent = True, 0
        session.client_id = session.client_id or gen_client_id()
        session.keep_alive = math.ceil(session.keep_alive * SILENCE)
        handler.handle_read_timeout = partial(_hang_up, handler)  # amqtt's does nothing
        return handler, session

    async def _authenticate(self, session: Session, listener: ListenerConfig) -> bool:
        known = await super()._authenticate(session, listener)
        before = self._sessions.get(session.client_id or "")
        if known and before is not None and before[0].username == session.username:
            await self._take_over(before[0], before[1])
        elif not known or before is not None:
            session.client_id = gen_client_id()  # a stranger takes nobody's place
            return False
        return True

    async def _take_over(self, session: Session, handler: BrokerProtocolHandler) -> None:
        """End the connection that had the client id (MQTT 3.1.1 section 3.1.4); its last will is published."""
        self._sessions.pop(session.client_id or "")
        await self._del_all_subscriptions(session)
        await handler.handle_connection_closed()

    async def _handle_client_session(self, *arguments: Any) -> None:
        client_session: Session = arguments[2]
        await super()._handle_client_session(*arguments)
        mine = self._sessions.get(client_session.client_id or "")
        if mine is not None and mine[0] is client_session:
            self._sessions.pop(client_session.client_id or "")
            await self._del_all_subscriptions(client_session)

    async def _publish_retained_messages_for_subscription(
        self, subscription: tuple[str, int], session: Session
    ) -> None:
        if any(one is session for one, _ in self._subscriptions.get(subscription[0], ())):
            await super()._publish_retained_messages_for_subscription(subscription, session)


def _hang_up(handler: BrokerProtocolHandler) -> None:
    """End the reading of a client that has fallen silent: the connection is closed, the last will published."""
    if handler._reader_task is not None:  # noqa: SLF001 -- amqtt has no other way to give a client up
        handler._reader_task.cancel()  # noqa: SLF001


@contextlib.asynccontextmanager
async def embedded_broker(door: Door, *, port: int = 0) -> AsyncIterator[MqttAt]:
    """Run a broker on loopback and give its address; raise ResourceBusy when the port is another's."""
    broker = _Broker(
        {
            "listeners": {"default": {"type": "tcp", "bind": f"{LOOPBACK}:{port}"}},
            "plugins": {f"{__name__}.{Guard.__name__}": {"door": door}},
        }
    )
    try:
        await broker.start()
    except BrokerError as error:
        raise ResourceBusy(f"port {port} on {LOOPBACK} is taken: set DIALER_MQTT_PORT to another, or to 0") from error
    try:
        yield MqttAt(LOOPBACK, _port(broker))
    finally:
        await broker.shutdown()


def _port(broker: Broker) -> int:
    (server,) = broker._servers.values()  # noqa: SLF001 -- amqtt tells the port that it was given nowhere else
    return int(server.instance.sockets[0].getsockname()[1])
