"""Calls by Asterisk: a client of ARI in a process of its own, written to cost as little as it can."""

from __future__ import annotations

import asyncio
import itertools
import resource
import sys
import time
from pathlib import Path
from typing import Final

import aiohttp
import msgspec

from dialer.bench.load_report import Spread
from dialer.bench.sip.asterisk import USER
from dialer.bench.sip.programs import Program
from telephony_adapters.wire.uvloops import run

_START: Final = "from dialer.bench.sip.ari import main; main()"
_APP: Final = "bench"
_EVENTS: Final = ("ChannelStateChange", "StasisStart", "ChannelDestroyed")
"""What a dialer needs to know of a call: three of sixteen."""
_GRACE_S: Final = 60.0
_SOCKETS: Final = 64


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """`calls` to a SIP address, so many `at_once`, or `rate` a second."""

    url: str
    password: str
    to: str
    """As Asterisk dials it: PJSIP/trunk/sip:USER@HOST:PORT."""
    calls: int
    at_once: int = 0
    rate: float = 0.0
    filtered: bool = False
    """Whether ARI shall keep back the events that a dialer does not need."""

    @property
    def takes_s(self) -> float:
        """Return for how long it may be waited."""
        return self.calls / (self.rate or 50) + _GRACE_S


class Done(msgspec.Struct, frozen=True, kw_only=True):
    """What a job came to: calls that were answered, seconds by the wall, the client's own processor time."""

    answered: int
    elapsed_s: float
    cpu_s: float
    to_answer: Spread | None


class _Channel(msgspec.Struct):
    id: str


class _Event(msgspec.Struct):
    type: str
    channel: _Channel | None = None


def call(folder: Path, job: Job) -> Done:
    """Do a job in a process of its own; raise DialerError when that ends badly."""
    words = [sys.executable, "-c", _START, msgspec.json.encode(job).decode()]
    with Program(words, folder) as program:
        program.wait(job.takes_s)
        return msgspec.json.decode(program.said(), type=Done)


def main() -> None:
    """Do the job of the first argument."""
    done = run(_do(msgspec.json.decode(sys.argv[1], type=Job)))
    sys.stdout.write(msgspec.json.encode(done).decode())


async def _do(job: Job) -> Done:
    auth, connector = aiohttp.BasicAuth(USER, job.password), aiohttp.TCPConnector(limit=_SOCKETS)
    async with (
        aiohttp.ClientSession(auth=auth, connector=connector) as session,
        session.ws_connect(f"{job.url}/events", params={"app": _APP}) as socket,
    ):
        wanted = {"allowed": [{"type": name} for name in _EVENTS] if job.filtered else []}
        async with session.put(f"{job.url}/applications/{_APP}/eventFilter", json=wanted) as said:
            said.raise_for_status()
        return await Caller(job, session, socket).run()


class Caller:
    """Originates channels and hangs them up as soon as they are answered."""

    def __init__(self, job: Job, session: aiohttp.ClientSession, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._job = job
        self._session = session
        self._socket = socket
        self._numbers = itertools.count(10_000_000)  # ids of one length: ARI takes a prefix of a live one for it
        self._begun: dict[str, float] = {}
        self._to_answer_s: list[float] = []
        self._left = job.calls
        self._work: set[asyncio.Task[None]] = set()

    async def run(self) -> Done:
        """Make the calls."""
        began, cpu_s = time.monotonic(), _cpu_s()
        pacing = asyncio.create_task(self._pace())
        decode = msgspec.json.Decoder(_Event).decode
        async for message in self._socket:
            event = decode(message.data)
            if event.channel is not None and event.channel.id in self._begun:
                self._heard(event.type, event.channel.id)
            if not self._begun and not self._left:
                break
        await pacing
        await asyncio.gather(*self._work)
        return Done(
            answered=len(self._to_answer_s), elapsed_s=time.monotonic() - began, cpu_s=_cpu_s() - cpu_s,
            to_answer=Spread.of(self._to_answer_s),
        )  # fmt: skip

    async def _pace(self) -> None:
        job = self._job
        if not job.rate:
            for _ in range(min(job.at_once, job.calls)):
                self._next()
            return
        began = time.monotonic()
        for number in range(job.calls):
            while (wait := began + number / job.rate - time.monotonic()) > 0:  # noqa: ASYNC110 -- a moment, no event
                await asyncio.sleep(wait)
            self._next()

    def _heard(self, kind: str, channel: str) -> None:
        if kind == "StasisStart":
            self._to_answer_s.append(time.monotonic() - self._begun[channel])
            self._do(self._session.delete(f"{self._job.url}/channels/{channel}"))
        elif kind == "ChannelDestroyed":
            del self._begun[channel]
            if self._left and not self._job.rate:
                self._next()

    def _next(self) -> None:
        self._left -= 1
        channel = f"bench-{next(self._numbers)}"
        self._begun[channel] = time.monotonic()
        asked = {"endpoint": self._job.to, "app": _APP, "channelId": channel, "timeout": "30"}
        self._do(self._session.post(f"{self._job.url}/channels", params=asked))

    def _do(self, request: aiohttp.client._RequestContextManager) -> None:
        task = asyncio.create_task(_sent(request))
        self._work.add(task)
        task.add_done_callback(self._work.discard)


async def _sent(request: aiohttp.client._RequestContextManager) -> None:
    async with request as response:
        response.raise_for_status()


def _cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime
