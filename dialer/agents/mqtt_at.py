"""Where the MQTT broker is and how to connect to it; what its client throws becomes a sentence for a person."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
import ssl
from collections.abc import AsyncIterator, Iterator
from typing import Any, Final
from urllib.parse import SplitResult, unquote, urlsplit

import msgspec
from aiomqtt import Client, MqttError, Will
from aiomqtt.exceptions import MqttConnectError
from paho.mqtt.reasoncodes import ReasonCode

from dialer.errors import BadInput, Unreachable

TIMEOUT_S: Final = 4.0
KEEP_ALIVE_S: Final = 20
"""A connection that is silent for one and a half times as long is lost (MQTT 3.1.1 section 3.1.2.10)."""
PENDING_CALLS: Final = 1_000
"""The client warns of more messages under way than this."""
PORTS: Final = {"mqtt": 1883, "mqtts": 8883}
_REFUSED: Final = frozenset({134, 135})
"""CONNACK: bad user name or password, not authorised (MQTT 5.0, 3.2.2.2); the client makes them of 3.1.1's 4 and 5."""
_FORM: Final = (
    "DIALER_MQTT_URL must be mqtt://HOST:1883, or mqtts://HOST:8883 for TLS, with USER:PASSWORD@ before HOST if need "
    "be; there %40 stands for @, %2F for /, %23 for #, %3A for :"
)

# The client says each failed try as an error of its own; who calls it says once what it means.
logging.getLogger("mqtt").setLevel(logging.CRITICAL)


class Refused(BadInput):
    """The broker does not take this user with this password."""


class MqttAt(msgspec.Struct, frozen=True):
    """An MQTT broker and who signs in there; CONNECT and its answer together take at most `timeout_s`."""

    host: str
    port: int
    tls: bool = False
    user: str | None = None
    password: str | None = None
    timeout_s: float = TIMEOUT_S

    @classmethod
    def parse(cls, url: str) -> MqttAt:
        """Read mqtt://USER:PASSWORD@HOST:PORT; raise BadInput, without the text, if it is none."""
        try:
            parts = urlsplit(url)
            default = PORTS[parts.scheme]
            port = parts.port or default
        except (ValueError, KeyError) as error:
            raise BadInput(_FORM) from error
        if not parts.hostname or parts.username == "" or _more(parts):
            raise BadInput(_FORM)
        user, password = (None if text is None else unquote(text) for text in (parts.username, parts.password))
        return cls(parts.hostname, port, tls=parts.scheme == "mqtts", user=user, password=password)

    def __repr__(self) -> str:
        return f"MqttAt({self.where!r})"

    @property
    def where(self) -> str:
        """Return the address without user and password."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'mqtts' if self.tls else 'mqtt'}://{host}:{self.port}"

    @contextlib.asynccontextmanager
    async def connected(
        self, *, name: str | None = None, will: Will | None = None, keep_alive_s: int = KEEP_ALIVE_S
    ) -> AsyncIterator[Client]:
        """Give a client that the broker has accepted; Unreachable if it is away, Refused (BadInput) if it refuses us.

        `name` is the client id, by default one of chance; `will` is published when the connection is lost.
        """
        async with contextlib.AsyncExitStack() as parting:
            with self._explained():
                client = self._client(name, will, keep_alive_s)
                await self._open(client)
            parting.push_async_exit(client)
            yield client

    async def ask(self) -> None:
        """Connect and part again: whoever wants to know whether the broker is there and takes us."""
        async with self.connected():
            pass

    def _client(self, name: str | None, will: Will | None, keep_alive_s: int) -> Client:
        context = ssl.create_default_context() if self.tls else None
        client = Client(
            self.host, self.port, username=self.user, password=self.password, tls_context=context,
            timeout=self.timeout_s, identifier=name, will=will, keepalive=keep_alive_s,
        )  # fmt: skip
        client.pending_calls_threshold = PENDING_CALLS
        client._client.connect_timeout = self.timeout_s  # noqa: SLF001 -- its own 5 s otherwise, in a thread
        return client

    async def _open(self, client: Client) -> None:
        """Connect within the time; a connection that comes too late is closed when it comes."""
        opening = asyncio.ensure_future(client.__aenter__())
        try:
            async with asyncio.timeout(self.timeout_s):
                await asyncio.shield(opening)
        except BaseException:
            opening.add_done_callback(functools.partial(_abandon, client))
            raise

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except MqttConnectError as error:
            if _code(error) in _REFUSED:
                raise Refused(f"{self.where} {self._refusal()}") from error
            raise Unreachable(f"{self.where} takes nobody now ({error.rc}); look at the broker's log") from error
        except TimeoutError as error:
            raise Unreachable(
                f"{self.where} does not answer as an MQTT broker does within {self.timeout_s:g} s; "
                f"check that it runs, the port, {self._hints()}"
            ) from error
        except (MqttError, ValueError) as error:  # ValueError: a name that no resolver takes
            raise Unreachable(
                f"{self.where} cannot be reached ({error}); check that it runs, the address, {self._hints()}"
            ) from error

    def _refusal(self) -> str:
        if self.user is None:
            return "takes nobody without user and password: put them into DIALER_MQTT_URL"
        return f"refuses the user {self.user}: check DIALER_MQTT_URL, and the broker's list of users"

    def _hints(self) -> str:
        return (
            "its certificate (SSL_CERT_FILE names your own authority)" if self.tls else "and whether it wants mqtts://"
        )


def give_up_if_cancelled() -> None:
    """Raise CancelledError in a task that is cancelled.

    The client may have swallowed it: by an error of its own at the farewell, or in `asyncio.wait_for`, which before
    Python 3.12 forgets a cancellation that comes together with what it waits for.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


def _more(parts: SplitResult) -> bool:
    return bool(parts.path.strip("/") or parts.query or parts.fragment)


def _code(error: MqttConnectError) -> int | None:
    return error.rc.value if isinstance(error.rc, ReasonCode) else error.rc


def _abandon(client: Client, opening: asyncio.Future[Any]) -> None:
    """Close the connection of a client that was not entered: left alone, it would stay for its keep-alive time."""
    if not opening.cancelled():
        opening.exception()  # told already, or too late to matter
    client._client.disconnect()  # noqa: SLF001 -- leaving a context that was not entered does not close it
