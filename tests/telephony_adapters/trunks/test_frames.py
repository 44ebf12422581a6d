from __future__ import annotations

import asyncio
from pathlib import Path

from dialer.core.events import (
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
from statuses.outcomes import AmdResult, Announcement, CallStatus, CancelReason, EndedBy
from telephony_adapters.trunks import frames
from telephony_adapters.trunks.frames import ORDERS, REPORTS, framed, news, received, told
from telephony_adapters.trunks.machine import Told

EVENTS: list[Told] = [
    CallProgressed("c1"), CallRinging("c1"), EarlyMediaHeard("c1", Announcement.LOCKED),
    CallAnswered("c1", AmdResult.MACHINE), CallConnected("c1", "a1"), ConnectFailed("c1", "a1"),
    CallEnded("c1", 486, 17, "LN", "Busy Here", EndedBy.REMOTE), TrunkClosed("main", "why"), TrunkOpened("main", 1),
]  # fmt: skip
ORDERED: list[frames.Order] = [
    frames.Start(str(Path("/a")), b"\0key", (Override("main", CallStatus.BUSY, sip=480, rang=True),), "s", "j",
                 frames.Tracing("t", 0.5, 10)),
    frames.Originate("c1", "+84900000001", "+84240000001", "main", 30.0),
    frames.Hangup("c1", CancelReason.CULL), frames.Connect("c1", "a1"), frames.Station("a1", up=True),
    frames.Snapshot(),
]  # fmt: skip
REPORTED: list[frames.Report] = [
    frames.Ready(), frames.Failed("BadInput", "words"), frames.Calls((CallStatusAtSwitch("c1", answered=True),)),
    frames.Figures({"main": (True, 3)}, {"up": 1}, {"limit": 2}, (1, 2, 3)),
    frames.Line(30, "log", "words", {"action": "a", "n": 1, "none": None}),
]  # fmt: skip


def fed(data: bytes) -> asyncio.StreamReader:
    reader = asyncio.StreamReader()
    reader.feed_data(data)
    reader.feed_eof()
    return reader


async def test_orders_and_reports_arrive_as_they_were_sent() -> None:
    assert [each async for each in received(fed(b"".join(map(framed, ORDERED))), ORDERS)] == ORDERED
    assert [each async for each in received(fed(b"".join(map(framed, REPORTED))), REPORTS)] == REPORTED


async def test_every_kind_of_event_arrives_in_order() -> None:
    (report,) = [each async for each in received(fed(framed(news(EVENTS))), REPORTS)]
    assert isinstance(report, frames.News)
    assert told(report) == EVENTS


async def test_half_a_message_and_one_too_long_are_the_end() -> None:
    whole = framed(frames.Ready())
    assert [each async for each in received(fed(whole + whole[:-1]), REPORTS)] == [frames.Ready()]
    assert [each async for each in received(fed(whole + b"\xff" * 8), REPORTS)] == [frames.Ready()]
