"""What is said over ARI, as data: the events that we need, our requests, and what they are answered by; pure."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

import msgspec


class CallerId(msgspec.Struct, frozen=True):
    """A number as Asterisk shows it."""

    number: str = ""


class Dialplan(msgspec.Struct, frozen=True):
    """Where a channel is in the dialplan."""

    context: str = ""
    exten: str = ""
    app_name: str = ""
    app_data: str = ""


class Channel(msgspec.Struct, frozen=True):
    """One leg, as every event and `GET /channels` show it."""

    id: str
    state: str = ""
    name: str = ""
    caller: CallerId = CallerId()
    dialplan: Dialplan = Dialplan()
    creationtime: str = ""


class Bridge(msgspec.Struct, frozen=True):
    """Channels that hear each other."""

    id: str
    channels: tuple[str, ...] = ()


class Playback(msgspec.Struct, frozen=True):
    """A prompt; `state` is `done` or `failed` at its end."""

    id: str
    state: str = ""


class Recording(msgspec.Struct, frozen=True):
    """A recording; `duration` in whole seconds, at its end."""

    name: str
    duration: float | None = None


class AriEvent(msgspec.Struct, frozen=True):
    """An event of the WebSocket; fields that its type does not have keep their defaults."""

    type: str
    timestamp: str = ""
    channel: Channel | None = None
    peer: Channel | None = None
    """The leg that is dialled (`Dial`)."""
    dialstatus: str = ""
    args: tuple[str, ...] = ()
    cause: int = 0
    tech_cause: int = 0
    digit: str = ""
    playback: Playback | None = None
    recording: Recording | None = None


REPLACED: Final = "ApplicationReplaced"
"""Another process has taken our application's events over."""
EVENTS: Final = (
    REPLACED,
    "ChannelDestroyed",
    "ChannelDtmfReceived",
    "Dial",
    "PlaybackFinished",
    "RecordingFailed",
    "RecordingFinished",
    "StasisStart",
)
"""The types that we need; Asterisk is asked to keep back all others, which are two thirds of what it would send."""


class Ask(StrEnum):
    """What a request is for, so that its answer is understood."""

    PLACE = "place"
    HANG_UP = "hang_up"
    DROP = "drop"
    """Hang up a leg that is no customer's."""
    WATCH = "watch"
    """Be told of a call that came to us until it is gone; by itself Asterisk tells until it leaves the application."""
    ANSWER = "answer"
    AMD = "amd"
    BRIDGE = "bridge"
    LEG = "leg"
    JOIN = "join"
    BACK = "back"
    """Join once more, after music."""
    PLAY = "play"
    SNOOP = "snoop"
    RECORD = "record"
    STOP = "stop"
    SUPERVISE = "supervise"
    TRANSFER = "transfer"
    JOIN_THIRD = "join_third"
    OTHER = "other"
    """Whatever comes of it changes nothing."""


class Request(msgspec.Struct, frozen=True):
    """An HTTP request. `whom`: the call, agent or channel that its answer is about.

    Those of one `lane` are sent one after the other, each when the one before is answered.
    """

    ask: Ask
    whom: str
    lane: str
    method: str
    path: str
    query: Mapping[str, str] = {}
    body: Mapping[str, object] | None = None


NO_REPLY: Final = 0
"""The status that stands for no answer at all."""


def is_done(status: int) -> bool:
    """Tell whether a request was obeyed."""
    return status // 100 == 2  # noqa: PLR2004 -- the class of statuses
