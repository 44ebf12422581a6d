"""HTTP and the WebSocket of one Asterisk's ARI: few connections, used again; no request is awaited for ever."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final, NamedTuple, Self, TypeVar
from urllib.parse import quote

import aiohttp
import msgspec
from yarl import URL

from dialer.errors import Unreachable
from telephony_adapters.asterisk.config import Common, Server
from telephony_adapters.asterisk.messages import EVENTS, NO_REPLY, AriEvent, Bridge, Channel, Request
from telephony_adapters.asterisk.names import path_of

T = TypeVar("T")
_EVENT: Final = msgspec.json.Decoder(AriEvent).decode
_DENIED: Final = (401, 403)
_OK: Final = 200
LONGEST_FILE: Final = 512 * 1024 * 1024
"""Of a recording, bytes: nine hours."""
_IDLE_S: Final = 10.0
"""A connection is used again within this: Asterisk closes it after 15 s, and a request must not cross that."""


class Reply(NamedTuple):
    """What a request came to; NO_REPLY: nothing is known."""

    status: int
    body: bytes = b""


class Application(msgspec.Struct, frozen=True):
    """Our ARI application, as Asterisk knows it."""

    channel_ids: tuple[str, ...] = ()


class System(msgspec.Struct, frozen=True):
    """Which Asterisk it is."""

    version: str = ""


class Info(msgspec.Struct, frozen=True):
    """What an Asterisk says of itself."""

    system: System = System()


class Name(msgspec.Struct, frozen=True):
    """A thing that has a name."""

    name: str
    format: str = ""


class Ari:
    """A client of one server. Enter it before use."""

    def __init__(self, server: Server, common: Common) -> None:
        password = server.password.reveal() if server.password is not None else ""
        pair = base64.b64encode(f"{server.user}:{password}".encode()).decode()
        self._headers = {"Authorization": f"Basic {pair}"}
        self._url = server.url
        self._server = server
        self._common = common
        self._timeout = aiohttp.ClientTimeout(total=common.timeout_s)
        self._session: aiohttp.ClientSession | None = None
        self.tap: Callable[[str], None] | None = None
        """Told of each message of the WebSocket, as it came, before it is acted on."""

    async def __aenter__(self) -> Self:
        """Make the session; nothing is sent."""
        connector = aiohttp.TCPConnector(limit=self._common.requests + 1, keepalive_timeout=_IDLE_S)
        self._session = aiohttp.ClientSession(headers=self._headers, connector=connector, timeout=self._timeout)
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close every connection."""
        if self._session is not None:
            await self._session.close()

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            raise RuntimeError("enter the client before use")
        return self._session

    async def send(self, request: Request) -> Reply:
        """Send a request and return its answer, whatever it is."""
        return await self._send(request.method, request.path, request.query, request.body)

    async def _send(self, method: str, path: str, query: object = None, body: object = None) -> Reply:
        url = self._url + path + _query(query)
        try:
            async with self._open().request(method, URL(url, encoded=True), json=body) as response:
                return Reply(response.status, await response.read())
        except (aiohttp.ClientError, TimeoutError, OSError):
            return Reply(NO_REPLY)

    async def _load(self, path: str) -> Reply:
        """Get a file, however long that takes, as long as some of it comes."""
        patience = aiohttp.ClientTimeout(total=None, connect=self._timeout.total, sock_read=self._timeout.total)
        body = bytearray()
        try:
            async with self._open().get(URL(self._url + path, encoded=True), timeout=patience) as response:
                async for part in response.content.iter_any():
                    body += part
                    if len(body) > LONGEST_FILE:
                        raise Unreachable(f"Asterisk {self._server.name!r}: {path} is longer than {LONGEST_FILE} bytes")
                return Reply(response.status, bytes(body))
        except (aiohttp.ClientError, TimeoutError, OSError):
            return Reply(NO_REPLY)

    async def get(self, path: str, kind: type[T]) -> T:
        """Return what a path holds; raise Unreachable for anything but a 200, LookupError for a 404."""
        reply = await self._send("GET", path)
        if reply.status == 404:  # noqa: PLR2004 -- Not Found
            raise LookupError(path)
        self._check(reply, path)
        try:
            return msgspec.json.decode(reply.body, type=kind)
        except msgspec.DecodeError as error:
            raise Unreachable(f"Asterisk {self._server.name!r} said something that is not ARI: {error}") from error

    def _check(self, reply: Reply, path: str) -> None:
        name, url = self._server.name, self._url
        if reply.status == NO_REPLY:
            raise Unreachable(f"Asterisk {name!r} does not answer at {url}; see that it runs, and its http.conf")
        if reply.status in _DENIED:
            raise Unreachable(f"Asterisk {name!r} refuses the user or the password ({reply.status}); see its ari.conf")
        if reply.status != _OK:
            raise Unreachable(
                f"Asterisk {name!r} answers {path} with {reply.status}; see that ARI's modules are loaded"
            )

    async def info(self) -> Info:
        """Return what the server says of itself; raise Unreachable."""
        return await self.get("/asterisk/info?only=system", Info)

    async def channels(self) -> list[Channel]:
        """Return every channel; raise Unreachable."""
        return await self.get("/channels", list[Channel])

    async def bridges(self) -> list[Bridge]:
        """Return every bridge; raise Unreachable."""
        return await self.get("/bridges", list[Bridge])

    async def told_of(self) -> frozenset[str]:
        """Return the channels that our application is told of; raise Unreachable."""
        try:
            application = await self.get(f"/applications/{self._common.app}", Application)
        except LookupError:
            return frozenset()
        return frozenset(application.channel_ids)

    async def recordings(self) -> list[str]:
        """Return the names of all finished recordings; raise Unreachable."""
        return [one.name for one in await self.get("/recordings/stored", list[Name])]

    async def recording(self, name: str) -> bytes | None:
        """Return a recording's file, None when there is none; raise Unreachable."""
        reply = await self._load(f"/recordings/stored/{path_of(name)}/file")
        if reply.status == 404:  # noqa: PLR2004 -- Not Found
            return None
        self._check(reply, "a recording")
        return reply.body

    async def drop_recording(self, name: str) -> None:
        """Delete a recording, if there is one."""
        await self._send("DELETE", f"/recordings/stored/{path_of(name)}")

    async def filter(self) -> None:
        """Have Asterisk keep back the events that we do not need; raise Unreachable."""
        wanted = {"allowed": [{"type": name} for name in EVENTS]}
        reply = await self._send("PUT", f"/applications/{self._common.app}/eventFilter", None, wanted)
        self._check(reply, "the event filter")

    async def _connect(self) -> aiohttp.ClientWebSocketResponse:
        url = f"{self._url}/events?app={self._common.app}"
        try:
            async with asyncio.timeout(self._common.timeout_s):
                return await self._open().ws_connect(url, heartbeat=self._common.ask_every_s)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            self._check(Reply(getattr(error, "status", NO_REPLY)), "the WebSocket")
            raise Unreachable(f"Asterisk {self._server.name!r} opens no WebSocket: {error}") from error

    async def _read(self, socket: aiohttp.ClientWebSocketResponse) -> AsyncIterator[AriEvent]:
        async for message in socket:
            if message.type is aiohttp.WSMsgType.TEXT:
                if self.tap is not None:
                    self.tap(message.data)
                yield _EVENT(message.data)

    @asynccontextmanager
    async def events(self) -> AsyncIterator[AsyncIterator[AriEvent]]:
        """Open the WebSocket and give its events until it closes; raise Unreachable when it cannot be opened."""
        socket = await self._connect()
        try:
            yield self._read(socket)
        finally:
            await socket.close()


def _query(query: object) -> str:
    if not isinstance(query, dict) or not query:
        return ""
    return "?" + "&".join(f"{name}={quote(str(value), safe='')}" for name, value in query.items())
