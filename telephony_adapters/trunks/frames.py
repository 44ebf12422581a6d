"""What an engine and its SIP process say to each other: MessagePack, each message behind its length."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Final, TypeAlias, TypeVar

import msgspec

from dialer.core.events import (
    AgentOnLine,
    CallAnswered,
    CallConnected,
    CallEnded,
    CallProgressed,
    CallRinging,
    ConnectFailed,
    EarlyMediaHeard,
    TrunkClosed,
    TrunkOpened,
)
from dialer.ports import CallStatusAtSwitch
from statuses.classify import Override
from statuses.outcomes import CancelReason
from telephony_adapters.trunks.machine import Told

T = TypeVar("T")

_LENGTH: Final = 4
_MOST: Final = 64 * 1024 * 1024


class Tracing(msgspec.Struct, frozen=True):
    """Where messages are kept, of which share of the calls, and how much of them."""

    folder: str
    share: float
    max_bytes: int


class Start(msgspec.Struct, frozen=True, tag=True):
    """Begin: the trunks file, the installation's secret, and where things are kept."""

    trunks: str
    key: bytes
    overrides: tuple[Override, ...] = ()
    spend: str | None = None
    journal: str | None = None
    trace: Tracing | None = None
    drained: str | None = None
    """The file that names the trunks which operators drain."""


class Originate(msgspec.Struct, frozen=True, tag=True):
    """Place a call."""

    call_id: str
    phone: str
    hotline: str
    trunk: str
    ring_s: float


class Hangup(msgspec.Struct, frozen=True, tag=True):
    """End a call."""

    call_id: str
    reason: CancelReason


class Connect(msgspec.Struct, frozen=True, tag=True):
    """Join a call to an agent."""

    call_id: str
    agent_id: str


class Summon(msgspec.Struct, frozen=True, tag=True):
    """Call an agent for a call that is not placed yet."""

    call_id: str
    agent_id: str


class Station(msgspec.Struct, frozen=True, tag=True):
    """Learn that an agent is there, or has left."""

    agent_id: str
    up: bool


class Snapshot(msgspec.Struct, frozen=True, tag=True):
    """List the calls: Calls follows."""


Order: TypeAlias = Start | Originate | Hangup | Connect | Summon | Station | Snapshot
"""What the engine says."""


class Ready(msgspec.Struct, frozen=True, tag=True):
    """It listens."""


class Failed(msgspec.Struct, frozen=True, tag=True):
    """It could not begin: the name of the DialerError, and its words."""

    kind: str
    words: str


class News(msgspec.Struct, frozen=True, tag=True):
    """Events, in order, by the names of their kinds."""

    events: tuple[tuple[str, msgspec.Raw], ...]


class Calls(msgspec.Struct, frozen=True, tag=True):
    """The answer to Snapshot."""

    calls: tuple[CallStatusAtSwitch, ...]


class Figures(msgspec.Struct, frozen=True, tag=True):
    """How trunks, phones and traces stand."""

    trunks: Mapping[str, tuple[bool, int]] = {}
    """Whether each takes calls, and how many it carries."""
    phones: Mapping[str, int] = {}
    """Agents' phones by state."""
    events: Mapping[str, int] = {}
    """What was dropped, answered by itself or noticed, by reason."""
    trace: tuple[int, int, int] | None = None
    """Messages kept, their bytes, and messages that could not be kept."""


class Line(msgspec.Struct, frozen=True, tag=True):
    """A line for the engine's log."""

    level: int
    logger: str
    words: str
    extra: Mapping[str, str | int | float | None]


Report: TypeAlias = Ready | Failed | News | Calls | Figures | Line
"""What the SIP process says."""

_KINDS: Final[Mapping[str, type[Told]]] = {
    kind.__name__: kind
    for kind in (
        CallProgressed, CallRinging, EarlyMediaHeard, CallAnswered, CallConnected, ConnectFailed, AgentOnLine,
        CallEnded, TrunkClosed, TrunkOpened,
    )
}  # fmt: skip
_encode: Final = msgspec.msgpack.Encoder().encode
_decoders: Final = {name: msgspec.msgpack.Decoder(kind) for name, kind in _KINDS.items()}
ORDERS: Final[msgspec.msgpack.Decoder[Order]] = msgspec.msgpack.Decoder(Order)
REPORTS: Final[msgspec.msgpack.Decoder[Report]] = msgspec.msgpack.Decoder(Report)


def framed(message: Order | Report) -> bytes:
    """Return a message as it is sent."""
    data = _encode(message)
    return len(data).to_bytes(_LENGTH) + data


def news(events: Sequence[Told]) -> News:
    """Return events as they are sent."""
    return News(tuple((type(event).__name__, msgspec.Raw(_encode(event))) for event in events))


def told(message: News) -> list[Told]:
    """Return the events of a message."""
    return [_decoders[name].decode(raw) for name, raw in message.events]


async def received(reader: asyncio.StreamReader, decoder: msgspec.msgpack.Decoder[T]) -> AsyncIterator[T]:
    """Yield the messages of the other side until it is gone."""
    try:
        while True:
            length = int.from_bytes(await reader.readexactly(_LENGTH))
            if length > _MOST:
                return
            yield decoder.decode(await reader.readexactly(length))
    except (asyncio.IncompleteReadError, ConnectionError):
        return
