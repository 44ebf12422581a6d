"""The SIP adapter as the dialer runs it, over real sockets, by a trunks file of the test's."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import secrets
import socket
import zlib
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeVar

import dns.resolver
import pytest

from dialer.clock import SystemClock
from dialer.core.events import (
    CallAnswered,
    CallEnded,
    CallEvent,
    CallProgressed,
    CallRinging,
    EarlyMediaHeard,
    TrunkClosed,
    TrunkOpened,
)
from statuses.classify import AttemptFacts, Verdict, classify
from statuses.outcomes import CancelReason
from telephony_adapters.sip.flow import Flow
from telephony_adapters.trunks.config import load
from telephony_adapters.trunks.machine import TrunkMachine
from telephony_adapters.trunks.setup import Plant
from telephony_adapters.trunks.telephony import SipTelephony
from telephony_adapters.wire.loop import SENT
from telephony_adapters.wire.resolve import Resolver
from tests.plugins.asterisk import CONTEXT, Asterisk
from tests.plugins.processes import HOST, free_port

Table = Mapping[str, Any]
AnEvent = CallEvent | TrunkClosed | TrunkOpened
E = TypeVar("E", bound=CallEvent | TrunkClosed | TrunkOpened)

HOTLINE: Final = "+842471000001"
WAIT_S: Final = 20.0
_LIMITS: Final = {"channels": 500, "cps": 500, "options_every_s": 0, "session_expires_s": 0}
"""What no test is about: enough of everything, and no message that it did not ask for."""


def number(index: int = 1) -> str:
    """Return a number of a plan that may be called, which reaches nobody here."""
    return f"+8490000{index:04}"


def reaching(asterisk: Asterisk, *what: str) -> list[str]:
    """Let an Asterisk do this (`echo`, `busy` ...) when the numbers that are returned are dialled, one for each."""
    numbers = [number(1000 + zlib.crc32(each.encode()) % 8000) for each in what]
    for phone, each in zip(numbers, what, strict=True):
        asterisk.command(f"dialplan add extension {phone},1,Goto({CONTEXT},{each},1) into {CONTEXT} replace")
    return numbers


def written(folder: Path, tables: Mapping[str, Table]) -> Path:
    """Write a trunks file of these tables and return its path."""
    lines = []
    for name, table in tables.items():
        lines += [f"[{name}]", *(f"{key} = {_value(value)}" for key, value in table.items())]
    path = folder / "trunks.toml"
    path.write_text("\n".join(lines))
    return path


def _value(value: object) -> str:
    match value:
        case bool():
            return str(value).lower()
        case int() | float():
            return str(value)
        case list() | tuple():
            return f"[{', '.join(map(_value, value))}]"
        case dict():
            return f"{{ {', '.join(f'{_value(key)} = {_value(one)}' for key, one in value.items())} }}"
        case _:
            return f"'{value}'"


class Dialing:
    """A running adapter, what it told (`events`, `heard_at` in seconds of its clock) and what it sent and got."""

    def __init__(self, plant: Plant) -> None:
        self._clock = SystemClock()
        self.telephony = SipTelephony(plant, clock=self._clock, tap=self._tap)
        self.events: list[AnEvent] = []
        self.heard_at: list[float] = []
        self.messages: list[tuple[bool, Flow, bytes]] = []
        self.keeps = True
        """Whether messages are kept; they are counted in any case: `heard`, and what was sent by its first word."""
        self.heard = 0
        self.words: Counter[str] = Counter()
        self._come = asyncio.Condition()
        self._ids = itertools.count(1)
        self._reasons: dict[str, CancelReason] = {}

    @property
    def machine(self) -> TrunkMachine:
        """Return the machine inside."""
        return self.telephony.plant.machine

    def place(self, transport: str = "udp") -> tuple[str, int]:
        """Return where it listens."""
        return next(one[1:3] for one in self.telephony.plant.listens if one.transport == transport)

    def _tap(self, sent: bool, flow: Flow, _local: tuple[str, int], data: bytes, _now: float) -> None:
        if self.keeps:
            self.messages.append((sent, flow, data))
        if sent:
            self.words[data.partition(b" ")[0].decode()] += 1
        else:
            self.heard += 1

    def first_lines(self, *, sent: bool = SENT) -> list[str]:
        """Return the first lines of what it sent, or of what it got."""
        return [data.partition(b"\r\n")[0].decode() for was_sent, _, data in self.messages if was_sent is sent]

    async def until_message(self, begins: str, *, sent: bool = SENT, having: str = "", nth: int = 1) -> bytes:
        """Wait for the `nth` message with such a first line that it sent, or got."""
        deadline = self._clock.now() + WAIT_S
        while len(found := self._messages(begins, sent, having)) < nth:
            if self._clock.now() > deadline:
                pytest.fail(f"waited {WAIT_S:g} s in vain for {begins} {having}; it had {self.first_lines(sent=sent)}")
            await asyncio.sleep(0.005)  # the tap cannot wait
        return found[nth - 1]

    def sent(self, begins: str) -> list[bytes]:
        """Return the messages with such a first line that it sent."""
        return self._messages(begins, SENT, "")

    def _messages(self, begins: str, was_sent: bool, having: str) -> list[bytes]:
        mine = [data for sent, _, data in self.messages if sent is was_sent]
        return [data for data in mine if data.startswith(begins.encode()) and having.encode() in data]

    async def listen(self) -> None:
        """Collect what it tells, until it closes."""
        async for event in self.telephony.events():
            async with self._come:
                self.events.append(event)
                self.heard_at.append(self._clock.now())
                self._come.notify_all()

    async def call(self, phone: str = "", *, trunk: str = "main", ring_s: float = 60.0) -> str:
        """Place a call and return its id."""
        call_id = f"call-{next(self._ids):05}"
        await self.telephony.originate(
            call_id, phone=phone or number(), hotline=HOTLINE, trunk=trunk, ring_timeout_s=ring_s
        )
        return call_id

    async def hang_up(self, call_id: str, reason: CancelReason = CancelReason.ADMIN) -> None:
        """Give a call up, or hang it up."""
        self._reasons[call_id] = reason
        await self.telephony.hangup(call_id, reason=reason)

    async def until(self, kind: type[E], call_id: str = "", *, nth: int = 1, timeout_s: float = WAIT_S) -> E:
        """Wait for the `nth` event of a kind, of a call if one is named; the test fails if it does not come."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_s), self._come:
                await self._come.wait_for(lambda: len(self.of(kind, call_id)) >= nth)
        found = self.of(kind, call_id)
        if len(found) < nth:
            what = f"{kind.__name__} {call_id}".strip()
            pytest.fail(f"waited {timeout_s:g} s in vain for {what}; it had {self.events}", pytrace=False)
        return found[nth - 1]

    def of(self, kind: type[E], call_id: str = "") -> list[E]:
        """Return the events of a kind so far, of a call if one is named."""
        return [
            event for event in self.events if isinstance(event, kind) and call_id in ("", getattr(event, "call_id", ""))
        ]

    def now(self) -> float:
        """Return the time of its clock."""
        return self._clock.now()

    def when(self, event: AnEvent) -> float:
        """Return when an event was heard."""
        return self.heard_at[next(at for at, one in enumerate(self.events) if one is event)]

    async def answered(self, phone: str = "", *, trunk: str = "main") -> str:
        """Place a call, wait for its answer, return its id."""
        call_id = await self.call(phone, trunk=trunk)
        await self.until(CallAnswered, call_id)
        return call_id

    async def over(self, call_id: str, *, timeout_s: float = WAIT_S) -> CallEnded:
        """Wait for the end of a call."""
        return await self.until(CallEnded, call_id, timeout_s=timeout_s)

    def kinds(self, call_id: str) -> list[type[CallEvent]]:
        """Return the kinds of the events of a call, in order."""
        return [type(event) for event in self.of(CallEvent, call_id)]

    def verdict(self, call_id: str) -> Verdict:
        """Return what a call that is over came to, without an agent."""
        (end,) = self.of(CallEnded, call_id)
        early = [event.announcement for event in self.of(EarlyMediaHeard, call_id) if event.announcement]
        return classify(
            AttemptFacts(
                local_error=end.local_error, sip_status=end.sip_status, q850=end.q850,
                q850_location=end.q850_location, reason_text=end.reason_text, ended_by=end.ended_by,
                progressed=bool(self.of(CallProgressed, call_id) or self.of(EarlyMediaHeard, call_id)),
                rang=bool(self.of(CallRinging, call_id)), answered=bool(self.of(CallAnswered, call_id)),
                announcement=early[-1] if early else None, cancel_reason=self._reasons.get(call_id),
            )
        )  # fmt: skip

    def media_here(self) -> int:
        """Count the datagrams of media that came here since the last time: more than a few are not kept."""
        discard = self.telephony._discard
        assert discard is not None
        count = 0
        with contextlib.suppress(BlockingIOError):
            while discard.recv(2048, socket.MSG_DONTWAIT):
                count += 1
        return count

    async def quiet(self, seconds: float = 0.3) -> None:
        """Wait until no message came or went for a time."""
        async with asyncio.timeout(WAIT_S):
            count = -1
            while count != len(self.messages):
                count = len(self.messages)
                await asyncio.sleep(seconds)

    async def settled(self) -> None:
        """Wait until no leg is left: each BYE and CANCEL of ours was answered."""
        async with asyncio.timeout(WAIT_S):
            while self.machine.ua.legs:  # noqa: ASYNC110 -- the core tells nobody that its last leg went
                await asyncio.sleep(0.005)


@asynccontextmanager
async def dialing(
    folder: Path,
    *,
    agents: Table | None = None,
    sip: Table | None = None,
    dns_at: dns.resolver.Resolver | None = None,
    **trunks: Table | str,
) -> AsyncIterator[Dialing]:
    """Run the adapter over these trunks, `main="127.0.0.1:5060"` or a table; `dns_at` answers for the DNS."""
    port = free_port()
    listen = {"listen": [f"udp:{HOST}:{port}", f"tcp:{HOST}:{port}"]}
    tables: dict[str, Table] = {"sip": listen | dict(sip or {})}
    for name, keys in trunks.items():
        tables[f"trunk.{name}"] = _LIMITS | ({"server": keys} if isinstance(keys, str) else dict(keys))
    if agents is not None:
        tables["agents"] = {"session_expires_s": 0, "options_every_s": 0} | dict(agents)
    plant = Plant(load(written(folder, tables)), key=secrets.token_bytes(32))
    with pytest.MonkeyPatch.context() as patch:
        if dns_at is not None:
            patch.setattr("telephony_adapters.trunks.setup.Resolver", partial(Resolver, dns_at=dns_at))
        side = Dialing(plant)
        async with contextlib.AsyncExitStack() as ending:
            await ending.enter_async_context(side.telephony)
            listening = asyncio.create_task(side.listen())
            try:
                yield side
            finally:
                await ending.aclose()  # what it tells until then is heard, too
                await listening
